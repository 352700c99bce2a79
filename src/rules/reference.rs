//! The reference of all fields, written from the table and the comments.

/// Stub.
pub fn reference() -> String {
    String::new()
}
