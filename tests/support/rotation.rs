//! The next keys of a Party, as an operator brings them.

use super::parties::{edit, log};
use article6::commands::homes::Home;
use std::path::Path;
use std::time::Duration;

/// What changes.
pub const FILES: [&str; 5] = ["signing.pem", "signing.key", "ledger.key", "peer.pem", "peer.key"];

/// Names the keys to change to, which are not there yet.
pub fn expect_next(home: &Home, other_authority: &Path) {
    let next = home.folder.join("next");
    let path = |name: &str| format!("{:?}", next.join(name).display().to_string());
    let identity = format!(
        "[identity]\nnext_signing_certificate = {}\nnext_signing_key = {}\nnext_ledger_key = {}",
        path("signing.pem"),
        path("signing.key"),
        path("ledger.key")
    );
    edit(home, "[identity]", &identity);
    let peer = format!("[peer]\nnext_certificate = {}\nnext_key = {}", path("peer.pem"), path("peer.key"));
    edit(home, "[peer]", &peer);
    let authority = format!("authorities = [{:?}, \"", other_authority.display().to_string());
    edit(home, "authorities = [\"", &authority);
    edit(home, "counterparty = ", "key_overlap = \"4s\"\ncounterparty = ");
}

/// Puts the next keys in their place, as an operator would.
pub fn bring_next(home: &Home, from: &Path) {
    std::fs::create_dir(home.folder.join("next")).unwrap();
    for name in FILES {
        std::fs::copy(from.join(name), home.folder.join("next").join(name)).unwrap();
    }
}

/// Waits until something was logged so often.
pub async fn logged(home: &Home, text: &str, times: usize) {
    let end = std::time::Instant::now() + Duration::from_secs(60);
    while log(home).matches(text).count() < times {
        assert!(std::time::Instant::now() < end, "{text} is not logged {times} times:\n{}", log(home));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
