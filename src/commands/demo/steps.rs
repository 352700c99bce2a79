//! How far the demonstration has come: a bar for a terminal, else a line for each step.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal as _;

/// The steps of a run.
pub struct Steps {
    bar: Option<ProgressBar>,
    count: usize,
    done: usize,
}

impl Steps {
    /// So many are to be taken.
    pub fn new(count: usize) -> anyhow::Result<Self> {
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}")?;
        let bar = std::io::stderr().is_terminal().then(|| ProgressBar::new(count as u64).with_style(style));
        Ok(Self { bar, count, done: 0 })
    }

    /// The next one begins.
    pub fn begin(&mut self, title: &str) {
        self.done += 1;
        match &self.bar {
            Some(bar) => bar.set_message(title.to_owned()),
            None => eprintln!("{}/{} {title}", self.done, self.count),
        }
    }

    /// It is done.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    /// All are done.
    pub fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}
