//! The case as a fold over the effects of both directions' messages (Articles 3 to 9 and 11).
//!
//! Four working states and three outcomes; *closed* is derived. What may stay open after an answer is an obligation,
//! not a state. Both sides fold the same messages to the same case, in whatever order they arrive: the two chains are
//! merged by what each message had seen, the requesting side first where neither saw the other. A message that is not
//! permitted at its place is *crossed*: kept, without effect on the state. No clock is asked.
//!
//! Reading order: [`order`] the merge · [`act`] what a message does · [`rules`] who may do it in which state ·
//! [`duties`] the guards and what is owed · [`lacks`] what a message should say in view of its case.

mod act;
mod duties;
mod lacks;
mod order;
mod rules;
#[cfg(test)]
mod tests;

pub use act::Act;
pub use duties::{Obligation, Owed};
pub use lacks::lacks;
pub use rules::{By, RULES, Rule};

use super::code::Code;
use crate::crypto::Digest;
use crate::wire::assistance::v1::Effect;
use duties::Register;
use std::collections::BTreeMap;
use std::fmt;

/// A Party: its ISO 3166-1 alpha-2 code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Party([u8; 2]);

/// The two sides of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Asks for assistance.
    Requesting,
    /// Gives it, or says why not.
    Requested,
}

/// Where a case stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// The request waits for a decision of the requested side.
    Submitted,
    /// The requested side has asked for completion.
    Clarifying,
    /// The requested side has offered conditions (Article 4).
    Conditioned,
    /// The request is being carried out (Article 7).
    Executing,
    /// The final response was given.
    Answered,
    /// The request is not complied with, with reasons (Article 7.7).
    NotExecuted,
    /// The requesting side has withdrawn its request.
    Withdrawn,
}

/// One message of a case, as far as the fold needs it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Who sent it.
    pub sender: Party,
    /// To whom.
    pub recipient: Party,
    /// Its place in the sender's chain.
    pub sequence: u64,
    /// The highest sequence of the other side that the sender had seen.
    pub peer_sequence_seen: u64,
    /// SHA-256 of its envelope.
    pub envelope: Digest,
    /// What it does.
    pub effect: Effect,
}

/// What became of one message in its case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Its place in the slice that was folded.
    pub entry: usize,
    /// What it does; `None` for a body that could not be understood.
    pub act: Option<Act>,
    /// The state before it; `None` before a request has opened the case.
    pub from: Option<State>,
    /// The state after it.
    pub to: Option<State>,
    /// Why it is crossed; `None` when it has its effect.
    pub crossed: Option<Code>,
}

/// A measure that is asked for, and what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measure {
    /// Number of its kind.
    pub kind: i32,
    /// Number of the form of documents asked for.
    pub document_form: i32,
    /// Number of its outcome; 0 while it has none.
    pub outcome: i32,
    /// Its time and place were advised (Article 7.6).
    pub advised: bool,
}

/// A case as its messages have made it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Case {
    /// The requesting Party, then the requested one.
    sides: Option<[Party; 2]>,
    state: Option<State>,
    register: Register,
    measures: BTreeMap<String, Measure>,
    /// Procedures asked for, with the number of their disposition; 0 while there is none.
    procedures: BTreeMap<String, i32>,
    advise_time_and_place: bool,
    urgent: bool,
    /// An official measure was sought (Article 7.1).
    sought: bool,
    /// An authenticated copy was supplied (Article 8.1).
    authenticated_copy: bool,
    /// The envelopes of the case, with the side that supplied what is in them and whether it is a response.
    supplied: BTreeMap<Digest, (Side, bool)>,
    /// Envelopes whose confidentiality their supplier has asked for, or lifted, since.
    confidential: BTreeMap<Digest, bool>,
    /// The last message of each side: its envelope.
    last: Vec<(Side, Digest)>,
    steps: Vec<Step>,
}

impl Party {
    /// Reads a country code.
    pub fn from_code(code: &str) -> Option<Self> {
        code.as_bytes().try_into().ok().map(Self)
    }
}

impl fmt::Display for Party {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&String::from_utf8_lossy(&self.0))
    }
}

impl Side {
    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::Requesting => Self::Requested,
            Self::Requested => Self::Requesting,
        }
    }
}

impl State {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Submitted,
        Self::Clarifying,
        Self::Conditioned,
        Self::Executing,
        Self::Answered,
        Self::NotExecuted,
        Self::Withdrawn,
    ];

    /// No message moves the case out of it.
    pub fn is_outcome(self) -> bool {
        matches!(self, Self::Answered | Self::NotExecuted | Self::Withdrawn)
    }
}

impl Case {
    /// The case that these messages make, in whatever order they are given. Messages that the other side rejected are
    /// not given.
    pub fn fold(entries: &[Entry]) -> Self {
        let mut case = Self { sides: order::sides(entries), ..Self::default() };
        for at in order::merged(entries, case.sides) {
            if let Some(entry) = entries.get(at) {
                case.step(at, entry);
            }
        }
        case
    }

