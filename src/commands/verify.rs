//! `article6 verify`: whether a store is what its daemon wrote, to the last byte.

use super::trust::holder;
use super::{CONFIGURATION, NO, tell};
use crate::app::{keeper, trust};
use crate::config;
use crate::crypto::certificate::Certificate;
use crate::disk::{Disk, SystemDisk};
use crate::evidence::bundle::Named;
use crate::evidence::{self, Damage, Keys, Place, Report, Trust};
use crate::journal::Paths;
use crate::vault::read_key_file;
use anyhow::Context as _;
use base64::engine::{Engine as _, general_purpose::STANDARD};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Verifies a store: every byte, and with its configuration every record, chain, signature and receipt. Or a bundle: what
/// it proves, and by whose keys.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Nothing is written, and no daemon and no network are needed. Stop the daemon first, or \
    verify a copy: a journal that grows while it is read is reported as damaged.\n\n\
    Exit codes: 0 nothing damaged, 1 damaged or not verified, 2 usage, 78 configuration. Of a bundle: 0 everything in it \
    holds and what it says rests on keys you trust, at least in part, which is told line by line; 1 otherwise.\n\n\
    Examples:\n  article6 verify us\n  article6 verify 0198f000-0000-7000-8000-000000000003.zip --trust US=sha256:HEX\n  \
    article6 verify /var/lib/article6 --config /etc/article6/article6.toml\n  \
    article6 verify /mnt/copy/article6 --head /mnt/copy/head --ledger-key us-ledger.pub"
)]
pub struct VerifyArgs {
    /// The store's folder: `[store] dir` of its configuration, or a copy of it; or the home that holds both. Or a bundle
    /// that `article6 evidence export` wrote
    #[arg(value_name = "DIR|FILE")]
    pub dir: PathBuf,
    /// For a bundle: fingerprint of a key whose holder is known, sha256:HEX of the SubjectPublicKeyInfo of a signing
    /// certificate or of an Ed25519 ledger key, and whose it is: US=sha256:HEX. Without US= the bundle is believed about
    /// whose key it is. May be repeated
    #[arg(long, value_name = "[PARTY=]FINGERPRINT", value_parser = holder)]
    pub trust: Vec<Named>,
    /// The head file: without it nobody can tell whether whole batches are missing at the end. Taken from the
    /// configuration where that is given
    #[arg(long, value_name = "FILE")]
    pub head: Option<PathBuf>,
    /// The store's configuration: names the key that opens the records, and the certificates and keys that
    /// signatures and receipts are verified with. Else article6.toml in DIR or in the folder DIR is in, if there is one.
    /// Without it frames, tree and checkpoints are verified, no content
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The base64 of the Ed25519 key of the store's ledger, as the Party published it: first the one it was founded with, then
    /// those it changed to, which a configuration makes unnecessary. Without it the key that the store itself names is used
    #[arg(long = "ledger-key", value_name = "FILE")]
    pub ledger_keys: Vec<PathBuf>,
    /// An earlier certificate of a key that signed messages of either Party, where the configuration names the
    /// renewed one; may be repeated
    #[arg(long = "certificate", value_name = "FILE")]
    pub certificates: Vec<PathBuf>,
    /// Print the report as JSON
    #[arg(long)]
    pub json: bool,
}

/// Runs the command: 0 for a sound store, 1 for a damaged one, 78 for a configuration with mistakes.
///
/// # Errors
///
/// Whatever keeps the store from being verified: no store, unreadable files, keys of another store.
pub fn run(args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    if args.dir.is_file() {
        return super::bundle::verify(&args.dir, &args.trust, args.json);
    }
    let found = if args.config.is_none() { beside(&args.dir) } else { None };
    let path = args.config.as_deref().or(found.as_deref());
    let settings = match path.map(|path| (path, config::read(path))) {
        Some((path, Err(mistakes))) => {
            tell(path, &mistakes);
            return Ok(ExitCode::from(CONFIGURATION));
        }
        Some((_, Ok(settings))) => Some(settings),
        None => None,
    };
    let data = folder(&args.dir, settings.as_ref());
    if let (Some(path), false) = (&found, args.json) {
        println!("{} is used: its keys and its head file.", path.display());
    }
    let disk: Arc<dyn Disk> = Arc::new(SystemDisk);
    let keys =
        settings.as_ref().map(|settings| keys(settings, disk.as_ref(), &args.certificates)).transpose()?;
    let head = args.head.clone().or_else(|| settings.map(|settings| settings.store.paths.head));
    let ledger_keys =
        args.ledger_keys.iter().map(|path| ledger_key(path)).collect::<anyhow::Result<Vec<_>>>()?;
    let unverified = unverified(keys.is_some(), head.is_some());
    let place = Place { data, head };
    let report = evidence::verify(&disk, &place, &Trust { ledger_keys, keys })?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&json(&report, &unverified, path))?);
    } else {
        print!("{}", plain(&report, &unverified));
    }
    Ok(if report.damage_count == 0 { ExitCode::SUCCESS } else { ExitCode::from(NO) })
}

