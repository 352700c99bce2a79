//! The back-office client, for people and for scripts.
//!
//! Reading order: [`profile`] where the daemon is and who calls · [`office`] the calls · [`submission`] from a file to a
//! submission · [`words`] a message for people and for scripts · [`trouble`], `advice` what goes wrong and what to do
//! next · `send`, `inbox`, `watch`, `show`, `list`, `case`, `draft`, `codes`, `status`,
//! `prove` the commands · `keep` files of messages taken over ·
//! `output` what is written where.
//!
//! Results go to standard output, everything else to standard error. With `--json` both are one object a line.

mod advice;
mod case;
mod codes;
mod draft;
mod inbox;
mod keep;
mod list;
mod names;
pub mod office;
mod output;
pub mod profile;
mod prove;
mod send;
mod show;
mod status;
pub mod submission;
mod treaty;
pub mod trouble;
mod watch;
pub mod words;

pub use office::BackOffice;
pub use profile::Profile;
pub use submission::{SuggestedOfficial, submission_from_json};
pub use trouble::ClientError;

use output::Output;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::ExitCode;

/// The commands of the client.
#[derive(Debug, clap::Subcommand)]
pub enum ClientCommand {
    /// Send messages of the agreement, each written as a JSON file
    Send(send::Send),
    /// Take over what the other Party sent since the last time
    Inbox(inbox::Inbox),
    /// Follow what arrives and what becomes of what was sent, until interrupted
    Watch(watch::Watch),
    /// Show one message
    Show(show::Show),
    /// List messages, newest first
    List(list::List),
    /// Show cases: where each stands, what waits for whom, what is owed
    Case(case::CaseCommand),
    /// Show the code lists and their codes
    Codes(codes::CodesCommand),
    /// Write, review and release drafts (four eyes)
    Draft(draft::DraftCommand),
    /// Show where the delivery of messages stands, and what that means
    Status(status::Status),
    /// Fetch the bundle that proves a message to others
    Prove(prove::Prove),
    /// Show what is in force between the Parties, and record its dates with two persons
    Treaty(treaty::Treaty),
}

const PROFILE_HELP: &str = "\
The profile is a small TOML file; its paths are taken from its own folder:

  address = \"127.0.0.1:7602\"            # the daemon's back-office door
  server_name = \"localhost\"             # the name in the door's certificate
  certificate = \"client-backoffice.pem\" # this client's certificate
  key = \"client-backoffice.key\"         # and its key
  authority = \"backoffice-ca.pem\"       # who certified the door
  official = \"KZ-DO-0007\"               # whom calls are made for, unless --official says otherwise
  purpose = \"ASSESS_DUTIES_TAXES\"       # what `inbox --out` reads content for, unless --purpose says otherwise

Exit codes: 0 done; 1 refused or failed; 2 wrong use; 78 mistakes in the profile.";

/// What every command takes.
#[derive(Debug, clap::Args)]
struct Common {
    /// The profile: where the daemon is and who calls
    #[arg(long, value_name = "FILE", env = "ARTICLE6_PROFILE", default_value = "client.toml")]
    profile: PathBuf,
    /// The official to act for (Article 6.1); else the profile's
    #[arg(long, value_name = "ID", value_parser = profile::identifier)]
    official: Option<String>,
    /// Write one JSON object a line, errors too
    #[arg(long)]
    json: bool,
}

impl Common {
    fn profile(&self) -> Result<Profile, ClientError> {
        Ok(Profile::read(&self.profile)?.acting_for(self.official.clone()))
    }

    async fn connect(&self) -> Result<BackOffice, ClientError> {
        BackOffice::connect(&self.profile()?).await
    }

    fn output(&self) -> Output {
        Output { json: self.json }
    }
}

/// Runs a command to its end, in a runtime of its own.
pub fn main(command: ClientCommand) -> ExitCode {
    match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => {
            let code = runtime.block_on(run(command));
            // A look-up of a name that nobody waits for any more must not hold the process.
            runtime.shutdown_background();
            code
        }
        Err(error) => super::no(error),
    }
}

