//! Standard output, line by line, and tables for people.

use super::trouble::ClientError;
use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Value, json};
use std::io::{self, IsTerminal as _, Write as _};

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Output {
    /// One JSON object a line, for scripts.
    pub json: bool,
}

impl Output {
    /// Writes one result: `json` for scripts, `words` for people.
    ///
    /// # Errors
    /// [`ClientError::Output`]: whoever read the output is gone.
    pub fn result(
        self,
        json: impl FnOnce() -> Value,
        words: impl FnOnce() -> String,
    ) -> Result<(), ClientError> {
        line(&if self.json { json().to_string() } else { words() })
    }

    /// Writes rows: a table on a terminal, else fields between tabs, without a heading.
    ///
    /// # Errors
    /// As [`Self::result`].
    pub fn table<const N: usize>(
        self,
        heading: [&str; N],
        rows: Vec<[String; N]>,
    ) -> Result<(), ClientError> {
        if !io::stdout().is_terminal() {
            return rows.iter().try_for_each(|row| line(&row.join("\t")));
        }
        let mut table = Table::new();
        table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
        table.set_header(heading);
        for row in rows {
            table.add_row(row);
        }
        line(&table.to_string())
    }

    /// Something worth knowing beside the results, on standard error.
    pub fn note(self, words: &str) {
        // Without a standard error nobody is there to be told.
        let text = if self.json { json!({"note": words}).to_string() } else { format!("note: {words}") };
        let _ = writeln!(io::stderr(), "{text}");
    }

    /// What went wrong, on standard error.
    pub fn error(self, error: &ClientError) {
        let text = if self.json { error.in_json().to_string() } else { error.in_words() };
        let _ = writeln!(io::stderr(), "{text}");
    }
}

fn line(text: &str) -> Result<(), ClientError> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).map_err(|error| ClientError::Output(error.kind()))
}
