//! Orders of two persons: who may propose, approve, reject and see them.

use super::caller::Caller;
use super::roles::{Verb, role_for};
use super::token::order_id;
use super::v1::order_service_server::OrderService;
use super::v1::{
    ApproveOrderRequest, ApproveOrderResponse, GetOrderRequest, GetOrderResponse, ListOrdersRequest,
    ListOrdersResponse, OrderRecord, ProposeOrderRequest, ProposeOrderResponse, RejectOrderRequest,
    RejectOrderResponse,
};
use super::{Office, Release, refusals};
use crate::crypto::random;
use crate::door::Refusal;
use crate::exchange::event::derive_message_id;
use crate::exchange::orders::{OrderAct, OrderStep};
use crate::wire::ledger::v1::order::Action;
use crate::wire::ledger::v1::{Order, OrderText};
use tonic::{Code, Request, Response, Status};

/// The service.
#[derive(Debug, Clone)]
pub struct Orders {
    /// What the calls work with.
    pub office: Office,
}

impl Orders {
    async fn propose(&self, request: Request<ProposeOrderRequest>) -> Result<OrderRecord, Refusal> {
        let caller = self.office.callers.now().recognise(&request, Verb::Order)?;
        let ProposeOrderRequest { request_id, order, text } = request.into_inner();
        let (order, text) = (order.unwrap_or_default(), text.unwrap_or_default());
        self.expect_role(&caller, &order)?;
        sound(&order, &text)?;
        let terms = &self.office.engine.core().terms;
        // No message has such a name: a request_id has no slash.
        let id = derive_message_id(terms, &caller.client, &format!("order/{request_id}"));
        self.take(id, &caller, OrderAct::Propose(order), text).await
    }

    async fn decide(
        &self,
        caller: Caller,
        name: &str,
        act: OrderAct,
        text: Option<OrderText>,
    ) -> Result<OrderRecord, Refusal> {
        let id = order_id("name", name)?;
        let record = self.find(id)?.ok_or_else(refusals::order_not_found)?;
        self.expect_role(&caller, &record.order.unwrap_or_default())?;
        self.own_word(&caller, name)?;
        self.take(id, &caller, act, text.unwrap_or_default()).await
    }

    /// Where releases need the official's own token, so do decisions on orders: one client is not two persons.
    fn own_word(&self, caller: &Caller, name: &str) -> Result<(), Refusal> {
        let named = caller.token.as_ref().is_some_and(|token| token.release == name);
        if named || self.office.release != Release::Reviewed {
            return Ok(());
        }
        Err(Refusal::new(
            Code::PermissionDenied,
            "ORDER_NOT_SIGNED",
            "the deciding official's own token must name the order: the claim release is its name, \"orders/UUID\"",
        ))
    }

    async fn take(
        &self,
        order_id: [u8; 16],
        caller: &Caller,
        act: OrderAct,
        text: OrderText,
    ) -> Result<OrderRecord, Refusal> {
        let salt = random::array::<32>()
            .map_err(|_| Refusal::new(Code::Internal, "NO_RANDOMNESS", "the system gave no random bytes"))?;
        let (client, official) = (caller.client.clone(), caller.official.clone());
        let step = OrderStep { order_id, client, official, act, text, salt };
        self.office.engine.order(step).await.map_err(refusals::order)?;
        self.find(order_id)?.ok_or_else(refusals::order_not_found)
    }

    fn expect_role(&self, caller: &Caller, order: &Order) -> Result<(), Refusal> {
        let needed = order.action.as_ref().map(role_for).unwrap_or_default();
        match self.office.callers.now().has_role(&caller.official, needed) {
            true => Ok(()),
            false => Err(refusals::role_missing(needed)),
        }
    }
}

/// What only people can get wrong.
fn sound(order: &Order, text: &OrderText) -> Result<(), Refusal> {
    let Some(Action::TreatyDates(dates)) = &order.action else { return Ok(()) };
    let later = [&dates.terminated_on, &dates.own_no_review_on, &dates.peer_no_review_on];
    if dates.notified_on.is_empty() && later.iter().any(|day| !day.is_empty()) {
        return Err(refusals::field(
            "order.treaty_dates.notified_on",
            "NOTES_REQUIRED",
            "without the day of the notes there is no agreement to review or to end (Article 12.1)",
        ));
    }
    // Dates of ISO 8601 sort as text.
    if later.iter().any(|day| !day.is_empty() && **day < dates.notified_on) {
        return Err(refusals::field(
            "order.treaty_dates",
            "DATES_REVERSED",
            "a later notice lies before the exchange of notes (Article 12)",
        ));
    }
    match text.evidence_ref.trim() {
        "" => Err(refusals::field(
            "text.evidence_ref",
            "EVIDENCE_REQUIRED",
            "say where the notes are kept: these dates come by diplomatic channels (Article 12)",
        )),
        _ => Ok(()),
    }
}

#[tonic::async_trait]
impl OrderService for Orders {
    async fn propose_order(
        &self,
        request: Request<ProposeOrderRequest>,
    ) -> Result<Response<ProposeOrderResponse>, Status> {
        Ok(Response::new(ProposeOrderResponse { order: Some(self.propose(request).await?) }))
    }

    async fn approve_order(
        &self,
        request: Request<ApproveOrderRequest>,
    ) -> Result<Response<ApproveOrderResponse>, Status> {
        let caller = self.office.callers.now().recognise(&request, Verb::Order)?;
        let ApproveOrderRequest { name, text } = request.into_inner();
        let order = self.decide(caller, &name, OrderAct::Approve, text).await?;
        Ok(Response::new(ApproveOrderResponse { order: Some(order) }))
    }

    async fn reject_order(
        &self,
        request: Request<RejectOrderRequest>,
    ) -> Result<Response<RejectOrderResponse>, Status> {
        let caller = self.office.callers.now().recognise(&request, Verb::Order)?;
        let RejectOrderRequest { name, text } = request.into_inner();
        let order = self.decide(caller, &name, OrderAct::Reject, text).await?;
        Ok(Response::new(RejectOrderResponse { order: Some(order) }))
    }

    async fn get_order(
        &self,
        request: Request<GetOrderRequest>,
    ) -> Result<Response<GetOrderResponse>, Status> {
        let caller = self.office.callers.now().recognise(&request, Verb::Order)?;
        let id = order_id("name", &request.into_inner().name)?;
        // Whether there is one is not told to who may not see it.
        let found = self.find(id)?.filter(|record| self.may_see(&caller, record));
        Ok(Response::new(GetOrderResponse { order: Some(found.ok_or_else(refusals::order_not_found)?) }))
    }

    async fn list_orders(
        &self,
        request: Request<ListOrdersRequest>,
    ) -> Result<Response<ListOrdersResponse>, Status> {
        let caller = self.office.callers.now().recognise(&request, Verb::Order)?;
        Ok(Response::new(self.list(&caller, request.get_ref())?))
    }
}
