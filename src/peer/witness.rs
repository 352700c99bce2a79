//! The two ledgers guard each other: this side's heads are shown to be cosigned, the other side's are cosigned.

use super::introduction::Mismatch;
use super::retraction::expect_no_retraction;
use super::trouble::SessionError;
use super::v1::peer_service_client::PeerServiceClient;
use super::v1::{WitnessRequest, WitnessResponse};
use super::{Link, complaint};
use crate::crypto::digest::Digest;
use crate::door::{Dialled, Refusal};
use crate::exchange::delivery::Health;
use crate::exchange::heads::{HeadAnswer, HeadError, ShownHead};
use crate::exchange::pace::Pace;
use crate::exchange::receipts::{CheckError, Checker};
use crate::ledger::checkpoint::{Checkpoint, with_signature};
use crate::ledger::note::{Note, NoteError, NoteSignature};
use crate::limits;
use crate::wire::ledger::v1::{ClockSkew, ComplaintAnswer, Cosigned, event::Fact};
use prost_types::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tonic::Code;

/// Has this ledger cosigned for as long as a session lasts: soon after something happened, and now and then when nothing
/// does. `from` is the size that the other Party accepted last. Returns only when the session must end.
pub(super) async fn be_witnessed(
    link: &Link,
    mut client: PeerServiceClient<Dialled>,
    health: &watch::Sender<Health>,
    mut from: u64,
) -> Result<(), SessionError> {
    let mut progress = link.engine.progress();
    let mut last: Option<(u64, Arc<str>)> = None;
    let mut beat = Instant::now();
    let mut crossed = 0;
    expect_no_retraction(link, &mut client, from).await?;
    loop {
        progress.borrow_and_update();
        let news = last.is_none() || link.engine.state().has_uncosigned();
        if !news && Instant::now() < beat {
            tokio::select! {
                changed = progress.changed() => if changed.is_err() { return Ok(()) },
                () = tokio::time::sleep_until(beat) => {}
            }
            continue;
        }
        let (size, note) = match last.take().filter(|_| !news) {
            Some(same) => same,
            None => {
                let (head, note) = link.engine.store().reader().checkpoint();
                (head.size, note)
            }
        };
        match ask(link, &mut client, from, size, &note).await? {
            Asked::Cosigned(line) => {
                record(link, health, &note, &line).await?;
                (from, last) = (size, Some((size, note)));
            }
            Asked::Elsewhere(accepted) if accepted > link.engine.store().reader().head().size => {
                return Err(Mismatch::HeadUnknown.into());
            }
            Asked::Elsewhere(accepted) => {
                expect_no_retraction(link, &mut client, accepted).await?;
                from = accepted;
                crossed += 1;
                // Receipts move what is accepted there while this is on its way; it is asked again at once, and under a
                // heavy load not for ever.
                if crossed < limits::WITNESS_CROSSINGS {
                    continue;
                }
            }
            Asked::Later => last = Some((size, note)).filter(|_| !news),
        }
        crossed = 0;
        beat = Instant::now() + limits::WITNESS_HEARTBEAT;
        sleep(limits::WITNESS_INTERVAL).await;
    }
}

enum Asked {
    Cosigned(NoteSignature),
    Elsewhere(u64),
    Later,
}

async fn ask(
    link: &Link,
    client: &mut PeerServiceClient<Dialled>,
    from: u64,
    size: u64,
    note: &str,
) -> Result<Asked, SessionError> {
    let proof = if from < size { link.engine.store().consistency(from, size)? } else { Vec::new() };
    let complaint = complaint::open(link)?;
    let request = WitnessRequest {
        checkpoint: note.to_owned(),
        accepted_size: from,
        consistency: proof,
        complaint: complaint.as_ref().map(|(_, disclosed)| disclosed.clone()),
    };
    let answer =
        timeout(limits::OPEN_ANSWER, client.witness(request)).await.map_err(|_| SessionError::Silent)?;
    let answer = match answer {
        Ok(answer) => answer.into_inner(),
        Err(status) if status.code() == Code::ResourceExhausted => return Ok(Asked::Later),
        Err(status) => return Err(status.into()),
    };
    if let Some((sequence, _)) = complaint {
        complaint::note_answer(link, sequence, answer.complaint()).await;
    }
    if answer.cosignature.is_empty() {
        return Ok(Asked::Elsewhere(answer.accepted_size));
    }
    NoteSignature::read(&answer.cosignature).map(Asked::Cosigned).ok_or(SessionError::Unexpected)
}

