//! `article6 trust`: the ceremony of the first trust, by telephone.

mod heard;
mod pin;
mod table;

use super::{ConfigArg, no};
use crate::app;
use crate::config::Settings;
use crate::crypto::digest::Digest;
use crate::crypto::words::words;
use crate::door::TlsState;
use crate::evidence::bundle::Named;
use crate::wire::channel::v1::KeyUse;
use std::process::ExitCode;

/// Whose keys are trusted.
#[derive(Debug, clap::Subcommand)]
pub enum TrustCommand {
    /// Show the fingerprints of both Parties' keys, in words to be read out by telephone
    #[command(
        after_help = "Both services run this and call each other on a number known from elsewhere. Each reads the \
        words of its own keys; the other compares them with what its daemon shows for the other Party. Every word must \
        match. The words stand for the first 16 bytes of the fingerprint."
    )]
    Show(ConfigArg),
    /// Trust a key of the other Party whose words were heard: writes it into [peer] of the configuration
    Pin(pin::PinArgs),
}

/// Reads a fingerprint: 64 hexadecimal digits, with or without `sha256:` before them.
///
/// # Errors
/// What is wrong, for people.
pub fn fingerprint(text: &str) -> Result<Digest, String> {
    let digits = text.strip_prefix("sha256:").unwrap_or(text);
    Digest::from_hex(digits)
        .ok_or_else(|| format!("{text} is no fingerprint: write sha256: and 64 hexadecimal digits"))
}

/// Reads a key whose holder is known: a fingerprint, or PARTY=FINGERPRINT.
///
/// # Errors
/// What is wrong, for people.
pub fn holder(text: &str) -> Result<Named, String> {
    let Some((party, digits)) = text.split_once('=') else {
        return fingerprint(text).map(|key| Named { party: None, key });
    };
    if party.len() != 2 || !party.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(format!("{party} is no Party: write two capital letters, such as US=sha256:HEX"));
    }
    fingerprint(digits).map(|key| Named { party: Some(party.to_owned()), key })
}

/// Runs the command.
pub fn run(command: &TrustCommand) -> ExitCode {
    let done = match command {
        TrustCommand::Show(config) => match config.check() {
            Ok(settings) => show(&settings),
            Err(code) => return code,
        },
        TrustCommand::Pin(args) => pin::pin(args).map(|told| println!("{told}")),
    };
    done.map_or_else(|error| no(format_args!("{error:#}")), |()| ExitCode::SUCCESS)
}

fn show(settings: &Settings) -> anyhow::Result<()> {
    let (own, trusted) = (app::keeper(settings)?, app::trust(settings)?);
    let peer_door = TlsState::load(settings.peer.door.tls.clone())?;
    println!("Keys of {}, to be read out:\n", settings.terms.party);
    for (used_for, what) in [(KeyUse::Signing, "signs messages"), (KeyUse::Ledger, "signs the ledger")] {
        for (at, (id, ..)) in own.keys.listed(used_for).into_iter().enumerate() {
            tell(if at == 0 { what.to_owned() } else { format!("{what}, next") }.as_str(), &id);
        }
    }
    tell("opens connections", &peer_door.certificate().key_id());
    println!("Keys of {}, to be listened for:\n", settings.terms.counterparty);
    for certificate in &trusted.signing {
        tell("signs messages", &certificate.key_id());
    }
    for key in &trusted.ledger_keys {
        tell("signs the ledger", &Digest::of(key));
    }
    for pin in peer_door.pins() {
        tell("opens connections", &pin);
    }
    Ok(())
}

fn tell(what: &str, fingerprint: &Digest) {
    println!("  {what}\n    sha256:{fingerprint}");
    for four in words(fingerprint).chunks(4) {
        println!("    {}", four.join("  "));
    }
    println!();
}
