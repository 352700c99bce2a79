//! `inbox`: takes over what arrived.

use super::list::newest;
use super::office::{BackOffice, reading};
use super::trouble::ClientError;
use super::{Common, PROFILE_HELP, keep, names, words};
use crate::backoffice::v1::{
    DeliveryState, Direction, FeedKind, ListMessagesRequest, WatchMessagesRequest, WatchMessagesResponse,
};
use crate::wire::assistance::v1::Purpose;
use crate::wire::channel::v1::StatementType;
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::timeout;
use tonic::Streaming;

/// Messages taken over before that is acknowledged: what an interruption makes the daemon show again.
const ACKNOWLEDGE_EVERY: usize = 64;
/// Newest messages looked at for one that an official is to see.
const NEWEST: u32 = 20;
/// A silent feed shows a sign of life within 15 seconds; more than two are missing.
const SIGN_OF_LIFE: Duration = Duration::from_secs(40);

const HELP: &str = "\
Each message is taken over once: what was written to --out, whole and durable, is acknowledged, and
the next `inbox` of this client begins after it. Without --out messages are shown, not taken over.
Content is read for a declared purpose (Article 3.1), and the daemon records that: --purpose, or the
`purpose` of the profile.

  article6 inbox                                             # what is new, without content
  article6 inbox --out in                                    # for the profile's purpose
  article6 inbox --out in --purpose ADMINISTRATIVE_PROCEEDING

For each message DIR holds UUID.json (as `send` would read it), UUID.envelope (the signed bytes),
UUID.p7s (the detached signature over them) and UUID.body (the body they commit to).

Purposes: PREVENT_INVESTIGATE_REPRESS_OFFENCE, ASSESS_DUTIES_TAXES, JUDICIAL_PROCEEDING,
ADMINISTRATIVE_PROCEEDING, TECHNICAL_COOPERATION.";

/// Takes over what arrived.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP, after_long_help = format!("{HELP}\n\n{PROFILE_HELP}"))]
pub struct Inbox {
    /// Keep the messages in this folder, and acknowledge them
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// What the content is read for; else, with --out, the profile's `purpose`. Without one no content is read
    #[arg(long, value_parser = names::purpose)]
    purpose: Option<Purpose>,
    /// Begin after this cursor; else where this client last acknowledged
    #[arg(long, value_name = "CURSOR")]
    from: Option<String>,
    /// Keep, but do not acknowledge: the next `inbox` shows the same again
    #[arg(long)]
    no_acknowledge: bool,
    /// End after this time without a message
    #[arg(long, value_name = "SECONDS", default_value = "1.5", value_parser = seconds)]
    wait: Duration,
    #[command(flatten)]
    pub(super) common: Common,
}

/// When the feed has been read to its end. A feed has none, so this rests on what was there at the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Nobody has taken over the newest message: it stands before us, wherever we begin.
    At(u64),
    /// It may stand behind us already: a quiet feed is at its end.
    Quiet,
}

impl Inbox {
    pub(super) async fn run(&self) -> Result<(), ClientError> {
        let profile = self.common.profile()?;
        // Only what is kept is read for the profile's purpose: a look at what is new needs no content.
        let purpose = self.purpose.or(profile.purpose.filter(|_| self.out.is_some()));
        if self.out.is_some() && purpose.is_none() {
            return Err(ClientError::Usage(
                "--out keeps content: say what it is read for with --purpose, or `purpose` in the profile",
            ));
        }
        let office = BackOffice::connect(&profile).await?;
        if let Some(dir) = &self.out {
            keep::folder(dir)?;
        }
        let end = end(&office).await;
        let (view, purpose) = reading(purpose);
        let request = WatchMessagesRequest {
            cursor: self.from.clone().unwrap_or_default(),
            view,
            purpose,
            kinds: vec![FeedKind::Received.into()],
        };
        let count = self.take(&office, request, end).await?;
        let output = self.common.output();
        match (count, &self.out) {
            _ if self.common.json => {}
            (0, _) => output.note("nothing new"),
            (_, None) => output.note("shown, not taken over; --out DIR keeps and acknowledges them"),
            (_, Some(_)) if self.no_acknowledge => output.note("kept, not acknowledged"),
            (count, Some(dir)) => output.note(&format!("{count} kept in {} and acknowledged", dir.display())),
        }
        Ok(())
    }

    async fn take(
        &self,
        office: &BackOffice,
        request: WatchMessagesRequest,
        end: End,
    ) -> Result<usize, ClientError> {
        let mut feed = office.watch(request).await?;
        let (mut count, mut open) = (0, 0);
        let mut cursor = String::new();
        while let Some(item) = self.next(&mut feed, end).await? {
            let Some(message) = &item.message else { break };
            let output = self.common.output();
            if let Some(dir) = &self.out {
                keep::message(dir, message)?;
            }
            output.result(|| words::item_json(&item), || words::item_line(&item).unwrap_or_default())?;
            let last = matches!(end, End::At(position) if message.position >= position);
            cursor = item.cursor;
            (count, open) = (count + 1, open + 1);
            if open == ACKNOWLEDGE_EVERY {
                self.acknowledge(office, &cursor).await?;
                open = 0;
            }
            if last {
                break;
            }
        }
        if open > 0 {
            self.acknowledge(office, &cursor).await?;
        }
        Ok(count)
    }

    /// The next item; `None` when there is none to wait for.
    async fn next(
        &self,
        feed: &mut Streaming<WatchMessagesResponse>,
        end: End,
    ) -> Result<Option<WatchMessagesResponse>, ClientError> {
        match end {
            End::Quiet => match timeout(self.wait, feed.message()).await {
                Ok(item) => Ok(item?),
                Err(_) => Ok(None),
            },
            End::At(_) => match timeout(SIGN_OF_LIFE, feed.message()).await {
                Ok(item) => Ok(item?),
                Err(_) => Err(ClientError::NoAnswer(SIGN_OF_LIFE)),
            },
        }
    }

    async fn acknowledge(&self, office: &BackOffice, cursor: &str) -> Result<(), ClientError> {
        if self.out.is_some() && !self.no_acknowledge { office.acknowledge(cursor).await } else { Ok(()) }
    }
}

/// Lists are read through an index that may be behind; then a quiet feed must do.
async fn end(office: &BackOffice) -> End {
    let received =
        ListMessagesRequest { direction: Direction::Received.into(), ..ListMessagesRequest::default() };
    let found = newest(office, received, NEWEST).await.unwrap_or_default();
    let newest = found.iter().find(|message| message.statement_type() == StatementType::Treaty);
    match newest {
        Some(message)
            if message.delivery.as_ref().is_some_and(|now| now.state() == DeliveryState::Delivered) =>
        {
            End::At(message.position)
        }
        _ => End::Quiet,
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.ok_or_else(|| "a number of seconds is expected, such as 1.5".to_owned())
}
