//! Lists of messages, newest first, read through the query index.

use super::token::{case_id, page_token, read_page_token};
use super::v1::{DeliveryState, Direction, ListMessagesRequest, ListMessagesResponse};
use super::view::View;
use super::{Office, refusals};
use crate::channel::lookup::Lookup;
use crate::door::Refusal;
use crate::exchange::follow::QueryError;
use crate::index::{self, Flags, Page, Row, Scan};
use crate::limits;
use crate::store::StoreError;
use prost::Message as _;
use prost_types::Timestamp;

/// The part of the ledger that can hold matches, and the test each row must pass.
struct Plan {
    scan: Scan,
    direction: Direction,
    state: DeliveryState,
    acknowledged: u64,
    handed_over: u64,
    /// What was recorded before this second, and waits, is stalled. `None` while delivery works.
    stalled_before: Option<i64>,
}

impl Office {
    /// One page of a list.
    pub async fn list(&self, request: ListMessagesRequest) -> Result<ListMessagesResponse, Refusal> {
        let size = self.engine.state().size();
        self.follower.wait_for(size, limits::INDEX_PATIENCE).await.map_err(refusals::query)?;
        let (conditions, wanted) = (conditions(&request), request.delivery_state());
        let plan = self.plan(&request, size, &conditions)?;
        let page = self.look_through(plan.scan, move |row, flags| plan.matches(row, flags)).await?;
        let mut messages = Vec::with_capacity(page.rows.len());
        for (row, _) in &page.rows {
            let opened = self.engine.store().event(row.leaf).map_err(|error| refusals::store(&error))?;
            messages.extend(self.view(&opened, View::Basic).map_err(|error| refusals::store(&error))?);
        }
        // What moved on while the page was made is shown as it is now, or not at all.
        messages.retain(|message| {
            let shown = message.delivery.as_ref().map(super::v1::Delivery::state);
            wanted == DeliveryState::Unspecified || shown == Some(wanted)
        });
        let next = page.next_before.map(|before| page_token(before, &conditions)).unwrap_or_default();
        Ok(ListMessagesResponse { messages, next_page_token: next })
    }

    /// Looks through the index. It may hang where it is damaged: a thread of its own waits for it, for a limited time.
    pub(super) async fn look_through(
        &self,
        scan: Scan,
        matches: impl FnMut(&Row, Flags) -> bool + Send + 'static,
    ) -> Result<Page, Refusal> {
        let follower = self.follower.clone();
        let scanning = tokio::task::spawn_blocking(move || follower.scan(scan, matches));
        let Ok(Ok(scanned)) = tokio::time::timeout(limits::INDEX_PATIENCE, scanning).await else {
            self.follower.distrust();
            return Err(refusals::query(QueryError::Unavailable));
        };
        scanned.map_err(refusals::query)
    }

    fn plan(&self, request: &ListMessagesRequest, size: u64, conditions: &[u8]) -> Result<Plan, Refusal> {
        let state = self.engine.state();
        let health = self.delivery.borrow().clone();
        let case = match request.case.as_str() {
            "" => None,
            name => Some(case_id("case", name)?),
        };
        let before = match request.page_token.as_str() {
            "" => size,
            token => read_page_token(token, conditions)?.min(size),
        };
        let store_failed = |error: StoreError| refusals::store(&error);
        let from =
            request.recorded_from.map_or(Ok(0), |time| self.first_at(time, size)).map_err(store_failed)?;
        let until = request
            .recorded_before
            .map_or(Ok(size), |time| self.first_at(time, size))
            .map_err(store_failed)?;
        let wanted = request.delivery_state();
        let undelivered = matches!(wanted, DeliveryState::Queued | DeliveryState::Stalled);
        // Messages are delivered in order: none that waits stands before the first that waits.
        let first_waiting = match self.engine.store().find(&Lookup::Sealed(state.acknowledged() + 1)) {
            Ok(Some(opened)) => opened.leaf,
            Ok(None) => size,
            Err(error) => return Err(refusals::store(&error)),
        };
        // AIP-158: more than the most is the most. What is negative was refused with the request's bounds.
        let limit = match usize::try_from(request.page_size) {
            Ok(0) | Err(_) => limits::PAGE_SIZE,
            Ok(size) => size.min(limits::PAGE_SIZE_MAX),
        };
        Ok(Plan {
            scan: Scan {
                case,
                rejected_only: wanted == DeliveryState::Rejected,
                list: None,
                from: if undelivered { from.max(first_waiting) } else { from },
                before: before.min(until),
                limit,
                budget: limits::PAGE_BUDGET,
            },
            direction: request.direction(),
            state: wanted,
            acknowledged: state.acknowledged(),
            handed_over: state.handed_over(),
            stalled_before: self.stalled_before(&health),
        })
    }