/// The configuration of a home that is named by its folder, or by the store's folder in it.
fn beside(dir: &Path) -> Option<PathBuf> {
    let dir = std::fs::canonicalize(dir).ok()?;
    let candidates = [Some(dir.as_path()), dir.parent()];
    let mut paths = candidates.into_iter().flatten().map(|folder| folder.join("article6.toml"));
    paths.find(|path| path.is_file())
}

/// The store's folder: `dir` itself, or the one in the home that it is.
fn folder(dir: &Path, settings: Option<&config::Settings>) -> PathBuf {
    let configured = settings.map(|settings| settings.store.paths.data.clone());
    let inside = configured.filter(|data| {
        let whole = |path: &Path| std::fs::canonicalize(path).ok();
        data.parent().is_some_and(|home| whole(home).is_some() && whole(home) == whole(dir))
    });
    let is_store = |folder: &Path| folder.join("STORE").exists() || folder.join("journal").exists();
    let candidates = [Some(dir.to_owned()), inside, Some(dir.join("store"))];
    candidates.into_iter().flatten().find(|folder| is_store(folder)).unwrap_or_else(|| dir.to_owned())
}

/// What could not be looked at for want of keys or of the head file.
fn unverified(keys: bool, head: bool) -> Vec<&'static str> {
    let keys = (!keys).then_some("content, signatures, chains and receipts: give --config");
    let head = (!head).then_some("whether whole batches are missing at the end: give --config or --head");
    keys.into_iter().chain(head).collect()
}

/// Verifies the store that a configuration names, with all its keys.
///
/// # Errors
///
/// Whatever keeps the store from being verified.
pub fn verify(settings: &config::Settings) -> anyhow::Result<Report> {
    let disk: Arc<dyn Disk> = Arc::new(SystemDisk);
    let keys = keys(settings, disk.as_ref(), &[])?;
    let Paths { data, head } = settings.store.paths.clone();
    Ok(evidence::verify(
        &disk,
        &Place { data, head: Some(head) },
        &Trust { ledger_keys: Vec::new(), keys: Some(keys) },
    )?)
}

fn keys(settings: &config::Settings, disk: &dyn Disk, earlier: &[PathBuf]) -> anyhow::Result<Keys> {
    let (own, trust) = (keeper(settings)?.keys, trust(settings)?);
    let own = own.signing.iter().map(|key| key.certificate().clone());
    let (mut own_certificates, mut peer_certificates) = (own.collect::<Vec<_>>(), trust.signing);
    let own_keys: Vec<_> = own_certificates.iter().map(Certificate::key_id).collect();
    own_certificates.extend(certificates(&settings.signing.certificate)?);
    // This Party's keys are those that its own ledger tells of; what it tells nothing of is the other Party's.
    for path in earlier {
        let more = certificates(path)?;
        peer_certificates.extend(more.iter().filter(|it| !own_keys.contains(&it.key_id())).cloned());
        own_certificates.extend(more);
    }
    peer_certificates.retain(|certificate| !own_keys.contains(&certificate.key_id()));
    Ok(Keys {
        terms: settings.terms.clone(),
        store_key: read_key_file(disk, &settings.store.key_file)?,
        own_certificates,
        peer_certificates,
        peer_ledger_keys: trust.ledger_keys,
    })
}

fn certificates(path: &Path) -> anyhow::Result<Vec<Certificate>> {
    let pem = std::fs::read(path).with_context(|| path.display().to_string())?;
    Certificate::all_from_pem(&pem).with_context(|| path.display().to_string())
}

