//! `article6 verify FILE`: what a bundle proves, told line by line.

use super::{NO, no};
use crate::crypto::digest::Digest;
use crate::evidence::bundle::{BUNDLE_BYTES_MAX, Because, Claim, Named, Proven, Trusted, check};
use anyhow::Context as _;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

/// Reads a file that is at most as long as a bundle may be, and a byte more.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let file = File::open(path).with_context(|| path.display().to_string())?;
    let mut bytes = Vec::new();
    file.take(BUNDLE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Verifies a bundle and tells what it proves.
pub(super) fn verify(path: &Path, named: &[Named], json: bool) -> anyhow::Result<ExitCode> {
    let proven = match check(&read(path)?) {
        Ok(proven) => proven,
        Err(fault) if json => {
            println!("{}", serde_json::json!({ "sound": false, "fault": fault.to_string(), "claims": [] }));
            return Ok(ExitCode::from(NO));
        }
        Err(fault) => return Ok(no(format_args!("the bundle proves nothing: {fault}"))),
    };
    let trusted = proven.trusted(named);
    let claims = proven.claims();
    let rests = claims.iter().any(|claim| is_trusted(claim, &trusted));
    if json {
        println!("{}", serde_json::to_string_pretty(&told(&proven, &claims, &trusted))?);
    } else {
        print!("{}", plain(&proven, &claims, &trusted, named));
    }
    if rests {
        return Ok(ExitCode::SUCCESS);
    }
    let hint = if named.is_empty() {
        "name a key you trust with --trust PARTY=sha256:HEX"
    } else {
        "none of the keys is one you trust as a key of its Party"
    };
    Ok(no(format_args!("everything in the bundle holds, but it proves nothing about anybody: {hint}")))
}

fn is_trusted(claim: &Claim, trusted: &Trusted) -> bool {
    trusted.contains_key(&(claim.party.clone(), claim.key))
}

/// Whose keys the trusted ones are, and who says so.
fn holders(proven: &Proven, trusted: &Trusted, named: &[Named]) -> Vec<String> {
    let mut lines = Vec::new();
    if !trusted.is_empty() {
        lines.push("Trusted keys:".to_owned());
    }
    for ((party, key), because) in trusted {
        let why = match because {
            Because::Named => "as you said".to_owned(),
            Because::Listed => format!(
                "WARNING: so the bundle says, and is believed; to say it yourself: --trust {party}=sha256:{key}"
            ),
            Because::Introduced => format!("a trusted key of {party} introduced it"),
        };
        lines.push(format!("- sha256:{key} is a key of {party} ({why})"));
    }
    for Named { party, key } in named {
        let listed = proven.keys.iter().find(|(_, listed)| listed == key);
        if let (Some(said), Some((listed, _))) = (party, listed)
            && said != listed
        {
            lines.push(format!(
                "WARNING: sha256:{key} is {said}'s, as you said; the bundle says it is {listed}'s and cannot be right"
            ));
        }
    }
    lines
}

fn plain(proven: &Proven, claims: &[Claim], trusted: &Trusted, named: &[Named]) -> String {
    let mut lines = holders(proven, trusted, named);
    let (known, unknown): (Vec<_>, Vec<_>) = claims.iter().partition(|claim| is_trusted(claim, trusted));
    if !known.is_empty() {
        lines.push("Proven:".to_owned());
        lines.extend(known.iter().map(|claim| format!("- {}", claim.sentence)));
    }
    let keys: BTreeSet<_> = unknown.iter().map(|claim| (claim.party.as_str(), claim.key)).collect();
    for (party, key) in keys {
        lines.push(format!("Proven only if sha256:{key} is a key of {party}, which you did not say:"));
        let of_key = unknown.iter().filter(|claim| claim.key == key && claim.party == party);
        lines.extend(of_key.map(|claim| format!("- {}", claim.sentence)));
    }
    lines.push("Not proven:".to_owned());
    lines.extend(proven.gaps().iter().map(|gap| format!("- {gap}")));
    lines.join("\n") + "\n"
}

fn told(proven: &Proven, claims: &[Claim], trusted: &Trusted) -> serde_json::Value {
    let claim = |claim: &Claim| {
        serde_json::json!({
            "code": claim.code,
            "sentence": claim.sentence,
            "party": claim.party,
            "key": format!("sha256:{}", claim.key),
            "trusted": is_trusted(claim, trusted),
        })
    };
    let holder = |((party, key), because): (&(String, Digest), &Because)| {
        let because = match because {
            Because::Named => "NAMED",
            Because::Listed => "LISTED",
            Because::Introduced => "INTRODUCED",
        };
        serde_json::json!({ "party": party, "key": format!("sha256:{key}"), "because": because })
    };
    serde_json::json!({
        "sound": true,
        "trustedKeys": trusted.iter().map(holder).collect::<Vec<_>>(),
        "claims": claims.iter().map(claim).collect::<Vec<_>>(),
        "notProven": proven.gaps(),
        "sender": proven.envelope.sender,
        "recipient": proven.envelope.recipient,
        "sequence": proven.envelope.sequence,
        "envelope": proven.envelope_digest.to_string(),
        "earliest": proven.earliest.map(|it| it.at),
        "latest": proven.latest.map(|it| it.at),
    })
}
