//! Keys and certificates for development and tests, for two Parties at once.
//!
//! Every certificate bears [`DEVELOPMENT_UNIT`](crate::crypto::certificate::DEVELOPMENT_UNIT), which production
//! refuses. The README.md written beside the keys says what each file is.

mod authority;
mod folder;
mod party;
#[cfg(test)]
mod tests;

use crate::crypto::keyfile::KeyFileError;
use crate::crypto::scheme::Curve;
use authority::Maker;
use folder::Access;
use party::Party;

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

/// Makes certificates.
#[derive(Debug, clap::Subcommand)]
pub enum CertsCommand {
    /// Write a development PKI for both Parties, valid 20 years and marked as such; production refuses it
    Dev {
        /// An empty or new folder
        dir: PathBuf,
        /// The two Parties, by their country codes
        #[arg(long, value_delimiter = ',', num_args = 2, default_values = ["US", "KZ"])]
        parties: Vec<String>,
        /// The curve of the keys that sign messages
        #[arg(long, value_enum, default_value_t = SealCurve::P256)]
        curve: SealCurve,
    },
}

/// Names of the curves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum SealCurve {
    /// secp256r1
    P256,
    /// secp384r1: about twenty times the cost of each signature
    P384,
}

impl From<SealCurve> for Curve {
    fn from(name: SealCurve) -> Self {
        match name {
            SealCurve::P256 => Self::P256,
            SealCurve::P384 => Self::P384,
        }
    }
}

/// Runs the command.
pub fn run(command: &CertsCommand) -> ExitCode {
    let CertsCommand::Dev { dir, parties, curve } = command;
    let [one, other] = parties.as_slice() else { return super::no("name two Parties: --parties US,KZ") };
    match write_development_pki_on((*curve).into(), dir, [one, other]) {
        Ok(()) => {
            println!(
                "Keys and certificates for {one} and {other} are in {}; its README.md says which is which.",
                dir.display()
            );
            ExitCode::SUCCESS
        }
        Err(error) => super::no(error),
    }
}

const README: &str = include_str!("folder_readme.md");

/// Why no development keys were made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertsError {
    /// The caller's: a Party is not named by two ASCII letters (ISO 3166-1 alpha-2).
    #[error("a Party is named by the two letters of its country code")]
    Party,
    /// The caller's: both Parties are the same country.
    #[error("the two Parties must be different countries")]
    SameParty,
    /// The caller's: the folder holds something, and keys are never overwritten.
    #[error("{} is not empty; keys are never overwritten", .0.display())]
    NotEmpty(PathBuf),
    /// The machine's: a file or folder could not be made.
    #[error("cannot write {}: {kind}", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        kind: io::ErrorKind,
    },
    /// The machine's: its clock shows a time before 1970 or too late for a certificate made now (RFC 5280 §4.1.2.5).
    #[error("the clock of this machine is wrong")]
    Clock,
    /// The machine's: a private key could not be made.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// This program's: it asked for a certificate or revocation list that cannot be made.
    #[error("cannot make a certificate or revocation list: {0}")]
    Certificate(#[from] rcgen::Error),
}

/// Makes all keys and certificates two Parties need to run against each other, valid for 20 years from now, and
/// writes them into `dir/<party in lower case>/`, with a README.md in `dir`.
///
/// `parties` are ISO 3166-1 alpha-2 codes in either case. `dir` is created if it is absent and must else be empty.
/// Private keys are unencrypted PKCS#8 (RFC 5958) of mode 0600; the keys of the authorities are not kept.
///
/// # Errors
///
/// [`CertsError`]. All keys are made before the first file is written; after [`CertsError::Io`] what was written so
/// far remains and must be removed by hand.
pub fn write_development_pki(dir: &Path, parties: [&str; 2]) -> Result<(), CertsError> {
    write_development_pki_on(Curve::P256, dir, parties)
}

/// As [`write_development_pki`], with the keys that sign envelopes on this curve.
///
/// # Errors
///
/// As there.
pub fn write_development_pki_on(seal: Curve, dir: &Path, parties: [&str; 2]) -> Result<(), CertsError> {
    let [one, other] = parties;
    let (one, other) = (country(one)?, country(other)?);
    if one == other {
        return Err(CertsError::SameParty);
    }
    folder::prepare(dir)?;
    let now = now()?;
    let one_party = Party::make(Maker { country: &one, now, seal })?;
    let other_party = Party::make(Maker { country: &other, now, seal })?;
    one_party.write(&dir.join(one.to_ascii_lowercase()), &other_party)?;
    other_party.write(&dir.join(other.to_ascii_lowercase()), &one_party)?;
    folder::write(&dir.join("README.md"), README.as_bytes(), Access::All)
}

/// The code becomes a folder, a host name and part of a certificate's subject: letters alone are safe in all three.
fn country(code: &str) -> Result<String, CertsError> {
    if code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        Ok(code.to_ascii_uppercase())
    } else {
        Err(CertsError::Party)
    }
}

/// Since 1970, at most the year 2970: dates with four digits, with room for the validity.
fn now() -> Result<Duration, CertsError> {
    const LATEST: Duration = Duration::from_secs(1000 * 31_556_952);
    match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
        Ok(now) if now < LATEST => Ok(now),
        _ => Err(CertsError::Clock),
    }
}
