//! What the demonstration shows at its end.

use comfy_table::{Table, presets::UTF8_BORDERS_ONLY};
use std::time::Duration;

/// One message's way.
#[derive(Debug, Clone)]
pub struct Journey {
    /// What it is, and where its text comes from.
    pub message: String,
    /// The sending Party.
    pub from: String,
    /// The receiving Party.
    pub to: String,
    /// Place in the sender's chain.
    pub sequence: u64,
    /// From submission to the receipt, as the sending back office saw it.
    pub delivered_after: Duration,
    /// The receipt was verified here once more, independently of the daemon.
    pub receipt_verified: bool,
    /// The receiving back office took it over.
    pub handed_over: bool,
}

/// The journeys as a table.
pub fn table(journeys: &[Journey]) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_BORDERS_ONLY);
    table.set_header([
        "message",
        "from",
        "to",
        "sequence",
        "delivered after",
        "receipt verified",
        "handed over",
    ]);
    for journey in journeys {
        table.add_row([
            journey.message.clone(),
            journey.from.clone(),
            journey.to.clone(),
            journey.sequence.to_string(),
            format!("{:.1} ms", journey.delivered_after.as_secs_f64() * 1000.0),
            yes(journey.receipt_verified).to_owned(),
            yes(journey.handed_over).to_owned(),
        ]);
    }
    table.to_string()
}

fn yes(is_so: bool) -> &'static str {
    if is_so { "yes" } else { "NO" }
}
