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
    /// Hands a message to the daemon, or asks whether it would be taken.
    Submit,
    /// Looks at messages, in any view.
    Read,
    /// Takes messages over.
    Acknowledge,
    /// Has a part in orders of two persons; [`role_for`] says in which.
    Order,
    /// Looks at what is in force between the Parties.
    ReadTreaty,
}

use Verb::{Acknowledge, Order, Read, ReadTreaty, Submit};

/// The names are those of the configuration.
const ROLES: [(&str, &[Verb]); 8] = [
    ("CASE_OFFICER", &[Submit, Read, Acknowledge, ReadTreaty]),
    ("DESIGNATED_OFFICIAL", &[Submit, Read, Acknowledge, ReadTreaty]),
    ("RELEASING_OFFICER", &[Submit, Read, Acknowledge, ReadTreaty]),
    ("HEAD_OF_SERVICE", &[Submit, Read, Acknowledge, ReadTreaty]),
    ("RECORDS_CUSTODIAN", &[Read, Order, ReadTreaty]),
    ("AUDITOR", &[Read, Order, ReadTreaty]),
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
            Submit => "submit messages",
            Read => "read messages",
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

    #[test]
    fn each_role_does_what_it_is_for() {
        let may =
            |role: &str| [Submit, Read, Acknowledge].map(|verb| verb.allowed(&[role.to_owned()]).is_ok());
        for all in ["CASE_OFFICER", "DESIGNATED_OFFICIAL", "RELEASING_OFFICER", "HEAD_OF_SERVICE"] {
            assert_eq!(may(all), [true; 3], "{all}");
        }
        for reader in ["RECORDS_CUSTODIAN", "AUDITOR"] {
            assert_eq!(may(reader), [false, true, false], "{reader}");
        }
        for none in ["TREATY_ADMINISTRATOR", "OPERATIONS", "", "designated_official"] {
            assert_eq!(may(none), [false; 3], "{none}");
        }
    }

    #[test]
    fn roles_add_up_and_a_refusal_names_the_missing_ones() {
        let roles = ["OPERATIONS", "AUDITOR"].map(str::to_owned);
        assert!(Read.allowed(&roles).is_ok());
        let refused = Submit.allowed(&roles).unwrap_err();
        assert_eq!((refused.code, refused.reason), (Code::PermissionDenied, "ROLE_MISSING"));
        assert!(refused.message.contains("DESIGNATED_OFFICIAL"), "{}", refused.message);
        assert!(!refused.message.contains("AUDITOR"), "{}", refused.message);
    }
}
