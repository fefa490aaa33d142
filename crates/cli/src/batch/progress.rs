use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};

/// How far a batch has come, on standard error where that is a terminal.
pub(super) struct Progress {
    bar: ProgressBar,
    counts_octets: bool,
}

impl Progress {
    /// Of this many octets of input, where that is known; or else of lines.
    pub(super) fn new(octets: Option<u64>) -> Self {
        let counts_octets = octets.is_some();
        // Answers that go to the same terminal are progress enough.
        if !std::io::stderr().is_terminal() || std::io::stdout().is_terminal() {
            return Self { bar: ProgressBar::hidden(), counts_octets };
        }
        let (bar, template) = match octets {
            Some(octets) => {
                (ProgressBar::new(octets), "{bar:30} {percent:>3} %  {bytes_per_sec}  {eta} left")
            }
            None => (ProgressBar::new_spinner(), "{spinner} {human_pos} lines  {per_sec}"),
        };
        let style = ProgressStyle::with_template(template).expect("the template is well formed");
        Self { bar: bar.with_style(style), counts_octets }
    }

    /// A line of this many octets is done.
    pub(super) fn advance(&self, octets: u64) {
        self.bar.inc(if self.counts_octets { octets } else { 1 });
    }

    /// The end: nothing of it stays.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
