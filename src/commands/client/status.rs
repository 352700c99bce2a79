//! `status`: where delivery stands.

use super::list::newest;
use super::trouble::ClientError;
use super::{Common, PROFILE_HELP, names, words};
use crate::backoffice::v1::{Direction, ListMessagesRequest, Message};
use serde_json::json;

/// Messages shown when none is named.
const RECENT: u32 = 20;

const HELP: &str = "\
Silence is no state: a message that is not DELIVERED is not delivered.

  QUEUED     sent: sealed and durable here, no receipt of the other Party yet
  STALLED    sent: as QUEUED, and delivery has failed for too long; retries go on, nothing is lost
  DELIVERED  sent: the other Party holds it and its signed receipt is here
             received: durable here, not yet taken over by a back-office client
  RETRIEVED  received: a back-office client has taken it over
  REJECTED   sent: the other Party turned it down; its signed refusal is here

  article6 status                  # the last 20 messages that were sent
  article6 status 0198f000-… --json";

/// Shows states of delivery.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP, after_long_help = format!("{HELP}\n\n{PROFILE_HELP}"))]
pub struct Status {
    /// Messages: messages/UUID, or the UUID alone; else the last ones sent
    #[arg(value_name = "NAME", value_parser = names::message)]
    names: Vec<String>,
    #[command(flatten)]
    pub(super) common: Common,
}

impl Status {
    pub(super) async fn run(&self) -> Result<(), ClientError> {
        let office = self.common.connect().await?;
        let mut messages = Vec::new();
        for name in &self.names {
            messages.push(office.get(name, None).await?);
        }
        if self.names.is_empty() {
            let sent =
                ListMessagesRequest { direction: Direction::Sent.into(), ..ListMessagesRequest::default() };
            messages = newest(&office, sent, RECENT).await?;
        }
        let output = self.common.output();
        if self.common.json {
            return messages.iter().try_for_each(|message| output.result(|| status(message), String::new));
        }
        let rows = messages.iter().map(|message| {
            let since = message.delivery.as_ref().and_then(|delivery| delivery.since.as_ref());
            [
                message.name.clone(),
                words::kind(message),
                words::state(message),
                words::time(since),
                words::meaning(message),
            ]
        });
        output.table(["message", "kind", "state", "since", "meaning"], rows.collect())
    }
}

fn status(message: &Message) -> serde_json::Value {
    let whole = words::json(message);
    json!({
        "name": message.name,
        "kind": words::kind(message),
        "direction": words::direction(message),
        "delivery": whole.get("delivery"),
        "meaning": words::meaning(message),
    })
}
