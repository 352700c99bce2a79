//! `article6 config`: looks at a configuration.

use super::{CONFIGURATION, ConfigArg, tell};
use crate::config::check;
use std::process::ExitCode;
use std::time::SystemTime;

/// Looks at a configuration.
#[derive(Debug, clap::Subcommand)]
pub enum ConfigCommand {
    /// Report every mistake at once: keys, values, files, certificates
    Check(ConfigArg),
}

/// Runs the command.
pub fn run(command: &ConfigCommand) -> ExitCode {
    let ConfigCommand::Check(config) = command;
    match check(&config.path, Some(SystemTime::now())) {
        Ok(settings) => {
            println!(
                "{} is sound: {} speaks to {} under {}.",
                config.path.display(),
                settings.terms.party,
                settings.terms.counterparty,
                settings.terms.agreement
            );
            ExitCode::SUCCESS
        }
        Err(mistakes) => {
            tell(&config.path, &mistakes);
            ExitCode::from(CONFIGURATION)
        }
    }
}
