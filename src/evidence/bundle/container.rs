//! The archive: which files, how they are bound together, and how damage shows.

use super::{BundleFault, archive};
use crate::crypto::digest::Digest;
use crate::ledger::note::{Note, NoteSignature};
use base64::engine::{Engine as _, general_purpose::STANDARD};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Cursor, Read as _, Write as _};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

/// Names every other file with its digest; a signed note (C2SP signed-note).
pub const MANIFEST: &str = "MANIFEST";
/// Most bytes of an archive.
pub const BUNDLE_BYTES_MAX: usize = 2 << 20;
/// Most bytes of one file in it.
const FILE_BYTES_MAX: usize = 1 << 20;
/// Most files in it.
const FILES_MAX: usize = 16;
/// What the archive's comment begins with.
const SEAL: &str = "sha256:";
/// The comment: the prefix and 64 digits.
const SEAL_BYTES: usize = 7 + 64;

/// The files of an archive, by name.
pub type Files = BTreeMap<String, Vec<u8>>;

/// The text that binds the files together: the format's name, then for each file in the order of names the base64 of its
/// SHA-256, a space and its name, each on a line.
pub fn manifest(files: &Files) -> String {
    let mut text = format!("{}\n", super::FORMAT);
    for (name, bytes) in files.iter().filter(|(name, _)| *name != MANIFEST) {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "{} {name}", STANDARD.encode(Digest::of(bytes).as_bytes()));
    }
    text
}

/// Makes the archive: the manifest with its signature, every file, and the seal.
///
/// # Errors
/// [`BundleFault::Archive`] where the archive cannot be made.
pub fn pack(mut files: Files, signature: NoteSignature) -> Result<Vec<u8>, BundleFault> {
    let unmade = |_| BundleFault::Archive("it cannot be made");
    let note = Note::new(manifest(&files), vec![signature]).map_err(|_| BundleFault::Manifest)?;
    files.insert(MANIFEST.to_owned(), note.encode().into_bytes());
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    for (name, bytes) in &files {
        zip.start_file(name.as_str(), options).map_err(unmade)?;
        zip.write_all(bytes).map_err(|_| BundleFault::Archive("it cannot be made"))?;
    }
    Ok(seal(zip.finish().map_err(unmade)?.into_inner()))
}

/// Writes the SHA-256 of an archive without comment, but for the comment's length, into its comment.
fn seal(mut archive: Vec<u8>) -> Vec<u8> {
    archive.truncate(archive.len().saturating_sub(2));
    let comment = format!("{SEAL}{}", Digest::of(&archive));
    archive.extend_from_slice(&[71, 0]);
    archive.extend_from_slice(comment.as_bytes());
    archive
}

/// Reads an archive whose seal holds and whose manifest names exactly its files. Who signed the manifest is not known yet.
///
/// # Errors
/// What is wrong with the archive.
pub fn unpack(archive: &[u8]) -> Result<Files, BundleFault> {
    if archive.len() > BUNDLE_BYTES_MAX {
        return Err(BundleFault::Archive("it is too large"));
    }
    let Some((sealed, comment)) = archive.split_at_checked(archive.len().saturating_sub(SEAL_BYTES)) else {
        return Err(BundleFault::Archive("it is cut short"));
    };
    let Some((before, [71, 0])) = sealed.split_last_chunk::<2>() else {
        return Err(BundleFault::Archive("it does not end with its seal"));
    };
    if comment != format!("{SEAL}{}", Digest::of(before)).as_bytes() {
        return Err(BundleFault::Archive("its seal does not hold: it is damaged or was changed"));
    }
    let count = archive::walk(before, FILE_BYTES_MAX).map_err(BundleFault::Archive)?;
    let unread = |_| BundleFault::Archive("it is no zip archive");
    let mut zip = ZipArchive::new(Cursor::new(archive)).map_err(unread)?;
    // The crate keeps one of two files of the same name.
    if zip.len() != count {
        return Err(BundleFault::Archive("a file stands in it twice"));
    }
    if count > FILES_MAX {
        return Err(BundleFault::Archive("it has too many files"));
    }
    let mut files = Files::new();
    for at in 0..zip.len() {
        let mut file = zip.by_index(at).map_err(unread)?;
        let name = file.name().map_err(unread)?.into_owned();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|_| BundleFault::Damaged)?;
        if files.insert(name, bytes).is_some() {
            return Err(BundleFault::Archive("a file stands in it twice"));
        }
    }
    if note(&files)?.text() != manifest(&files) {
        return Err(BundleFault::Manifest);
    }
    Ok(files)
}

/// The signed manifest of an archive.
///
/// # Errors
/// [`BundleFault::Manifest`].
pub fn note(files: &Files) -> Result<Note, BundleFault> {
    let bytes = files.get(MANIFEST).ok_or(BundleFault::Manifest)?;
    let text = std::str::from_utf8(bytes).map_err(|_| BundleFault::Manifest)?;
    Note::parse(text).map_err(|_| BundleFault::Manifest)
}
