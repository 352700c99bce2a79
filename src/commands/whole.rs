//! Files that are written whole or not at all.

use anyhow::Context as _;
use std::path::Path;

/// Writes a file, and the folder it is in where that is missing. Who reads there meanwhile sees no half of it.
pub(super) fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let folder = path.parent().context("a file has a folder")?;
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let new = path.with_extension("new");
    std::fs::write(&new, bytes).with_context(|| new.display().to_string())?;
    std::fs::rename(&new, path).with_context(|| path.display().to_string())
}