/// Records a cosignature, if it is over a head not cosigned before, and tells when it was given.
async fn record(
    link: &Link,
    health: &watch::Sender<Health>,
    note: &str,
    line: &NoteSignature,
) -> Result<(), SessionError> {
    let state = link.engine.state();
    let cosigners = link.trusted().cosigners(link.terms(), state.peer_epoch().max(1));
    let parsed = Note::parse(note).map_err(|_| SessionError::Unexpected)?;
    let verified = cosigners.iter().map(|cosigner| cosigner.verify(line, parsed.text()));
    let verified = verified.reduce(Result::or).unwrap_or(Err(NoteError::Unsigned));
    let time = verified.map_err(|error| CheckError::Checkpoint(error.into()))?;
    let head = Checkpoint::parse(parsed.text()).map_err(CheckError::Checkpoint)?;
    if head.size > state.cosigned().size {
        let cosigned = with_signature(note, line.clone()).map_err(|_| SessionError::Unexpected)?;
        let fact = Cosigned { size: head.size, root: head.root.to_bytes(), cosigned_at: time };
        link.engine.cosigned(fact, cosigned).await?;
    }
    let seconds = i64::try_from(time).map_err(|_| SessionError::Unexpected)?;
    let peer_ahead_seconds = seconds.saturating_sub(link.engine.core().clock.now().seconds);
    health.send_modify(|health| {
        health.cosigned_at = Some(Timestamp { seconds, nanos: 0 });
        health.peer_ahead_seconds = peer_ahead_seconds;
    });
    note_skew(link, peer_ahead_seconds).await
}

/// Records when the other Party's clock goes beyond the limit and when it comes back; times are never corrected by it.
async fn note_skew(link: &Link, peer_ahead_seconds: i64) -> Result<(), SessionError> {
    let beyond_limit = peer_ahead_seconds.unsigned_abs() > limits::CLOCK_SKEW.as_secs();
    if beyond_limit == link.engine.state().is_clock_skewed() {
        return Ok(());
    }
    tracing::warn!(peer_ahead_seconds, beyond_limit, "the two Parties' clocks");
    let fact = Fact::ClockSkew(ClockSkew { peer_ahead_seconds, beyond_limit });
    link.engine.note(fact).await.map_err(|_| HeadError::Stopping.into())
}

/// Answers what the other Party's daemon shows.
pub(super) async fn witness(
    link: &Link,
    pace: &Pace,
    request: WitnessRequest,
) -> Result<WitnessResponse, Refusal> {
    let state = link.engine.state();
    let epoch = state.peer_epoch().max(1);
    let checkpoint = Checker::new(link.trusted().vkeys(link.terms(), epoch), Vec::new())
        .checkpoint(&request.checkpoint)
        .map_err(|error| Refusal::new(Code::InvalidArgument, "PEER_CHECKPOINT_INVALID", error.to_string()))?;
    let proof: Option<Vec<Digest>> =
        request.consistency.iter().map(|hash| Digest::from_slice(hash)).collect();
    let proof = proof.ok_or_else(|| {
        Refusal::new(Code::InvalidArgument, "REQUEST_MALFORMED", "a hash of consistency has not 32 bytes")
    })?;
    if checkpoint.size > state.peer_head().size && !pace.admits() {
        let told = "heads are recorded no faster than this; the next one will do";
        return Err(Refusal::new(Code::ResourceExhausted, "TOO_MANY_HEADS", told)
            .retry_after(limits::WITNESS_INTERVAL));
    }
    let unreadable = |_| Refusal::new(Code::Internal, "STORE_UNREADABLE", "the store cannot be read");
    let answered = request.complaint.as_ref().map(|it| complaint::answer(link, it)).transpose();
    let (answer, receipt) = answered.map_err(unreadable)?.unwrap_or((ComplaintAnswer::Unspecified, None));
    let body = checkpoint.body();
    let (note, from) = (request.checkpoint, request.accepted_size);
    let size = checkpoint.size;
    match link.engine.show_head(ShownHead { checkpoint, note, epoch, from, proof }).await {
        Ok(HeadAnswer::Accepted) => {
            let cosigned = link
                .cosign(epoch, size, &body)
                .map_err(|missing| Refusal::new(Code::Internal, "OWN_KEY_MISSING", missing.to_string()))?;
            let accepted_size = if cosigned.is_some() { size } else { link.engine.state().peer_head().size };
            let cosignature = cosigned.unwrap_or_default();
            Ok(WitnessResponse { accepted_size, cosignature, complaint: answer.into(), receipt })
        }
        Ok(HeadAnswer::Elsewhere(accepted_size)) => {
            let complaint = answer.into();
            Ok(WitnessResponse { accepted_size, cosignature: String::new(), complaint, receipt })
        }
        Err(error) => Err(refused(error)),
    }
}

fn refused(error: HeadError) -> Refusal {
    let (code, reason) = match error {
        HeadError::Contradicts => (Code::FailedPrecondition, "LEDGER_CONTRADICTED"),
        HeadError::Unproven => (Code::FailedPrecondition, "LEDGER_UNPROVEN"),
        HeadError::Held => (Code::FailedPrecondition, "CHANNEL_HELD"),
        HeadError::Quarantined => (Code::FailedPrecondition, "PEER_QUARANTINED"),
        HeadError::NoSpace => (Code::ResourceExhausted, "NO_SPACE"),
        HeadError::Stopping => (Code::Unavailable, "STOPPING"),
    };
    let refusal = Refusal::new(code, reason, error.to_string());
    match code {
        Code::FailedPrecondition => refusal,
        _ => refusal.retry_after(Duration::from_secs(5)),
    }
}
