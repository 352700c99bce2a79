//! Parse the command line, run one command, exit.

use std::process::ExitCode;

fn main() -> ExitCode {
    article6::commands::main()
}
