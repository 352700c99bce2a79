//! `article6 trust pin`: a key of the other Party comes to be trusted once its words were heard.

use super::heard::compare;
use super::table::set;
use crate::commands::ConfigArg;
use crate::commands::whole::write;
use crate::config::files::peer_ledger_key;
use crate::crypto::certificate::Certificate;
use crate::crypto::digest::Digest;
use anyhow::{Context as _, ensure};
use std::path::{Path, PathBuf};

/// Arguments of `trust pin`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Nothing is changed unless every word is the key's. The configuration is read at the start: restart the daemon \
    afterwards.\n\n\
    Exit codes: 0 pinned, 1 another key, or it cannot be written; 2 usage.\n\n\
    Examples:\n  article6 trust pin signing keys/counterparty-signing.pem tiger teapot ...\n  \
    article6 trust pin ledger keys/counterparty-ledger.pub sha256:HEX"
)]
pub struct PinArgs {
    /// What the key is for
    #[arg(value_name = "USE")]
    purpose: Purpose,
    /// The file that the other Party handed over: a certificate, or the base64 of its ledger's key
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// What its people read out: the 16 words, or sha256:HEX
    #[arg(value_name = "HEARD", required = true, num_args = 1..)]
    heard: Vec<String>,
    #[command(flatten)]
    config: ConfigArg,
}

/// What a key is for.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Purpose {
    /// Signs messages
    Signing,
    /// Signs the ledger
    Ledger,
    /// Opens connections
    Connection,
}

impl Purpose {
    /// The key of `[peer]` that names the file, and whether it may name several.
    fn key(self) -> (&'static str, bool) {
        match self {
            Self::Signing => ("signing_certificates", true),
            Self::Ledger => ("ledger_key", false),
            Self::Connection => ("pins", true),
        }
    }
}

/// Pins the key; returns what to tell.
pub(super) fn pin(args: &PinArgs) -> anyhow::Result<String> {
    let key = key_in(args.purpose, &args.file)?;
    compare(&args.heard, &key)?;
    let config = &args.config.path;
    let (name, several) = args.purpose.key();
    let path = toml::Value::String(named(&args.file, config)?);
    let value = if several { toml::Value::Array(vec![path]) } else { path };
    let text = std::fs::read_to_string(config).with_context(|| config.display().to_string())?;
    let pinned = set(&text, "peer", name, &value).with_context(|| {
        format!(
            "the key is the one that was read out, but {} is written in a way that is not changed here: write {name} = {value} \
             into its [peer] yourself",
            config.display()
        )
    })?;
    let permissions = std::fs::metadata(config)?.permissions();
    write(config, pinned.as_bytes())?;
    std::fs::set_permissions(config, permissions).with_context(|| config.display().to_string())?;
    Ok(format!(
        "The key is the one that was read out: sha256:{key}\n[peer] of {} says now: {name} = {value}\n\
         What stood there before is not trusted any more, once the daemon is started again.",
        config.display()
    ))
}

/// The fingerprint of the one key in a file.
fn key_in(purpose: Purpose, file: &Path) -> anyhow::Result<Digest> {
    if let Purpose::Ledger = purpose {
        return Ok(Digest::of(&peer_ledger_key(file)?));
    }
    let pem = std::fs::read(file).with_context(|| file.display().to_string())?;
    let all = Certificate::all_from_pem(&pem).with_context(|| file.display().to_string())?;
    // Words are of one key: another one beside it would be trusted unheard.
    let [certificate] = all.as_slice() else {
        anyhow::bail!("{}: one certificate is expected, and there are {}", file.display(), all.len());
    };
    Ok(certificate.key_id())
}

/// How the configuration names a file: from its own folder where it is in it.
fn named(file: &Path, config: &Path) -> anyhow::Result<String> {
    let whole = std::fs::canonicalize(file).with_context(|| file.display().to_string())?;
    let config = std::fs::canonicalize(config).with_context(|| config.display().to_string())?;
    let folder = config.parent().context("a configuration has a folder")?;
    let name = whole.strip_prefix(folder).unwrap_or(&whole).to_str().map(str::to_owned);
    let name = name.context("a configuration is UTF-8, and the path of this file is not")?;
    ensure!(!name.is_empty(), "the configuration is no key");
    Ok(name)
}
