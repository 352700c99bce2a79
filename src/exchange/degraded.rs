//! The machine's clock against the floor: no event is recorded before the one before it, whatever the clock says, and that a
//! daemon runs like this is in its ledger.

use super::engine::Engine;
use super::local::NoteError;
use crate::channel::state::State;
use crate::limits;
use crate::wire::ledger::v1::{Degraded, event::Fact};
use prost_types::Timestamp;

/// Looks at the clock for as long as the daemon runs.
pub async fn watch(engine: Engine) {
    loop {
        tokio::time::sleep(limits::CLOCK_LOOK).await;
        note(&engine).await;
    }
}

/// Records that the clock went below the floor, or came back above it.
pub async fn note(engine: &Engine) {
    let Some(fact) = turned(&engine.state(), engine.core().clock.now()) else { return };
    if let Err(error) = record(engine, fact).await {
        tracing::warn!(%error, "that the clock passed the floor is not recorded yet");
    }
}

async fn record(engine: &Engine, fact: Degraded) -> Result<(), NoteError> {
    let (clock, floor) = (fact.clock.map_or(0, |it| it.seconds), fact.floor.map_or(0, |it| it.seconds));
    match fact.begins {
        true => tracing::error!(
            clock,
            floor,
            "the machine's clock is before what is recorded: set it right; until then events bear the time of the last one"
        ),
        false => tracing::warn!(clock, floor, "the machine's clock is above what is recorded again"),
    }
    engine.note(Fact::Degraded(fact)).await
}

/// What is to be recorded when the clock says `now`.
fn turned(state: &State, now: Timestamp) -> Option<Degraded> {
    let least = Timestamp { seconds: limits::CLOCK_FLOOR, nanos: 0 };
    let floor = state.last_recorded_at().filter(|last| last.seconds >= least.seconds).unwrap_or(least);
    let fall = i64::try_from(limits::CLOCK_FALL.as_secs()).unwrap_or(0);
    let begins = match state.degraded_since() {
        None => now.seconds.saturating_add(fall) < floor.seconds,
        // It ends where the clock is above the floor, not merely near it: else it would begin and end in turns.
        Some(_) => (now.seconds, now.nanos) <= (floor.seconds, floor.nanos),
    };
    (begins != state.degraded_since().is_some()).then_some(Degraded {
        begins,
        clock: Some(now),
        floor: Some(floor),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::testing::Authority;
    use crate::disk::sim::Aftermath;
    use crate::exchange::testing::Side;
    use crate::journal::Sizes;

    const SIZES: Sizes = Sizes { segment_bytes: 64 << 10, step_bytes: 8 << 10 };

    #[tokio::test]
    async fn a_clock_below_the_floor_is_recorded_once_and_over_a_restart_and_so_is_its_end() {
        let mut side = Side::new(&Authority::new(), "US", "KZ", SIZES);
        side.clock.advance(1000);
        side.found().unwrap();
        side.start().unwrap();
        let floor = side.engine().state().last_recorded_at();
        side.clock.advance(-2);
        note(side.engine()).await;
        assert_eq!(side.engine().state().degraded_since(), None, "as near as a disciplined clock comes");
        side.clock.advance(-500);
        for _ in 0..3 {
            note(side.engine()).await;
        }
        assert_eq!(side.engine().state().degraded_since(), floor);
        let size = side.engine().state().size();
        side.submit("request", b"body").await.unwrap();
        assert_eq!(side.engine().state().last_recorded_at(), floor, "time does not go back");
        side.restart(Aftermath::Killed).await;
        note(side.engine()).await;
        assert_eq!(side.engine().state().degraded_since(), floor);
        assert_eq!(side.engine().state().size(), size + 2, "the message and the start, nothing else");
        side.clock.advance(502);
        note(side.engine()).await;
        assert_eq!(side.engine().state().degraded_since(), floor, "not above the floor yet");
        side.clock.advance(1);
        for _ in 0..3 {
            note(side.engine()).await;
        }
        assert_eq!(side.engine().state().degraded_since(), None);
        assert_eq!(side.engine().state().size(), size + 3);
        side.restart(Aftermath::Killed).await;
        assert_eq!(side.engine().state().degraded_since(), None);
    }

    #[test]
    fn a_clock_before_this_software_is_below_the_floor_of_an_empty_store() {
        let now = |seconds| Timestamp { seconds, nanos: 0 };
        assert!(turned(&State::default(), now(0)).is_some_and(|fact| fact.begins));
        assert!(turned(&State::default(), now(limits::CLOCK_FLOOR)).is_none());
    }
}
