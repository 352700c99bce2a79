//! What the other daemon answers to a delivery, checked whole before anything of it counts.

use super::trouble::SessionError;
use super::v1::DeliverResponse;
use crate::channel::receipt::SentEnvelope;
use crate::channel::state::PeerHead;
use crate::exchange::acknowledge::Accepted;
use crate::exchange::receipts::Checker;
use crate::wire::ledger::v1::Receipt;
use prost::Message as _;
use tokio::time::Instant;

/// A request that is sent and not answered.
pub(super) struct InFlight {
    pub sent_at: Instant,
    pub expected: Vec<SentEnvelope>,
    pub accepted: PeerHead,
}

/// Checks an answer whole: every receipt, and that the other ledger only ever grew.
pub(super) fn read_answer(
    answer: &DeliverResponse,
    sent: &InFlight,
    checker: &mut Checker,
) -> Result<(Vec<Accepted>, PeerHead), SessionError> {
    if answer.receipts.len() != sent.expected.len() {
        return Err(SessionError::Unexpected);
    }
    let mut receipts = Vec::with_capacity(answer.receipts.len());
    for (receipt, expected) in answer.receipts.iter().zip(&sent.expected) {
        let (receipted, checkpoint) = checker.receipt(receipt, expected)?;
        receipts.push((receipt, expected, receipted, checkpoint));
    }
    let current = checker.checkpoint(&answer.checkpoint)?;
    checker.extends(sent.accepted.size, &sent.accepted.root, &current, &answer.consistency)?;
    let head = PeerHead { size: current.size, root: current.root };
    let mut proven = None;
    for (_, _, _, older) in &receipts {
        let older_head = PeerHead { size: older.size, root: older.root };
        if older_head == head || proven == Some(older_head) {
            continue;
        }
        let proof = answer
            .older_heads
            .iter()
            .find(|proof| proof.size == older.size)
            .ok_or(SessionError::Unexpected)?;
        checker.extends(older.size, &older.root, &current, &proof.consistency)?;
        proven = Some(older_head);
    }
    let accept = |(receipt, expected, receipted, _): (
        &Receipt,
        &SentEnvelope,
        crate::channel::receipt::Receipted,
        _,
    )| Accepted {
        sequence: expected.sequence,
        envelope_digest: expected.digest,
        receipt: receipt.encode_to_vec().into(),
        rejection: receipted.rejection,
        peer_size: current.size,
        peer_root: current.root,
        peer_note: None,
    };
    let mut accepted: Vec<Accepted> = receipts.into_iter().map(accept).collect();
    if let Some(last) = accepted.last_mut() {
        last.peer_note = Some(answer.checkpoint.clone());
    }
    Ok((accepted, head))
}
