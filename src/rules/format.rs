//! The shapes that `article6.rules.v1.Format` names. Shapes only: whether a country or a currency of that
//! code exists is not asked, because those lists change while archived messages do not.

/// The shape of a string; the members are those of `article6.rules.v1.Format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "rules.proto says what each member means")]
pub enum Format {
    Text,
    Date,
    DateOrTime,
    Decimal,
    Country,
    Jurisdiction,
    Currency,
    Language,
    Script,
    Subdivision,
    Uuid,
    HsCode,
    Digits,
    Identifier,
    TimeZone,
    Article,
    MediaType,
    Code,
    Token,
}

impl Format {
    /// All shapes, in the order of their numbers in `rules.proto`.
    pub const ALL: [Self; 19] = [
        Self::Text,
        Self::Date,
        Self::DateOrTime,
        Self::Decimal,
        Self::Country,
        Self::Jurisdiction,
        Self::Currency,
        Self::Language,
        Self::Script,
        Self::Subdivision,
        Self::Uuid,
        Self::HsCode,
        Self::Digits,
        Self::Identifier,
        Self::TimeZone,
        Self::Article,
        Self::MediaType,
        Self::Code,
        Self::Token,
    ];

    /// The code of a violation, and the shape in words.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Text => ("BAD_FORMAT_TEXT", "not text"),
            Self::Date => ("BAD_FORMAT_DATE", "not a calendar date such as 2026-04-20"),
            Self::DateOrTime => {
                ("BAD_FORMAT_DATE_OR_TIME", "neither a calendar date nor an RFC 3339 time stamp")
            }
            Self::Decimal => ("BAD_FORMAT_DECIMAL", "not a decimal number such as 41200.00"),
            Self::Country => ("BAD_FORMAT_COUNTRY", "not an ISO 3166-1 alpha-2 code"),
            Self::Jurisdiction => {
                ("BAD_FORMAT_JURISDICTION", "neither an ISO 3166-1 alpha-2 code nor TREATY")
            }
            Self::Currency => ("BAD_FORMAT_CURRENCY", "not an ISO 4217 code"),
            Self::Language => ("BAD_FORMAT_LANGUAGE", "not a BCP 47 language tag"),
            Self::Script => ("BAD_FORMAT_SCRIPT", "not an ISO 15924 code"),
            Self::Subdivision => ("BAD_FORMAT_SUBDIVISION", "not an ISO 3166-2 code"),
            Self::Uuid => ("BAD_FORMAT_UUID", "not a UUID in lower case"),
            Self::HsCode => ("BAD_FORMAT_HS_CODE", "not four or six digits"),
            Self::Digits => ("BAD_FORMAT_DIGITS", "not digits only"),
            Self::Identifier => {
                ("BAD_FORMAT_IDENTIFIER", "not at most 40 of the characters A-Z a-z 0-9 - _ . :")
            }
            Self::TimeZone => ("BAD_FORMAT_TIME_ZONE", "not the shape of an IANA time zone name"),
            Self::Article => ("BAD_FORMAT_ARTICLE", "not a paragraph such as 7.3 or 5.2(c)"),
            Self::MediaType => ("BAD_FORMAT_MEDIA_TYPE", "not a media type such as text/plain"),
            Self::Code => ("BAD_FORMAT_CODE", "not capital letters, digits and underscores only"),
            Self::Token => ("BAD_FORMAT_TOKEN", "not of the characters A-Z a-z 0-9 - _ . :"),
        }
    }

    /// The stable code of a violation.
    pub fn code(self) -> &'static str {
        self.words().0
    }

    /// The violation in words.
    pub fn description(self) -> &'static str {
        self.words().1
    }

    /// Whether `text`, which is not empty, has this shape. [`Format::Text`] is judged elsewhere.
    pub fn accepts(self, text: &str) -> bool {
        let bytes = text.as_bytes();
        match self {
            Self::Text => true,
            Self::Date => date(bytes),
            Self::DateOrTime => date(bytes) || date_time(bytes),
            Self::Decimal => decimal(text),
            Self::Country => bytes.len() == 2 && all(bytes, u8::is_ascii_uppercase),
            Self::Jurisdiction => Self::Country.accepts(text) || text == "TREATY",
            Self::Currency => bytes.len() == 3 && all(bytes, u8::is_ascii_uppercase),
            Self::Language => language(text),
            Self::Script => matches!(bytes, [first, rest @ ..] if rest.len() == 3
                && first.is_ascii_uppercase() && all(rest, u8::is_ascii_lowercase)),
            Self::Subdivision => subdivision(text),
            Self::Uuid => uuid(bytes),
            Self::HsCode => matches!(bytes.len(), 4 | 6) && all(bytes, u8::is_ascii_digit),
            Self::Digits => all(bytes, u8::is_ascii_digit),
            Self::Identifier => (1..=40).contains(&bytes.len()) && Self::Token.accepts(text),
            Self::Token => all(bytes, |b| b.is_ascii_alphanumeric() || b"-_.:".contains(b)),
            Self::TimeZone => time_zone(text),
            Self::Article => article(text),
            Self::MediaType => media_type(text),
            Self::Code => all(bytes, |b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'_'),
        }
    }
}

