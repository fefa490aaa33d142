use std::path::Path;

use crate::config::array_spans;
use crate::reading::Reading;
use crate::section::Section;
use crate::value::{Word, choose};
use crate::{Config, Door, Problem};

/// What a milter does of SRS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MilterSrs {
    /// Nothing.
    Off,
    /// It rewrites addresses of mail that it judges and marks.
    WithChecks,
    /// It rewrites addresses, and does nothing else.
    Alone,
}

impl MilterSrs {
    const WORDS: [(&'static str, Self); 3] =
        [("off", Self::Off), ("with-checks", Self::WithChecks), ("alone", Self::Alone)];
}

impl Word for MilterSrs {
    const KIND: &'static str = "\"off\", \"with-checks\" or \"alone\"";
    const EXAMPLE: &'static str = "alone";

    fn parse(text: &str, _: &Path) -> Result<Self, Problem> {
        choose("use of SRS", text, Self::WORDS.into_iter())
    }

    fn text(&self) -> String {
        let word = Self::WORDS.iter().find(|(_, srs)| srs == self);
        word.map(|(word, _)| (*word).to_owned()).unwrap_or_default()
    }
}

/// A milter that rewrites has something to rewrite by, and knows who is elsewhere.
pub(crate) fn milters_can_rewrite(
    config: &Config,
    section: &Section<'_>,
    reading: &mut Reading<'_>,
) {
    let spans = array_spans(section, "listen");
    if spans.len() != config.listen.len() {
        return;
    }
    let mut gateways = config.listen.iter().filter(|listen| listen.door == Door::Gateway);
    let knows_own = !config.srs.own_domains.is_empty()
        || gateways.any(|listen| !listen.recipient_domains.is_empty());
    let rewriting = config.listen.iter().zip(&spans);
    for (_, span) in rewriting.filter(|(listen, _)| listen.srs != MilterSrs::Off) {
        let problem = if !config.srs.is_set() {
            "`srs` has nothing to rewrite by; write [srs] with `domain` and `secret_file`"
        } else if !knows_own {
            "`srs` takes every recipient for one elsewhere; name your own domains in [srs] \
             `own_domains`"
        } else {
            continue;
        };
        reading.error(span, Problem::Conflict(problem));
    }
}
