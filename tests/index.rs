//! The query index is a projection: what is built anew equals what was kept, damage costs queries only, and only for a
//! while.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout)]

mod campaign;

use anyhow::{Context as _, ensure};
use article6::app::index_settings;
use article6::backoffice::v1::{AcknowledgeMessagesRequest, Direction, FeedKind, ListMessagesRequest};
use article6::commands::homes::Home;
use article6::index::{self, Change, Index, Row};
use campaign::chance::Chance;
use campaign::daemon::{Daemon, pair};
use campaign::office::{Office, reason};
use campaign::traffic::Traffic;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// The smallest cache, so that the index is read from its files.
const STORE: &str = "index_cache_bytes = 1048576";
/// Longest time without answers after damage.
const RECOVERY: Duration = Duration::from_secs(30);
/// How long the damaged index is asked.
const ASKING: Duration = Duration::from_millis(700);

/// Both daemons with messages from US to KZ and back.
struct Scene {
    daemons: [Daemon; 2],
    traffic: [Traffic; 2],
    kz: Office,
    _folder: tempfile::TempDir,
}

#[tokio::test(flavor = "multi_thread")]
async fn the_index_built_anew_equals_the_live_one() -> anyhow::Result<()> {
    let mut scene = Scene::open(1).await?;
    scene.wait_for(60).await?;
    let names = scene.received().into_iter().take(5).collect();
    let request = AcknowledgeMessagesRequest { names, cursor: String::new() };
    scene.kz.connect().await.acknowledge_messages(scene.kz.call(request)).await?;
    let [us, kz] = &mut scene.traffic;
    us.finish_submissions().await?;
    kz.finish_submissions().await?;
    for daemon in &mut scene.daemons {
        daemon.stop().await?;
        let settings = daemon.settings()?;
        let entries = || {
            Index::open(&settings.index, index_settings(&settings)?)?.entries().map_err(anyhow::Error::from)
        };
        let live = entries()?;
        let output = daemon.command(&["index", "rebuild"])?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let rebuilt = entries()?;
        ensure!(live.len() > 10, "{} entries", live.len());
        ensure!(
            live == rebuilt,
            "{}: {} entries live, {} built anew",
            daemon.home.party,
            live.len(),
            rebuilt.len()
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_under_load_costs_queries_only_and_only_for_a_while() -> anyhow::Result<()> {
    let mut scene = Scene::open(2).await?;
    let mut chance = Chance::new(3);
    scene.wait_for(40).await?;
    let folder = scene.daemons[1].settings()?.index;
    for damage in [Damage::Delete, Damage::Flip, Damage::Truncate, Damage::Overwrite] {
        for graceful in [false, true] {
            let before = scene.daemons[1].status().await?.consumed_sequence;
            damage.inflict(&folder, &mut chance)?;
            scene.ask_for_a_while().await.with_context(|| format!("{damage:?} while running"))?;
            let after = scene.daemons[1].status().await?.consumed_sequence;
            ensure!(after > before, "{damage:?}: nothing was delivered meanwhile ({after})");
            let kz = &mut scene.daemons[1];
            if graceful {
                kz.stop().await?
            } else {
                kz.kill()
            }
            damage.inflict(&folder, &mut chance)?;
            kz.start()?;
            kz.ready().await?;
            scene.complete().await.with_context(|| format!("{damage:?} while stopped"))?;
        }
    }
    scene.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_index_catches_up() -> anyhow::Result<()> {
    let mut scene = Scene::open(4).await?;
    for round in 1..=4 {
        scene.wait_for(25 * round).await?;
        let kz = &mut scene.daemons[1];
        kz.kill();
        kz.start()?;
        kz.ready().await?;
        scene.complete().await?;
    }
    scene.finish().await
}

#[test]
fn another_boot_or_store_begins_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    let ours = index::Settings { store: [1; 16], boot: "one".into(), cache_bytes: 1 << 20 };
    let row = Row {
        leaf: 4,
        direction: index::Direction::Sent,
        sequence: 1,
        message_id: [2; 16],
        case_id: [3; 16],
        recorded_at: 5,
    };
    let fill = |settings: &index::Settings| {
        let index = Index::open(&path, settings.clone()).unwrap();
        index.apply(&[Change::Message(row.clone())], 5).unwrap();
        index.flush().unwrap();
    };
    let position = |settings: &index::Settings| {
        let index = Index::open(&path, settings.clone()).unwrap();
        (index.position().unwrap(), index.entries().unwrap().len())
    };
    fill(&ours);
    assert_eq!(position(&ours), (5, 3));
    assert_eq!(position(&index::Settings { boot: "two".into(), ..ours.clone() }), (0, 1));
    assert_eq!(position(&ours), (0, 1), "what another boot emptied stays empty");
    fill(&ours);
    assert_eq!(position(&index::Settings { store: [9; 16], ..ours.clone() }), (0, 1));
}

impl Scene {
    async fn open(seed: u64) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut daemons = pair(&folder.path().join("homes"), STORE)?;
        for daemon in &mut daemons {
            daemon.start()?;
            daemon.ready().await?;
        }
        let mut chance = Chance::new(seed);
        let mut start = |home: &Home| -> anyhow::Result<Traffic> {
            Ok(Traffic::start(Office::of(home)?, home.party, 2, Duration::from_millis(20), &mut chance))
        };
        let traffic = [start(&daemons[0].home)?, start(&daemons[1].home)?];
        Ok(Self { kz: Office::of(&daemons[1].home)?, daemons, traffic, _folder: folder })
    }

    /// Messages that KZ's feed has shown.
    fn received(&self) -> BTreeSet<String> {
        self.traffic[1].record().names(FeedKind::Received).into_iter().collect()
    }

    async fn wait_for(&self, received: usize) -> anyhow::Result<()> {
        let end = Instant::now() + RECOVERY;
        while self.received().len() < received {
            ensure!(
                Instant::now() < end && !self.traffic.iter().any(Traffic::has_ended),
                "the traffic does not flow"
            );
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// One list of everything received: complete, or refused for one of the two reasons there are.
    async fn ask(&self) -> anyhow::Result<bool> {
        let shown = self.received();
        let mut client = self.kz.connect().await;
        let request =
            ListMessagesRequest { direction: Direction::Received.into(), ..ListMessagesRequest::default() };
        match self.kz.list(&mut client, request).await {
            Ok(messages) => {
                let count = messages.len();
                let listed: BTreeSet<_> = messages.into_iter().map(|message| message.name).collect();
                ensure!(listed.len() == count, "{count} messages under {} names", listed.len());
                let missing = shown.difference(&listed).count();
                ensure!(missing == 0, "{missing} of {} messages are missing in a list", shown.len());
                Ok(true)
            }
            Err(status) => {
                let known = ["INDEX_UNAVAILABLE", "INDEX_CATCHING_UP"].contains(&reason(&status).as_str());
                ensure!(
                    known && status.code() == tonic::Code::Unavailable,
                    "a list is refused with {status}"
                );
                Ok(false)
            }
        }
    }

    /// Asks for some time, whatever the answers, and then until there is one.
    async fn ask_for_a_while(&self) -> anyhow::Result<()> {
        let end = Instant::now() + ASKING;
        while Instant::now() < end {
            self.ask().await?;
            sleep(Duration::from_millis(50)).await;
        }
        self.complete().await
    }

    /// Asks until there is an answer.
    async fn complete(&self) -> anyhow::Result<()> {
        let end = Instant::now() + RECOVERY;
        while !self.ask().await? {
            ensure!(Instant::now() < end, "lists are still refused after {RECOVERY:?}");
            sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// Ends the traffic; everything that was acknowledged is in the feed and in the list.
    async fn finish(mut self) -> anyhow::Result<()> {
        for side in &mut self.traffic {
            side.finish_submissions().await?;
        }
        let sent = self.traffic[0].record().answered.lock().unwrap().len();
        self.wait_for(sent).await?;
        self.complete().await
    }
}

/// What happens to the index's folder.
#[derive(Debug, Clone, Copy)]
enum Damage {
    /// It is gone.
    Delete,
    /// Some bytes of each file are others.
    Flip,
    /// Half of each file is gone.
    Truncate,
    /// Each file is noise from somewhere on.
    Overwrite,
}

impl Damage {
    fn inflict(self, folder: &Path, chance: &mut Chance) -> std::io::Result<()> {
        if matches!(self, Self::Delete) {
            return std::fs::remove_dir_all(folder).or_else(ignore_missing);
        }
        for path in files(folder)? {
            // The running daemon may replace a file meanwhile.
            let mut bytes = match std::fs::read(&path) {
                Ok(bytes) if !bytes.is_empty() => bytes,
                Ok(_) => continue,
                Err(error) => {
                    ignore_missing(error)?;
                    continue;
                }
            };
            let length = bytes.len() as u64;
            let at = |chance: &mut Chance| usize::try_from(chance.below(length)).unwrap_or(0);
            match self {
                Self::Delete => {}
                Self::Flip => (0..64).for_each(|_| bytes[at(chance)] ^= 0x5a),
                Self::Truncate => bytes.truncate(bytes.len() / 2),
                Self::Overwrite => {
                    let from = at(chance);
                    bytes[from..].iter_mut().for_each(|byte| *byte = chance.next().to_le_bytes()[0]);
                }
            }
            // In place: the daemon keeps its files open.
            use std::io::Write as _;
            let mut file = std::fs::OpenOptions::new()
                .write(true)
                .truncate(matches!(self, Self::Truncate))
                .open(&path)?;
            file.write_all(&bytes)?;
        }
        Ok(())
    }
}

fn ignore_missing(error: std::io::Error) -> std::io::Result<()> {
    if error.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

fn files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            files.extend(self::files(&entry.path())?)
        } else {
            files.push(entry.path())
        }
    }
    Ok(files)
}
