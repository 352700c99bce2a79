//! What is owed in a case, and the guards that depend on it.

use super::{Act, Side, State};
use crate::treaty::code::Code;
use crate::wire::assistance::v1::effect::Detail;
use crate::wire::assistance::v1::{ConditionKind, Effect, ItemsEffect};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};

/// Something that keeps a case open.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Obligation {
    /// An oral request is to be confirmed in writing (Article 5.1).
    OralConfirmation,
    /// An original is to be returned; SHA-256 of its name (Article 8.2).
    OriginalReturn(Bytes),
    /// Costs are to be settled (Article 9.2).
    CostSettlement,
    /// A request for another use is to be decided, by its name (Article 3.1).
    ConsentDecision(String),
    /// The agency to which the request went is to be told of the withdrawal (Article 6.2).
    NotifyAgency,
    /// What was supplied is to be returned or destroyed; SHA-256 of the condition's name (Article 4).
    ReturnOrDestroy(Bytes),
}

/// An obligation that is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owed<'a> {
    /// What is owed.
    pub what: &'a Obligation,
    /// By whom.
    pub owner: Side,
    /// Place among the case's steps of the message that opened it.
    pub since: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Original {
    Out,
    Lost,
    Done,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Consent {
    Asked,
    Granted,
    Denied,
    Withdrawn,
}

/// A request for another use, and what was decided.
#[derive(Debug, Clone, PartialEq)]
struct Asked {
    asker: Side,
    consent: Consent,
    /// SHA-256 of the envelopes and documents it is about.
    items: Vec<Bytes>,
    /// Last day of what was granted; empty without an end.
    until: String,
}

/// The register of a case's obligations, and of what they rest on.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Register {
    open: BTreeMap<Obligation, (Side, usize)>,
    closes: BTreeSet<Side>,
    version: u32,
    /// Conditions of the current version, with the numbers of their kinds.
    offered: BTreeMap<String, i32>,
    /// Those accepted: they bind what is supplied after them, for good.
    accepted: BTreeMap<String, i32>,
    forwarded: bool,
    estimated: bool,
    stated: bool,
    originals: BTreeMap<Bytes, Original>,
    consents: BTreeMap<String, Asked>,
}

