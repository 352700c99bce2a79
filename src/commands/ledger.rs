//! `article6 ledger`: what others may have of a ledger.

use super::trust::fingerprint;
use super::whole::write;
use super::{ConfigArg, no};
use crate::app::{keeper, trust};
use crate::channel::lookup::Lookup;
use crate::config::Settings;
use crate::crypto::digest::Digest;
use crate::disk::{Disk, SystemDisk};
use crate::evidence::contradiction::{PROOF_BYTES_MAX, Proof};
use crate::exchange::start::open_for_reading;
use crate::ledger::tiles::{Tile, tiles};
use crate::peer::Trusted;
use crate::store::Store;
use crate::wire::ledger::v1::event::Fact;
use anyhow::Context as _;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Hands out what others may have of a ledger.
#[derive(Debug, clap::Subcommand)]
pub enum LedgerCommand {
    /// Write the ledger as static files (C2SP tlog-tiles), which public tools can check; the daemon must be stopped
    Export(ExportArgs),
    /// Write a proof of each contradiction that the other Party signed; the daemon must be stopped
    Contradictions(ContradictionsArgs),
    /// Check a proof of a contradiction; needs no store and no network
    Check(CheckArgs),
}

/// Arguments of `ledger contradictions`.
#[derive(Debug, clap::Args)]
pub struct ContradictionsArgs {
    /// The folder to write to, one file for each
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    #[command(flatten)]
    config: ConfigArg,
}

/// Arguments of `ledger check`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 proven against a trusted key, 1 not proven, 2 usage.")]
pub struct CheckArgs {
    /// The proof
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Fingerprint of a key whose holder is known: sha256:HEX of an Ed25519 ledger key, or of the SubjectPublicKeyInfo of a
    /// signing certificate; may be repeated
    #[arg(long, value_name = "FINGERPRINT", required = true, value_parser = fingerprint)]
    trust: Vec<Digest>,
}

/// Arguments of `ledger export`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The files hold commitments, hashes and signed checkpoints: no content, no names, no case. \
    Written again into the same folder, only what is new is written; the checkpoint comes last.\n\n\
    checkpoint           the ledger's signed checkpoint\n\
    vkey                 the key that signed it (C2SP signed-note)\n\
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
    let (config, dir) = match command {
        LedgerCommand::Export(args) => (&args.config, &args.dir),
        LedgerCommand::Contradictions(args) => (&args.config, &args.dir),
        LedgerCommand::Check(args) => {
            return check(args).unwrap_or_else(|error| no(format_args!("{error:#}")));
        }
    };
    let settings = match config.read() {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    let done = match command {
        LedgerCommand::Export(_) => {
            export(&settings, dir).map(|size| format!("The ledger of {size} events is in {}.", dir.display()))
        }
        _ => contradictions(&settings, dir).map(|found| format!("{found} contradiction(s).")),
    };
    match done {
        Ok(told) => {
            println!("{told}");
            ExitCode::SUCCESS
        }
        Err(error) => no(format_args!("{error:#}")),
    }
}

fn check(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let file = File::open(&args.file).with_context(|| args.file.display().to_string())?;
    let mut bytes = Vec::new();
    file.take(PROOF_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    let proven = Proof::read(&bytes)?.verify()?;
    println!("{}\nSigned by the key sha256:{}.", proven.sentence, proven.fingerprint);
    if args.trust.contains(&proven.fingerprint) {
        println!("Proven: this is a key you trust.");
        return Ok(ExitCode::SUCCESS);
    }
    Ok(no("the key is none of those you trust, so nothing is proven about anybody"))
}

/// Writes what the other Party signed and cannot both be true; returns how many proofs.
fn contradictions(settings: &Settings, dir: &Path) -> anyhow::Result<u64> {
    let disk: Arc<dyn Disk> = Arc::new(SystemDisk);
    let (store, state, _lock) = open_for_reading(&disk, &settings.store, &settings.terms)?;
    let trusted = Trusted::of(&trust(settings)?, state.keys());
    let mut found = 0;
    for leaf in 0..store.reader().head().size {
        let Some((name, proof)) = proof(&store, &trusted, leaf)? else { continue };
        write(&dir.join(format!("{name}-{leaf}.json")), &proof.write())?;
        found += 1;
    }
    Ok(found)
}

fn proof(store: &Store, trusted: &Trusted, leaf: u64) -> anyhow::Result<Option<(&'static str, Proof)>> {
    let opened = store.event(leaf)?;
    Ok(match &opened.event.fact {
        Some(Fact::Contradiction(_)) => match opened.record.notes.as_slice() {
            [held, shown] => {
                // Another kind of contradiction shows in the proofs that were not given; two notes do not prove it.
                let keys = trusted.ledger.iter().chain(&trusted.retired_ledger);
                let mut proofs = keys.flat_map(|key| {
                    let notes = || [held.clone(), shown.clone()];
                    [("fork", Proof::fork(key, notes())), ("retraction", Proof::retraction(key, notes()))]
                });
                proofs.find(|(_, proof)| proof.verify().is_ok())
            }
            _ => None,
        },
        Some(Fact::Equivocation(event)) => {
            let Some(held) = store.find(&Lookup::Consumed(event.sequence))? else { return Ok(None) };
            let statements = [&held, &opened].map(|it| (&*it.record.envelope, &*it.record.signature));
            let proofs = trusted.signing.iter().map(|it| Proof::equivocation(it, statements));
            proofs.into_iter().find(|proof| proof.verify().is_ok()).map(|proof| ("equivocation", proof))
        }
        _ => None,
    })
}

fn export(settings: &Settings, dir: &Path) -> anyhow::Result<u64> {
    let disk: Arc<dyn Disk> = Arc::new(SystemDisk);
    let own = keeper(settings)?.keys;
    let (store, state, _lock) = open_for_reading(&disk, &settings.store, &settings.terms)?;
    let (head, checkpoint) = store.reader().checkpoint();
    for tile in tiles(head.size) {
        let path = dir.join(tile.path());
        // A full tile never changes.
        if !tile.is_full() || !path.exists() {
            write(&path, &bytes(&store, tile)?)?;
        }
    }
    let epoch = store.event(head.size.saturating_sub(1))?.event.epoch;
    let vkey = settings.terms.vkey(epoch, own.ledger(state.keys())?.public());
    write(&dir.join("vkey"), format!("{vkey}\n").as_bytes())?;
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
