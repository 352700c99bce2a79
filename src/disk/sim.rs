//! A disk in memory that loses what was not synced, and fails or dies at the n-th write or sync.

use super::{Disk, DiskFile};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

/// What happens at the chosen operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The process dies before the operation.
    DieBefore,
    /// The process dies after the operation.
    DieAfter,
    /// The operation fails and has no effect.
    Fails,
    /// The operation fails and had its effect.
    FailsButPersists,
    /// There is no space from here on.
    NoSpace,
}

/// What is left when the process has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aftermath {
    /// The machine goes on: nothing written is lost.
    Killed,
    /// The machine lost power: only what was synced is left.
    PowerLost,
    /// The machine lost power and some unsynced blocks of 512 bytes had made it to the disk, others not.
    Torn(u64),
}

#[derive(Debug, Default)]
struct Image {
    live: Vec<u8>,
    durable: Vec<u8>,
    locked: bool,
}

#[derive(Debug, Default)]
struct State {
    files: Vec<Image>,
    live: BTreeMap<PathBuf, usize>,
    durable: BTreeMap<PathBuf, usize>,
    folders: Vec<PathBuf>,
    operations: u64,
    fault: Option<(u64, Fault)>,
    dead: bool,
    full: bool,
    lies: bool,
}

/// The disk.
#[derive(Debug, Clone, Default)]
pub struct SimDisk(Arc<Mutex<State>>);

#[derive(Debug)]
struct SimFile {
    disk: SimDisk,
    id: usize,
    holds_lock: AtomicBool,
}

impl Drop for SimFile {
    fn drop(&mut self) {
        if self.holds_lock.load(Ordering::Relaxed) {
            self.disk.state().files[self.id].locked = false;
        }
    }
}

enum Effect {
    Happens,
    HappensThenDies,
    HappensThenFails,
}

impl SimDisk {
    /// Lets a fault happen at the n-th write or sync from now, from 0.
    pub fn plan(&self, n: u64, fault: Fault) {
        let mut state = self.state();
        state.fault = Some((state.operations + n, fault));
    }

    /// Writes and syncs so far.
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Whether the process died here.
    pub fn is_dead(&self) -> bool {
        self.state().dead
    }

    /// From here on syncs are answered and not done: the known-bad control.
    pub fn lie(&self) {
        self.state().lies = true;
    }

    /// Gives space back.
    pub fn free_space(&self) {
        let mut state = self.state();
        state.full = false;
        state.fault = None;
    }

    /// Ends the process, if it has not ended, and shows the disk to the next one.
    pub fn restart(&self, aftermath: Aftermath) {
        let mut guard = self.state();
        let state = &mut *guard;
        if aftermath != Aftermath::Killed {
            for image in &mut state.files {
                image.live = survivors(image, aftermath);
                image.durable = image.live.clone();
            }
            state.live = state.durable.clone();
        }
        state.files.iter_mut().for_each(|image| image.locked = false);
        state.dead = false;
        state.full = false;
        state.fault = None;
    }

    /// Changes a byte of a file behind everybody's back.
    pub fn flip(&self, path: &Path, at: usize, mask: u8) {
        let mut state = self.state();
        let id = state.live[path];
        state.files[id].live[at] ^= mask;
        state.files[id].durable = state.files[id].live.clone();
    }

    /// Bytes of a file.
    pub fn bytes_of(&self, path: &Path) -> Vec<u8> {
        let state = self.state();
        state.files[state.live[path]].live.clone()
    }

    /// Puts other bytes into a file behind everybody's back.
    pub fn replace(&self, path: &Path, bytes: &[u8]) {
        let mut state = self.state();
        let id = state.live[path];
        state.files[id].live = bytes.to_vec();
        state.files[id].durable = bytes.to_vec();
    }

    /// Length of a file.
    pub fn len_of(&self, path: &Path) -> usize {
        let state = self.state();
        state.files[state.live[path]].live.len()
    }

    /// Names of all files.
    pub fn paths(&self) -> Vec<PathBuf> {
        self.state().live.keys().cloned().collect()
    }