    /// Whether a message that has seen all of this case would have its effect.
    ///
    /// # Errors
    /// Why it would be crossed.
    pub fn permits(&self, entry: &Entry) -> Result<(), Code> {
        let mut next = self.clone();
        if next.state.is_none() {
            // Who opens the case decides whose it is.
            next.sides = order::sides(std::slice::from_ref(entry));
        }
        next.step(0, entry);
        next.steps.last().and_then(|step| step.crossed).map_or(Ok(()), Err)
    }

    /// Where the case stands; `None` before a request has opened it.
    pub fn state(&self) -> Option<State> {
        self.state
    }

    /// Who asks for assistance; `None` before a request has opened the case.
    pub fn requesting(&self) -> Option<Party> {
        self.state.and(self.party(Side::Requesting))
    }

    /// The Party of a side. Without a request the sides only tell the Parties apart.
    pub fn party(&self, side: Side) -> Option<Party> {
        let [requesting, requested] = self.sides?;
        Some(if side == Side::Requesting { requesting } else { requested })
    }

    /// The side of a Party.
    pub fn side(&self, party: Party) -> Side {
        match self.party(Side::Requesting) == Some(party) {
            true => Side::Requesting,
            false => Side::Requested,
        }
    }

    /// It has its outcome, nothing is owed, and both sides have said so since.
    pub fn is_closed(&self) -> bool {
        self.state.is_some_and(State::is_outcome) && self.register.is_settled()
    }

    /// What is still owed.
    pub fn owed(&self) -> impl Iterator<Item = Owed<'_>> {
        self.register.owed()
    }

    /// What became of each message, in the order of the fold.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// A request of the case is urgent.
    pub fn is_urgent(&self) -> bool {
        self.urgent
    }

    /// The measures asked for, by their names.
    pub fn measures(&self) -> &BTreeMap<String, Measure> {
        &self.measures
    }

    /// The procedures asked for, by their names, with the number of what becomes of each; 0 while nothing is known.
    pub fn procedures(&self) -> &BTreeMap<String, i32> {
        &self.procedures
    }

    /// Conditions that were accepted, with the numbers of their kinds. They bind what was supplied after them.
    pub fn accepted_conditions(&self) -> &BTreeMap<String, i32> {
        self.register.accepted()
    }

    /// The last days of the consents in force to another use of an envelope's content (Article 3.1); an empty one has no end.
    pub fn consents_to<'a>(&'a self, envelope: &'a Digest) -> impl Iterator<Item = &'a str> {
        self.register.consents_to(envelope.as_bytes())
    }

    /// Whether the supplier asks that an envelope's content be treated as confidential (Article 3.2): as the message itself
    /// `stated` it, or as a later notice of its supplier says.
    pub fn is_confidential(&self, envelope: &Digest, stated: bool) -> bool {
        self.confidential.get(envelope).copied().unwrap_or(stated)
    }

    /// The last envelope of a side; 32 zero bytes where it has said nothing.
    pub fn last_envelope(&self, side: Side) -> Digest {
        let last = self.last.iter().find(|(said, ..)| *said == side);
        last.map_or_else(|| Digest::from([0; 32]), |(_, envelope)| *envelope)
    }

    /// The version of the conditions offered last; 0 for none.
    pub fn conditions_version(&self) -> u32 {
        self.register.version()
    }

    /// The sides that have said that the case is closed.
    pub fn closed_by(&self) -> impl Iterator<Item = Side> {
        self.register.closed_by()
    }

    /// Whether the case waits for a side: for its decision, for what it owes, or for its word that the case is closed.
    pub fn waits_for(&self, side: Side) -> bool {
        match self.state {
            None => false,
            Some(State::Submitted | State::Executing) => side == Side::Requested,
            Some(State::Clarifying | State::Conditioned) => side == Side::Requesting,
            Some(State::Answered | State::NotExecuted | State::Withdrawn) => {
                let mut owed = self.owed().peekable();
                match owed.peek() {
                    Some(_) => owed.any(|owed| owed.owner == side),
                    None => !self.closed_by().any(|closed| closed == side),
                }
            }
        }
    }

    fn step(&mut self, at: usize, entry: &Entry) {
        let side = self.side(entry.sender);
        let from = self.state;
        let act = Act::of(&entry.effect);
        let crossed = match act {
            None => Some(Code::NotUnderstood),
            Some(act) => self.take(act, side, entry).err(),
        };
        if let Some(act) = act {
            self.register.note_fact(act, side, crossed.is_some(), self.state, self.steps.len());
        }
        match self.last.iter_mut().find(|(said, ..)| *said == side) {
            Some(last) => *last = (side, entry.envelope),
            None => self.last.push((side, entry.envelope)),
        }
        self.supplied.insert(entry.envelope, (side, act.is_some_and(Act::supplies)));
        self.steps.push(Step { entry: at, act, from, to: self.state, crossed });
    }

    fn take(&mut self, act: Act, side: Side, entry: &Entry) -> Result<(), Code> {
        let rule = Rule::of(act);
        // The annex to an oral request, and what may stand outside a case, need no state.
        let to = rule.to(self.state, side)?;
        self.register.take(act, side, &entry.effect, self.state, self.steps.len())?;
        self.state = to;
        self.learn(act, entry);
        Ok(())
    }
}
