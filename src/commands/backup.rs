//! `article6 backup`: a consistent copy of a store, made while its daemon runs.

use super::{ConfigArg, no};
use crate::config::Settings;
use crate::disk::{Disk, SystemDisk};
use crate::journal::Paths;
use crate::journal::head::{Head, HeadFile};
use crate::journal::identity::Identity;
use crate::journal::segment;
use anyhow::{Context as _, bail, ensure};
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Copies a store; the daemon may run meanwhile. What is sealed stays sealed: the key that opens it is not copied.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The copy holds every event up to the last commit before it began: DIR/store and DIR/head. Check it \
    with\n  article6 verify DIR/store --head DIR/head --config FILE\n\n\
    Keep the store's key file and the recovery key elsewhere: without the key file nobody can read the copy. \
    A copy that is put in the place of its original lacks what came after it, and the other Party's daemon knows: the \
    channel then refuses to go on (OWN_HEAD_UNKNOWN) rather than use a number twice."
)]
pub struct BackupArgs {
    /// A folder that does not exist yet
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    #[command(flatten)]
    config: ConfigArg,
}

/// Runs the command.
pub fn run(args: &BackupArgs) -> ExitCode {
    let settings = match args.config.read() {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    match backup(&settings, &args.dir) {
        Ok(head) => {
            println!(
                "The copy in {} holds {} events, root hash {}.",
                args.dir.display(),
                head.size,
                head.root
            );
            ExitCode::SUCCESS
        }
        Err(error) => no(format_args!("{error:#}")),
    }
}

fn backup(settings: &Settings, dir: &Path) -> anyhow::Result<Head> {
    let (disk, from) = (SystemDisk, &settings.store.paths);
    ensure!(!dir.exists(), "{} exists already: name a folder that does not", dir.display());
    let to = Paths { data: dir.join("store"), head: dir.join("head") };
    let identity = Identity::read(&disk, from)?;
    // The head first: bytes at or below it never change again, whatever the daemon does meanwhile.
    let opened = disk.open(&from.head).with_context(|| from.head.display().to_string())?;
    let Some((_, head)) = HeadFile::open(opened, identity.store)? else {
        bail!("{}: no head of this store stands in it", from.head.display())
    };
    for folder in [dir, &to.data, &to.segments(), &to.data.join("vault")] {
        disk.create_dir(folder).with_context(|| folder.display().to_string())?;
    }
    for name in disk.list(&from.data.join("vault"))? {
        copy(&from.data.join("vault").join(&name), &to.data.join("vault").join(&name), u64::MAX)?;
    }
    for number in 0..=head.segment {
        let bytes = if number == head.segment { head.offset } else { u64::MAX };
        copy(&segment::path(&from.segments(), number), &segment::path(&to.segments(), number), bytes)?;
    }
    HeadFile::create(disk.create(&to.head)?, identity.store)?.write(&head)?;
    // What makes the folder a store comes last: a copy that was cut short is none.
    copy(&from.data.join("STORE"), &to.data.join("STORE"), u64::MAX)?;
    for folder in [&to.segments(), &to.data.join("vault"), &to.data, dir] {
        disk.sync_dir(folder)?;
    }
    Ok(head)
}

/// Copies the first bytes of a file, durably.
fn copy(from: &Path, to: &Path, bytes: u64) -> anyhow::Result<()> {
    let mut source = File::open(from).with_context(|| from.display().to_string())?.take(bytes);
    let mut target = std::fs::OpenOptions::new();
    std::os::unix::fs::OpenOptionsExt::mode(&mut target, 0o600);
    let mut target =
        target.write(true).create_new(true).open(to).with_context(|| to.display().to_string())?;
    std::io::copy(&mut source, &mut target).with_context(|| to.display().to_string())?;
    target.flush()?;
    Ok(target.sync_all()?)
}
