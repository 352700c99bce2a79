//! `article6 head sign`: what a head of service signs, away from every daemon (Articles 6.1 and 11).

use super::json::{ENVELOPE_KEYS, JsonViolation, message_from_json, to_json};
use super::no;
use super::whole::write;
use crate::config::files;
use crate::crypto::digest::Digest;
use crate::crypto::signing::SigningKey;
use crate::crypto::{Certificate, cms};
use crate::rules;
use crate::treaty::heads::{Ground, Subject, accord_digest, list_digest, statement};
use crate::wire::assistance::v1::body::Content;
use crate::wire::assistance::v1::{Body, HeadSignature};
use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use prost::Message as _;
use serde_json::Value;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

/// What a head of service does.
#[derive(Debug, Subcommand)]
pub enum HeadCommand {
    /// Sign a list of designated officials or an accord, and print the completed message
    Sign(SignArgs),
}

/// Whether what is signed has legal effect.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Environment {
    Production,
    Test,
}

/// Signs a message of the kind DESIGNATION_NOTICE or ACCORD.
#[derive(Debug, Args)]
#[command(
    after_help = "The file is a message as `article6 send` takes it, of the kind DESIGNATION_NOTICE or ACCORD; signatures and \
    digest may be missing. Of an accord the first head signs, hands the printed message over, and the second head adds his \
    signature to it. No daemon and no network is needed.\n\nExit codes: 0 signed, 1 it cannot be, 2 usage."
)]
pub struct SignArgs {
    /// The message, as JSON
    #[arg(value_name = "FILE")]
    message: PathBuf,
    /// The head's key, PKCS#8 PEM, on P-256 or P-384
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Its certificate, PEM: the one that both daemons have as head_certificate or peer_head_certificate
    #[arg(long, value_name = "FILE")]
    certificate: PathBuf,
    /// Whether it is for real traffic or for a rehearsal: a signature for one is none for the other
    #[arg(long, value_enum, ignore_case = true)]
    environment: Environment,
    /// The agreement
    #[arg(long, value_name = "ID")]
    agreement: String,
    /// The Party whose head signs
    #[arg(long, value_name = "COUNTRY")]
    party: String,
    /// Who signs, as he is to be shown; 1 to 200 characters
    #[arg(long, value_name = "NAME")]
    signatory: String,
    /// When it is signed (RFC 3339); else now
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// Write the message to this file; else to standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Runs the command.
pub fn run(command: &HeadCommand) -> ExitCode {
    let HeadCommand::Sign(args) = command;
    match sign(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => no(format_args!("{error:#}")),
    }
}

fn sign(args: &SignArgs) -> anyhow::Result<()> {
    let text = std::fs::read(&args.message).with_context(|| args.message.display().to_string())?;
    let document: Value = serde_json::from_slice(&text).context("the message is not JSON")?;
    let (_, body) = message_from_json(&document).map_err(|found| mapping(&found))?;
    let signed = complete(args, body)?;
    let found = rules::check("article6.assistance.v1.Body", &signed.encode_to_vec());
    if let Some(first) = found.first() {
        anyhow::bail!("{}: {} ({})", first.field, first.description, first.code);
    }
    let mut printed = to_json(&signed);
    if let (Some(printed), Some(given)) = (printed.as_object_mut(), document.as_object()) {
        for key in ENVELOPE_KEYS {
            if let Some(value) = given.get(key) {
                printed.insert(key.to_owned(), value.clone());
            }
        }
    }
    let printed = serde_json::to_string_pretty(&printed)? + "\n";
    match &args.out {
        Some(path) => write(path, printed.as_bytes()),
        None => {
            print!("{printed}");
            Ok(())
        }
    }
}

fn mapping(found: &[JsonViolation]) -> anyhow::Error {
    let first = found.first().map(|it| format!("{}: {} ({})", it.field, it.description, it.code));
    anyhow::anyhow!("the message is not as it must be: {}", first.unwrap_or_default())
}

/// The body with the digest of what it says and one signature more; an earlier one of the same Party is replaced.
fn complete(args: &SignArgs, mut body: Body) -> anyhow::Result<Body> {
    match &mut body.content {
        Some(Content::DesignationNotice(list)) => {
            let digest = list_digest(&args.agreement, &args.party, list);
            list.signature = Some(signature(args, Subject::DesignationList, &digest)?);
        }
        Some(Content::Accord(accord)) => {
            let digest = accord_digest(&args.agreement, accord);
            if accord.digest != digest.as_bytes().as_slice() {
                anyhow::ensure!(
                    accord.signatures.is_empty(),
                    "the digest is not of what the accord says, and it is signed already: take the signatures and the \
                     digest out and have both heads sign anew"
                );
                accord.digest = digest.to_bytes();
            }
            accord.signatures.retain(|it| it.party != args.party);
            accord.signatures.push(signature(args, Subject::Accord, &digest)?);
        }
        _ => anyhow::bail!("heads of service sign messages of the kinds DESIGNATION_NOTICE and ACCORD alone"),
    }
    Ok(body)
}

fn signature(args: &SignArgs, subject: Subject, digest: &Digest) -> anyhow::Result<HeadSignature> {
    let pem = std::fs::read(&args.certificate).with_context(|| args.certificate.display().to_string())?;
    let certificate = Certificate::from_pem(&pem).with_context(|| args.certificate.display().to_string())?;
    let key: SigningKey = files::signing_key(&args.key, certificate)?;
    let environment = match args.environment {
        Environment::Production => "PRODUCTION",
        Environment::Test => "TEST",
    };
    let ground = Ground { environment, agreement: &args.agreement };
    let content = statement(ground, &args.party, subject, digest, &args.signatory);
    let seconds = args.at.unwrap_or_else(Timestamp::now).as_second();
    let since = Duration::from_secs(u64::try_from(seconds).context("the time lies before 1970")?);
    let signed = cms::sign(&key, &content, SystemTime::UNIX_EPOCH + since)?;
    Ok(HeadSignature {
        party: args.party.clone(),
        signatory: args.signatory.clone(),
        signed_at: Some(prost_types::Timestamp { seconds, nanos: 0 }),
        key_id: key.key_id().to_bytes(),
        signature: signed.into(),
    })
}
