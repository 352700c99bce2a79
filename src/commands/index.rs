//! `article6 index`: works on the query index while the daemon is stopped.

use super::{ConfigArg, no};
use crate::app::index_settings;
use crate::config::Settings;
use crate::disk::{Disk, SystemDisk};
use crate::exchange::follow::rebuild;
use crate::exchange::start::open_for_reading;
use std::process::ExitCode;
use std::sync::Arc;

/// Works on the query index.
#[derive(Debug, clap::Subcommand)]
pub enum IndexCommand {
    /// Throw the index away and build it anew from the journal; the daemon must be stopped
    Rebuild(ConfigArg),
}

/// Runs the command.
pub fn run(command: &IndexCommand) -> ExitCode {
    let IndexCommand::Rebuild(config) = command;
    let settings = match config.read() {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    match rebuild_index(&settings) {
        Ok(events) => {
            println!("The index in {} covers {events} events.", settings.index.display());
            ExitCode::SUCCESS
        }
        Err(error) => no(error),
    }
}

fn rebuild_index(settings: &Settings) -> anyhow::Result<u64> {
    let disk: Arc<dyn Disk> = Arc::new(SystemDisk);
    let (store, state, _lock) = open_for_reading(&disk, &settings.store, &settings.terms)?;
    rebuild(&store, &state, &settings.index, index_settings(settings)?).map_err(anyhow::Error::from_boxed)
}
