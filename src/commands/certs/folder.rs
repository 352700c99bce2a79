//! The folder that is written to: nothing that exists is ever replaced.

use super::CertsError;

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// A private key: mode 0600.
    Owner,
    /// Anything else: mode 0644, less what the umask takes away.
    All,
}

/// Creates `dir` and its parents; an existing folder must be empty.
pub(super) fn prepare(dir: &Path) -> Result<(), CertsError> {
    std::fs::create_dir_all(dir).map_err(at(dir))?;
    match std::fs::read_dir(dir).map_err(at(dir))?.next() {
        None => Ok(()),
        Some(Ok(_)) => Err(CertsError::NotEmpty(dir.to_path_buf())),
        Some(Err(error)) => Err(at(dir)(error)),
    }
}

/// Creates a folder that must not exist.
pub(super) fn create(dir: &Path) -> Result<(), CertsError> {
    std::fs::create_dir(dir).map_err(at(dir))
}

/// Writes a file that must not exist. The mode holds from its creation on: a key is never readable for a moment.
pub(super) fn write(path: &Path, bytes: &[u8], access: Access) -> Result<(), CertsError> {
    let mode = match access {
        Access::Owner => 0o600,
        Access::All => 0o644,
    };
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path).map_err(at(path))?;
    file.write_all(bytes).map_err(at(path))
}

fn at(path: &Path) -> impl Fn(io::Error) -> CertsError + '_ {
    move |error| CertsError::Io { path: path.to_path_buf(), kind: error.kind() }
}
