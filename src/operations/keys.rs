//! What operations staff may ask about keys and certificates; the program joins it with the files.

use std::fmt::Debug;

/// The keys and certificates of the daemon.
pub trait Keys: Debug + Send + Sync {
    /// Reads all files anew and returns how many changed, or leaves everything as it was and says why. Blocks on the
    /// file system.
    fn reload(&self) -> Result<usize, String>;

    /// The doors whose revocation list was to be replaced before now.
    fn stale_lists(&self) -> Vec<&'static str>;
}
