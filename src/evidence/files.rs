//! Everything of a store beside its segments: the identity, the wrapped keys, the head file.

use super::Place;
use super::report::{Fault, Findings, VerifyError, at};
use crate::disk::{Disk, read_file};
use crate::journal::head::{FILE_BYTES, Head, Slot, slots};
use crate::journal::identity::{Identity, IdentityError};
use crate::journal::{Paths, StoreId, segment};
use crate::vault::{is_wrapped_key, wrapped_key_path};
use std::io;
use std::path::{Path, PathBuf};

/// Reads the identity; `None` when it is missing or damaged, which is reported.
pub(super) fn identity(
    disk: &dyn Disk,
    place: &Place,
    findings: &mut Findings,
) -> Result<Option<Identity>, VerifyError> {
    let path = place.data.join("STORE");
    let paths = Paths { data: place.data.clone(), head: PathBuf::new() };
    let fault = match Identity::read(disk, &paths) {
        Ok(identity) if matches!(identity.environment.as_str(), "PRODUCTION" | "TEST") => {
            return Ok(Some(identity));
        }
        Ok(_) | Err(IdentityError::Damaged(_)) => Fault::File,
        Err(IdentityError::Missing(_)) => Fault::Missing,
        Err(IdentityError::Newer { .. }) => return Err(VerifyError::Newer(path)),
        Err(IdentityError::Io(path, error)) => return Err(VerifyError::Io(path, error)),
        Err(error) => return Err(VerifyError::Io(path, io::Error::other(error))),
    };
    findings.damage(None, Path::new("STORE"), 0, fault);
    Ok(None)
}

/// Numbers of the segments that are there, in order. Other files in the folder are noted.
pub(super) fn segments(
    disk: &dyn Disk,
    place: &Place,
    findings: &mut Findings,
) -> Result<Vec<u64>, VerifyError> {
    let folder = place.data.join("journal");
    let mut numbers = Vec::new();
    for name in list(disk, &folder)? {
        match segment::number(&name).filter(|number| segment::path(&folder, *number) == folder.join(&name)) {
            Some(number) => numbers.push(number),
            None => findings.note(format!("journal/{name} is no part of the store")),
        }
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Checks that the wrapped keys are there and undamaged: the metadata key and one for each segment.
pub(super) fn vault(
    disk: &dyn Disk,
    place: &Place,
    segments: &[u64],
    findings: &mut Findings,
) -> Result<(), VerifyError> {
    let mut expected: Vec<PathBuf> = vec![wrapped_key_path(&place.data, None)];
    expected.extend(segments.iter().map(|number| wrapped_key_path(&place.data, Some(*number))));
    for path in &expected {
        check_wrapped_key(disk, place, path, true, findings)?;
    }
    // A roll that found no space leaves the key of the next segment, to be used by the next attempt.
    let next = segments.last().map(|last| wrapped_key_path(&place.data, last.checked_add(1)));
    let folder = place.data.join("vault");
    for name in list(disk, &folder)? {
        let path = folder.join(&name);
        if Some(&path) == next.as_ref() {
            check_wrapped_key(disk, place, &path, false, findings)?;
        } else if !expected.contains(&path) {
            findings.note(format!("vault/{name} is no part of the store"));
        }
    }
    Ok(())
}

fn check_wrapped_key(
    disk: &dyn Disk,
    place: &Place,
    path: &Path,
    needed: bool,
    findings: &mut Findings,
) -> Result<(), VerifyError> {
    let fault = match read_file(disk, path) {
        Ok(bytes) if is_wrapped_key(&bytes) => return Ok(()),
        Ok(_) => Fault::File,
        Err(error) if error.kind() == io::ErrorKind::NotFound && needed => Fault::Missing,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(VerifyError::Io(path.to_owned(), error)),
    };
    findings.damage(None, path.strip_prefix(&place.data).unwrap_or(path), 0, fault);
    Ok(())
}

/// Reads the heads, the newest first. Every byte of the file must be as the daemon writes it: a disk writes a
/// slot's one sector whole or not at all.
pub(super) fn heads(
    disk: &dyn Disk,
    path: &Path,
    store: StoreId,
    findings: &mut Findings,
) -> Result<Vec<Head>, VerifyError> {
    let file = match disk.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            findings.damage(None, path, 0, Fault::Missing);
            return Ok(Vec::new());
        }
        opened => opened.map_err(at(path))?,
    };
    if file.len().map_err(at(path))? != FILE_BYTES {
        findings.damage(None, path, 0, Fault::File);
    }
    let both = slots(file.as_ref(), store).map_err(at(path))?;
    let offset_of = |slot: usize| if slot == 0 { 0 } else { FILE_BYTES / 2 };
    for (number, slot) in both.iter().enumerate() {
        if *slot == Slot::Damaged {
            findings.damage(None, path, offset_of(number), Fault::HeadSlot);
        }
    }
    Ok(match both {
        [Slot::Head(a, older), Slot::Head(b, newer)] if a.checked_add(1) == Some(b) => vec![newer, older],
        [Slot::Head(a, newer), Slot::Head(b, older)] if b.checked_add(1) == Some(a) => vec![newer, older],
        [Slot::Head(a, first), Slot::Head(b, second)] => {
            findings.damage(None, path, offset_of(usize::from(a > b)), Fault::HeadSlot);
            vec![if a > b { first } else { second }]
        }
        // The first head ever stands alone; after it both slots are in use.
        [Slot::Blank, Slot::Head(1, head)] | [Slot::Damaged, Slot::Head(_, head)] => vec![head],
        [Slot::Head(_, head), Slot::Damaged] => vec![head],
        [Slot::Head(_, head), Slot::Blank] => {
            findings.damage(None, path, offset_of(1), Fault::HeadSlot);
            vec![head]
        }
        [Slot::Blank, Slot::Head(_, head)] => {
            findings.damage(None, path, offset_of(0), Fault::HeadSlot);
            vec![head]
        }
        [Slot::Blank, Slot::Blank] => {
            findings.damage(None, path, offset_of(0), Fault::HeadSlot);
            Vec::new()
        }
        [Slot::Damaged, Slot::Damaged | Slot::Blank] | [Slot::Blank, Slot::Damaged] => Vec::new(),
    })
}

fn list(disk: &dyn Disk, folder: &Path) -> Result<Vec<String>, VerifyError> {
    match disk.list(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        listed => listed.map_err(at(folder)),
    }
}
