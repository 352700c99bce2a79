//! The list of warnings, and what is looked up for them.

use super::{WARNINGS_MAX, Warning, vin};
use crate::treaty::codes::List;
use crate::treaty::findings::Place;

/// The warnings so far.
#[derive(Default)]
pub(super) struct Notes(Vec<Warning>);

impl Notes {
    pub(super) fn add(&mut self, code: &'static str, place: &Place<'_>, description: impl Into<String>) {
        if self.0.len() < WARNINGS_MAX {
            self.0.push(Warning { code, field: place.to_string(), description: description.into() });
        }
    }

    pub(super) fn into_list(self) -> Vec<Warning> {
        self.0
    }

    /// Notes a code that a list does not have. Absent is not unknown.
    pub(super) fn listed(&mut self, list: List, code: &str, place: &Place<'_>) {
        if !code.is_empty() && !list.contains(code) {
            let description = format!("No such code in {}, version {}.", list.name(), list.version());
            self.add(unlisted(list), place, description);
        }
    }

    /// Notes a language tag (BCP 47) whose primary subtag no list has.
    pub(super) fn language(&mut self, tag: &str, place: &Place<'_>) {
        self.listed(List::Language, tag.split('-').next().unwrap_or_default(), place);
    }

    pub(super) fn languages(&mut self, tags: &[String], at: &Place<'_>, name: &'static str) {
        for (index, tag) in tags.iter().enumerate() {
            self.language(tag, &at.element(name, index));
        }
    }

    /// Notes a subdivision (ISO 3166-2) of a country that no list has.
    pub(super) fn subdivision(&mut self, code: &str, place: &Place<'_>) {
        self.listed(List::Country, code.split('-').next().unwrap_or_default(), place);
    }

    /// Notes what is written like a code of UN/LOCODE and cannot be one. A place may also stand there in words.
    pub(super) fn location(&mut self, text: &str, place: &Place<'_>) {
        let is_capital = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        let Some((country, location)) = text.split_at_checked(2).filter(|_| text.len() == 5) else { return };
        if !text.bytes().all(is_capital) {
            return;
        }
        // UN/ECE Recommendation 16: three letters, or digits from 2 on.
        let fits = location.bytes().all(|byte| !matches!(byte, b'0' | b'1'));
        if !fits || !List::Country.contains(country) {
            let text = "Written like a code of UN/LOCODE, but not of its shape: a listed country and three of A-Z and 2-9.";
            self.add("LOCODE_SHAPE", place, text);
        }
    }

    /// Notes a vehicle identification number whose check digit does not fit.
    pub(super) fn vin(&mut self, number: &str, place: &Place<'_>) {
        if !vin::fits(number) {
            let text = "Not a vehicle identification number whose check digit fits: it may be mistyped or altered. Vehicles \
                        made for other markets than North America often have none.";
            self.add("VIN_CHECK_DIGIT", place, text);
        }
    }
}

/// The code of a warning about a member that a list lacks.
const fn unlisted(list: List) -> &'static str {
    match list {
        List::Country => "COUNTRY_UNLISTED",
        List::Currency => "CURRENCY_UNLISTED",
        List::Language => "LANGUAGE_UNLISTED",
        List::Script => "SCRIPT_UNLISTED",
        List::Document => "DOCUMENT_TYPE_UNLISTED",
        List::TransportMode => "TRANSPORT_MODE_UNLISTED",
        List::Unit => "UNIT_UNLISTED",
        List::Package => "PACKAGE_KIND_UNLISTED",
        List::PartyRole => "PARTY_ROLE_UNLISTED",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(note: impl Fn(&mut Notes, &Place<'_>)) -> Vec<&'static str> {
        let mut notes = Notes::default();
        note(&mut notes, &Place::root("field"));
        notes.into_list().into_iter().map(|warning| warning.code).collect()
    }

    #[test]
    fn a_location_is_a_code_or_words() {
        for fits in [
            "",
            "KZALA",
            "USNYC",
            "GEPTI",
            "US2AB",
            "Almaty",
            "port of Poti",
            "POTI",
            "ALMATY",
            "Қазақ",
            "НЬЮ",
        ] {
            assert_eq!(codes(|notes, at| notes.location(fits, at)), Vec::<&str>::new(), "{fits}");
        }
        for wrong in ["ZZABC", "US1AB", "KZAL0", "12345"] {
            assert_eq!(codes(|notes, at| notes.location(wrong, at)), ["LOCODE_SHAPE"], "{wrong}");
        }
    }

    #[test]
    fn the_primary_subtag_of_a_language_is_looked_up() {
        for fits in ["", "en", "kk-Cyrl-KZ", "kaz"] {
            assert_eq!(codes(|notes, at| notes.language(fits, at)), Vec::<&str>::new(), "{fits}");
        }
        assert_eq!(codes(|notes, at| notes.language("qq-Cyrl", at)), ["LANGUAGE_UNLISTED"]);
        assert_eq!(codes(|notes, at| notes.subdivision("ZZ-1", at)), ["COUNTRY_UNLISTED"]);
    }

    #[test]
    fn there_is_an_end_to_warnings() {
        let many = |notes: &mut Notes, at: &Place<'_>| {
            (0..200).for_each(|_| notes.listed(List::Unit, "ZZX", at));
        };
        assert_eq!(codes(many).len(), WARNINGS_MAX);
    }
}
