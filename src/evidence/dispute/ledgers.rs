//! Claims about ledgers: that one is whole, unchanged, and the only one.

use super::message::place;
use super::{Holder, Judgement, Standing, Verdict};
use crate::evidence::bundle::{Placed, Proven};
use crate::evidence::exported::Exported;
use crate::ledger::Checkpoint;

use Verdict::{Proven as Holds, Refuted, Undecidable};

/// The records of both Parties in a bundle, each with the checkpoint it leads to. The recipient's own record is its receipt
/// too, under an earlier checkpoint.
fn records(bundle: &Proven) -> impl Iterator<Item = &Placed> {
    let receipt = bundle.receipt.iter().filter(|receipt| receipt.leaf != bundle.record.leaf);
    std::iter::once(&bundle.record).chain(receipt)
}

/// Whether two bundles tell of one ledger for each Party.
pub(super) fn of_bundles(standing: &Standing, one: &Proven, other: &Proven) -> Vec<Judgement> {
    let mut judgements: Vec<Judgement> = Vec::new();
    for first in records(one) {
        for second in records(other).filter(|second| second.party == first.party) {
            let Some(why) = two_stories(first, second) else { continue };
            let judgement =
                one_ledger(standing, &first.party, &[first.holder(), second.holder()], (Refuted, why));
            if !judgements.contains(&judgement) {
                judgements.push(judgement);
            }
        }
    }
    judgements
}

/// What two places in one Party's ledger contradict each other in.
fn two_stories(first: &Placed, second: &Placed) -> Option<String> {
    if first.checkpoint.origin == second.checkpoint.origin
        && first.checkpoint.size == second.checkpoint.size
        && first.checkpoint.root != second.checkpoint.root
    {
        let size = first.checkpoint.size;
        return Some(format!("it signed two different ledgers of {size} events"));
    }
    let index = first.index;
    (index == second.index && first.leaf != second.leaf)
        .then(|| format!("it signed two ledgers with different events {index}"))
}

/// A bundle against the ledger that one of the Parties shows.
pub(super) fn against(standing: &Standing, bundle: &Proven, ledger: &Exported) -> Vec<Judgement> {
    let party = &ledger.party;
    let mut judgements = vec![whole(standing, ledger)];
    for record in records(bundle).filter(|record| record.party == *party) {
        let keys = [record.holder(), (party.as_str(), ledger.key)];
        let holds = format!("{party}: our ledger holds what we recorded about the message.");
        let verdict = match ledger.leaf(record.index) {
            Some(leaf) if leaf == record.leaf => (Holds, format!("it is event {} there", record.index)),
            Some(_) => (Refuted, format!("another event stands where it had recorded it: {}", place(record))),
            None => (Refuted, format!("the ledger ends before it; it had recorded it: {}", place(record))),
        };
        judgements.push(standing.judge("LEDGER_HOLDS", holds, &keys, verdict));
        judgements.push(unchanged(standing, &record.checkpoint, &keys, ledger));
    }
    judgements
}

/// The ledger that is shown is what its signed checkpoint says.
fn whole(standing: &Standing, ledger: &Exported) -> Judgement {
    let party = &ledger.party;
    let claim = format!("{party}: these files are our ledger of {} events.", ledger.checkpoint.size);
    let verdict = match ledger.is_whole {
        true => (Holds, "they lead to the root that it signed".to_owned()),
        false => (Refuted, "they do not lead to the root that it signed: the files were changed".to_owned()),
    };
    standing.judge("LEDGER_WHOLE", claim, &[(party, ledger.key)], verdict)
}

/// The ledger that is shown extends what its Party signed before, and nothing of that was removed or changed.
pub(super) fn unchanged(
    standing: &Standing,
    signed: &Checkpoint,
    keys: &[Holder<'_>],
    ledger: &Exported,
) -> Judgement {
    let party = &ledger.party;
    let claim = format!("{party}: this is our whole ledger, and nothing in it was changed or removed.");
    let (size, shown) = (signed.size, ledger.checkpoint.size);
    let same_origin = signed.origin == ledger.checkpoint.origin;
    let verdict = match ledger.root_at(size) {
        Some(root) if root == signed.root => {
            (Holds, format!("its first {size} events are those it signed then"))
        }
        Some(_) => (Refuted, format!("its first {size} events are not those it signed then")),
        None if same_origin => {
            (Refuted, format!("it had signed {size} events and shows {shown}: it is an older copy"))
        }
        None => (Undecidable, "the two are of different epochs: a restore lies between them".to_owned()),
    };
    standing.judge("LEDGER_UNCHANGED", claim, keys, verdict)
}

/// Two ledgers that were handed out.
pub(super) fn of_exports(standing: &Standing, one: &Exported, other: &Exported) -> Vec<Judgement> {
    let mut judgements = vec![whole(standing, one), whole(standing, other)];
    let (small, large) =
        if one.checkpoint.size <= other.checkpoint.size { (one, other) } else { (other, one) };
    if small.party == large.party && small.is_whole && large.is_whole {
        let size = small.checkpoint.size;
        let verdict = match large.root_at(size) == Some(small.checkpoint.root) {
            true => (Holds, format!("the smaller, of {size} events, is the beginning of the other")),
            false => (Refuted, format!("they differ within their first {size} events, and it signed both")),
        };
        let keys = [small, large].map(|ledger| (ledger.party.as_str(), ledger.key));
        judgements.push(one_ledger(standing, &small.party, &keys, verdict));
    }
    judgements
}

fn one_ledger(
    standing: &Standing,
    party: &str,
    keys: &[Holder<'_>],
    verdict: (Verdict, String),
) -> Judgement {
    standing.judge(
        "ONE_LEDGER",
        format!("{party}: we keep one ledger and show everybody the same."),
        keys,
        verdict,
    )
}
