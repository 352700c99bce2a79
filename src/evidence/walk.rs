//! Segment after segment, from the first to where the journal ends.

use super::content::Contents;
use super::crew::Crew;
use super::files;
use super::footer::{Footer, Found, Frames};
use super::opening::{first_store, open_contents, read_header, terms};
use super::report::{Fault, Findings, Report, VerifyError, at};
use super::scan::{Kind, Piece, Scanner};
use super::signatures::Job;
use super::tree::Ledger;
use super::{Place, Trust};
use crate::disk::{Disk, DiskFile};
use crate::journal::StoreId;
use crate::journal::frame::{FrameError, SealedEvent};
use crate::journal::head::Head;
use crate::journal::segment::{self, HEADER_BYTES, Header, HeaderError};
use crate::ledger::tree::Frontier;
use crate::vault::wrapped_key_path;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Verifies a store; see [`super::verify`].
pub(super) fn verify(disk: &Arc<dyn Disk>, place: &Place, trust: &Trust) -> Result<Report, VerifyError> {
    let mut findings = Findings::default();
    let identity = files::identity(disk.as_ref(), place, &mut findings)?;
    let numbers = files::segments(disk.as_ref(), place, &mut findings)?;
    if identity.is_none() && numbers.is_empty() {
        return Err(VerifyError::NoStore(place.data.clone()));
    }
    let store = match &identity {
        Some(identity) => identity.store,
        None => first_store(disk.as_ref(), place, &numbers)?,
    };
    files::vault(disk.as_ref(), place, &numbers, &mut findings)?;
    let mut heads = Vec::new();
    match &place.head {
        Some(path) => heads = files::heads(disk.as_ref(), path, store, &mut findings)?,
        None => findings.note(
            "without the head file nobody can tell whether whole batches are missing at the end: give it with --head",
        ),
    }
    let contents = open_contents(disk, place, trust, identity.as_ref(), store, &mut findings)?;
    let walk = Walk {
        disk: disk.as_ref(),
        place,
        trust,
        store,
        ledger: Ledger::new(identity.as_ref().map(terms)),
        seen: vec![false; heads.len()],
        heads,
        contents,
        findings,
        jobs: Vec::new(),
        crew: Crew::new(),
        events: 0,
    };
    walk.run(&numbers)
}

/// A store while it is verified.
pub(super) struct Walk<'a> {
    pub(super) disk: &'a dyn Disk,
    pub(super) place: &'a Place,
    pub(super) trust: &'a Trust,
    pub(super) store: StoreId,
    pub(super) ledger: Ledger,
    pub(super) heads: Vec<Head>,
    pub(super) seen: Vec<bool>,
    pub(super) contents: Option<Contents<'a>>,
    pub(super) findings: Findings,
    /// What is put aside to be verified, but for what the contents put aside themselves.
    pub(super) jobs: Vec<(u64, u64, Job)>,
    crew: Crew,
    pub(super) events: u64,
}

/// A segment while it is read.
pub(super) struct Current {
    pub(super) number: u64,
    /// Its path from the store's folder.
    pub(super) name: PathBuf,
    pub(super) path: PathBuf,
    pub(super) file: Arc<dyn DiskFile>,
    pub(super) footer: Option<Footer>,
    pub(super) frames: Frames,
    /// The tree before its first event.
    pub(super) start: Option<Frontier>,
    pub(super) batch: Batch,
    /// Offset behind which a crash may have left anything; `None` where nothing may be.
    pub(super) head_at: Option<u64>,
    /// The segment is written to.
    pub(super) is_open: bool,
    /// A crash cut its closing short.
    pub(super) is_rolling: bool,
    pub(super) damages_before: u64,
}

/// Events read whose checkpoint has not come yet.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) events: Vec<(u64, Option<SealedEvent>, bool)>,
    /// Something between them could not be read.
    pub(super) is_broken: bool,
}

