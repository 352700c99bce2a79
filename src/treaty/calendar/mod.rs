//! The agreement's calendar: entry into force, review, termination, and what may be said when (Article 12).
//!
//! The dates come by diplomatic channels and are recorded by two persons at home; nothing that arrives over the channel
//! is one of them. No date changes the state of a case: it only decides what may still be sealed.

mod permits;
#[cfg(test)]
mod tests;

pub use permits::{Occasion, permits};

use jiff::civil::Date;
use jiff::{Span, Timestamp, tz::TimeZone};

/// Days from the notes to the entry into force (Article 12.1).
const DAYS_TO_FORCE: i64 = 90;
/// Years in force until the Parties meet for a review (Article 12.2).
const YEARS_TO_REVIEW: i32 = 5;
/// Calendar months from the notice to the end (Article 12.3).
const MONTHS_TO_END: i32 = 6;
/// The second of the day after the last.
const SECONDS_OF_DAY: u32 = 86_400;

/// What was recorded of the diplomatic channel. Nothing at all before the first record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dates {
    /// Day of the exchange of notes (Article 12.1).
    pub notified_on: Option<Date>,
    /// Day of the written notice of termination (Article 12.3).
    pub terminated_on: Option<Date>,
    /// Days on which this Party and the other notified that no review is needed (Article 12.2).
    pub no_review: [Option<Date>; 2],
    /// Second of the day, in UTC, at which the agreement comes into force and ceases, as both Parties agreed: 0 to 86,399.
    pub second_of_day: u32,
}

/// Where the agreement stands at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Not in force yet, or no notes are recorded.
    BeforeForce,
    /// In force.
    InForce,
    /// In force; notice of termination was given.
    Terminating,
    /// No longer in force.
    Ceased,
}

impl Phase {
    /// Its stable name, in capitals.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BeforeForce => "BEFORE_FORCE",
            Self::InForce => "IN_FORCE",
            Self::Terminating => "TERMINATING",
            Self::Ceased => "CEASED",
        }
    }
}

impl Dates {
    /// Nothing is recorded.
    pub fn is_empty(&self) -> bool {
        self.notified_on.is_none() && self.terminated_on.is_none()
    }

    /// The ninetieth day after the notes (Article 12.1).
    pub fn in_force_on(&self) -> Option<Date> {
        self.notified_on?.checked_add(Span::new().days(DAYS_TO_FORCE)).ok()
    }

    /// Six calendar months after the notice; where that month is shorter, its last day (Article 12.3).
    pub fn ceases_on(&self) -> Option<Date> {
        self.terminated_on?.checked_add(Span::new().months(MONTHS_TO_END)).ok()
    }

    /// The day on which the Parties meet for a review: five years after the entry into force, unless both have notified
    /// that none is needed (Article 12.2).
    pub fn review_on(&self) -> Option<Date> {
        if self.no_review.iter().all(Option::is_some) {
            return None;
        }
        self.in_force_on()?.checked_add(Span::new().years(YEARS_TO_REVIEW)).ok()
    }

    /// The instant of the entry into force.
    pub fn in_force_at(&self) -> Option<Timestamp> {
        self.instant(self.in_force_on()?)
    }

    /// The instant of the end: what is signed at it or later comes after the end.
    pub fn ceases_at(&self) -> Option<Timestamp> {
        self.instant(self.ceases_on()?)
    }

    /// Where the agreement stands. Without recorded notes it is not in force, whatever else is recorded.
    pub fn phase(&self, at: Timestamp) -> Phase {
        match self.in_force_at() {
            Some(begin) if at >= begin => {}
            _ => return Phase::BeforeForce,
        }
        match (self.ceases_at(), self.terminated_on.and_then(|on| self.instant_of_notice(on))) {
            (Some(end), _) if at >= end => Phase::Ceased,
            (Some(_), Some(notice)) if at >= notice => Phase::Terminating,
            _ => Phase::InForce,
        }
    }

    fn instant(&self, on: Date) -> Option<Timestamp> {
        let midnight = self.instant_of_notice(on)?;
        midnight.checked_add(Span::new().seconds(i64::from(self.second_of_day.min(SECONDS_OF_DAY - 1)))).ok()
    }

    /// A notice is known from the beginning of its day.
    fn instant_of_notice(&self, on: Date) -> Option<Timestamp> {
        on.to_zoned(TimeZone::UTC).ok().map(|begin| begin.timestamp())
    }
}
