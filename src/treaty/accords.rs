//! Directives and interpretations that both heads signed, and the settings that follow from them (Article 11).
//!
//! A fold over accords: what one side alone signed never enters it, so nothing of one side changes a shared setting.

use crate::crypto::Digest;
use crate::wire::assistance::v1::{AccordEffect, AccordType, AlertTargets, DeliveredMoment, SettingsEffect};
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};

/// Accords with the valid signatures of both heads over the same digest.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Accords {
    signed: BTreeMap<u32, Signed>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Signed {
    /// A directive makes settings, an interpretation does not.
    pub is_directive: bool,
    /// SHA-256 that both heads signed.
    pub digest: Digest,
    /// Number of the accord that it replaces; 0 for none.
    pub supersedes: u32,
    /// Day, in UTC, from which it applies.
    pub effective_on: Date,
    settings: SettingsEffect,
}

/// The settings in force. What no directive states is absent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Shared {
    /// Languages in which messages may be written; none stated: any.
    pub languages: Vec<String>,
    /// It is agreed that a signed message is a request in writing (Article 5.1).
    pub written_form_agreed: bool,
    /// The moment at which a message counts as delivered.
    pub delivered_moment: DeliveredMoment,
    /// Information may be given without a request (Article 2.1).
    pub spontaneous_information_enabled: bool,
    /// Open requests may be completed after the end (Article 12.3).
    pub wind_down_completion: bool,
    /// When alerts are raised.
    pub alert_targets: AlertTargets,
}

impl Accords {
    /// Takes an accord that both heads signed. Of two texts under one number the one that applies later stands; of the same
    /// day the one with the greater digest: so both sides decide alike, whichever they saw first.
    pub fn take(&mut self, it: &AccordEffect) {
        let (Some(digest), Ok(effective_on)) = (Digest::from_slice(&it.digest), it.effective_on.parse())
        else {
            return;
        };
        let new = Signed {
            is_directive: it.r#type() == AccordType::Directive,
            digest,
            // Only an earlier one can be replaced: none replaces itself.
            supersedes: if it.supersedes < it.number { it.supersedes } else { 0 },
            effective_on,
            settings: it.settings.clone().unwrap_or_default(),
        };
        let rank = |it: &Signed| (it.effective_on, it.digest);
        if self.signed.get(&it.number).is_none_or(|held| rank(held) < rank(&new)) {
            self.signed.insert(it.number, new);
        }
    }

    /// Those in force on a day (UTC), by number: their day has come, and none that has replaced them.
    pub fn in_force(&self, on: Date) -> impl Iterator<Item = (u32, &Signed)> {
        let begun = move |it: &Signed| it.effective_on <= on;
        let replaced: BTreeSet<u32> =
            self.signed.values().filter(|it| begun(it)).map(|it| it.supersedes).collect();
        self.signed
            .iter()
            .filter(move |(number, it)| begun(it) && !replaced.contains(number))
            .map(|(number, it)| (*number, it))
    }

    /// The directives in force on a day, by number.
    pub fn directives(&self, on: Date) -> impl Iterator<Item = (u32, &Signed)> {
        self.in_force(on).filter(|(_, it)| it.is_directive)
    }

    /// SHA-256 over the directives in force, as every envelope states it: the text "article6/directives/1", then of each, by
    /// number, its number in 4 bytes, big-endian, and its digest. `None` without any.
    pub fn digest(&self, on: Date) -> Option<Digest> {
        let mut preimage = b"article6/directives/1".to_vec();
        let empty = preimage.len();
        for (number, it) in self.directives(on) {
            preimage.extend_from_slice(&number.to_be_bytes());
            preimage.extend_from_slice(it.digest.as_bytes());
        }
        (preimage.len() > empty).then(|| Digest::of(&preimage))
    }

    /// The settings in force on a day. Of several directives that state one, the highest number counts.
    pub fn shared(&self, on: Date) -> Shared {
        let mut shared = Shared::default();
        for (_, it) in self.directives(on) {
            shared.add(&it.settings);
        }
        shared
    }
}

impl Shared {
    fn add(&mut self, it: &SettingsEffect) {
        if !it.languages.is_empty() {
            self.languages.clone_from(&it.languages);
        }
        self.written_form_agreed |= it.written_form_agreed;
        if it.delivered_moment() != DeliveredMoment::Unspecified {
            self.delivered_moment = it.delivered_moment();
        }
        if let Some(enabled) = it.spontaneous_information_enabled {
            self.spontaneous_information_enabled = enabled;
        }
        if let Some(agreed) = it.wind_down_completion {
            self.wind_down_completion = agreed;
        }
        let (ours, theirs) = (&mut self.alert_targets, it.alert_targets.unwrap_or_default());
        for (ours, theirs) in [
            (&mut ours.delivery_minutes, theirs.delivery_minutes),
            (&mut ours.acknowledgement_working_days, theirs.acknowledgement_working_days),
            (&mut ours.oral_confirmation_hours, theirs.oral_confirmation_hours),
            (&mut ours.urgent_reaction_hours, theirs.urgent_reaction_hours),
            (&mut ours.final_answer_days, theirs.final_answer_days),
            (&mut ours.non_execution_working_days, theirs.non_execution_working_days),
            (&mut ours.originals_days, theirs.originals_days),
        ] {
            *ours = theirs.or(*ours);
        }
    }
}