fn all(bytes: &[u8], test: impl Fn(&u8) -> bool) -> bool {
    !bytes.is_empty() && bytes.iter().all(test)
}

/// The value of exactly these ASCII digits; at most 9 of them.
fn digits(bytes: &[u8]) -> Option<u32> {
    if bytes.len() > 9 || !all(bytes, u8::is_ascii_digit) {
        return None;
    }
    Some(bytes.iter().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0')))
}

/// ISO 8601 extended calendar date of the years 0001 to 9999; the day exists in the Gregorian calendar.
fn date(bytes: &[u8]) -> bool {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = bytes else { return false };
    let (Some(year), Some(month), Some(day)) =
        (digits(&[*y1, *y2, *y3, *y4]), digits(&[*m1, *m2]), digits(&[*d1, *d2]))
    else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return false,
    };
    year >= 1 && (1..=last).contains(&day)
}

/// RFC 3339 section 5.6 in capital letters, at most nine digits of a second, no leap second.
fn date_time(bytes: &[u8]) -> bool {
    let Some((day, [b'T', h1, h2, b':', m1, m2, b':', s1, s2, rest @ ..])) = bytes.split_at_checked(10)
    else {
        return false;
    };
    let below = |tens: u8, ones: u8, limit: u32| digits(&[tens, ones]).is_some_and(|value| value < limit);
    if !date(day) || !below(*h1, *h2, 24) || !below(*m1, *m2, 60) || !below(*s1, *s2, 60) {
        return false;
    }
    let zone = match rest {
        [b'.', fraction @ ..] => {
            let length = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if !(1..=9).contains(&length) {
                return false;
            }
            fraction.get(length..).unwrap_or_default()
        }
        _ => rest,
    };
    match zone {
        b"Z" => true,
        [b'+' | b'-', h1, h2, b':', m1, m2] => below(*h1, *h2, 24) && below(*m1, *m2, 60),
        _ => false,
    }
}

fn decimal(text: &str) -> bool {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole.as_bytes(), Some(fraction.as_bytes())),
        None => (text.as_bytes(), None),
    };
    let fraction_fits = fraction.is_none_or(|digits| digits.len() <= 6 && all(digits, u8::is_ascii_digit));
    let no_superfluous_zero = whole.len() == 1 || whole.first() != Some(&b'0');
    whole.len() <= 15 && all(whole, u8::is_ascii_digit) && no_superfluous_zero && fraction_fits
}

/// RFC 5646 section 2.1, by lengths: a primary subtag of 2 or 3 letters, then subtags of 1 to 8.
fn language(text: &str) -> bool {
    let mut subtags = text.split('-');
    let primary = subtags.next().unwrap_or_default().as_bytes();
    text.len() <= 35
        && matches!(primary.len(), 2 | 3)
        && all(primary, u8::is_ascii_lowercase)
        && subtags.all(|subtag| subtag.len() <= 8 && all(subtag.as_bytes(), u8::is_ascii_alphanumeric))
}