    /// Takes a file away.
    pub fn lose(&self, path: &Path) {
        let mut state = self.state();
        state.live.remove(path);
        state.durable.remove(path);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Counts an operation and says what becomes of it.
    fn step(&self) -> io::Result<Effect> {
        let mut state = self.state();
        if state.dead {
            return Err(io::Error::other("the process is dead"));
        }
        let now = state.operations;
        state.operations += 1;
        let Some((_, fault)) = state.fault.filter(|(at, _)| *at == now) else { return Ok(Effect::Happens) };
        match fault {
            Fault::DieBefore => {
                state.dead = true;
                Err(io::Error::other("the process is dead"))
            }
            Fault::DieAfter => Ok(Effect::HappensThenDies),
            Fault::Fails => Err(io::Error::other("injected failure")),
            Fault::FailsButPersists => Ok(Effect::HappensThenFails),
            Fault::NoSpace => {
                state.full = true;
                Ok(Effect::Happens)
            }
        }
    }

    fn act(&self, act: impl FnOnce(&mut State) -> io::Result<()>) -> io::Result<()> {
        let effect = self.step()?;
        let mut state = self.state();
        act(&mut state)?;
        match effect {
            Effect::Happens => Ok(()),
            Effect::HappensThenDies => {
                state.dead = true;
                Err(io::Error::other("the process is dead"))
            }
            Effect::HappensThenFails => Err(io::Error::other("injected failure")),
        }
    }
}

fn survivors(image: &Image, aftermath: Aftermath) -> Vec<u8> {
    let Aftermath::Torn(seed) = aftermath else { return image.durable.clone() };
    let mut bytes = image.durable.clone();
    let mut random = seed | 1;
    for (block, live) in image.live.chunks(512).enumerate() {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let at = block * 512;
        if random % 2 == 0 {
            bytes.resize(bytes.len().max(at + live.len()), 0);
            bytes[at..at + live.len()].copy_from_slice(live);
        }
    }
    bytes
}

fn absent() -> io::Error {
    io::ErrorKind::NotFound.into()
}

impl Disk for SimDisk {
    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let mut id = 0;
        self.act(|state| {
            if state.live.contains_key(path) {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            id = state.files.len();
            state.files.push(Image::default());
            state.live.insert(path.to_owned(), id);
            Ok(())
        })?;
        Ok(Arc::new(SimFile { disk: self.clone(), id, holds_lock: AtomicBool::new(false) }))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let id = *self.state().live.get(path).ok_or_else(absent)?;
        Ok(Arc::new(SimFile { disk: self.clone(), id, holds_lock: AtomicBool::new(false) }))
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.act(|state| {
            if state.folders.contains(&path.to_owned()) {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            state.folders.push(path.to_owned());
            Ok(())
        })
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let state = self.state();
        let names = state.live.keys().filter(|path| path.parent() == Some(dir));
        Ok(names.filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned())).collect())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.act(|state| {
            let id = state.live.remove(from).ok_or_else(absent)?;
            state.live.insert(to.to_owned(), id);
            Ok(())
        })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        if !self.state().live.contains_key(path) {
            return Err(absent());
        }
        self.act(|state| state.live.remove(path).map(drop).ok_or_else(absent))
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.act(|state| {
            state.durable.retain(|path, _| path.parent() != Some(dir));
            let there: Vec<_> = state.live.iter().filter(|(path, _)| path.parent() == Some(dir)).collect();
            let there: Vec<_> = there.into_iter().map(|(path, id)| (path.clone(), *id)).collect();
            state.durable.extend(there);
            Ok(())
        })
    }
}

impl DiskFile for SimFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let state = self.disk.state();
        let bytes = &state.files[self.id].live;
        let start = usize::try_from(offset).unwrap().min(bytes.len());
        let len = buffer.len().min(bytes.len() - start);
        buffer[..len].copy_from_slice(&bytes[start..start + len]);
        Ok(len)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.disk.act(|state| {
            let full = state.full;
            let live = &mut state.files[self.id].live;
            let start = usize::try_from(offset).unwrap();
            let end = start + bytes.len();
            if full && end > live.len() {
                return Err(io::ErrorKind::StorageFull.into());
            }
            live.resize(live.len().max(end), 0);
            live[start..end].copy_from_slice(bytes);
            Ok(())
        })
    }

    fn allocate(&self, _from: u64, to: u64) -> io::Result<()> {
        self.disk.act(|state| {
            let full = state.full;
            let image = &mut state.files[self.id];
            let to = usize::try_from(to).unwrap();
            if full && to > image.live.len() {
                return Err(io::ErrorKind::StorageFull.into());
            }
            image.live.resize(to, 0);
            image.durable = image.live.clone();
            Ok(())
        })
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.act(|state| {
            if !state.lies {
                let image = &mut state.files[self.id];
                image.durable = image.live.clone();
            }
            Ok(())
        })
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.disk.state().files[self.id].live.len() as u64)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.disk.act(|state| {
            state.files[self.id].live.resize(usize::try_from(len).unwrap(), 0);
            Ok(())
        })
    }

    fn lock(&self) -> io::Result<()> {
        let mut state = self.disk.state();
        if std::mem::replace(&mut state.files[self.id].locked, true) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.holds_lock.store(true, Ordering::Relaxed);
        Ok(())
    }
}