/// Runs a command. What went wrong is written to standard error, with what to do next.
pub async fn run(command: ClientCommand) -> ExitCode {
    let (output, done) = match command {
        ClientCommand::Send(send) => (send.common.output(), send.run().await),
        ClientCommand::Inbox(inbox) => (inbox.common.output(), inbox.run().await),
        ClientCommand::Watch(watch) => (watch.common.output(), watch.run().await),
        ClientCommand::Show(show) => (show.common.output(), show.run().await),
        ClientCommand::List(list) => (list.common.output(), list.run().await),
        ClientCommand::Treaty(treaty) => (treaty.common().output(), treaty.run().await),
        ClientCommand::Prove(prove) => (prove.common.output(), prove.run().await),
        ClientCommand::Case(case) => (case.common().output(), case.run().await),
        ClientCommand::Codes(codes) => (codes.common().output(), codes.run().await),
        ClientCommand::Draft(draft) => (draft.common().output(), draft.run().await),
        ClientCommand::Status(status) => (status.common.output(), status.run().await),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read the output has seen enough, as `head` has.
        Err(error @ ClientError::Output(ErrorKind::BrokenPipe)) => error.exit_code(),
        Err(error) => {
            output.error(&error);
            error.exit_code()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Program {
        #[command(subcommand)]
        command: ClientCommand,
    }

    fn parse(line: &str) -> Result<ClientCommand, clap::error::ErrorKind> {
        let words = std::iter::once("client").chain(line.split_whitespace());
        Program::try_parse_from(words).map(|program| program.command).map_err(|error| error.kind())
    }

    #[test]
    fn the_command_line_is_sound() {
        <Program as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn commands_are_used_as_they_say() {
        for line in [
            "send a.json b.json --json",
            "send - --request-id r-1 --reply-to 0198f000-0000-7000-8000-00000000000a --official KZ-DO-0007",
            "inbox",
            "inbox --out d",
            "inbox --out d --purpose administrative-proceeding --wait 3",
            "watch --from 00000000-1 --purpose ASSESS_DUTIES_TAXES",
            "show messages/0198f000-0000-7000-8000-00000000000a",
            "list --direction sent --state stalled --case 0198f000-0000-7000-8000-000000000003 --limit 5",
            "case list --filter waits-for-us --limit 3",
            "case list --filter EXECUTING",
            "case summary --json",
            "draft create a.json --official KZ-CO-0001",
            "draft return drafts/0198f000-0000-7000-8000-000000000003 --reason why",
            "draft release drafts/0198f000-0000-7000-8000-000000000003 --token-key k.pem --json",
            "case show cases/0198f000-0000-7000-8000-000000000003 --json",
            "case compare 0198f000-0000-7000-8000-000000000003 --purpose judicial_proceeding",
            "codes list --json",
            "codes show UNECE_REC_20",
            "codes show iso-4217 KZT",
            "status",
            "prove 0198f000-0000-7000-8000-00000000000a --purpose judicial_proceeding --out d",
            "prove --case 0198f000-0000-7000-8000-000000000003",
            "treaty show --json",
            "treaty propose-dates --notified-on 2000-05-23 --reason notes --evidence note-1",
            "treaty approve orders/0198f000-0000-7000-8000-00000000000a --reason checked --official US-TA-2",
        ] {
            assert!(parse(line).is_ok(), "{line}: {:?}", parse(line));
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in [
            "send",
            "inbox --wait -1",
            "watch --purpose CURIOSITY",
            "show",
            "prove",
            "treaty propose-dates --notified-on 2000-02-31 --reason notes",
            "treaty approve --reason checked",
            "list --limit 0",
            "list --state unspecified",
            "case list --filter nobody",
            "codes show",
            "codes show no/list",
            "case compare 0198f000-0000-7000-8000-000000000003",
            "status --official no/slash",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[tokio::test]
    async fn a_missing_profile_ends_with_78() {
        let command = parse("status --profile /nowhere/client.toml").unwrap();
        assert_eq!(run(command).await, ExitCode::from(78));
    }
}