impl Register {
    pub(super) fn owed(&self) -> impl Iterator<Item = Owed<'_>> {
        self.open.iter().map(|(what, (owner, since))| Owed { what, owner: *owner, since: *since })
    }

    pub(super) fn is_settled(&self) -> bool {
        self.open.is_empty() && self.closes.len() == 2
    }

    pub(super) fn closed_by(&self) -> impl Iterator<Item = Side> {
        self.closes.iter().copied()
    }

    pub(super) fn version(&self) -> u32 {
        self.version
    }

    /// Conditions that were accepted, with the numbers of their kinds.
    pub(super) fn accepted(&self) -> &BTreeMap<String, i32> {
        &self.accepted
    }

    fn demanding_destruction(&self) -> Vec<Bytes> {
        let demands = |kind: &i32| *kind == i32::from(ConditionKind::ReturnOrDestroy);
        self.accepted.iter().filter(|(_, kind)| demands(kind)).map(|(name, _)| digest(name)).collect()
    }

    /// What is owed anew voids what was said of the case's end.
    fn owe(&mut self, what: Obligation, owner: Side, since: usize) {
        self.open.entry(what).or_insert((owner, since));
        self.closes.clear();
    }

    fn discharge(&mut self, what: &Obligation, otherwise: Code) -> Result<(), Code> {
        self.open.remove(what).map(drop).ok_or(otherwise)
    }

    /// Takes an act that side and state permit. `state` is the one before it, `at` its place among the steps.
    pub(super) fn take(
        &mut self,
        act: Act,
        side: Side,
        effect: &Effect,
        state: Option<State>,
        at: usize,
    ) -> Result<(), Code> {
        match act {
            Act::Confirmation if state.is_some() => {
                self.discharge(&Obligation::OralConfirmation, Code::NoOralRequest)?;
            }
            Act::OralNote if state.is_none() => self.owe(Obligation::OralConfirmation, Side::Requesting, at),
            Act::Forwarding => self.forwarded = true,
            Act::AgencyTold => {
                let told = self.discharge(&Obligation::NotifyAgency, Code::StateForbids);
                if state != Some(State::Executing) {
                    told?;
                }
            }
            Act::Withdrawal if self.forwarded => self.owe(Obligation::NotifyAgency, Side::Requested, at),
            Act::Close if self.open.is_empty() => drop(self.closes.insert(side)),
            Act::Close => return Err(Code::ObligationOpen),
            _ => match &effect.detail {
                Some(Detail::Conditions(offer)) => {
                    if self.version.checked_add(1) != Some(offer.version) {
                        return Err(Code::ConditionsVersion);
                    }
                    self.version = offer.version;
                    self.offered =
                        offer.conditions.iter().map(|it| (it.condition_id.clone(), it.kind)).collect();
                }
                Some(Detail::ConditionsReply(reply)) => {
                    if reply.version != self.version {
                        return Err(Code::ConditionsVersion);
                    }
                    if act == Act::ConditionsAccepted {
                        self.accepted.extend(self.offered.clone());
                    }
                }
                Some(Detail::Custody(it)) => self.custody(act, side, &it.item, at)?,
                Some(Detail::Cost(_)) => self.cost(act, at)?,
                Some(Detail::Items(it)) if act != Act::Confidentiality => self.consent(act, side, it, at)?,
                _ => {}
            },
        }
        Ok(())
    }

    /// Duties that follow from what was done, whether or not it still fitted the case. `state` is the one after it.
    pub(super) fn note_fact(&mut self, act: Act, side: Side, crossed: bool, state: Option<State>, at: usize) {
        if side != Side::Requested {
            return;
        }
        if act.supplies() {
            for condition in self.demanding_destruction() {
                self.owe(Obligation::ReturnOrDestroy(condition), Side::Requesting, at);
            }
        }
        if act == Act::Forwarding && crossed && state == Some(State::Withdrawn) {
            self.owe(Obligation::NotifyAgency, Side::Requested, at);
        }
    }

    fn custody(&mut self, act: Act, side: Side, item: &Bytes, at: usize) -> Result<(), Code> {
        if act == Act::DestructionCertified {
            // A receiver may certify what it was not bound to destroy; only the one who owes it discharges it.
            let owed = Obligation::ReturnOrDestroy(item.clone());
            if self.open.get(&owed).is_some_and(|(owner, _)| *owner == side) {
                self.open.remove(&owed);
            }
            return Ok(());
        }
        if act == Act::OriginalSent {
            if self.originals.contains_key(item) {
                return Err(Code::ItemExists);
            }
            self.originals.insert(item.clone(), Original::Out);
            self.owe(Obligation::OriginalReturn(item.clone()), Side::Requesting, at);
            return Ok(());
        }
        let Some(place) = self.originals.get_mut(item) else { return Err(Code::ItemUnknown) };
        match (act, *place) {
            // Once it is back or given up, a report opens nothing.
            (Act::OriginalLost, Original::Out) => *place = Original::Lost,
            (Act::LossAcknowledged, Original::Out) => return Err(Code::LossUnknown),
            (Act::OriginalReturned | Act::LossAcknowledged, _) => {
                *place = Original::Done;
                self.open.remove(&Obligation::OriginalReturn(item.clone()));
            }
            _ => {}
        }
        Ok(())
    }

    fn cost(&mut self, act: Act, at: usize) -> Result<(), Code> {
        match act {
            Act::CostEstimate => self.estimated = true,
            Act::CostApproved | Act::CostDeclined if self.estimated => {}
            Act::CostStatement => {
                self.stated = true;
                self.owe(Obligation::CostSettlement, Side::Requesting, at);
            }
            Act::CostDisputed if self.stated => {}
            Act::CostSettled if self.stated => drop(self.open.remove(&Obligation::CostSettlement)),
            _ => return Err(Code::NoCostsStated),
        }
        Ok(())
    }

    fn consent(&mut self, act: Act, side: Side, it: &ItemsEffect, at: usize) -> Result<(), Code> {
        let request = &it.request_id;
        if act == Act::ConsentAsked {
            if self.consents.contains_key(request) {
                return Err(Code::RequestRepeated);
            }
            let (items, until) = (it.item_ids.clone(), String::new());
            let asked = Asked { asker: side, consent: Consent::Asked, items, until };
            self.consents.insert(request.clone(), asked);
            self.owe(Obligation::ConsentDecision(request.clone()), side.other(), at);
            return Ok(());
        }
        let Some(asked) = self.consents.get_mut(request) else { return Err(Code::ConsentUnknown) };
        if asked.asker == side {
            return Err(Code::OtherSidesPart);
        }
        // The supplier may decide anew; only what was granted can be withdrawn.
        asked.consent = match act {
            Act::ConsentGranted => Consent::Granted,
            Act::ConsentDenied => Consent::Denied,
            _ if asked.consent == Consent::Granted => Consent::Withdrawn,
            _ => return Err(Code::ConsentNotGranted),
        };
        if act == Act::ConsentGranted {
            // Consent is per item: what the decision does not name is not granted.
            asked.items.clone_from(&it.item_ids);
            asked.until.clone_from(&it.valid_until);
        }
        self.open.remove(&Obligation::ConsentDecision(request.clone()));
        Ok(())
    }

    /// The last days of the consents in force to another use of an item; an empty one has no end.
    pub(super) fn consents_to<'a>(&'a self, item: &'a [u8]) -> impl Iterator<Item = &'a str> {
        self.consents
            .values()
            .filter(move |asked| {
                asked.consent == Consent::Granted && asked.items.iter().any(|it| it.as_ref() == item)
            })
            .map(|asked| asked.until.as_str())
    }
}

impl Obligation {
    /// Its stable name, in capitals.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::OralConfirmation => "ORAL_CONFIRMATION",
            Self::OriginalReturn(_) => "ORIGINAL_RETURN",
            Self::CostSettlement => "COST_SETTLEMENT",
            Self::ConsentDecision(_) => "CONSENT_DECISION",
            Self::NotifyAgency => "NOTIFY_AGENCY",
            Self::ReturnOrDestroy(_) => "RETURN_OR_DESTROY",
        }
    }

    /// Paragraph of the agreement on which it rests.
    pub const fn article(&self) -> &'static str {
        match self {
            Self::OralConfirmation => "5.1",
            Self::OriginalReturn(_) => "8.2",
            Self::CostSettlement => "9.2",
            Self::ConsentDecision(_) => "3.1",
            Self::NotifyAgency => "6.2",
            Self::ReturnOrDestroy(_) => "4",
        }
    }
}

/// Names of items and conditions are held as digests: an effect has no text.
fn digest(name: &str) -> Bytes {
    Bytes::copy_from_slice(crate::crypto::Digest::of(name.as_bytes()).as_bytes())
}
