//! `article6 statement`: the periodic reconciliation.

use super::whole::write;
use super::{ConfigArg, NO, no};
use crate::app::{keeper, trust};
use crate::config::Settings;
use crate::disk::{Disk, SystemDisk};
use crate::evidence::statement::{Head, STATEMENT_BYTES_MAX, Signed, Statement, statement};
use crate::exchange::start::open_for_reading;
use crate::peer::Trusted;
use anyhow::Context as _;
use jiff::Timestamp;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Says, signed, what the ledger holds of a period; and holds it against the other Party's statement.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The daemon must be stopped, or a copy be named by the configuration. Both services make a statement of the \
    same period, send it to each other, and run it again with --against and --countersign; what that writes goes back to the other side, which \
    keeps it.\n\n\
    Exit codes: 0 made, and the two agree; 1 they differ, or it cannot be made; 2 usage; 78 configuration."
)]
pub struct StatementArgs {
    /// From this time on (RFC 3339, such as 2026-11-01T00:00:00Z)
    #[arg(long, value_name = "TIME")]
    from: Timestamp,
    /// Up to but without this time
    #[arg(long, value_name = "TIME")]
    to: Timestamp,
    /// Write the signed statement to this file; else to standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The other Party's signed statement of the same period
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// Write what this Party signs to that: the other Party's statement with a second signature where the two agree, else a
    /// signed disagreement
    #[arg(long, value_name = "FILE", requires = "against")]
    countersign: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigArg,
}

/// Runs the command.
pub fn run(args: &StatementArgs) -> ExitCode {
    let settings = match args.config.read() {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    make(&settings, args).unwrap_or_else(|error| no(format_args!("{error:#}")))
}

fn make(settings: &Settings, args: &StatementArgs) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(args.from < args.to, "--from must be before --to");
    let disk: Arc<dyn Disk> = Arc::new(SystemDisk);
    let keys = keeper(settings)?.keys;
    let (store, state, _lock) = open_for_reading(&disk, &settings.store, &settings.terms)?;
    let peer = state.peer_head();
    let peer_ledger = Head { size: peer.size, root: peer.root.to_string() };
    let period = (args.from, args.to);
    let key = keys.ledger(state.keys())?;
    let ours = statement(&store, &settings.terms, period, state.acknowledged(), peer_ledger, &key.public())?;
    let vkey = settings.terms.vkey(state.epoch(), key.public());
    let signed = ours.sign(key, &vkey)?;
    match &args.out {
        Some(path) => write(path, signed.as_bytes())?,
        None => print!("{signed}"),
    }
    let Some(theirs) = &args.against else { return Ok(ExitCode::SUCCESS) };
    let trusted = Trusted::of(&trust(settings)?, state.keys());
    let text = read(theirs)?;
    let theirs = Statement::read(&text, &trusted.vkeys(&settings.terms, state.peer_epoch().max(1)))?;
    let differences = ours.differences(&theirs);
    if let Some(path) = &args.countersign {
        // Another channel or period is a mistake of who sent it: there is nothing to agree or disagree with.
        anyhow::ensure!(ours.is_about_what(&theirs), "{}", differences.concat());
        let theirs = Signed::open(&text)?;
        anyhow::ensure!(
            trusted.ledger.contains(theirs.key()),
            "the statement names another key than the one of the other Party that signed it: nothing is signed to that"
        );
        let signed = match differences.is_empty() {
            true => theirs.countersign(key, &vkey)?,
            false => theirs.disagree(&ours, &differences, key, &vkey)?,
        };
        write(path, signed.as_bytes())?;
    }
    if differences.is_empty() {
        eprintln!("The two statements agree.");
        return Ok(ExitCode::SUCCESS);
    }
    for difference in differences {
        eprintln!("{difference}");
    }
    Ok(ExitCode::from(NO))
}

fn read(path: &Path) -> anyhow::Result<String> {
    let file = std::fs::File::open(path).with_context(|| path.display().to_string())?;
    let mut text = String::new();
    file.take(STATEMENT_BYTES_MAX as u64)
        .read_to_string(&mut text)
        .with_context(|| path.display().to_string())?;
    Ok(text)
}
