//! The code lists whose members the fields of a message carry, as data with a version. Pure: no I/O.
//!
//! [`crate::rules::Format`] judges the shape of a code; these lists say whether such a code exists. Lists
//! change while archived messages do not, so a code that is not listed is a reason to warn, never to refuse.
//! UN/LOCODE is a shape only and has no list here.
//!
//! Each list is a file beside this one: a line `# list, version, edition, source` and then one line
//! `code, name` or `code, name, extra` per member, sorted by the bytes of the code, with tabs between.
//! Where a standard is maintained between its editions, the version is `EDITION/STATE`, and the edition is
//! the day of that state.

use std::sync::OnceLock;

/// One member of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The code, as a message carries it.
    pub code: &'a str,
    /// A short name in English.
    pub name: &'a str,
    /// What the list says besides; empty where it says nothing.
    pub extra: &'a str,
}

impl<'a> Entry<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (code, rest) = line.split_once('\t')?;
        let (name, extra) = rest.split_once('\t').unwrap_or((rest, ""));
        Some(Self { code, name, extra })
    }
}

/// A file, once it is read.
struct Table {
    version: &'static str,
    edition: &'static str,
    source: &'static str,
    /// In the order of their codes.
    entries: Vec<Entry<'static>>,
}

impl Table {
    fn parse(text: &'static str) -> Self {
        let (head, members) = text.split_once('\n').unwrap_or((text, ""));
        let mut columns = head.split('\t').skip(1);
        let mut column = || columns.next().unwrap_or_default();
        Self {
            version: column(),
            edition: column(),
            source: column(),
            entries: members.lines().filter_map(Entry::parse).collect(),
        }
    }
}