fn ledger_key(path: &Path) -> anyhow::Result<[u8; 32]> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let bytes = STANDARD.decode(text.trim()).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.with_context(|| {
        format!("{}: the base64 of a 32-byte Ed25519 public key is expected", path.display())
    })
}

fn plain(report: &Report, unverified: &[&str]) -> String {
    let mut lines = Vec::new();
    let root = report
        .root
        .map_or_else(|| "cannot be recomputed past the damage".to_owned(), |root| root.to_string());
    lines.push(format!("events      {}", report.events));
    lines.push(format!("messages    {}", report.messages));
    lines.push(format!("signatures  {}", report.signatures));
    lines.push(format!("root        {root}"));
    lines.extend(report.notes.iter().map(|note| format!("note: {note}")));
    if report.damage_count == 0 && unverified.is_empty() {
        lines.push("The store is sound.".to_owned());
    } else if report.damage_count == 0 {
        lines.push("The store was verified in part, and no damage was found. Not verified:".to_owned());
        lines.extend(unverified.iter().map(|what| format!("  {what}")));
    } else {
        lines.push(format!("The store is damaged in {} place(s), by ledger index:", report.damage_count));
        lines.extend(report.damages.iter().map(line));
        let more = report.damage_count.saturating_sub(report.damages.len() as u64);
        if more > 0 {
            lines.push(format!("  and {more} more"));
        }
        lines.push("Keep this copy as it is, and restore the store from a backup.".to_owned());
    }
    lines.join("\n") + "\n"
}

fn line(damage: &Damage) -> String {
    let what = format!("{}, byte {}: {}", damage.file.display(), damage.offset, damage.what);
    match damage.leaf {
        Some(leaf) => format!("  event {leaf}: {what}"),
        None => format!("  {what}"),
    }
}

/// `sound` is null where only a part was verified.
fn json(report: &Report, unverified: &[&str], configuration: Option<&Path>) -> serde_json::Value {
    let damage = |damage: &Damage| {
        serde_json::json!({
            "event": damage.leaf,
            "file": damage.file.display().to_string(),
            "offset": damage.offset,
            "what": damage.what.to_string(),
        })
    };
    serde_json::json!({
        "sound": if report.damage_count > 0 { Some(false) } else { unverified.is_empty().then_some(true) },
        "unverified": unverified,
        "configuration": configuration.map(|path| path.display().to_string()),
        "events": report.events,
        "messages": report.messages,
        "signatures": report.signatures,
        "root": report.root.map(|root| root.to_string()),
        "damageCount": report.damage_count,
        "damages": report.damages.iter().map(damage).collect::<Vec<_>>(),
        "notes": report.notes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Fault;

    fn args(dir: &Path) -> VerifyArgs {
        let dir = dir.to_owned();
        let (trust, ledger_keys, certificates) = (Vec::new(), Vec::new(), Vec::new());
        VerifyArgs { dir, trust, head: None, config: None, ledger_keys, certificates, json: false }
    }

    #[test]
    fn a_folder_without_a_store_is_no_sound_store() {
        let folder = tempfile::tempdir().unwrap();
        let error = run(&args(folder.path())).unwrap_err();
        assert!(error.to_string().contains("holds no store"), "{error}");
    }

    #[test]
    fn a_report_says_where_and_how_many() {
        let damage = Damage {
            leaf: Some(7),
            file: "journal/000000000000.segment".into(),
            offset: 64,
            what: Fault::Leaf,
        };
        let mut report = Report {
            events: 9,
            messages: 3,
            signatures: 4,
            root: None,
            damages: vec![damage],
            damage_count: 3,
            notes: vec!["something".into()],
        };
        let text = plain(&report, &[]);
        assert!(
            text.contains("event 7: journal/000000000000.segment, byte 64: ") && text.contains("and 2 more"),
            "{text}"
        );
        assert_eq!(json(&report, &[], None)["damages"][0]["event"], 7);
        report.damage_count = 0;
        report.damages.clear();
        assert!(plain(&report, &[]).ends_with("The store is sound.\n"));
        assert_eq!(json(&report, &[], None)["sound"], true);
        let without = unverified(false, true);
        assert!(
            !plain(&report, &without).contains("sound") && plain(&report, &without).contains("signatures")
        );
        assert_eq!(json(&report, &without, None)["sound"], serde_json::Value::Null);
    }
}
