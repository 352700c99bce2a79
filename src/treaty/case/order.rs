//! The causal merge of both chains.

use super::{Entry, Party};
use crate::wire::assistance::v1::Kind;
use crate::wire::assistance::v1::effect::Detail;

/// The two Parties of a case, the requesting one first. Where no request has opened the case, the one whose code comes
/// first, so that both sides merge alike.
pub(super) fn sides(entries: &[Entry]) -> Option<[Party; 2]> {
    let any = entries.first()?;
    let first = requesting(entries).unwrap_or(any.sender.min(any.recipient));
    Some([first, if first == any.sender { any.recipient } else { any.sender }])
}

/// The Party that asks for assistance: the one that the first opening message makes it.
///
/// Each chain has at most one first opening message. The one that the other had seen comes first; where neither had
/// seen the other, the Party whose code comes first has opened the case, so that both sides say the same.
fn requesting(entries: &[Entry]) -> Option<Party> {
    let mut first: Vec<&Entry> = Vec::with_capacity(2);
    for entry in entries.iter().filter(|entry| opens_for(entry).is_some()) {
        match first.iter_mut().find(|known| known.sender == entry.sender) {
            Some(known) if entry.sequence < known.sequence => *known = entry,
            Some(_) => {}
            None => first.push(entry),
        }
    }
    first.sort_by_key(|entry| entry.sender);
    let opener = match first.as_slice() {
        [] => return None,
        [a, b, ..] if a.peer_sequence_seen >= b.sequence => b,
        [a, ..] => a,
    };
    opens_for(opener)
}

/// The Party for which a message opens a case.
fn opens_for(entry: &Entry) -> Option<Party> {
    match (entry.effect.kind(), &entry.effect.detail) {
        (Kind::AssistanceRequest, _) => Some(entry.sender),
        (Kind::OralRequestNote, Some(Detail::Request(note))) => {
            // A note that names a stranger is its keeper's own: no case may be without a side that can end it.
            let named = Party::from_code(&note.requesting_party);
            Some(named.filter(|named| *named == entry.recipient).unwrap_or(entry.sender))
        }
        _ => None,
    }
}

/// The places of the entries in the order in which they are folded.
pub(super) fn merged(entries: &[Entry], sides: Option<[Party; 2]>) -> Vec<usize> {
    let first = sides.map(|[first, _]| first);
    let chain = |ours: bool| {
        let mut chain: Vec<(usize, &Entry)> =
            entries.iter().enumerate().filter(|(_, entry)| (first == Some(entry.sender)) == ours).collect();
        // The same message may be given twice; a place in a chain is taken once.
        chain.sort_by_key(|(_, entry)| entry.sequence);
        chain.dedup_by_key(|(_, entry)| entry.sequence);
        chain
    };
    let (first, second) = (chain(true), chain(false));
    let (mut first, mut second) = (first.iter().peekable(), second.iter().peekable());
    let mut order = Vec::with_capacity(entries.len());
    loop {
        let next = match (first.peek(), second.peek()) {
            (Some((_, a)), Some((_, b))) if a.peer_sequence_seen >= b.sequence => second.next(),
            (Some(_), _) => first.next(),
            (None, _) => second.next(),
        };
        match next {
            Some((at, _)) => order.push(*at),
            None => return order,
        }
    }
}
