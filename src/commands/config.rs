//! `article6 config`: looks at a configuration.

use super::{CONFIGURATION, ConfigArg};
use crate::app::{keeper, trust};
use crate::door::TlsState;
use std::process::ExitCode;

/// Looks at a configuration.
#[derive(Debug, clap::Subcommand)]
pub enum ConfigCommand {
    /// Report every mistake at once: keys, values, files, certificates
    Check(ConfigArg),
}

/// Runs the command.
pub fn run(command: &ConfigCommand) -> ExitCode {
    let ConfigCommand::Check(config) = command;
    let settings = match config.read() {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    let doors = [
        ("peer", &settings.peer.door),
        ("backoffice", &settings.backoffice),
        ("operations", &settings.operations),
    ];
    let mut mistakes: Vec<String> = doors
        .into_iter()
        .filter_map(|(name, door)| {
            TlsState::load(door.tls.clone()).err().map(|error| format!("{name}: {error}"))
        })
        .collect();
    mistakes.extend(keeper(&settings).err().map(|error| format!("identity: {error}")));
    mistakes.extend(trust(&settings).err().map(|error| format!("peer: {error}")));
    for mistake in &mistakes {
        eprintln!("{mistake}");
    }
    if mistakes.is_empty() {
        println!(
            "{} is sound: {} speaks to {} under {}.",
            config.path.display(),
            settings.terms.party,
            settings.terms.counterparty,
            settings.terms.agreement
        );
        ExitCode::SUCCESS
    } else {
        eprintln!("{} mistake(s) in the files that {} names", mistakes.len(), config.path.display());
        ExitCode::from(CONFIGURATION)
    }
}
