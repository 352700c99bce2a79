//! Orders of two persons: proposed by one, approved by another, each step an event.
//!
//! What an order says stands in the event; why, and where the evidence is, in the event's item, which can be erased. No
//! message of the other Party is ever an order.

use super::agreement::PENDING_ORDERS_MAX;
use super::event::Attachments;
use super::writer::{Desk, Fatal};
use crate::channel::lookup::Lookup;
use crate::crypto::digest::commitment;
use crate::store::StoreError;
use crate::wire::ledger::v1::{Item, Order, OrderDecided, OrderProposed, OrderText, event::Fact};
use bytes::Bytes;
use prost::Message as _;
use tokio::sync::oneshot;

/// Bytes that an event takes beside its fact and its item.
const OVERHEAD_BYTES: u64 = 4 << 10;

/// A step of an order.
#[derive(Debug, Clone)]
pub struct OrderStep {
    /// Identity of the order.
    pub order_id: [u8; 16],
    /// Name of the client.
    pub client: String,
    /// The official.
    pub official: String,
    /// What he does.
    pub act: OrderAct,
    /// Why.
    pub text: OrderText,
    /// Salt of the text's commitment.
    pub salt: [u8; 32],
}

/// What an official does with an order.
#[derive(Debug, Clone, PartialEq)]
pub enum OrderAct {
    /// Proposes it.
    Propose(Order),
    /// Approves it; must be another than who proposed it.
    Approve,
    /// Rejects it; who proposed it may take it back so.
    Reject,
}

/// Why a step is not taken. Nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// The client used this request_id for another order.
    #[error("this request_id was used for another order")]
    RequestIdReused,
    /// There is no such order.
    #[error("there is no order of this name")]
    Unknown,
    /// It was approved or rejected before.
    #[error("the order is decided")]
    Decided,
    /// Who proposed it cannot approve it.
    #[error("an order is approved by another person than who proposed it")]
    SamePerson,
    /// Too many wait.
    #[error("too many orders wait for their second person")]
    TooMany,
    /// There is no space.
    #[error("there is no space left; nothing was changed")]
    NoSpace,
    /// The daemon is stopping.
    #[error("the daemon is stopping")]
    Stopping,
    /// The store could not be read.
    #[error("the store cannot be read")]
    Store,
}

pub(super) struct OrderCommand {
    pub(super) step: OrderStep,
    pub(super) reply: oneshot::Sender<Result<(), OrderError>>,
}

impl OrderCommand {
    pub(super) fn bytes_max(&self) -> u64 {
        let order = match &self.step.act {
            OrderAct::Propose(order) => order.encoded_len(),
            OrderAct::Approve | OrderAct::Reject => 0,
        };
        (order + self.step.text.encoded_len()) as u64 + OVERHEAD_BYTES
    }

    pub(super) fn refuse(self) {
        let _ = self.reply.send(Err(OrderError::NoSpace));
    }

    pub(super) fn decide(self, desk: &mut Desk) -> Result<(), Fatal> {
        let answer = match take(desk, self.step)? {
            Ok(Some((fact, item))) => {
                let attachments = Attachments { item: Some(item), ..Attachments::default() };
                desk.record(fact, None, attachments)?;
                Ok(())
            }
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        desk.answer(move |_| {
            let _ = self.reply.send(answer);
        });
        Ok(())
    }
}

type Recordable = Option<(Fact, Item)>;

/// What is to be recorded of a step; nothing of one that is recorded already.
fn take(desk: &mut Desk, step: OrderStep) -> Result<Result<Recordable, OrderError>, Fatal> {
    let OrderStep { order_id, client, official, act, text, salt } = step;
    let pending = desk.agreement().pending();
    let held = pending.get(&order_id).cloned();
    if held.is_none() && matches!(act, OrderAct::Propose(_)) && pending.len() >= PENDING_ORDERS_MAX {
        return Ok(Err(OrderError::TooMany));
    }
    let body = text.encode_to_vec();
    let text_commitment = commitment(&salt, &body).to_bytes();
    let item = Item { salt: Bytes::copy_from_slice(&salt), body: body.into(), document_salts: Vec::new() };
    let order_bytes = Bytes::copy_from_slice(&order_id);
    let fact = match act {
        OrderAct::Propose(order) => {
            let earlier = match held {
                Some(held) => Some((held.official, Some(held.order))),
                None => decided(desk, order_id)?,
            };
            if let Some((proposer, earlier)) = earlier {
                let same = proposer == official && earlier.as_ref() == Some(&order);
                return Ok(if same { Ok(None) } else { Err(OrderError::RequestIdReused) });
            }
            Fact::OrderProposed(OrderProposed {
                order_id: order_bytes,
                client,
                official,
                order: Some(order),
                text_commitment,
            })
        }
        OrderAct::Approve | OrderAct::Reject => {
            let Some(held) = held else {
                let known = decided(desk, order_id)?.is_some();
                return Ok(Err(if known { OrderError::Decided } else { OrderError::Unknown }));
            };
            let approved = act == OrderAct::Approve;
            if approved && held.official == official {
                return Ok(Err(OrderError::SamePerson));
            }
            Fact::OrderDecided(OrderDecided {
                order_id: order_bytes,
                client,
                official,
                approved,
                text_commitment,
            })
        }
    };
    Ok(Ok(Some((fact, item))))
}

/// Who proposed an order that waits no more, and what it says.
fn decided(desk: &mut Desk, order_id: [u8; 16]) -> Result<Option<(String, Option<Order>)>, Fatal> {
    let failed = |error: StoreError| Fatal::Store(error.to_string());
    desk.settle()?;
    let store = desk.core.store.clone();
    for leaf in store.named(&Lookup::Order(order_id)).map_err(failed)? {
        if let Some(Fact::OrderProposed(it)) = &store.event(leaf).map_err(failed)?.event.fact
            && it.order_id == order_id.as_slice()
        {
            return Ok(Some((it.official.clone(), it.order.clone())));
        }
    }
    Ok(None)
}
