//! The key-encryption key: 32 random bytes, in hexadecimal, in a file outside the store.

use crate::crypto::aead::Key;
use crate::disk::{Disk, read_file, write_file};
use std::io;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Why the key-encryption key cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file is not there.
    #[error("the key file {0} is missing: put it back; without it the store's content cannot be read")]
    Missing(PathBuf),
    /// A key would be overwritten.
    #[error("{0} already exists: `article6 init` never replaces a key")]
    Exists(PathBuf),
    /// Not a key.
    #[error("{0} is not a key file: 64 hexadecimal digits are expected")]
    Malformed(PathBuf),
    /// Others may read the key.
    #[error("{0} can be read by others: run `chmod 600` on it, and consider whether the key is still secret")]
    Exposed(PathBuf),
    /// No randomness.
    #[error("the system gave no random bytes")]
    Random,
    /// The file system failed.
    #[error("{0}: {1}")]
    Io(PathBuf, #[source] io::Error),
}

/// Makes a new key and writes it to a file that must not exist.
pub fn create_key_file(disk: &dyn Disk, path: &Path) -> Result<Key, KeyFileError> {
    match disk.open(path) {
        Ok(_) => return Err(KeyFileError::Exists(path.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(KeyFileError::Io(path.to_owned(), error)),
    }
    let bytes = Zeroizing::new(crate::crypto::random::array::<32>().map_err(|_| KeyFileError::Random)?);
    let text: Zeroizing<String> = Zeroizing::new(bytes.iter().map(|byte| format!("{byte:02x}")).collect());
    write_file(disk, path, text.as_bytes()).map_err(|error| KeyFileError::Io(path.to_owned(), error))?;
    Ok(Key::from_bytes(*bytes))
}

/// Reads the key. On the machine's own file system the file must be readable by its owner only.
pub fn read_key_file(disk: &dyn Disk, path: &Path) -> Result<Key, KeyFileError> {
    use std::os::unix::fs::PermissionsExt as _;
    if std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0) {
        return Err(KeyFileError::Exposed(path.to_owned()));
    }
    let bytes = Zeroizing::new(read_file(disk, path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => KeyFileError::Missing(path.to_owned()),
        _ => KeyFileError::Io(path.to_owned(), error),
    })?);
    let malformed = || KeyFileError::Malformed(path.to_owned());
    let text = std::str::from_utf8(&bytes).map_err(|_| malformed())?.trim_end();
    if text.len() != 64 {
        return Err(malformed());
    }
    let mut key = Zeroizing::new([0; 32]);
    for (byte, digits) in key.iter_mut().zip(text.as_bytes().chunks(2)) {
        let digits = std::str::from_utf8(digits).map_err(|_| malformed())?;
        *byte = u8::from_str_radix(digits, 16).map_err(|_| malformed())?;
    }
    Ok(Key::from_bytes(*key))
}
