//! One file per subcommand.

pub mod certs;
