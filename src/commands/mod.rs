//! What the commands of the program do, one file or folder each. Nothing else uses this room.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "commands talk to people through their terminal"
)]

pub mod backup;
pub mod bench;
mod bundle;
pub mod certs;
pub mod client;
pub mod config;
pub mod demo;
pub mod dispute;
pub mod evidence;
pub mod head;
pub mod homes;
pub mod index;
pub mod init;
pub mod json;
pub mod ledger;
pub mod restore;
pub mod revoke;
pub mod serve;
pub mod statement;
pub mod trust;
pub mod verify;
mod whole;

use crate::app::AppError;
use crate::config::{Mistake, Settings};
use clap::{Parser, Subcommand};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The answer is no: damage found, refused, failed.
pub const NO: u8 = 1;
/// The configuration is wrong (sysexits.h, EX_CONFIG).
pub const CONFIGURATION: u8 = 78;

/// Carries requests for assistance and their answers between two customs services: signed, receipted, provable.
#[derive(Debug, Parser)]
#[command(
    name = "article6",
    version,
    about,
    after_help = "Exit codes: 0 done, 1 the answer is no, 2 usage, 78 configuration.\nFirst steps: article6 demo"
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Create a Party's store, with its keys at rest and its offline recovery key
    Init(init::InitArgs),
    /// Run the daemon
    Serve(serve::ServeArgs),
    #[command(flatten)]
    Client(client::ClientCommand),
    /// Verify a store offline: frames, hashes, tree, checkpoints, signatures, chains, receipts; or a bundle of evidence
    Verify(verify::VerifyArgs),
    /// Look at a configuration
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Copy a store while its daemon runs
    Backup(backup::BackupArgs),
    /// Let a store that was put back from a backup go on
    Restore(restore::RestoreArgs),
    /// Revoke stolen keys with the offline recovery key
    Revoke(revoke::RevokeArgs),
    /// Work on the query index
    #[command(subcommand)]
    Index(index::IndexCommand),
    /// Hand out what others may have of a ledger
    #[command(subcommand)]
    Ledger(ledger::LedgerCommand),
    /// Make what proves messages to others
    #[command(subcommand)]
    Evidence(evidence::EvidenceCommand),
    /// Judge claim by claim what two Parties may say against each other
    Dispute(dispute::DisputeArgs),
    /// Say, signed, what the ledger holds of a period; hold it against the other Party's statement
    Statement(statement::StatementArgs),
    /// See whose keys are trusted, and trust those whose words were heard
    #[command(subcommand)]
    Trust(trust::TrustCommand),
    /// Sign what only a head of service signs, away from the daemon
    #[command(subcommand)]
    Head(head::HeadCommand),
    /// Make certificates
    #[command(subcommand)]
    Certs(certs::CertsCommand),
    /// Show both Parties at work on this machine: six cases from request to close, receipts, verified stores
    Demo(demo::DemoArgs),
    /// Measure the whole exchange against a bare echo
    Bench(bench::BenchArgs),
}

/// The configuration file of a command.
#[derive(Debug, Clone, clap::Args)]
pub struct ConfigArg {
    /// The configuration file
    #[arg(long = "config", value_name = "FILE", env = "ARTICLE6_CONFIG", default_value = "article6.toml")]
    pub path: PathBuf,
}

impl ConfigArg {
    /// Reads the settings; prints every mistake and gives the exit code otherwise.
    pub fn read(&self) -> Result<Settings, ExitCode> {
        self.told(crate::config::read(&self.path))
    }

    /// Reads the settings and the files they name; prints every mistake and gives the exit code otherwise.
    pub fn check(&self) -> Result<Settings, ExitCode> {
        self.told(crate::config::check(&self.path, None))
    }

    fn told(&self, read: Result<Settings, Vec<Mistake>>) -> Result<Settings, ExitCode> {
        read.map_err(|mistakes| {
            tell(&self.path, &mistakes);
            ExitCode::from(CONFIGURATION)
        })
    }
}

/// Prints every mistake of a configuration.
pub fn tell(path: &Path, mistakes: &[Mistake]) {
    for mistake in mistakes {
        eprintln!("{mistake}");
    }
    eprintln!("{} mistake(s) in {} and the files it names", mistakes.len(), path.display());
}

/// Parses the command line and runs one command.
pub fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Init(args) => init::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Client(command) => client::main(command),
        Command::Verify(args) => verify::run(&args).unwrap_or_else(|error| no(format_args!("{error:#}"))),
        Command::Config(command) => config::run(&command),
        Command::Backup(args) => backup::run(&args),
        Command::Restore(args) => restore::run(&args),
        Command::Revoke(args) => revoke::run(&args),
        Command::Index(command) => index::run(&command),
        Command::Ledger(command) => ledger::run(&command),
        Command::Evidence(command) => evidence::run(&command),
        Command::Dispute(args) => dispute::run(&args).unwrap_or_else(|error| no(format_args!("{error:#}"))),
        Command::Statement(args) => statement::run(&args),
        Command::Trust(command) => trust::run(&command),
        Command::Head(command) => head::run(&command),
        Command::Certs(command) => certs::run(&command),
        Command::Demo(args) => demo::run(&args),
        Command::Bench(args) => bench::run(&args),
    }
}

/// Prints why the daemon or its store cannot be used: 78 where the configuration is at fault, 1 otherwise.
pub fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("article6: {error:#}");
    let configuration = error.downcast_ref::<AppError>().is_some_and(AppError::is_configuration);
    ExitCode::from(if configuration { CONFIGURATION } else { NO })
}

/// Prints why the answer is no.
pub fn no(error: impl std::fmt::Display) -> ExitCode {
    eprintln!("article6: {error}");
    ExitCode::from(NO)
}
