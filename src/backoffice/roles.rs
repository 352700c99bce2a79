//! What the roles of an official allow at this door.
//!
//! Roles are the receiving Party's own affair; the agreement knows officials whom the head of the service designates
//! (Article 6.1). Whoever runs the daemon or administers the agreement's settings has no part in what it carries.

use crate::door::Refusal;
use crate::wire::ledger::v1::order::Action;
use tonic::Code;

/// What a call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Sends a message, or asks whether it would be taken.
    Send,
    /// Writes a draft, proposes or discards it.
    Draft,
    /// Releases what another drafted, or returns it.
    Release,
    /// Reads drafts.
    Review,
    /// Looks at messages without their content.
    Look,
    /// Reads content for the purposes of the agreement.
    Read,
    /// Sees where cases stand.
    SeeCases,
    /// Reads content for a use outside the agreement, where consent was given (Article 3.1).
    ReadForOther,
    /// Exports evidence.
    Export,
    /// Takes messages over.
    Acknowledge,
    /// Has a part in orders of two persons; [`role_for`] says in which.
    Order,
    /// Looks at what is in force between the Parties.
    ReadTreaty,
}

use Verb::{
    Acknowledge, Draft, Export, Look, Order, Read, ReadForOther, ReadTreaty, Release, Review, SeeCases, Send,
};

/// The names are those of the configuration. A head of service acts by his signature, which no call makes.
const ROLES: [(&str, &[Verb]); 8] = [
    ("CASE_OFFICER", &[Draft, Review, Look, Read, SeeCases, ReadTreaty]),
    ("DESIGNATED_OFFICIAL", &[Send, Draft, Review, Look, Read, SeeCases, Export, Acknowledge, ReadTreaty]),
    ("RELEASING_OFFICER", &[Release, Review, Look, ReadForOther, ReadTreaty]),
    ("HEAD_OF_SERVICE", &[Look, ReadTreaty]),
    ("RECORDS_CUSTODIAN", &[Look, Order, ReadTreaty]),
    ("AUDITOR", &[Look, Export, Order, ReadTreaty]),
    ("TREATY_ADMINISTRATOR", &[Order, ReadTreaty]),
    ("OPERATIONS", &[]),
];

/// The role that proposes and approves an order: both persons have the same.
pub fn role_for(order: &Action) -> &'static str {
    match order {
        Action::TreatyDates(_) | Action::DirectiveInstall(_) | Action::ReleaseHold(_) => {
            "TREATY_ADMINISTRATOR"
        }
        Action::Erasure(_) => "RECORDS_CUSTODIAN",
        Action::BreakGlassRead(_) => "AUDITOR",
    }
}

impl Verb {
    fn words(self) -> &'static str {
        match self {
            Send => "send messages",
            Draft => "write drafts",
            Release => "release or return drafts",
            Review => "read drafts",
            Look => "look at messages",
            Read => "read content",
            SeeCases => "see cases",
            ReadForOther => "read content for a use outside the agreement",
            Export => "export evidence",
            Acknowledge => "take messages over",
            Order => "propose or decide orders",
            ReadTreaty => "look at what is in force",
        }
    }

    /// Whether an official with these roles may do this; a refusal says which roles may.
    pub fn allowed(self, roles: &[String]) -> Result<(), Refusal> {
        let may: Vec<_> =
            ROLES.iter().filter(|(_, verbs)| verbs.contains(&self)).map(|(role, _)| *role).collect();
        if roles.iter().any(|has| may.contains(&has.as_str())) {
            return Ok(());
        }
        let text =
            format!("the official may not {}: one of the roles {} is needed", self.words(), may.join(", "));
        Err(Refusal::new(Code::PermissionDenied, "ROLE_MISSING", text)
            .metadata("roles_needed", may.join(",")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = include_str!("../../tests/treaty/matrix.txt");

    /// The table is written from the requirements, section 4.
    #[test]
    fn each_role_does_what_the_table_says() {
        let section = TABLE.split("\n[role]\n").nth(1).unwrap().split("\n[order]\n").next().unwrap();
        let mut lines =
            section.lines().map(|line| line.split('#').next().unwrap().trim()).filter(|it| !it.is_empty());
        let columns = lines.next().unwrap().split_once('|').unwrap().1.split_whitespace();
        let columns: Vec<&str> = columns.collect();
        let rows = [
            ("draft", Draft),
            ("send_without_release", Send),
            ("propose_for_release", Draft),
            ("release_what_another_drafted", Release),
            ("return_a_draft", Release),
            ("read_the_bytes_to_be_released", Review),
            ("read_content", Read),
            ("acknowledge", Acknowledge),
            ("list_cases", SeeCases),
            ("export_evidence", Export),
            ("export_for_other_purpose", ReadForOther),
        ];
        for (name, verb) in rows {
            let line = lines.clone().find(|line| line.split('|').next().unwrap().trim() == name).unwrap();
            let cells = line.split_once('|').unwrap().1.split_whitespace();
            for (role, cell) in columns.iter().zip(cells) {
                assert_eq!(verb.allowed(&[(*role).to_owned()]).is_ok(), cell == "yes", "{role} {name}");
            }
        }
    }

    #[test]
    fn roles_add_up_and_a_refusal_names_the_missing_ones() {
        let roles = ["OPERATIONS", "AUDITOR"].map(str::to_owned);
        assert!(Look.allowed(&roles).is_ok());
        let refused = Send.allowed(&roles).unwrap_err();
        assert_eq!((refused.code, refused.reason), (Code::PermissionDenied, "ROLE_MISSING"));
        assert!(refused.message.contains("DESIGNATED_OFFICIAL"), "{}", refused.message);
        assert!(!refused.message.contains("AUDITOR"), "{}", refused.message);
    }
}
