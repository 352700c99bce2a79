//! Keys at rest.
//!
//! ```text
//! key-encryption key (a file outside the store)
//!   ├─ metadata key          seals every record; lives as long as the store
//!   └─ segment keys          one for each journal segment; each wraps the item keys of its segment
//!        └─ item keys        one for each body or document, wrapped in the item's own frame
//! ```
//!
//! Erasing an item means that its wrapped key can no longer be opened. Nothing here ever writes a key in clear.

mod key_file;
mod sealing;
mod segment_keys;

pub use key_file::{KeyFileError, create_key_file, read_key_file};
pub use sealing::{Place, SealError, Sealed};
pub use segment_keys::{Vault, VaultError, is_wrapped_key, wrapped_key_path};