/// Declares the lists once: variant, name, file.
macro_rules! lists {
    ($($(#[$doc:meta])* $variant:ident $name:literal $file:literal;)*) => {
        /// A list of codes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum List {
            $($(#[$doc])* $variant,)*
        }

        impl List {
            /// All lists.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The stable name, in capitals.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The text of the file.
            const fn text(self) -> &'static str {
                match self { $(Self::$variant => include_str!($file),)* }
            }

            /// The members, read when they are first asked for.
            fn table(self) -> &'static Table {
                match self {
                    $(Self::$variant => {
                        static TABLE: OnceLock<Table> = OnceLock::new();
                        TABLE.get_or_init(|| Table::parse(self.text()))
                    })*
                }
            }
        }
    };
}

lists! {
    /// Countries: ISO 3166-1:2020, alpha-2 codes, as maintained in February 2026. Without codes that are
    /// only reserved or assigned by users.
    Country "ISO_3166_1" "iso3166-1.tsv";
    /// Currencies and funds in use: ISO 4217:2015, list one of 1 January 2026. The extra is the number of
    /// decimals (minor unit), or `-` where the standard states none.
    Currency "ISO_4217" "iso4217.tsv";
    /// Languages: ISO 639:2023, the two-letter codes of set 1 and the terminology codes of set 2, as
    /// maintained in July 2026. They are the primary subtags of a BCP 47 tag. Without bibliographic codes
    /// and those for local use.
    Language "ISO_639" "iso639.tsv";
    /// Scripts: ISO 15924:2022, as maintained in February 2026. Without the codes for private use.
    Script "ISO_15924" "iso15924.tsv";
    /// Types of documents and declarations: UN/EDIFACT data element 1001, directory D.24A.
    Document "UNTDID_1001" "untdid1001.tsv";
    /// Modes of transport: UN/ECE Recommendation 19, second edition (2001).
    TransportMode "UNECE_REC_19" "rec19.tsv";
    /// Units of measure: UN/ECE Recommendation 20, revision 17 (2021), common codes that are not marked for
    /// deletion. The extra of those that should no longer be used is `deprecated`.
    Unit "UNECE_REC_20" "rec20.tsv";
    /// Kinds of packages: UN/ECE Recommendation 21, revision 12 (2021), codes not marked for deletion.
    Package "UNECE_REC_21" "rec21.tsv";
    /// Roles of parties: those of UN/EDIFACT data element 3035, directory D.24A, that customs matters need
    /// (extra `3035`), and the words that the protocol adds (extra `article6`). A subset.
    PartyRole "EDIFACT_3035" "edifact3035.tsv";
}

impl List {
    /// The list of this name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|list| list.name() == name)
    }

    /// Edition of the standard, and the state in which it is maintained.
    pub fn version(self) -> &'static str {
        self.table().version
    }

    /// Year, month or day of the edition, as far as it is known.
    pub fn edition(self) -> &'static str {
        self.table().edition
    }

    /// The standard in words.
    pub fn source(self) -> &'static str {
        self.table().source
    }

    /// The members, sorted by the bytes of their codes.
    pub fn entries(self) -> impl Iterator<Item = Entry<'static>> {
        self.table().entries.iter().copied()
    }

    /// The member with this code.
    pub fn entry(self, code: &str) -> Option<Entry<'static>> {
        let entries = &self.table().entries;
        let place = entries.binary_search_by(|entry| entry.code.cmp(code)).ok()?;
        entries.get(place).copied()
    }

    /// Whether the list has this code, exactly as written.
    pub fn contains(self, code: &str) -> bool {
        self.entry(code).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::{Entry, List};
    use crate::rules::Format;
    use std::collections::HashSet;
    use std::ops::RangeInclusive;

    /// Bytes of all files together, which the binary carries.
    const BYTES_MAX: usize = 120 * 1024;

    #[test]
    fn every_file_parses() {
        let mut bytes = 0;
        for list in List::ALL {
            let text = list.text();
            bytes += text.len();
            assert!(text.ends_with('\n') && !text.contains('\r'), "{list:?}");
            let head: Vec<_> = text.lines().next().unwrap().split('\t').collect();
            let name = format!("# {}", list.name());
            assert_eq!(head, [name.as_str(), list.version(), list.edition(), list.source()]);
            assert!(head.iter().all(|column| !column.is_empty()), "{list:?}");
            assert!(list.edition().bytes().all(|byte| byte.is_ascii_digit() || byte == b'-'), "{list:?}");
            assert_eq!(list.entries().count(), text.lines().count() - 1, "{list:?}");
            for Entry { code, name, extra } in list.entries() {
                assert!(!name.is_empty() && name.trim() == name && name.len() <= 90, "{list:?} {code}");
                assert!(!extra.contains('\t'), "{list:?} {code}");
            }
        }
        assert!(bytes <= BYTES_MAX, "{bytes}");
    }

    #[test]
    fn members_are_sorted_and_unique() {
        for list in List::ALL {
            let codes: Vec<_> = list.entries().map(|entry| entry.code).collect();
            assert!(codes.windows(2).all(|pair| pair[0] < pair[1]), "{list:?}");
        }
    }

    #[test]
    fn members_have_the_shape_of_the_standard_and_of_the_field() {
        for list in List::ALL {
            for Entry { code, extra, .. } in list.entries() {
                let (format, lengths, extras): (Format, RangeInclusive<usize>, &[&str]) = match list {
                    List::Country => (Format::Country, 2..=2, &[""]),
                    List::Currency => (Format::Currency, 3..=3, &["-", "0", "2", "3", "4"]),
                    List::Language => (Format::Language, 2..=3, &[""]),
                    List::Script => (Format::Script, 4..=4, &[""]),
                    List::Document => (Format::Digits, 1..=3, &[""]),
                    List::TransportMode => (Format::Digits, 1..=1, &[""]),
                    List::Unit => (Format::Code, 2..=3, &["", "deprecated"]),
                    List::Package => (Format::Code, 2..=2, &[""]),
                    List::PartyRole if extra == "article6" => (Format::Code, 4..=10, &["article6"]),
                    List::PartyRole => (Format::Code, 2..=3, &["3035"]),
                };
                assert!(format.accepts(code) && lengths.contains(&code.len()), "{list:?} {code}");
                assert!(extras.contains(&extra), "{list:?} {code} {extra}");
                assert!(!code.contains('_') && (*list != List::Document || !code.starts_with('0')), "{code}");
            }
        }
    }

    #[test]
    fn known_codes_are_members_and_others_are_not() {
        let cases: [(List, &[&str], &[&str]); 9] = [
            (List::Country, &["KZ", "US", "SS", "ZW"], &["", "XK", "UK", "SU", "EU", "kz", "KAZ"]),
            (List::Currency, &["USD", "KZT", "EUR", "XCG", "XXX"], &["", "BGN", "HRK", "SUR", "usd", "US"]),
            (List::Language, &["en", "kk", "ru", "rus", "kaz", "und"], &["", "sh", "ger", "qaa", "kk-KZ"]),
            (List::Script, &["Cyrl", "Latn", "Arab", "Zyyy"], &["", "cyrl", "Qaaa", "Cyr"]),
            (
                List::Document,
                &[
                    "1", "4", "6", "12", "105", "271", "315", "325", "380", "450", "703", "705", "720",
                    "722", "730", "740", "785", "811", "830", "861", "862", "864", "911", "916", "929",
                    "934", "935", "950", "952", "955",
                ],
                &["", "0", "001", "999", "1000"],
            ),
            (List::TransportMode, &["0", "1", "9"], &["", "10", "01"]),
            (
                List::Unit,
                &["KGM", "LTR", "H87", "MTR", "MTK", "MTQ", "TNE", "GRM", "C62", "NAR", "CTM", "LPA", "HAR"],
                &["", "kgm", "KG", "PCE", "TN"],
            ),
            (List::Package, &["CT", "BX", "PX", "1A", "NE", "ZZ"], &["", "SX", "XCT", "ct"]),
            (
                List::PartyRole,
                &[
                    "IM", "EX", "CN", "CZ", "SE", "BY", "CA", "MF", "DT", "FW", "NI", "WH", "SUSPECT",
                    "WITNESS", "EXPERT", "OTHER",
                ],
                &["", "im", "IMP", "VICTIM"],
            ),
        ];
        for (list, members, others) in cases {
            for code in members {
                assert!(list.contains(code), "{list:?} {code}");
                assert_eq!(list.entry(code).unwrap().code, *code);
            }
            for code in others {
                assert!(!list.contains(code), "{list:?} {code}");
            }
        }
        assert_eq!(cases.map(|(list, ..)| list), List::ALL);
    }

    #[test]
    fn the_minor_unit_of_a_currency_is_its_extra() {
        for (code, decimals) in [("USD", "2"), ("JPY", "0"), ("KWD", "3"), ("CLF", "4"), ("XAU", "-")] {
            assert_eq!(List::Currency.entry(code).unwrap().extra, decimals, "{code}");
        }
    }

    #[test]
    fn a_search_finds_what_a_walk_finds() {
        for from in List::ALL {
            for entry in from.entries().step_by(7) {
                let code = entry.code;
                let shorter = &code[..code.len() - 1];
                let probes = [
                    code.to_owned(),
                    format!("{code}0"),
                    format!("0{code}"),
                    shorter.to_owned(),
                    code.to_lowercase(),
                ];
                for list in List::ALL {
                    for probe in &probes {
                        let walked = list.entries().find(|entry| entry.code == probe);
                        assert_eq!(list.entry(probe), walked, "{list:?} {probe}");
                    }
                }
            }
        }
    }

    #[test]
    fn names_are_distinct_and_lead_back() {
        let names: HashSet<_> = List::ALL.iter().map(|list| list.name()).collect();
        assert_eq!(names.len(), List::ALL.len());
        for list in List::ALL {
            assert_eq!(List::by_name(list.name()), Some(*list));
        }
        assert_eq!(List::by_name("iso_3166_1"), None);
    }
}
