//! Who speaks for a Party: the list of officials whom the head of its service designates (Article 6.1).

use super::Code;
use crate::wire::assistance::v1::{DesignationEffect, DesignationScope, OfficialDesignated};
use jiff::civil::Date;
use jiff::{Timestamp, tz::TimeZone};
use std::collections::BTreeMap;

/// The list of a Party that is in force; none before its first.
///
/// Its size is bounded by that of one list, however many were stated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Designations {
    version: u64,
    officials: BTreeMap<String, Designation>,
}

/// The designation of an official. Days are those of UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Designation {
    valid_from: Date,
    valid_to: Option<Date>,
    revoked_at: Option<Timestamp>,
    scope: Vec<DesignationScope>,
}

/// Why an official does not speak for his Party.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Objection {
    /// Not on the list.
    NotListed,
    /// The designation begins later.
    NotYetValid,
    /// The designation has ended.
    Expired,
    /// The designation was revoked.
    Revoked,
    /// The designation is for something else.
    OutOfScope,
}

impl Objection {
    /// The code that the sender's own official is told.
    pub const fn code(self) -> Code {
        match self {
            Self::NotListed => Code::OfficialNotListed,
            Self::NotYetValid => Code::OfficialNotYetValid,
            Self::Expired => Code::OfficialExpired,
            Self::Revoked => Code::OfficialRevoked,
            Self::OutOfScope => Code::OfficialOutOfScope,
        }
    }
}

impl Designations {
    /// Takes a list with the valid signature of the head of service. One that is not newer changes nothing; returns
    /// whether it did.
    pub fn take(&mut self, list: &DesignationEffect) -> bool {
        if list.list_version <= self.version {
            return false;
        }
        self.version = list.list_version;
        self.officials =
            list.officials.iter().filter_map(|it| Some((it.id.clone(), Designation::read(it)?))).collect();
        true
    }

    /// Number of the list in force; 0 before the first.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// How many officials are on it.
    pub fn len(&self) -> usize {
        self.officials.len()
    }

    /// Whether nobody is on it.
    pub fn is_empty(&self) -> bool {
        self.officials.is_empty()
    }

    /// The last day of each designation that has one, for those who remind of it.
    pub fn last_days(&self) -> impl Iterator<Item = (&str, Date)> {
        self.officials.iter().filter_map(|(id, it)| Some((id.as_str(), it.valid_to?)))
    }

    /// Whether an official may do something at the time at which it was signed.
    ///
    /// # Errors
    /// Why not.
    pub fn judge(&self, id: &str, signed_at: Timestamp, scope: DesignationScope) -> Result<(), Objection> {
        let it = self.officials.get(id).ok_or(Objection::NotListed)?;
        let day = signed_at.to_zoned(TimeZone::UTC).date();
        if it.revoked_at.is_some_and(|revoked| signed_at >= revoked) {
            return Err(Objection::Revoked);
        }
        if day < it.valid_from {
            return Err(Objection::NotYetValid);
        }
        if it.valid_to.is_some_and(|last| day > last) {
            return Err(Objection::Expired);
        }
        if !it.scope.is_empty() && !it.scope.contains(&scope) {
            return Err(Objection::OutOfScope);
        }
        Ok(())
    }
}

impl Designation {
    /// `None` for one whose days cannot be read: nobody can say when it holds.
    fn read(it: &OfficialDesignated) -> Option<Self> {
        let valid_to = match it.valid_to.as_str() {
            "" => None,
            day => Some(day.parse().ok()?),
        };
        let revoked_at = match it.revoked_at {
            None => None,
            Some(at) => Some(Timestamp::new(at.seconds, at.nanos).ok()?),
        };
        Some(Self {
            valid_from: it.valid_from.parse().ok()?,
            valid_to,
            revoked_at,
            scope: it.scope().collect(),
        })
    }
}
