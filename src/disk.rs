//! The seam between the store and the machine.
//!
//! # Contract
//!
//! * `write_at` may be lost or torn until a later `sync` of the same file has returned `Ok`.
//! * A file's creation, its renaming and its removal may be lost until `sync_dir` of its folder has returned `Ok`.
//! * After a `write_at` or `sync` that failed, nothing is known about the bytes written since the last
//!   good `sync`; the caller must not try again on the same bytes but end the process. `StorageFull` from
//!   [`DiskFile::allocate`] is the one failure that leaves everything as it was.
//! * Reads see all earlier writes of this process.
//! * One writer a file; any number of readers at the same time.

use std::fmt::Debug;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

/// Everything the store asks of a file system.
pub trait Disk: Debug + Send + Sync {
    /// Creates a file that must not exist, readable by its owner only.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>>;
    /// Opens a file that must exist.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>>;
    /// Creates a folder that must not exist, accessible by its owner only.
    fn create_dir(&self, path: &Path) -> io::Result<()>;
    /// Names of the files in a folder, in no particular order.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;
    /// Renames a file, replacing what has the new name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes creations, renamings and removals in a folder durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
}

/// One open file.
pub trait DiskFile: Debug + Send + Sync {
    /// Reads up to `buffer.len()` bytes; fewer only at the end of the file.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes all bytes.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Fills `from..to` with zeros on real blocks, so that later writes there need no new space, and syncs.
    /// `StorageFull` leaves the file usable up to its former length.
    fn allocate(&self, from: u64, to: u64) -> io::Result<()>;
    /// Makes all earlier writes durable.
    fn sync(&self) -> io::Result<()>;
    /// Length in bytes.
    fn len(&self) -> io::Result<u64>;
    /// Whether the file has no bytes.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
    /// Cuts or extends the file.
    fn set_len(&self, len: u64) -> io::Result<()>;
    /// Takes the exclusive lock; `WouldBlock` when another process holds it. Released when the file closes.
    fn lock(&self) -> io::Result<()>;
}

/// Reads exactly `len` bytes; `UnexpectedEof` when the file is shorter.
pub fn read_exact_at(file: &dyn DiskFile, offset: u64, len: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; len];
    let read = file.read_at(&mut bytes, offset)?;
    if read < len { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(bytes) }
}

/// Reads a small file whole.
pub fn read_file(disk: &dyn Disk, path: &Path) -> io::Result<Vec<u8>> {
    let file = disk.open(path)?;
    let len = usize::try_from(file.len()?).map_err(|_| io::ErrorKind::FileTooLarge)?;
    read_exact_at(file.as_ref(), 0, len)
}

/// Writes a small file so that it is there whole or not at all: a new name, synced, renamed, folder synced.
pub fn write_file(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let new = path.with_extension("new");
    match disk.remove(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = disk.create(&new)?;
    file.write_at(bytes, 0)?;
    file.sync()?;
    disk.rename(&new, path)?;
    disk.sync_dir(folder)
}

/// The machine's own file system.
#[derive(Debug, Clone, Copy)]
pub struct SystemDisk;

impl Disk for SystemDisk {
    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)?;
        Ok(Arc::new(SystemFile(file)))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let file =
            OpenOptions::new().read(true).write(true).open(path).or_else(|error| match error.kind() {
                // Reading a copy on a read-only medium is what an auditor does.
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => File::open(path),
                _ => Err(error),
            })?;
        Ok(Arc::new(SystemFile(file)))
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        use std::os::unix::fs::DirBuilderExt;
        std::fs::DirBuilder::new().mode(0o700).create(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        std::fs::read_dir(dir)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }
}

#[derive(Debug)]
struct SystemFile(File);

impl DiskFile for SystemFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut done = 0;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match self.0.read_at(rest, offset + done as u64) {
                Ok(0) => break,
                Ok(read) => done += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    fn allocate(&self, from: u64, to: u64) -> io::Result<()> {
        // Reserve first: running out of space then leaves no half-written zeros behind.
        rustix::fs::fallocate(&self.0, rustix::fs::FallocateFlags::empty(), from, to - from)?;
        // Written once, later writes overwrite: half the cost of turning reserved blocks into written ones.
        const STEP: usize = 1 << 20;
        let zeros = vec![0; STEP];
        let mut offset = from;
        while offset < to {
            let step = usize::try_from(to - offset).unwrap_or(STEP).min(STEP);
            self.0.write_all_at(zeros.get(..step).unwrap_or(&zeros), offset)?;
            offset += step as u64;
        }
        self.0.sync_data()
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn lock(&self) -> io::Result<()> {
        Ok(rustix::fs::flock(&self.0, rustix::fs::FlockOperation::NonBlockingLockExclusive)?)
    }
}
