//! Claims about messages: never sent, never got, never refused, in time.

use super::{Holder, Judgement, Standing, Verdict};
use crate::evidence::bundle::claim::{time, words};
use crate::evidence::bundle::{Placed, Proven};
use crate::wire::channel::v1::Envelope;

use Verdict::{Proven as Holds, Refuted, Undecidable};

/// Two bundles: of one message, of two that claim one place, or of two messages.
pub(super) fn judge(standing: &Standing, one: &Proven, other: &Proven, by: Option<u64>) -> Vec<Judgement> {
    if one.envelope_digest == other.envelope_digest {
        return alone(standing, &[one, other], by);
    }
    let mut judgements = alone(standing, &[one], by);
    judgements.extend(alone(standing, &[other], by));
    judgements.extend(two_messages(standing, one, other));
    judgements
}

/// The same place in one chain, taken twice.
fn two_messages(standing: &Standing, one: &Proven, other: &Proven) -> Option<Judgement> {
    let place = |envelope: &Envelope| {
        let Envelope { environment, agreement_id, sender, recipient, epoch, sequence, .. } = envelope.clone();
        (environment, agreement_id, sender, recipient, epoch, sequence)
    };
    if place(&one.envelope) != place(&other.envelope) {
        return None;
    }
    let Envelope { sender, sequence, .. } = &one.envelope;
    Some(standing.judge(
        "TWO_MESSAGES",
        format!("{sender} signed two different messages as its number {sequence}."),
        &[(sender, one.signing_key), (sender, other.signing_key)],
        (Holds, "both envelopes verify with its keys, and only one can be that number".to_owned()),
    ))
}

/// What may be said about one message, of which there are one or two bundles.
pub(super) fn alone(standing: &Standing, bundles: &[&Proven], by: Option<u64>) -> Vec<Judgement> {
    let Some(first) = bundles.first() else { return Vec::new() };
    let Envelope { sender, recipient, sequence, .. } = &first.envelope;
    let name = format!("message {sequence} of {sender}");
    let receipt = bundles.iter().find_map(|bundle| receipt(bundle));
    let mut judgements = vec![
        standing.judge(
            "NEVER_SENT",
            format!("{sender}: we never sent {name}."),
            &[(sender, first.signing_key)],
            (Refuted, format!("{sender} signed it")),
        ),
        content(standing, bundles, &name),
    ];
    judgements.extend(received(standing, receipt, recipient, &name));
    judgements.extend(refused(standing, receipt, [sender, recipient], &name));
    for bundle in bundles {
        judgements.extend(timed(standing, bundle, &name, by));
    }
    judgements
}

/// The recipient's own statement about the message, from whichever side's file.
fn receipt(bundle: &Proven) -> Option<&Placed> {
    let own = bundle.terms.party == bundle.envelope.recipient;
    bundle.receipt.as_ref().or(if own { Some(&bundle.record) } else { None })
}

fn content(standing: &Standing, bundles: &[&Proven], name: &str) -> Judgement {
    let claim = format!("The content shown for {name} is what was signed.");
    let keys: Vec<Holder<'_>> =
        bundles.iter().map(|bundle| (bundle.envelope.sender.as_str(), bundle.signing_key)).collect();
    let verdict = match bundles.iter().any(|bundle| bundle.body.is_some()) {
        true => (Holds, "its digest stands in the signed envelope".to_owned()),
        false => (Undecidable, "no file holds the content any more".to_owned()),
    };
    standing.judge("CONTENT", claim, &keys, verdict)
}

fn received(standing: &Standing, receipt: Option<&Placed>, recipient: &str, name: &str) -> Vec<Judgement> {
    let never = format!("{recipient}: we never got {name}.");
    let keys: Vec<Holder<'_>> = receipt.iter().map(|receipt| receipt.holder()).collect();
    let verdict = match receipt {
        Some(receipt) => (Refuted, format!("{recipient} recorded it: {}", place(receipt))),
        None => (
            Undecidable,
            format!("there is no receipt of {recipient} in either file; its absence proves neither"),
        ),
    };
    vec![standing.judge("NEVER_RECEIVED", never, &keys, verdict)]
}

fn refused(
    standing: &Standing,
    receipt: Option<&Placed>,
    [sender, recipient]: [&str; 2],
    name: &str,
) -> Vec<Judgement> {
    let claims = [
        ("NEVER_REFUSED", format!("{sender}: you never turned {name} down.")),
        ("REFUSED", format!("{recipient}: we turned {name} down, and said why.")),
    ];
    let verdicts = match receipt.map(|receipt| (receipt, receipt.rejection)) {
        None => {
            let why = format!("neither file holds what {recipient} recorded about it");
            [(Undecidable, why.clone()), (Undecidable, why)]
        }
        Some((receipt, None)) => {
            let why = format!("{recipient} recorded that it holds it: {}", place(receipt));
            [(Holds, why.clone()), (Refuted, why)]
        }
        Some((receipt, Some(reason))) => {
            let (words, place) = (words(reason), place(receipt));
            let why = format!("{recipient} recorded that it did, because {words}: {place}");
            [(Refuted, why.clone()), (Holds, why)]
        }
    };
    let keys: Vec<Holder<'_>> = receipt.iter().map(|receipt| receipt.holder()).collect();
    let judged = claims.into_iter().zip(verdicts);
    judged.map(|((code, claim), verdict)| standing.judge(code, claim, &keys, verdict)).collect()
}

/// When the exporter recorded it, by the other Party's clock; and whether that was by a given time.
fn timed(standing: &Standing, bundle: &Proven, name: &str, by: Option<u64>) -> Option<Judgement> {
    let (exporter, other) = (&bundle.terms.party, &bundle.terms.counterparty);
    let (code, what) = match *exporter == bundle.envelope.sender {
        true => ("SENT_BY", "sealed"),
        false => ("RECEIVED_BY", "received"),
    };
    let (earliest, latest) = (bundle.earliest, bundle.latest);
    let after = earliest.map(|it| format!("after {}", time(it.at)));
    let before = latest.map(|it| format!("before {}", time(it.at)));
    let between: Vec<String> = after.into_iter().chain(before).collect();
    let cosigned = [earliest, latest].into_iter().flatten().map(|it| (other.as_str(), it.key));
    let keys: Vec<Holder<'_>> = cosigned.chain([bundle.record.holder()]).collect();
    let bracket = match between.is_empty() {
        true => format!("{other} cosigned nothing around it"),
        false => format!("{exporter} recorded it {} by the clock of {other}", between.join(" and ")),
    };
    let Some(by) = by else {
        let verdict = if between.is_empty() { Undecidable } else { Holds };
        let claim = format!(
            "{exporter} {what} {name} {}.",
            if between.is_empty() { "at some time".into() } else { between.join(" and ") }
        );
        return Some(standing.judge(code, claim, &keys, (verdict, bracket)));
    };
    let claim = format!("{exporter}: we {what} {name} by {}.", time(by));
    let verdict = match (earliest, latest) {
        (_, Some(latest)) if latest.at <= by => Holds,
        (Some(earliest), _) if earliest.at > by => Refuted,
        _ => Undecidable,
    };
    Some(standing.judge(code, claim, &keys, (verdict, bracket)))
}

pub(super) fn place(placed: &Placed) -> String {
    format!("event {} in a ledger of {} that it signed", placed.index, placed.checkpoint.size)
}
