//! Reading the files of a TLS party: bounded, and each remembered by its digest.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::settings::{TlsError, TlsFile, TlsSettings};
use crate::crypto::{Certificate, Digest};
use crate::limits;

/// The content of one file.
pub(super) struct Read {
    pub path: PathBuf,
    pub content: Zeroizing<Vec<u8>>,
    /// Group or others have some right on it.
    pub open: bool,
}

/// All files of one party, not yet understood.
pub(super) struct Files {
    pub chain: Read,
    pub key: Read,
    pub authorities: Vec<Read>,
    pub revocation: Option<Read>,
}

impl Files {
    /// Reads them all.
    pub fn read(settings: &TlsSettings) -> Result<Self, TlsError> {
        Ok(Self {
            chain: read(TlsFile::Chain, &settings.chain)?,
            key: read(TlsFile::Key, &settings.key)?,
            authorities: settings
                .authorities
                .iter()
                .map(|path| read(TlsFile::Authority, path))
                .collect::<Result<_, _>>()?,
            revocation: settings
                .revocation
                .as_deref()
                .map(|path| read(TlsFile::Revocation, path))
                .transpose()?,
        })
    }

    /// Path and digest of each, to tell which changed.
    pub fn digests(&self) -> Vec<(PathBuf, Digest)> {
        [&self.chain, &self.key]
            .into_iter()
            .chain(&self.authorities)
            .chain(&self.revocation)
            .map(|read| (read.path.clone(), Digest::of(&read.content)))
            .collect()
    }
}

/// Every certificate in a file, in order; at least one.
pub(super) fn certificates(file: TlsFile, read: &Read) -> Result<Vec<Certificate>, TlsError> {
    Certificate::all_from_pem(&read.content).map_err(|error| TlsError::Certificate {
        file,
        path: read.path.clone(),
        error,
    })
}

pub(super) fn read(file: TlsFile, path: &Path) -> Result<Read, TlsError> {
    let unreadable =
        |error: std::io::Error| TlsError::Unreadable { file, path: path.to_owned(), kind: error.kind() };
    let most = if file == TlsFile::Revocation { limits::CRL_FILE_BYTES } else { limits::TLS_FILE_BYTES };
    let opened = File::open(path).map_err(unreadable)?;
    let metadata = opened.metadata().map_err(unreadable)?;
    let mut content = Zeroizing::new(Vec::new());
    // One byte more than allowed tells a file that is too large from one that fits.
    opened.take(most.saturating_add(1)).read_to_end(&mut content).map_err(unreadable)?;
    if u64::try_from(content.len()).is_ok_and(|length| length <= most) {
        return Ok(Read { path: path.to_owned(), content, open: metadata.permissions().mode() & 0o077 != 0 });
    }
    Err(TlsError::TooLarge { file, path: path.to_owned() })
}
