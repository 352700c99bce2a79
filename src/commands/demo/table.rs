//! What the demonstration shows at its end.

use comfy_table::{Table, presets::UTF8_BORDERS_ONLY};
use std::time::Duration;

/// One message of a case.
#[derive(Debug, Clone)]
pub struct Row {
    /// The case.
    pub case: String,
    /// What happens.
    pub step: String,
    /// The Party that speaks.
    pub from: String,
    /// What the message does.
    pub act: String,
    /// Paragraph of the agreement on which that rests.
    pub article: String,
    /// The state of the case after it, at both Parties.
    pub state: String,
    /// From submission to the receipt, as the sending back office saw it.
    pub delivered_after: Duration,
    /// The receipt was verified here once more, independently of the daemon.
    pub receipt_verified: bool,
}

/// The messages as a table; each case is named once.
pub fn table(rows: &[Row]) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_BORDERS_ONLY);
    table.set_header(["case", "step", "from", "act", "article", "state after", "delivered", "receipt"]);
    let mut before = "";
    for row in rows {
        let case = if row.case == before { "" } else { row.case.as_str() };
        before = row.case.as_str();
        let delivered = format!("{:.1} ms", row.delivered_after.as_secs_f64() * 1000.0);
        let receipt = if row.receipt_verified { "verified" } else { "NOT PROVEN" };
        table.add_row([
            case,
            row.step.as_str(),
            row.from.as_str(),
            row.act.as_str(),
            row.article.as_str(),
            row.state.as_str(),
            delivered.as_str(),
            receipt,
        ]);
    }
    table.to_string()
}
