//! `show`: one message.

use super::trouble::ClientError;
use super::{Common, PROFILE_HELP, names, words};
use crate::wire::assistance::v1::Purpose;

const HELP: &str = "\
Content is shown only for a declared purpose (Article 3.1), and the daemon records who read it:

  article6 show 0198f000-… --purpose ADMINISTRATIVE_PROCEEDING

Purposes: PREVENT_INVESTIGATE_REPRESS_OFFENCE, ASSESS_DUTIES_TAXES, JUDICIAL_PROCEEDING,
ADMINISTRATIVE_PROCEEDING, TECHNICAL_COOPERATION.";

/// Shows one message.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP, after_long_help = format!("{HELP}\n\n{PROFILE_HELP}"))]
pub struct Show {
    /// The message: messages/UUID, or the UUID alone
    #[arg(value_parser = names::message)]
    name: String,
    /// Show its content, read for this purpose
    #[arg(long, value_parser = names::purpose)]
    purpose: Option<Purpose>,
    #[command(flatten)]
    pub(super) common: Common,
}

impl Show {
    pub(super) async fn run(&self) -> Result<(), ClientError> {
        let message = self.common.connect().await?.get(&self.name, self.purpose).await?;
        self.common.output().result(
            || words::json(&message),
            || {
                let facts = words::facts(&message);
                let lines: Vec<_> = facts.iter().map(|(name, value)| format!("{name:<12}{value}")).collect();
                lines.join("\n")
            },
        )
    }
}
