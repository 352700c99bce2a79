//! Orders as their events in the ledger tell of them.

use super::caller::Caller;
use super::orders::Orders;
use super::refusals;
use super::roles::role_for;
use super::token::{order_name, page_token, read_page_token};
use super::v1::{ListOrdersRequest, ListOrdersResponse, OrderRecord, OrderState, OrderStep as ShownStep};
use crate::channel::lookup::Lookup;
use crate::door::Refusal;
use crate::limits::{PAGE_SIZE, PAGE_SIZE_MAX};
use crate::store::{OpenedEvent, StoreError};
use crate::wire::ledger::v1::{OrderText, event::Fact};
use prost::Message as _;

impl Orders {
    pub(super) fn may_see(&self, caller: &Caller, record: &OrderRecord) -> bool {
        let callers = self.office.callers.now();
        let needed = record.order.as_ref().and_then(|order| order.action.as_ref()).map(role_for);
        needed.is_some_and(|role| callers.has_role(&caller.official, role))
            || callers.has_role(&caller.official, "AUDITOR")
    }

    pub(super) fn find(&self, id: [u8; 16]) -> Result<Option<OrderRecord>, Refusal> {
        let failed = |error: StoreError| refusals::store(&error);
        let store = self.office.engine.store();
        let mut record = OrderRecord { name: order_name(&id), ..OrderRecord::default() };
        for leaf in store.named(&Lookup::Order(id)).map_err(failed)? {
            let opened = store.event(leaf).map_err(failed)?;
            match &opened.event.fact {
                Some(Fact::OrderProposed(it)) if it.order_id == id.as_slice() => {
                    record.order.clone_from(&it.order);
                    record.proposal = Some(self.step(&opened, &it.official)?);
                }
                Some(Fact::OrderDecided(it)) if it.order_id == id.as_slice() => {
                    record.decision = Some(self.step(&opened, &it.official)?);
                    let state = if it.approved { OrderState::Approved } else { OrderState::Rejected };
                    record.set_state(state);
                }
                _ => {}
            }
        }
        if record.state() == OrderState::Unspecified {
            record.set_state(OrderState::Proposed);
        }
        Ok(record.proposal.is_some().then_some(record))
    }

    fn step(&self, opened: &OpenedEvent, official: &str) -> Result<ShownStep, Refusal> {
        let item = self.office.engine.store().item(opened).map_err(|error| refusals::store(&error))?;
        let text = item.and_then(|item| OrderText::decode(item.body).ok());
        Ok(ShownStep { official: official.to_owned(), recorded_at: opened.event.recorded_at, text })
    }

    pub(super) fn list(
        &self,
        caller: &Caller,
        request: &ListOrdersRequest,
    ) -> Result<ListOrdersResponse, Refusal> {
        let failed = |error: StoreError| refusals::store(&error);
        let size = match usize::try_from(request.page_size).unwrap_or(0) {
            0 => PAGE_SIZE,
            size => size.min(PAGE_SIZE_MAX),
        };
        let conditions = [b"orders".as_slice(), &request.state.to_be_bytes()].concat();
        let before = match request.page_token.as_str() {
            "" => u64::MAX,
            token => read_page_token(token, &conditions)?,
        };
        let store = self.office.engine.store();
        let mut answer = ListOrdersResponse::default();
        let mut last = before;
        for leaf in store.named(&Lookup::Orders).map_err(failed)?.into_iter().filter(|leaf| *leaf < before) {
            let opened = store.event(leaf).map_err(failed)?;
            let Some(Fact::OrderProposed(it)) = &opened.event.fact else { continue };
            let Ok(id) = it.order_id.as_ref().try_into() else { continue };
            let Some(record) = self.find(id)? else { continue };
            let wanted = request.state() == OrderState::Unspecified || request.state() == record.state();
            if !wanted || !self.may_see(caller, &record) {
                continue;
            }
            if answer.orders.len() == size {
                answer.next_page_token = page_token(last, &conditions);
                break;
            }
            last = leaf;
            answer.orders.push(record);
        }
        Ok(answer)
    }
}
