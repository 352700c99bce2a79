//! `article6 evidence`: what proves a message to others.

use super::whole::write;
use super::{ConfigArg, no};
use crate::app::{keeper, keyring, trust};
use crate::channel::lookup::message_id;
use crate::config::Settings;
use crate::crypto::certificate::Certificate;
use crate::disk::{Disk, SystemDisk};
use crate::evidence::bundle::{Keyring, Wanted, compose};
use crate::exchange::start::open_for_reading;
use crate::store::Store;
use anyhow::Context as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use uuid::Uuid;

/// Makes what proves messages to others.
#[derive(Debug, clap::Subcommand)]
pub enum EvidenceCommand {
    /// Write a bundle for each message: one zip file that proves it and needs nothing else
    Export(ExportArgs),
}

/// Arguments of `evidence export`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The store is read, so its daemon must be stopped; a running daemon gives bundles through its back-office \
    door (EvidenceService).\n\n\
    Check a bundle anywhere, without network: article6 verify FILE --trust US=sha256:HEX"
)]
pub struct ExportArgs {
    /// The message: messages/UUID, the UUID alone, or sent/NUMBER or received/NUMBER for its place in a chain
    #[arg(long, value_name = "ID", required_unless_present = "case", conflicts_with = "case")]
    message: Option<String>,
    /// Every message of a case: cases/UUID or the UUID alone
    #[arg(long, value_name = "ID")]
    case: Option<String>,
    /// The folder to write to; each file is named by its message
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    /// An earlier certificate of a key that signed messages of either Party, where the configuration names the renewed
    /// one; may be repeated
    #[arg(long = "certificate", value_name = "FILE")]
    certificates: Vec<PathBuf>,
    #[command(flatten)]
    config: ConfigArg,
}

/// Runs the command.
pub fn run(command: &EvidenceCommand) -> ExitCode {
    let EvidenceCommand::Export(args) = command;
    let settings = match args.config.read() {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    match export(&settings, args) {
        Ok(paths) => {
            for path in paths {
                println!("{}", path.display());
            }
            ExitCode::SUCCESS
        }
        Err(error) => no(format_args!("{error:#}")),
    }
}

fn export(settings: &Settings, args: &ExportArgs) -> anyhow::Result<Vec<PathBuf>> {
    let disk: Arc<dyn Disk> = Arc::new(SystemDisk);
    let own = keeper(settings)?.keys;
    let (store, state, _lock) = open_for_reading(&disk, &settings.store, &settings.terms)?;
    let revocation = settings.peer.door.tls.revocation.as_deref().map(std::fs::read).transpose()?;
    let mut keyring = keyring(&settings.terms, &own, &trust(settings)?, state.keys(), revocation);
    add_earlier(&mut keyring, &args.certificates)?;
    let ledger_key = own.ledger(state.keys())?;
    let wanted = match (&args.message, &args.case) {
        (Some(message), _) => vec![wanted(message)?],
        (None, Some(case)) => of_case(&store, uuid(case, "cases/")?)?,
        (None, None) => Vec::new(),
    };
    let mut paths = Vec::new();
    for wanted in wanted {
        let bundle = compose(&store, &keyring, ledger_key, wanted)?;
        let path = args.out.join(format!("{}.zip", name(wanted)));
        write(&path, &bundle)?;
        paths.push(path);
    }
    Ok(paths)
}

fn wanted(text: &str) -> anyhow::Result<Wanted> {
    let number = |number: &str| number.parse().with_context(|| format!("{text}: no number"));
    if let Some(sequence) = text.strip_prefix("sent/") {
        return Ok(Wanted::Sent(number(sequence)?));
    }
    if let Some(sequence) = text.strip_prefix("received/") {
        return Ok(Wanted::Received(number(sequence)?));
    }
    Ok(Wanted::Message(uuid(text, "messages/")?))
}

fn uuid(text: &str, prefix: &str) -> anyhow::Result<[u8; 16]> {
    let bare = text.strip_prefix(prefix).unwrap_or(text);
    let id = Uuid::parse_str(bare).with_context(|| format!("{text} is neither {prefix}UUID nor a UUID"))?;
    Ok(id.into_bytes())
}

fn name(wanted: Wanted) -> String {
    match wanted {
        Wanted::Message(id) => Uuid::from_bytes(id).to_string(),
        Wanted::Sent(sequence) => format!("sent-{sequence}"),
        Wanted::Received(sequence) => format!("received-{sequence}"),
    }
}

/// The messages of a case, in the order of the ledger. The journal is read: no index is needed.
fn of_case(store: &Store, case: [u8; 16]) -> anyhow::Result<Vec<Wanted>> {
    let mut wanted = Vec::new();
    for leaf in 0..store.reader().head().size {
        let opened = store.event(leaf)?;
        if let Some(envelope) = opened.envelope.as_deref().filter(|it| it.case_id == case.as_slice())
            && let Some(id) = message_id(envelope)
            && !wanted.contains(&Wanted::Message(id))
        {
            wanted.push(Wanted::Message(id));
        }
    }
    anyhow::ensure!(!wanted.is_empty(), "the store holds no message of this case");
    Ok(wanted)
}

/// Earlier certificates of keys whose certificates were renewed.
fn add_earlier(keyring: &mut Keyring, earlier: &[PathBuf]) -> anyhow::Result<()> {
    for path in earlier {
        let pem = std::fs::read(path).with_context(|| path.display().to_string())?;
        for certificate in Certificate::all_from_pem(&pem).with_context(|| path.display().to_string())? {
            for list in [&mut keyring.own_certificates, &mut keyring.peer_certificates] {
                if list.iter().any(|known| known.key_id() == certificate.key_id()) {
                    list.push(certificate.clone());
                }
            }
        }
    }
    Ok(())
}
