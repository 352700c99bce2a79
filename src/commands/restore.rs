//! `article6 restore`: a store that was put back from a backup goes on.

use super::{ConfigArg, no};
use crate::app::{keeper, peer_tls, trust};
use crate::config::Settings;
use crate::disk::{Disk, SystemDisk};
use crate::door::{DialSettings, TlsState};
use crate::exchange::clock::SystemClock;
use crate::exchange::start::start;
use crate::peer::Link;
use crate::peer::restoring::{Recovered, RestoringError, restore};
use arc_swap::ArcSwap;
use std::process::ExitCode;
use std::sync::Arc;

/// Lets a store that was put back from a backup go on: what crossed comes back from the other Party's daemon.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Put the backup in its place (store and head file), and keep what is left of the original apart. Stop the \
    daemon; the other Party's must run. A new epoch of the ledger begins: its first event names the last head that both \
    sides hold and what is lost. The other Party's channel is held until an official there releases it: telephone.\n\n\
    Cut short, it is run again and goes on.\n\n\
    Exit codes: 0 restored, 1 not needed or failed, 78 configuration."
)]
pub struct RestoreArgs {
    /// Why, for the record: 1 to 200 characters
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: String,
    #[command(flatten)]
    config: ConfigArg,
}

/// A reason for the record.
pub(super) fn reason(text: &str) -> Result<String, String> {
    let fits = (1..=200).contains(&text.chars().count());
    fits.then(|| text.to_owned()).ok_or_else(|| "1 to 200 characters are expected".to_owned())
}

/// Runs the command.
pub fn run(args: &RestoreArgs) -> ExitCode {
    let settings = match args.config.check() {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    let done = with_peer(&settings, async |link, dial| restore(link, dial, &args.reason).await);
    match done {
        Ok(recovered) => {
            print!("{}", told(&settings, &recovered));
            ExitCode::SUCCESS
        }
        Err(error) => no(format_args!("{error:#}")),
    }
}

/// Runs the store's engine without doors, and does something to it that needs the other Party's daemon.
pub(super) fn with_peer(
    settings: &Settings,
    work: impl AsyncFnOnce(&Link, &DialSettings) -> Result<Recovered, RestoringError>,
) -> anyhow::Result<Recovered> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let disk: Arc<dyn Disk> = Arc::new(SystemDisk);
        let engine = start(&disk, &settings.store, keeper(settings)?, Arc::new(SystemClock))?;
        let link = Link::new(engine.clone(), Arc::new(ArcSwap::from_pointee(trust(settings)?)));
        let tls = TlsState::load(peer_tls(settings, engine.state().keys())?)?;
        let dial = DialSettings::new(&settings.peer.address, &settings.peer.server_name, tls);
        let recovered = work(&link, &dial).await;
        // Everything that was decided is durable before the store is left.
        let mut progress = engine.progress();
        engine.stop();
        drop((link, engine));
        while progress.changed().await.is_ok() {}
        Ok(recovered?)
    })
}

fn told(settings: &Settings, recovered: &Recovered) -> String {
    let Recovered { epoch, common_size, lost_size, own, theirs, anew } = recovered;
    let (party, other) = (&settings.terms.party, &settings.terms.counterparty);
    let lost = match lost_size > common_size {
        true => format!(
            "Lost are the events {common_size} to {} of the ledger as {other} last knew it, and whatever came after: \
             messages that had not crossed by then cannot be recovered.",
            lost_size - 1
        ),
        false => format!("{other} knew of no event behind the backup's."),
    };
    format!(
        "Epoch {epoch} of the ledger of {party} has begun.\n\
         {own} message(s) of {party} and {theirs} of {other} came back.\n\
         {anew} message(s) that had not crossed were sealed anew.\n\
         {lost}\n\
         Start the daemon, and telephone {other}: its channel is held until an official there releases it.\n"
    )
}
