//! `article6 revoke`: keys were stolen.

use super::restore::{reason, with_peer};
use super::{ConfigArg, no};
use crate::config::Settings;
use crate::peer::restoring::Recovered;
use crate::peer::revoking::revoke;
use std::path::PathBuf;
use std::process::ExitCode;
use zeroize::Zeroizing;

/// Revokes stolen keys with the offline recovery key, and changes to the next ones at once.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Every key that has a next one configured is revoked: next_signing_key with next_signing_certificate, \
    next_ledger_key. Stop the daemon; the other Party's must run. What the old keys signed behind the last message and the \
    last head that both sides hold counts no more; a new epoch begins, and what had no receipt is sealed anew in it. The other \
    Party's channel is held until an official there releases it: telephone.\n\n\
    A stolen key that opens connections is revoked by the other Party, by its pin.\n\n\
    Cut short, it is run again and goes on. Put the recovery key back into its safe.\n\n\
    Exit codes: 0 revoked, 1 failed, 78 configuration."
)]
pub struct RevokeArgs {
    /// The recovery key that `init` made
    #[arg(long, value_name = "FILE")]
    recovery_key: PathBuf,
    /// Why, for the record: 1 to 200 characters
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: String,
    #[command(flatten)]
    config: ConfigArg,
}

/// Runs the command.
pub fn run(args: &RevokeArgs) -> ExitCode {
    let settings = match args.config.check() {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    let key = match std::fs::read(&args.recovery_key) {
        Ok(key) => Zeroizing::new(key),
        Err(error) => return no(format_args!("{}: {error}", args.recovery_key.display())),
    };
    let done = with_peer(&settings, async |link, dial| revoke(link, dial, &args.reason, &key).await);
    match done {
        Ok(revoked) => {
            print!("{}", told(&settings, &revoked));
            ExitCode::SUCCESS
        }
        Err(error) => no(format_args!("{error:#}")),
    }
}

fn told(settings: &Settings, revoked: &Recovered) -> String {
    let Recovered { epoch, own, anew, .. } = revoked;
    let (party, other) = (&settings.terms.party, &settings.terms.counterparty);
    format!(
        "The old keys of {party} are revoked, and epoch {epoch} of its ledger has begun with the new ones.\n\
         {other} holds {own} message(s) in the name of {party} that {party} does not stand by.\n\
         {anew} message(s) without a receipt were sealed anew.\n\
         Start the daemon, and telephone {other}: its channel is held until an official there releases it.\n"
    )
}
