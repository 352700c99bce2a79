//! A machine's clock that was set back: the daemon goes on, says so in its ledger and to operations staff, also after a
//! restart, and says when it is over.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

mod support;

use article6::app::{Daemon, NoReload};
use article6::disk::SystemDisk;
use article6::exchange::clock::Clock;
use article6::wire::ledger::v1::event::Fact;
use prost_types::Timestamp;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use support::bundles::article6;
use support::copies::events;
use support::parties::{Office, Parties, serve, until};

/// A clock that is this far ahead.
#[derive(Debug)]
struct Ahead(Duration);

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        Timestamp::from(SystemTime::now() + self.0)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_whose_clock_was_set_back_says_so_until_the_time_is_reached_again() {
    let parties = Parties::new();
    let settings = article6::config::read(&parties.us.config()).unwrap();
    let clock = Arc::new(Ahead(Duration::from_secs(8)));
    let daemon = Daemon::open(settings, Arc::new(SystemDisk), clock).await.unwrap();
    daemon.run(tokio::time::sleep(Duration::from_millis(100)), NoReload).await.unwrap();

    let us = serve(&parties.us);
    let since = until(&parties.us, "degraded", |status| status.degraded_since.is_some()).await.degraded_since;
    let mut office = Office::open(&parties.us).await;
    office.submit("goes-on", 0).await.unwrap();
    drop(us);
    let us = serve(&parties.us);
    let status = until(&parties.us, "up", |_| true).await;
    assert_eq!(status.degraded_since, since, "over a restart");
    until(&parties.us, "it is over", |status| status.degraded_since.is_none()).await;
    us.stop().unwrap();

    let (_, events) = events(&parties.us);
    let told = events.iter().filter_map(|opened| match &opened.event.fact {
        Some(Fact::Degraded(degraded)) => Some((degraded.begins, opened.event.recorded_at)),
        _ => None,
    });
    let told: Vec<_> = told.collect();
    assert_eq!(told.iter().map(|it| it.0).collect::<Vec<_>>(), [true, false]);
    assert_eq!(told[0].1, since);
    let output = article6(&["verify", parties.us.folder.to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
