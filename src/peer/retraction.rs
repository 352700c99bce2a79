//! A cosigner that says it accepted less of this ledger than it cosigned before: asked to sign that, it proves it.

use super::Link;
use super::introduction::Mismatch;
use super::trouble::SessionError;
use super::v1::WitnessRequest;
use super::v1::peer_service_client::PeerServiceClient;
use crate::door::Dialled;
use crate::evidence::contradiction::Proof;
use crate::exchange::heads::contradiction;
use crate::ledger::checkpoint::{Checkpoint, with_signature};
use crate::ledger::note::NoteSignature;
use crate::ledger::tree::Frontier;
use crate::limits;
use crate::store::StoreError;
use crate::wire::ledger::v1::ContradictionKind;
use tokio::time::timeout;

/// The other Party says that it accepted this much of this ledger last. Where it cosigned more before, it is asked for its
/// signature under what it says now; with that the channel is held. A word that is not signed proves nothing.
pub(super) async fn expect_no_retraction(
    link: &Link,
    client: &mut PeerServiceClient<Dialled>,
    accepted: u64,
) -> Result<(), SessionError> {
    let held = link.engine.state().cosigned();
    if accepted == 0 || accepted >= held.size {
        return Ok(());
    }
    let Some(larger) = link.engine.store().last_cosigned()? else { return Ok(()) };
    let (head, note) = own_head(link, accepted)?;
    let request =
        WitnessRequest { checkpoint: note.clone(), accepted_size: accepted, ..WitnessRequest::default() };
    let answer =
        timeout(limits::OPEN_ANSWER, client.witness(request)).await.map_err(|_| SessionError::Silent)?;
    let Some(line) = NoteSignature::read(&answer?.into_inner().cosignature) else { return Ok(()) };
    let smaller = with_signature(&note, line).map_err(|_| SessionError::Unexpected)?;
    let notes = [larger, smaller];
    let trusted = link.trusted();
    let mut proofs = trusted.ledger.iter().map(|key| Proof::retraction(key, notes.clone()));
    if !proofs.any(|proof| proof.verify().is_ok()) {
        return Ok(());
    }
    let fact = contradiction(ContradictionKind::Retracted, held, &head);
    link.engine.contradicted(fact, notes.to_vec()).await?;
    Err(SessionError::Held)
}

/// The head that this ledger had at a size, signed.
fn own_head(link: &Link, size: u64) -> Result<(Checkpoint, String), SessionError> {
    let (core, state) = (link.engine.core(), link.engine.state());
    let root = Frontier::from_nodes(size, link.engine.store().reader()).map_err(StoreError::from)?.root();
    let head = Checkpoint { origin: core.terms.origin(state.epoch()), size, root };
    let keys = core.keys.load();
    let key = keys.ledger(state.keys()).map_err(Mismatch::from)?;
    let signature = key.sign(head.body().as_bytes());
    let note = head.to_note(&core.terms.vkey(state.epoch(), key.public()), &signature);
    Ok((head, note))
}