fn subdivision(text: &str) -> bool {
    text.split_once('-').is_some_and(|(country, part)| {
        Format::Country.accepts(country)
            && part.len() <= 3
            && all(part.as_bytes(), |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    })
}

fn uuid(bytes: &[u8]) -> bool {
    bytes.len() == 36
        && bytes.iter().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}

fn time_zone(text: &str) -> bool {
    text.len() <= 64
        && text.bytes().next().is_some_and(|first| first.is_ascii_alphabetic())
        && text
            .split('/')
            .all(|part| all(part.as_bytes(), |byte| byte.is_ascii_alphanumeric() || b"_+-".contains(byte)))
}

/// One or two digits, then a paragraph of one or two digits, then a letter in parentheses.
fn article(text: &str) -> bool {
    let number = |part: &str| part.len() <= 2 && !part.starts_with('0') && digits(part.as_bytes()).is_some();
    let Some((article, rest)) = text.split_once('.') else { return number(text) };
    let paragraph = match rest.split_once('(') {
        None => rest,
        Some((paragraph, letter)) => match letter.as_bytes() {
            [b'a'..=b'z', b')'] => paragraph,
            _ => return false,
        },
    };
    number(article) && number(paragraph)
}

/// RFC 6838 section 4.2, without parameters.
fn media_type(text: &str) -> bool {
    let name = |part: &str| {
        part.len() <= 127
            && part.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    text.split_once('/').is_some_and(|(kind, subtype)| name(kind) && name(subtype))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_accept_what_they_name_and_nothing_else() {
        let cases: [(Format, &[&str], &[&str]); 17] = [
            (
                Format::Date,
                &["2026-04-20", "2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31"],
                &[
                    "2026-4-20",
                    "2025-02-29",
                    "1900-02-29",
                    "2026-13-01",
                    "2026-00-10",
                    "0000-01-01",
                    "20260420",
                ],
            ),
            (
                Format::DateOrTime,
                &["2026-05-10", "2026-05-10T01:00:00Z", "2026-05-10T01:00:00.123456789+05:00"],
                &[
                    "2026-05-10T24:00:00Z",
                    "2026-05-10T01:00Z",
                    "2026-05-10T01:00:00",
                    "2026-05-10T01:00:00.Z",
                    "2026-05-10 01:00:00Z",
                    "2026-05-10T01:00:60Z",
                    "2026-05-10T01:00:00+0500",
                ],
            ),
            (
                Format::Decimal,
                &["0", "0.5", "41200.00", "123456789012345.123456"],
                &["-1", "+1", "01", "00", ".5", "5.", "1e3", "1,5", "1234567890123456", "1.1234567", "١"],
            ),
            (Format::Country, &["KZ", "US"], &["kz", "KAZ", "K", "К1"]),
            (Format::Jurisdiction, &["KZ", "TREATY"], &["EU27", "treaty"]),
            (Format::Currency, &["USD", "KZT"], &["usd", "US", "US1"]),
            (Format::Language, &["en", "kk", "kk-Cyrl-KZ", "rus"], &["e", "english", "en_US", "en-", "EN"]),
            (Format::Script, &["Cyrl", "Arab"], &["cyrl", "CYRL", "Cyr"]),
            (Format::Subdivision, &["US-TX", "KZ-75", "KZ-ALA"], &["US", "TX", "US-", "US-TEXA", "us-tx"]),
            (
                Format::Uuid,
                &["0198f000-0000-7000-8000-000000000001"],
                &[
                    "0198F000-0000-7000-8000-000000000001",
                    "0198f00000007000800000000000000100000",
                    "0198f000",
                ],
            ),
            (Format::HsCode, &["901812", "9018"], &["90181", "9018120", "9018.1"]),
            (Format::Digits, &["0", "929"], &["", "12a", "-1"]),
            (Format::Identifier, &["KZ-DO-0007", "a.b:c_d"], &["", "a b", "é", "a/b"]),
            (Format::TimeZone, &["UTC", "Asia/Almaty", "Etc/GMT+5"], &["", "/UTC", "Asia/", "a b", "1/2"]),
            (
                Format::Article,
                &["7.3", "5.2(c)", "11", "10.1"],
                &["", "7.", ".3", "07.3", "5.2(C)", "5.2c", "5.2(c"],
            ),
            (
                Format::MediaType,
                &["text/plain", "application/vnd.oasis.opendocument.text"],
                &["text", "text/", "/plain", "text/plain; charset=utf-8", "a/b/c"],
            ),
            (Format::Token, &["a-b_c.d:e"], &["", "a b", "é"]),
            (Format::Code, &["EAEU_TNVED", "H87"], &["", "eaeu", "A-B"]),
        ];
        for (format, good, bad) in cases {
            for text in good {
                assert!(format.accepts(text), "{format:?} {text}");
            }
            for text in bad {
                assert!(!format.accepts(text), "{format:?} {text}");
            }
        }
        assert!(Format::Identifier.accepts(&"x".repeat(40)));
        assert!(!Format::Identifier.accepts(&"x".repeat(41)));
    }

    #[test]
    fn every_shape_of_the_proto_is_here_under_its_number() {
        let shapes = crate::wire::descriptors().get_enum_by_name("article6.rules.v1.Format").unwrap();
        assert_eq!(shapes.values().len(), Format::ALL.len());
        for value in shapes.values().skip(1) {
            let format = Format::ALL[usize::try_from(value.number()).unwrap()];
            assert_eq!(format.code(), value.name().replace("FORMAT_", "BAD_FORMAT_"));
        }
    }
}
