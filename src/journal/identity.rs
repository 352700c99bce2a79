//! What marks a folder as a store, and whose store it is.

use super::segment::FORMAT_VERSION;
use super::{Paths, StoreId};
use crate::disk::{Disk, DiskFile, read_exact_at, write_file};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// Longest identity file, in bytes.
const IDENTITY_BYTES_MAX: u64 = 4096;
const FIRST_LINE: &str = "article6 store";

/// The contents of the file `STORE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Identifier of the store.
    pub store: StoreId,
    /// PRODUCTION or TEST.
    pub environment: String,
    /// The agreement.
    pub agreement: String,
    /// The Party whose store it is.
    pub party: String,
    /// The other Party.
    pub counterparty: String,
}

/// Why a folder is not this daemon's store.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// There is no store.
    #[error(
        "{0} holds no store: create one with `article6 init`; if there was one, do not: find out what happened to it, and restore it"
    )]
    Missing(PathBuf),
    /// A store would be overwritten.
    #[error("{0} already holds a store: `article6 init` never touches an existing one")]
    Exists(PathBuf),
    /// The file is damaged.
    #[error("{0} is damaged: restore the store from a backup")]
    Damaged(PathBuf),
    /// Written by a later version.
    #[error(
        "the store has format {found}, this software knows {FORMAT_VERSION}: install the version that wrote it, or a later one"
    )]
    Newer {
        /// Format of the store.
        found: u32,
    },
    /// Another daemon has the store open.
    #[error(
        "{0} is in use by another process: stop it first; two daemons on one store would contradict each other"
    )]
    Locked(PathBuf),
    /// The store of another Party, agreement or environment.
    #[error(
        "the store belongs to {found}, the configuration is for {expected}: correct [store] dir or [channel]"
    )]
    Foreign {
        /// Whose store it is.
        found: String,
        /// Whose the configuration says it is.
        expected: String,
    },
    /// The file system failed.
    #[error("{0}: {1}")]
    Io(PathBuf, #[source] io::Error),
}

impl Identity {
    /// Writes the identity of a new store into its folder, which must not hold one.
    pub fn create(&self, disk: &dyn Disk, paths: &Paths) -> Result<(), IdentityError> {
        let path = paths.data.join("STORE");
        match disk.open(&path) {
            Ok(_) => return Err(IdentityError::Exists(paths.data.clone())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(IdentityError::Io(path, error)),
        }
        write_file(disk, &path, self.encode().as_bytes()).map_err(|error| IdentityError::Io(path, error))
    }

    /// Reads the identity without locking, for readers of a store that nobody writes.
    pub fn read(disk: &dyn Disk, paths: &Paths) -> Result<Self, IdentityError> {
        Self::open(disk, paths).map(|(identity, _)| identity)
    }

    /// Reads the identity and takes the store's lock, held as long as the returned file is.
    pub fn lock(disk: &dyn Disk, paths: &Paths) -> Result<(Self, Arc<dyn DiskFile>), IdentityError> {
        let (identity, file) = Self::open(disk, paths)?;
        match file.lock() {
            Ok(()) => Ok((identity, file)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                Err(IdentityError::Locked(paths.data.clone()))
            }
            Err(error) => Err(IdentityError::Io(paths.data.join("STORE"), error)),
        }
    }

    /// Refuses a store of another channel.
    pub fn expect(
        &self,
        environment: &str,
        agreement: &str,
        party: &str,
        counterparty: &str,
    ) -> Result<(), IdentityError> {
        let expected = format!("{environment}/{agreement}/{party}/{counterparty}");
        let found = format!("{}/{}/{}/{}", self.environment, self.agreement, self.party, self.counterparty);
        if found == expected { Ok(()) } else { Err(IdentityError::Foreign { found, expected }) }
    }

    fn open(disk: &dyn Disk, paths: &Paths) -> Result<(Self, Arc<dyn DiskFile>), IdentityError> {
        let path = paths.data.join("STORE");
        let file = disk.open(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => IdentityError::Missing(paths.data.clone()),
            _ => IdentityError::Io(path.clone(), error),
        })?;
        let len = file.len().map_err(|error| IdentityError::Io(path.clone(), error))?;
        let len = usize::try_from(len.min(IDENTITY_BYTES_MAX)).unwrap_or(0);
        let bytes =
            read_exact_at(file.as_ref(), 0, len).map_err(|error| IdentityError::Io(path.clone(), error))?;
        Ok((Self::decode(&bytes).map_err(|newer| newer.unwrap_or(IdentityError::Damaged(path)))?, file))
    }

    fn encode(&self) -> String {
        let id: String = self.store.0.iter().map(|byte| format!("{byte:02x}")).collect();
        let body = format!(
            "{FIRST_LINE}\nformat {FORMAT_VERSION}\nid {id}\nenvironment {}\nagreement {}\nparty {}\ncounterparty {}\n",
            self.environment, self.agreement, self.party, self.counterparty
        );
        let crc = crc32c::crc32c(body.as_bytes());
        format!("{body}crc {crc:08x}\n")
    }

    fn decode(bytes: &[u8]) -> Result<Self, Option<IdentityError>> {
        let text = std::str::from_utf8(bytes).map_err(|_| None)?;
        let body_len = text.trim_end_matches('\n').rfind('\n').ok_or(None)? + 1;
        let (body, crc_line) = text.split_at_checked(body_len).ok_or(None)?;
        let mut lines = body.lines();
        if lines.next() != Some(FIRST_LINE)
            || crc_line != format!("crc {:08x}\n", crc32c::crc32c(body.as_bytes()))
        {
            return Err(None);
        }
        let mut value = |key: &str| -> Result<String, Option<IdentityError>> {
            let line = lines.next().ok_or(None)?;
            let (found, value) = line.split_once(' ').ok_or(None)?;
            if found == key { Ok(value.to_owned()) } else { Err(None) }
        };
        let found: u32 = value("format")?.parse().map_err(|_| None)?;
        if found != u32::from(FORMAT_VERSION) {
            return Err(Some(IdentityError::Newer { found }));
        }
        let id = value("id")?;
        let number = u128::from_str_radix(&id, 16).map_err(|_| None)?;
        Ok(Self {
            store: StoreId(number.to_be_bytes()),
            environment: value("environment")?,
            agreement: value("agreement")?,
            party: value("party")?,
            counterparty: value("counterparty")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_reads_back_and_any_flip_is_damage() {
        let identity = Identity {
            store: StoreId([0xa5; 16]),
            environment: "TEST".into(),
            agreement: "US-KZ-1997".into(),
            party: "US".into(),
            counterparty: "KZ".into(),
        };
        let text = identity.encode();
        assert_eq!(Identity::decode(text.as_bytes()).ok(), Some(identity));
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            assert!(Identity::decode(&bytes).is_err(), "byte {at}");
        }
    }
}
