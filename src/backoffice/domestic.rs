//! What is each Party's own affair: what the services are called (Article 1.2), and how information is marked here (3.3).

use jiff::civil::Date;
use std::collections::BTreeMap;

/// Names by Party, and the table of markings.
#[derive(Debug, Default)]
pub struct Domestic {
    /// Party, first day, language, name.
    names: Vec<(String, Date, String, String)>,
    /// Kind and whether its supplier asks for confidentiality, with the marking.
    markings: BTreeMap<(String, bool), String>,
    highest: String,
}

/// How something is marked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Marked {
    /// The marking; empty where this Party has no table.
    pub marking: String,
    /// The table does not know it: it got the highest.
    pub unmapped: bool,
}

impl Domestic {
    /// From the rows of the configuration.
    pub fn new(
        names: impl IntoIterator<Item = (String, Date, String, String)>,
        markings: impl IntoIterator<Item = (String, bool, String)>,
        highest: String,
    ) -> Self {
        let mut names: Vec<_> = names.into_iter().collect();
        names.sort_by_key(|(_, from, ..)| *from);
        let markings = markings.into_iter().map(|(kind, asked, marking)| ((kind, asked), marking)).collect();
        Self { names, markings, highest }
    }

    /// What a Party's service was called on a day: language and name.
    pub fn names_on(&self, party: &str, day: Date) -> BTreeMap<&str, &str> {
        let until = self.names.iter().filter(|(of, from, ..)| of == party && *from <= day);
        // A later row of the same language takes the place of the one before.
        until.map(|(_, _, language, name)| (language.as_str(), name.as_str())).collect()
    }

    /// The marking of a message of a kind, by its short name.
    pub fn marking(&self, kind: &str, confidential: bool) -> Marked {
        if self.markings.is_empty() {
            return Marked::default();
        }
        let row = |kind: &str| self.markings.get(&(kind.to_owned(), confidential));
        match row(kind).or_else(|| row("*")) {
            Some(marking) => Marked { marking: marking.clone(), unmapped: false },
            None => Marked { marking: self.highest.clone(), unmapped: true },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(from: &str, language: &str, name: &str) -> (String, Date, String, String) {
        ("US".into(), from.parse().unwrap(), language.into(), name.into())
    }

    /// Article 1.2: succession is a new row; what was signed before shows the name then in force.
    #[test]
    fn a_service_has_the_name_of_its_day() {
        let names =
            [row("2003-03-01", "en", "New"), row("1789-07-31", "en", "Old"), row("1789-07-31", "kk", "Eski")];
        let domestic = Domestic::new(names, [], String::new());
        let on = |day: &str| domestic.names_on("US", day.parse().unwrap()).into_iter().collect::<Vec<_>>();
        assert_eq!(on("2003-02-28"), [("en", "Old"), ("kk", "Eski")]);
        assert_eq!(on("2003-03-01"), [("en", "New"), ("kk", "Eski")]);
        assert!(
            on("1700-01-01").is_empty() && domestic.names_on("KZ", "2020-01-01".parse().unwrap()).is_empty()
        );
    }

    /// Article 3.3: the receiver's own table decides; what it does not know is protected most.
    #[test]
    fn what_the_table_does_not_know_gets_the_highest_marking() {
        let rows =
            [("RESPONSE", false, "RESTRICTED"), ("RESPONSE", true, "SECRET"), ("*", false, "OFFICIAL")];
        let rows = rows.map(|(kind, asked, marking)| (kind.to_owned(), asked, marking.to_owned()));
        let domestic = Domestic::new([], rows, "TOP".into());
        let marked = |kind: &str, asked| {
            let found = domestic.marking(kind, asked);
            (found.marking, found.unmapped)
        };
        assert_eq!(marked("RESPONSE", false), ("RESTRICTED".into(), false));
        assert_eq!(marked("RESPONSE", true), ("SECRET".into(), false));
        assert_eq!(marked("CONSULTATION", false), ("OFFICIAL".into(), false));
        assert_eq!(marked("CONSULTATION", true), ("TOP".into(), true));
        assert_eq!(Domestic::default().marking("RESPONSE", true), Marked::default());
    }
}
