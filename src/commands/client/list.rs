//! `list`: messages, newest first.

use super::office::BackOffice;
use super::trouble::ClientError;
use super::{Common, PROFILE_HELP, names, words};
use crate::backoffice::v1::{DeliveryState, Direction, ListMessagesRequest, Message};

/// Messages asked for at once.
const PAGE: u32 = 200;

const HELP: &str = "\
Without a terminal, and without --json, fields stand between tabs and there is no heading.

  article6 list --direction sent --state stalled
  article6 list --case 0198f000-… --json";

/// Lists messages.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP, after_long_help = format!("{HELP}\n\n{PROFILE_HELP}"))]
pub struct List {
    /// Only this case: cases/UUID, or the UUID alone
    #[arg(long, value_parser = names::case)]
    case: Option<String>,
    /// Only sent or received
    #[arg(long, value_parser = names::direction)]
    direction: Option<Direction>,
    /// Only queued, delivered, retrieved, rejected or stalled
    #[arg(long, value_parser = names::state)]
    state: Option<DeliveryState>,
    /// Most messages to list
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    pub(super) common: Common,
}

impl List {
    pub(super) async fn run(&self) -> Result<(), ClientError> {
        let office = self.common.connect().await?;
        let conditions = ListMessagesRequest {
            case: self.case.clone().unwrap_or_default(),
            direction: self.direction.unwrap_or_default().into(),
            delivery_state: self.state.unwrap_or_default().into(),
            ..ListMessagesRequest::default()
        };
        let messages = newest(&office, conditions, self.limit).await?;
        let output = self.common.output();
        if self.common.json {
            return messages
                .iter()
                .try_for_each(|message| output.result(|| words::json(message), String::new));
        }
        let rows = messages.iter().map(|message| {
            [
                words::time(message.recorded_at.as_ref()),
                words::direction(message),
                message.sequence.to_string(),
                words::kind(message),
                words::state(message),
                message.name.clone(),
                message.case.clone(),
            ]
        });
        output.table(["recorded", "way", "sequence", "kind", "state", "message", "case"], rows.collect())
    }
}

/// The newest messages that match, page by page.
pub(super) async fn newest(
    office: &BackOffice,
    mut request: ListMessagesRequest,
    limit: u32,
) -> Result<Vec<Message>, ClientError> {
    let mut found = Vec::new();
    // The same size on every page: the daemon may bind a page token to it.
    request.page_size = i32::try_from(limit.min(PAGE)).unwrap_or(0);
    loop {
        let page = office.list(request.clone()).await?;
        found.extend(page.messages);
        let enough = u32::try_from(found.len()).unwrap_or(u32::MAX) >= limit;
        if enough || page.next_page_token.is_empty() {
            found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            return Ok(found);
        }
        request.page_token = page.next_page_token;
    }
}
