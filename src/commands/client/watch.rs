//! `watch`: the feed, across restarts of the daemon.

use super::office::{BackOffice, reading};
use super::profile::Profile;
use super::trouble::ClientError;
use super::{Common, PROFILE_HELP, names, words};
use crate::backoffice::v1::{FeedKind, WatchMessagesRequest};
use crate::wire::assistance::v1::Purpose;
use std::time::Duration;

/// The first wait before connecting again; doubled at each failure.
const FIRST: Duration = Duration::from_secs(1);
/// The longest.
const LONGEST: Duration = Duration::from_secs(30);
/// A silent feed shows a sign of life within 15 seconds; more than two are missing.
const SIGN_OF_LIFE: Duration = Duration::from_secs(40);

const HELP: &str = "\
Shows messages as they arrive, and outcomes of messages that were sent, each once, in an order that
never changes. Nothing is acknowledged: `inbox` does that. When the daemon goes away, `watch`
connects again and goes on after the last item. --json shows each item's cursor for --from.

  article6 watch
  article6 watch --json --from CURSOR --purpose JUDICIAL_PROCEEDING

Purposes: PREVENT_INVESTIGATE_REPRESS_OFFENCE, ASSESS_DUTIES_TAXES, JUDICIAL_PROCEEDING,
ADMINISTRATIVE_PROCEEDING, TECHNICAL_COOPERATION.";

/// Follows the feed.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP, after_long_help = format!("{HELP}\n\n{PROFILE_HELP}"))]
pub struct Watch {
    /// Begin after this cursor; else where this client last acknowledged
    #[arg(long, value_name = "CURSOR")]
    from: Option<String>,
    /// Show content with --json, read for this purpose
    #[arg(long, value_parser = names::purpose)]
    purpose: Option<Purpose>,
    #[command(flatten)]
    pub(super) common: Common,
}

/// How far the watching has come.
struct Place {
    cursor: String,
    has_moved: bool,
    wait: Duration,
    connected: bool,
}

impl Watch {
    pub(super) async fn run(&self) -> Result<(), ClientError> {
        let profile = self.common.profile()?;
        let cursor = self.from.clone().unwrap_or_default();
        let mut place = Place { cursor, has_moved: false, wait: FIRST, connected: false };
        let ended = tokio::select! {
            ended = self.follow(&profile, &mut place) => ended,
            // Where no signal can be waited for, the signal ends the process by itself.
            Ok(()) = tokio::signal::ctrl_c() => Ok(()),
        };
        if place.has_moved {
            self.common.output().note(&format!("go on after this with --from {}", place.cursor));
        }
        ended
    }

    async fn follow(&self, profile: &Profile, place: &mut Place) -> Result<(), ClientError> {
        loop {
            let Err(error) = self.stream(profile, place).await else { continue };
            // Before the first connection it is likelier that the profile is wrong than that the daemon is away.
            if !place.connected || !error.is_passing() {
                return Err(error);
            }
            let wait = place.wait;
            self.common.output().note(&format!("{error}; connecting again in {} s", wait.as_secs()));
            tokio::time::sleep(wait).await;
            place.wait = (wait * 2).min(LONGEST);
        }
    }

    async fn stream(&self, profile: &Profile, place: &mut Place) -> Result<(), ClientError> {
        let office = BackOffice::connect(profile).await?;
        let again = std::mem::replace(&mut place.connected, true);
        let (view, purpose) = reading(self.purpose);
        let request = WatchMessagesRequest { cursor: place.cursor.clone(), view, purpose, kinds: Vec::new() };
        let silent = |_| ClientError::NoAnswer(SIGN_OF_LIFE);
        let mut feed = office.watch(request).await?;
        if again {
            self.common.output().note("connected again");
        }
        while let Some(item) = tokio::time::timeout(SIGN_OF_LIFE, feed.message()).await.map_err(silent)?? {
            place.wait = FIRST;
            if item.kind() != FeedKind::Unspecified {
                let words = || words::item_line(&item).unwrap_or_default();
                self.common.output().result(|| words::item_json(&item), words)?;
            }
            (place.cursor, place.has_moved) = (item.cursor, true);
        }
        Err(tonic::Status::unavailable("the daemon ended the feed").into())
    }
}
