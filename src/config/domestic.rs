//! What is each Party's own affair: what the services are called, and how information is marked here.

use super::Reader;
use super::values::{country, one_of};
use jiff::civil::Date;

/// What a Party's customs service is called from a day on, in one language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceName {
    /// The Party.
    pub party: String,
    /// The first day.
    pub from: Date,
    /// The language.
    pub language: String,
    /// The name.
    pub name: String,
}

/// The marking that information of a kind gets here (Article 3.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marking {
    /// Short name of the kind of message; `*` for every kind that has no row of its own.
    pub kind: String,
    /// The supplier asks for confidentiality.
    pub confidential: bool,
    /// The marking.
    pub marking: String,
}

/// Names and markings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Domestic {
    /// Names of services.
    pub names: Vec<ServiceName>,
    /// The table of markings.
    pub markings: Vec<Marking>,
    /// What the table does not know is marked with this.
    pub highest_marking: String,
}

/// Longest name and marking, in characters.
const NAME_CHARS: usize = 200;

pub(super) fn read(reader: &mut Reader, highest_marking: String) -> Domestic {
    let mut domestic = Domestic { highest_marking, ..Domestic::default() };
    reader.tables("service_names", |table| {
        let party = table.required("party", country);
        let from =
            table.required("from", |text| text.parse().map_err(|_| "a day such as 2003-03-01".to_owned()));
        let language = table.or("language", "en".to_owned(), text);
        let name = table.required("name", text);
        if let (Some(party), Some(from), Some(name)) = (party, from, name) {
            domestic.names.push(ServiceName { party, from, language, name });
        }
    });
    reader.tables("markings", |table| {
        let kind = table.or("kind", "*".to_owned(), text);
        let confidential =
            table.or("confidential", false, |text| one_of(text, &[("true", true), ("false", false)]));
        let marking = table.required("marking", text);
        if let Some(marking) = marking {
            domestic.markings.push(Marking { kind, confidential, marking });
        }
    });
    if !domestic.markings.is_empty() && domestic.highest_marking.is_empty() {
        let what = "with a table of markings, say which is the highest: what the table does not know gets it (Article 3.3)";
        reader.mistake("treaty.highest_marking", what.to_owned());
    }
    domestic
}

pub(super) fn text(text: &str) -> Result<String, String> {
    let sound = (1..=NAME_CHARS).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if sound { Ok(text.to_owned()) } else { Err("1 to 200 characters, on one line, are expected".to_owned()) }
}