impl Walk<'_> {
    fn run(mut self, numbers: &[u64]) -> Result<Report, VerifyError> {
        let mut expected = 0;
        for (at, number) in numbers.iter().enumerate() {
            if *number != expected {
                self.missing(expected);
            }
            let rolling = self.is_cut_roll(*number, numbers.get(at + 1..).unwrap_or_default())?;
            self.segment(*number, numbers.len() == at + 1, rolling)?;
            self.verify_jobs(*number);
            if let Some(key) = self.contents.as_ref().and_then(|contents| contents.other_key) {
                return Err(VerifyError::OtherKey(key));
            }
            if rolling {
                self.empty_segment(number + 1)?;
                break;
            }
            expected = number.saturating_add(1);
        }
        if numbers.is_empty() {
            self.missing(0);
        }
        self.check_heads();
        Ok(self.report())
    }

    fn report(mut self) -> Report {
        if let Some(contents) = self.contents.as_ref().filter(|contents| contents.other_effects > 0) {
            self.findings.note(format!(
                "{} message(s) are stored with another effect on their case than this version derives from the body",
                contents.other_effects
            ));
        }
        if self.ledger_keys().is_empty() {
            self.findings
                .note("the signatures of the checkpoints were not verified: give --ledger-key or --config");
        }
        let root = self.ledger.root();
        let messages = self.contents.as_ref().map_or(0, |contents| contents.messages);
        let (damages, damage_count, notes) = self.findings.finish();
        Report {
            events: self.events,
            messages,
            signatures: self.crew.taken,
            root,
            damages,
            damage_count,
            notes,
        }
    }

    pub(super) fn missing(&mut self, number: u64) {
        let name = segment::path(Path::new("journal"), number);
        self.findings.damage(Some(self.ledger.size), &name, 0, Fault::Missing);
        self.lose();
    }

    /// Neither tree nor state can be told from here on.
    pub(super) fn lose(&mut self) {
        self.ledger.frontier = None;
        if let Some(contents) = &mut self.contents {
            contents.lose();
        }
    }

    /// A roll that a crash cut short: the next segment is there and empty, and no head points into it.
    fn is_cut_roll(&self, number: u64, after: &[u64]) -> Result<bool, VerifyError> {
        let pointed_at = self.heads.first().is_some_and(|head| head.segment == number);
        if !pointed_at || after.len() != 1 || after.first() != number.checked_add(1).as_ref() {
            return Ok(false);
        }
        let path = segment::path(&self.place.data.join("journal"), number);
        let file = self.disk.open(&path).map_err(at(&path))?;
        Ok(matches!(Found::read(file.as_ref(), &path, HEADER_BYTES as u64)?, Found::None))
    }

    /// The segment that a roll which was cut short left: it must hold nothing, and is made anew by the next roll.
    fn empty_segment(&mut self, number: u64) -> Result<(), VerifyError> {
        self.findings.note("a crash cut the change to a new segment short; the daemon does it again");
        let name = segment::path(Path::new("journal"), number);
        let path = self.place.data.join(&name);
        let file = self.disk.open(&path).map_err(at(&path))?;
        match read_header(file.as_ref(), &path)? {
            Ok(header) if header.store == self.store && header.number == number => {}
            Ok(_) => self.findings.damage(None, &name, 0, Fault::SegmentPlace),
            Err(error) => self.findings.damage(None, &name, 0, error),
        }
        let len = file.len().map_err(at(&path))?;
        let start = HEADER_BYTES as u64;
        if let Some(offset) = Scanner::new(file, start, len).first_nonzero(start, len).map_err(at(&path))? {
            self.findings.damage(None, &name, offset, Fault::Tail);
        }
        Ok(())
    }

    fn segment(&mut self, number: u64, is_last: bool, rolling: bool) -> Result<(), VerifyError> {
        let name = segment::path(Path::new("journal"), number);
        let path = self.place.data.join(&name);
        let file = self.disk.open(&path).map_err(at(&path))?;
        let damages_before = self.findings.count();
        self.check_header(number, &name, read_header(file.as_ref(), &path)?);
        let len = file.len().map_err(at(&path))?;
        let (footer, end, closed) = match Found::read(file.as_ref(), &path, HEADER_BYTES as u64)? {
            Found::Sound(footer) => (Some((footer.sections_at, footer)), 0, true),
            Found::Damaged(sections_at) => {
                self.findings.damage(None, &name, sections_at, Fault::Footer);
                (None, sections_at, true)
            }
            Found::None if is_last || rolling => (None, len, false),
            Found::None => {
                self.findings.damage(None, &name, len, Fault::Footer);
                (None, len, true)
            }
        };
        let (end, footer) = footer.map_or((end, None), |(at, footer)| (at, Some(footer)));
        let head_at = match self.heads.first() {
            _ if closed => None,
            Some(head) if head.segment == number => Some(head.offset),
            Some(head) if head.segment < number => Some(HEADER_BYTES as u64),
            _ => None,
        };
        let first_leaf = self.ledger.size;
        if let Some(contents) = &mut self.contents
            && !contents.begin(number, first_leaf)
        {
            let key = wrapped_key_path(Path::new(""), Some(number));
            self.findings.damage(None, &key, 0, Fault::WrappedKey);
        }
        let mut current = Current {
            number,
            name,
            path,
            footer,
            frames: Frames { first_leaf, ..Frames::default() },
            start: self.ledger.frontier.clone(),
            batch: Batch::default(),
            head_at,
            is_open: !closed,
            is_rolling: rolling,
            damages_before,
            file,
        };
        let offset = self.frames(&mut current, end)?;
        if closed {
            self.close(&mut current, offset);
            if is_last {
                self.missing(number.saturating_add(1));
            }
        } else {
            self.check_tail(&mut current, offset, len)?;
        }
        Ok(())
    }

    fn check_header(&mut self, number: u64, name: &Path, header: Result<Header, HeaderError>) {
        let leaf = Some(self.ledger.size);
        match header {
            Err(error) => self.findings.damage(leaf, name, 0, error),
            Ok(header) if header.store != self.store => self.findings.damage(leaf, name, 0, Fault::Foreign),
            Ok(header) if header.number != number => self.findings.damage(leaf, name, 0, Fault::SegmentPlace),
            Ok(header) if header.first_leaf != self.ledger.size => {
                // Behind damage the header knows better how many events came before.
                if self.findings.count() == 0 {
                    self.findings.damage(leaf, name, 0, Fault::SegmentPlace);
                }
                self.ledger.size = header.first_leaf;
                self.lose();
            }
            Ok(_) => {}
        }
    }

    /// Reads frames up to the end, or to where a crash may have left anything. Returns where the reading ended.
    fn frames(&mut self, current: &mut Current, end: u64) -> Result<u64, VerifyError> {
        let mut scanner = Scanner::new(current.file.clone(), HEADER_BYTES as u64, end);
        current.frames.end = scanner.offset;
        let path = current.path.clone();
        let failed = at(&path);
        while let Some(Piece { offset, kind }) = scanner.next().map_err(&failed)? {
            let beyond = current.head_at.is_some_and(|head_at| offset >= head_at);
            match kind {
                Kind::Event(event) => current.batch.events.push((offset, Some(event), false)),
                Kind::Checkpoint { root, note, exact } => {
                    if beyond && !self.continues(&current.batch, &root) {
                        return Ok(offset);
                    }
                    self.checkpoint(current, offset, scanner.offset, &root, note, exact);
                }
                _ if beyond => return Ok(offset),
                Kind::DamagedEvent(event) => current.batch.events.push((offset, event, true)),
                Kind::DamagedCheckpoint => {
                    let last = self.ledger.size + (current.batch.events.len() as u64).saturating_sub(1);
                    self.findings.damage(Some(last), &current.name, offset, FrameError::Content);
                    self.batch(current, None);
                    current.frames.end = scanner.offset;
                }
                Kind::Lost(error) => {
                    let found = scanner.find().map_err(&failed)?;
                    if !found && self.may_end_here(current, error) {
                        return Ok(offset);
                    }
                    let leaf = self.ledger.size + current.batch.events.len() as u64;
                    self.findings.damage(Some(leaf), &current.name, offset, error);
                    current.batch.is_broken = true;
                    if !found {
                        return Ok(offset);
                    }
                    current.batch.events.push((offset, None, false));
                }
            }
        }
        Ok(scanner.offset)
    }

    /// No frame stands here and none behind: is that how a sound segment ends?
    fn may_end_here(&self, current: &Current, error: FrameError) -> bool {
        let behind_frames = current.footer.is_none() && !current.is_open;
        let at_the_end = current.is_open && current.head_at.is_none() && error == FrameError::Blank;
        // A footer that is damaged is reported already; where the frames before it end is not known then.
        behind_frames || at_the_end
    }

    /// Heads that no batch ends at. Behind damage that is reported they may merely not have been recognised.
    fn check_heads(&mut self) {
        let Some(path) = self.place.head.clone() else { return };
        for (head, seen) in self.heads.clone().into_iter().zip(self.seen.clone()) {
            let found = self.ledger.size;
            if seen || (self.findings.count() > 0 && found >= head.size) {
                continue;
            }
            let rolled_back = found < head.size;
            let fault = if rolled_back {
                Fault::RolledBack { found, known: head.size }
            } else {
                Fault::Head(head.size)
            };
            self.findings.damage(rolled_back.then_some(found), &path, 0, fault);
        }
    }

    /// The keys that may sign the ledger here: those that are given, and those that came into use since.
    pub(super) fn ledger_keys(&self) -> Vec<[u8; 32]> {
        let told = self.contents.as_ref().map(|contents| contents.own_ledger_keys.as_slice());
        match (&self.trust.ledger_keys[..], told.unwrap_or_default()) {
            ([], told) => told.to_vec(),
            (given, told) => given.iter().chain(told.get(1..).unwrap_or_default()).copied().collect(),
        }
    }

    /// Hands out what was put aside, as far as it is worth it.
    pub(super) fn collect_jobs(&mut self) {
        if let Some(contents) = &mut self.contents {
            self.jobs.append(&mut contents.jobs);
        }
        self.crew.hand_out(&mut self.jobs);
    }

    fn verify_jobs(&mut self, number: u64) {
        let name = segment::path(Path::new("journal"), number);
        self.collect_jobs();
        let jobs = std::mem::take(&mut self.jobs);
        if let Some(contents) = &mut self.contents
            && let (Some(given), Some(founded)) = (self.trust.ledger_keys.first(), contents.founded_with)
            && *given != founded
        {
            contents.other_key = Some("ledger key");
        }
        for (leaf, offset, fault) in self.crew.finish(jobs) {
            self.findings.damage(Some(leaf), &name, offset, fault);
        }
    }
}