    /// A message is stalled when delivery fails, and both this failing and its own waiting have lasted longer than the
    /// alert target: as [`Office::view`] shows it.
    fn stalled_before(&self, health: &crate::exchange::delivery::Health) -> Option<i64> {
        let longest = i64::try_from(self.stalled_after.as_secs()).unwrap_or(i64::MAX);
        let before = self.engine.core().clock.now().seconds.saturating_sub(longest);
        health.failing_since.filter(|since| !health.open && since.seconds < before).map(|_| before)
    }

    /// The first ledger index recorded at or after a time. Events are recorded in the order of time.
    fn first_at(&self, time: Timestamp, size: u64) -> Result<u64, StoreError> {
        let (mut low, mut high) = (0, size);
        while low < high {
            let middle = low + (high - low) / 2;
            let recorded = self.engine.store().event(middle)?.event.recorded_at.unwrap_or_default();
            if (recorded.seconds, recorded.nanos) < (time.seconds, time.nanos) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }
}

impl Plan {
    fn matches(&self, row: &Row, flags: Flags) -> bool {
        let (direction, state) = match row.direction {
            index::Direction::Sent => (Direction::Sent, self.sent(row, flags)),
            index::Direction::Received if flags.handed_over || row.leaf < self.handed_over => {
                (Direction::Received, DeliveryState::Retrieved)
            }
            index::Direction::Received => (Direction::Received, DeliveryState::Delivered),
        };
        let right_direction = self.direction == Direction::Unspecified || self.direction == direction;
        let right_state = self.state == DeliveryState::Unspecified || self.state == state;
        right_direction && right_state
    }

    fn sent(&self, row: &Row, flags: Flags) -> DeliveryState {
        match (flags.rejected, row.sequence <= self.acknowledged) {
            (true, _) => DeliveryState::Rejected,
            (false, true) => DeliveryState::Delivered,
            (false, false) if self.stalled_before.is_some_and(|before| row.recorded_at < before) => {
                DeliveryState::Stalled
            }
            (false, false) => DeliveryState::Queued,
        }
    }
}

/// What a page token is bound to: everything but the token and the size of the page.
fn conditions(request: &ListMessagesRequest) -> Vec<u8> {
    ListMessagesRequest { page_token: String::new(), page_size: 0, ..request.clone() }.encode_to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a message is shown: failing since long ago, it is stalled only once it has itself waited for so long.
    #[test]
    fn a_filter_by_state_agrees_with_the_state_shown() {
        let plan = |stalled_before| Plan {
            scan: Scan { before: 9, limit: 9, budget: 9, ..Scan::default() },
            direction: Direction::Unspecified,
            state: DeliveryState::Unspecified,
            acknowledged: 1,
            handed_over: 0,
            stalled_before,
        };
        let row = |sequence, recorded_at| Row {
            leaf: sequence,
            direction: index::Direction::Sent,
            sequence,
            message_id: [0; 16],
            case_id: [0; 16],
            recorded_at,
        };
        let shown = |plan: &Plan, row: &Row| plan.sent(row, Flags { rejected: false, handed_over: false });
        let failing = plan(Some(100));
        assert_eq!(shown(&failing, &row(1, 10)), DeliveryState::Delivered);
        assert_eq!(shown(&failing, &row(2, 99)), DeliveryState::Stalled);
        assert_eq!(shown(&failing, &row(3, 100)), DeliveryState::Queued);
        assert_eq!(shown(&plan(None), &row(2, 10)), DeliveryState::Queued);
    }
}
