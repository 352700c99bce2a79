//! `prove`: bundles of evidence from a running daemon.

use super::list::newest;
use super::trouble::ClientError;
use super::{Common, PROFILE_HELP, keep, names};
use crate::backoffice::v1::ListMessagesRequest;
use crate::wire::assistance::v1::Purpose;
use std::path::PathBuf;

const HELP: &str = "\
A bundle is a zip file that proves a message and needs nothing else; anybody can check it, without network:

  article6 prove 0198f000-… --purpose JUDICIAL_PROCEEDING
  article6 verify 0198f000-….zip --trust US=sha256:HEX

It holds the content: the daemon records who read it and for what (Article 3.1).";

/// Fetches the bundle that proves a message.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP, after_long_help = format!("{HELP}\n\n{PROFILE_HELP}"))]
pub struct Prove {
    /// The message: messages/UUID, or the UUID alone
    #[arg(value_parser = names::message, required_unless_present = "case", conflicts_with = "case")]
    name: Option<String>,
    /// Every message of a case instead: cases/UUID, or the UUID alone
    #[arg(long, value_parser = names::case)]
    case: Option<String>,
    /// What the evidence is for
    #[arg(long, value_parser = names::purpose)]
    purpose: Option<Purpose>,
    /// The folder to write to
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    #[command(flatten)]
    pub(super) common: Common,
}

impl Prove {
    pub(super) async fn run(&self) -> Result<(), ClientError> {
        let profile = self.common.profile()?;
        let purpose = self.purpose.or(profile.purpose).ok_or(ClientError::Usage(
            "evidence holds content: say what it is for with --purpose, or `purpose` in the profile",
        ))?;
        let office = self.common.connect().await?;
        let names = match (&self.name, &self.case) {
            (Some(name), _) => vec![name.clone()],
            (None, case) => {
                let of_case = ListMessagesRequest {
                    case: case.clone().unwrap_or_default(),
                    ..ListMessagesRequest::default()
                };
                let found = newest(&office, of_case, u32::MAX).await?;
                found.into_iter().rev().map(|message| message.name).collect()
            }
        };
        // All are fetched before the first is written: an export that is denied in part leaves nothing (Article 3.1).
        let mut bundles = Vec::with_capacity(names.len());
        for name in names {
            let (bundle, file_name) = office.evidence(&name, purpose).await?;
            bundles.push((name, bundle, file_name));
        }
        keep::folder(&self.out)?;
        for (name, bundle, file_name) in bundles {
            let path = keep::bundle(&self.out, &file_name, &bundle)?;
            let told = path.display().to_string();
            self.common
                .output()
                .result(|| serde_json::json!({ "name": name, "file": told }), || told.clone())?;
        }
        Ok(())
    }
}
