//! What two Parties may say against each other, judged by what both of them signed.
//!
//! Reading order: [`Exhibit`] what each side lays before the court · [`Standing`] whose keys are whose · `message` claims
//! about messages · `ledgers` claims about ledgers · `statements` claims about what was stated of a period.
//!
//! Invariant: a claim is *proven* or *refuted* by signatures alone. Whatever rests on a key that nobody vouches for, and
//! whatever neither file shows, is *undecidable*: silence proves nothing.

mod ledgers;
mod message;
mod statements;

use super::bundle::{Because, Named, Proven, Trusted};
use super::exported::Exported;
use super::statement::Signed;
use crate::crypto::digest::Digest;
use std::collections::BTreeSet;

/// What a side lays before the court.
#[derive(Debug, Clone)]
pub enum Exhibit {
    /// A sound bundle.
    Bundle(Box<Proven>),
    /// A ledger that was handed out.
    Ledger(Exported),
    /// What its Party stated of a period.
    Statement(Box<Signed>),
}

/// What becomes of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is true, by signatures.
    Proven,
    /// It is false, by signatures.
    Refuted,
    /// The two files do not tell.
    Undecidable,
}

/// A claim and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// Stable name of the kind of claim.
    pub code: &'static str,
    /// What somebody may say.
    pub claim: String,
    /// What becomes of it.
    pub verdict: Verdict,
    /// Because of what.
    pub why: String,
}

/// Whose keys are whose.
#[derive(Debug, Clone)]
pub struct Standing {
    accepted: BTreeSet<(String, Digest)>,
}

/// A key that something rests on, and whose it must be.
type Holder<'a> = (&'a str, Digest);

impl Standing {
    /// With named keys, these and what they introduced. Without, the keys that both sides' files give for the same Party:
    /// what both agree on needs no further word.
    pub fn of(ours: &Exhibit, theirs: &Exhibit, named: &[Named]) -> Self {
        let keys = [ours.keys(), theirs.keys()];
        let [our_keys, their_keys] = &keys;
        if named.is_empty() {
            return Self { accepted: our_keys.intersection(their_keys).cloned().collect() };
        }
        let mut trusted = Trusted::new();
        for (party, key) in our_keys.union(their_keys) {
            let because = named.iter().filter_map(|it| it.vouches(party, key));
            // Where the files differ about whose key it is they cannot be believed about that.
            let other = our_keys.union(their_keys).any(|(whose, other)| other == key && whose != party);
            let best = because.min().filter(|because| !other || *because == Because::Named);
            if let Some(because) = best {
                trusted.insert((party.clone(), *key), because);
            }
        }
        for exhibit in [ours, theirs, ours] {
            if let Exhibit::Bundle(proven) = exhibit {
                proven.follow(&mut trusted);
            }
        }
        Self { accepted: trusted.into_keys().collect() }
    }

    /// The judgement, unless it rests on a key that nobody vouches for.
    fn judge(
        &self,
        code: &'static str,
        claim: String,
        keys: &[Holder<'_>],
        (verdict, why): (Verdict, String),
    ) -> Judgement {
        let unknown = keys.iter().find(|(party, key)| !self.accepted.contains(&((*party).to_owned(), *key)));
        let (verdict, why) = match unknown.filter(|_| verdict != Verdict::Undecidable) {
            Some((party, key)) => {
                let why = format!("it rests on sha256:{key}, and nobody vouches that this is {party}'s key");
                (Verdict::Undecidable, why)
            }
            None => (verdict, why),
        };
        Judgement { code, claim, verdict, why }
    }
}

impl Exhibit {
    /// The keys that it names, each with the Party it is said to be of.
    fn keys(&self) -> BTreeSet<(String, Digest)> {
        match self {
            Self::Bundle(proven) => proven.keys.iter().cloned().collect(),
            Self::Ledger(exported) => [(exported.party.clone(), exported.key)].into(),
            Self::Statement(signed) => [(signed.statement.party.clone(), signed.fingerprint)].into(),
        }
    }
}

/// Judges every claim that the two exhibits touch; `by` is a time that something is said to have happened by.
pub fn judge(ours: &Exhibit, theirs: &Exhibit, named: &[Named], by: Option<u64>) -> Vec<Judgement> {
    let standing = Standing::of(ours, theirs, named);
    match (ours, theirs) {
        (Exhibit::Bundle(one), Exhibit::Bundle(other)) => {
            let mut judgements = message::judge(&standing, one, other, by);
            judgements.extend(ledgers::of_bundles(&standing, one, other));
            judgements
        }
        (Exhibit::Bundle(bundle), Exhibit::Ledger(ledger))
        | (Exhibit::Ledger(ledger), Exhibit::Bundle(bundle)) => {
            let mut judgements = message::alone(&standing, &[bundle], by);
            judgements.extend(ledgers::against(&standing, bundle, ledger));
            judgements
        }
        (Exhibit::Ledger(one), Exhibit::Ledger(other)) => ledgers::of_exports(&standing, one, other),
        (Exhibit::Statement(one), Exhibit::Statement(other)) => statements::of_both(&standing, one, other),
        (Exhibit::Statement(stated), Exhibit::Ledger(ledger))
        | (Exhibit::Ledger(ledger), Exhibit::Statement(stated)) => {
            statements::against(&standing, stated, ledger)
        }
        // A statement counts messages, and names none.
        (Exhibit::Statement(_), Exhibit::Bundle(bundle))
        | (Exhibit::Bundle(bundle), Exhibit::Statement(_)) => message::alone(&standing, &[bundle], by),
    }
}
