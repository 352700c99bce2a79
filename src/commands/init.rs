//! `article6 init`: the only command that creates a store.

use super::{ConfigArg, no};
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
    let settings = match args.config.read() {
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
        Err(error) => no(error),
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

fn write_new(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = file
        .map_err(|error| anyhow::anyhow!("{}: {error}; an existing key is never replaced", path.display()))?;
    file.write_all(bytes)?;
    Ok(file.sync_all()?)
}
