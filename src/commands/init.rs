//! `article6 init`: the only command that creates a store.

use super::{ConfigArg, failed};
use crate::app::keeper;
use crate::config::Settings;
use crate::crypto::digest::Digest;
use crate::crypto::keyfile;
use crate::disk::{Disk, SystemDisk};
use crate::exchange::clock::SystemClock;
use crate::exchange::start::found;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Arguments of `init`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Writes three things that must not stand together: the store, the key file that opens it, and the \
recovery key, which you take off the machine at once and lock away."
)]
pub struct InitArgs {
    #[command(flatten)]
    config: ConfigArg,
    /// Where to write the recovery key: it revokes stolen keys later and belongs in a safe, not on this machine
    #[arg(long, value_name = "FILE")]
    recovery_key: PathBuf,
}

/// Runs the command.
pub fn run(args: &InitArgs) -> ExitCode {
    let settings = match args.config.check() {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    match init(&settings, &args.recovery_key) {
        Ok(()) => {
            println!(
                "The store of {} is founded in {}.",
                settings.terms.party,
                settings.store.paths.data.display()
            );
            println!(
                "Its key file is {}: back it up apart from the store.",
                settings.store.key_file.display()
            );
            println!("Take {} off this machine now and lock it away.", args.recovery_key.display());
            ExitCode::SUCCESS
        }
        Err(error) => failed(&error),
    }
}

/// Founds the store that the settings describe, and makes its recovery key.
pub fn init(settings: &Settings, recovery_key: &Path) -> anyhow::Result<()> {
    let keeper = keeper(settings)?;
    let data = &settings.store.paths.data;
    anyhow::ensure!(
        !data.join("STORE").exists(),
        "{} already holds a store: init never touches an existing one",
        data.display()
    );
    leftovers(settings, recovery_key)?;
    let folders = [
        Some(data.as_path()),
        settings.store.paths.head.parent(),
        settings.store.key_file.parent(),
        recovery_key.parent(),
    ];
    for folder in folders.into_iter().flatten().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let key = keyfile::generate_p256()?;
    let digest = Digest::of(&keyfile::p256_spki(&key)?);
    write_new(recovery_key, keyfile::to_pem(&key)?.as_bytes())?;
    let disk: Arc<dyn Disk> = Arc::new(SystemDisk);
    let founded = found(&disk, &settings.store, &keeper, digest, &SystemClock);
    if founded.is_err() {
        // The key of a store that was not founded protects nothing.
        let _ = std::fs::remove_file(recovery_key);
    }
    Ok(founded?)
}

/// Founding ends with the file STORE: what stands here without it is of a founding that was cut short, or belongs to
/// something else. Only a person can tell, so nothing is removed.
fn leftovers(settings: &Settings, recovery_key: &Path) -> anyhow::Result<()> {
    let store = &settings.store;
    // A folder that was made for the store beforehand is none; its index and what a file system puts there neither.
    let inside = ["journal", "vault"].map(|name| store.paths.data.join(name));
    let files = [&store.paths.head, &store.key_file].into_iter().cloned().chain([recovery_key.to_owned()]);
    let found: Vec<_> = inside.into_iter().chain(files).filter(|path| path.exists()).collect();
    if found.is_empty() {
        return Ok(());
    }
    let found: Vec<_> = found.iter().map(|path| path.display().to_string()).collect();
    anyhow::bail!(
        "{} holds no store, but these are there: {}. An earlier init was cut short, or they belong to another \
         store. If no store was ever used here, move them away and run init again; if one was, its file STORE is \
         missing: restore it from a backup",
        store.paths.data.display(),
        found.join(", ")
    )
}

fn write_new(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = file
        .map_err(|error| anyhow::anyhow!("{}: {error}; an existing key is never replaced", path.display()))?;
    file.write_all(bytes)?;
    Ok(file.sync_all()?)
}
