//! `article6 dispute`: two Parties' files, laid side by side.

use super::bundle;
use super::trust::holder;
use crate::evidence::bundle::{Named, check};
use crate::evidence::dispute::{Exhibit, Judgement, Verdict, judge};
use crate::evidence::exported::Exported;
use crate::evidence::statement::Signed;
use anyhow::Context as _;
use jiff::Timestamp;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Judges claim by claim what two Parties may say against each other, by what both of them signed.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Each claim is PROVEN, REFUTED or UNDECIDABLE. Without --trust the keys count that both files give for the \
    same Party, of two statements none; with it, only those named and what they introduced. Silence proves nothing.\n\n\
    Exit codes: 0 judged, 1 a file proves nothing or cannot be read, 2 usage."
)]
pub struct DisputeArgs {
    /// Our bundle, the folder of our exported ledger, or our statement of a period
    #[arg(value_name = "OURS")]
    ours: PathBuf,
    /// Theirs
    #[arg(value_name = "THEIRS")]
    theirs: PathBuf,
    /// Fingerprint of a key whose holder is known, as for `verify`; may be repeated. Without PARTY= the files are believed
    /// about whose key it is
    #[arg(long, value_name = "[PARTY=]FINGERPRINT", value_parser = holder)]
    trust: Vec<Named>,
    /// The time that a message is said to have been sent or received by (RFC 3339, such as 2026-11-25T12:00:00Z)
    #[arg(long, value_name = "TIME")]
    by: Option<Timestamp>,
    /// Print the judgements as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// A file that cannot be read or proves nothing.
pub fn run(args: &DisputeArgs) -> anyhow::Result<ExitCode> {
    let (ours, theirs) = (exhibit(&args.ours)?, exhibit(&args.theirs)?);
    let by = args.by.and_then(|by| u64::try_from(by.as_second()).ok());
    let judgements = judge(&ours, &theirs, &args.trust, by);
    if args.json {
        let told: Vec<_> = judgements.iter().map(json).collect();
        println!("{}", serde_json::to_string_pretty(&told)?);
    } else {
        for judgement in &judgements {
            println!(
                "{:<12} {}\n             Because {}.",
                word(judgement.verdict),
                judgement.claim,
                judgement.why
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn exhibit(path: &Path) -> anyhow::Result<Exhibit> {
    if path.is_dir() {
        let exported = Exported::read(|name| std::fs::read(path.join(name)).ok());
        return exported.map(Exhibit::Ledger).with_context(|| path.display().to_string());
    }
    let file = bundle::read(path)?;
    if Signed::is_named_so(&file) {
        let signed = String::from_utf8(file).with_context(|| path.display().to_string())?;
        let signed = Signed::open(&signed).with_context(|| path.display().to_string())?;
        return Ok(Exhibit::Statement(Box::new(signed)));
    }
    let proven = check(&file);
    let proven = proven.with_context(|| format!("{} proves nothing", path.display()))?;
    Ok(Exhibit::Bundle(Box::new(proven)))
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Proven => "PROVEN",
        Verdict::Refuted => "REFUTED",
        Verdict::Undecidable => "UNDECIDABLE",
    }
}

fn json(judgement: &Judgement) -> serde_json::Value {
    serde_json::json!({
        "code": judgement.code,
        "claim": judgement.claim,
        "verdict": word(judgement.verdict),
        "why": judgement.why,
    })
}
