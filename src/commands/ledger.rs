//! `article6 ledger`: what others may have of a ledger.

use super::{ConfigArg, no};
use crate::app::keeper;
use crate::config::Settings;
use crate::disk::{Disk, SystemDisk};
use crate::exchange::start::open_for_reading;
use crate::ledger::tiles::{Tile, tiles};
use crate::store::Store;
use anyhow::Context as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Hands out what others may have of a ledger.
#[derive(Debug, clap::Subcommand)]
pub enum LedgerCommand {
    /// Write the ledger as static files (C2SP tlog-tiles), which public tools can check; the daemon must be stopped
    Export(ExportArgs),
}

/// Arguments of `ledger export`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The files hold commitments, hashes and signed checkpoints: no content, no names, no case. \
    Written again into the same folder, only what is new is written; the checkpoint comes last.\n\n\
    checkpoint           the ledger's signed checkpoint\n\
    checkpoint.cosigned  the last one that the other Party cosigned, if there is one\n\
    tile/...             hashes and entries"
)]
pub struct ExportArgs {
    /// The folder to write to
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    #[command(flatten)]
    config: ConfigArg,
}

/// Runs the command.
pub fn run(command: &LedgerCommand) -> ExitCode {
    let LedgerCommand::Export(args) = command;
    let settings = match args.config.read() {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    match export(&settings, &args.dir) {
        Ok(size) => {
            println!("The ledger of {size} events is in {}.", args.dir.display());
            ExitCode::SUCCESS
        }
        Err(error) => no(format_args!("{error:#}")),
    }
}

fn export(settings: &Settings, dir: &Path) -> anyhow::Result<u64> {
    let disk: Arc<dyn Disk> = Arc::new(SystemDisk);
    let (store, _lock) = open_for_reading(&disk, &settings.store, &keeper(settings)?)?;
    let (head, checkpoint) = store.reader().checkpoint();
    for tile in tiles(head.size) {
        let path = dir.join(tile.path());
        // A full tile never changes.
        if !tile.is_full() || !path.exists() {
            write(&path, &bytes(&store, tile)?)?;
        }
    }
    if let Some(cosigned) = store.last_cosigned()? {
        write(&dir.join("checkpoint.cosigned"), cosigned.as_bytes())?;
    }
    write(&dir.join("checkpoint"), checkpoint.as_bytes())?;
    Ok(head.size)
}

fn bytes(store: &Store, tile: Tile) -> anyhow::Result<Vec<u8>> {
    Ok(match tile.level {
        Some(_) => tile.hashes(store.reader())?,
        None => tile.entries(|leaf| store.reader().event(leaf).map(|stored| stored.event.commitment))?,
    })
}

/// Whole or not at all: who serves the folder meanwhile sees no half of a file.
fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let folder = path.parent().context("a file has a folder")?;
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let new = path.with_extension("new");
    std::fs::write(&new, bytes).with_context(|| new.display().to_string())?;
    std::fs::rename(&new, path).with_context(|| path.display().to_string())
}
