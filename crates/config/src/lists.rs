use std::path::Path;

use quivive_lists::{List, ListError};

use crate::Problem;
use crate::problem::quoted;
use crate::reading::Reading;
use crate::section::Section;
use crate::settings::settings;
use crate::value::Word;

/// How many lists of one kind there may be: each is asked about every client.
pub const LISTS_MAX: usize = 20;

settings! {
    /// Which DNS block lists are asked (RFC 5782).
    pub struct Dnsbl: Default {
        /// The lists: ZONE, or ZONE=CODES where not all answers count; CODES is 127.0.0.2 or
        /// 127.0.0.[2..11;20]. Each has a finding of its own. Many ask that their users register.
        lists: Vec<List> = Vec::new(); Live, Now;
    }
    check few_block_lists
}

settings! {
    /// Which DNS white lists are asked (RFC 8904).
    pub struct Dnswl: Default {
        /// The lists, as those of `[dnsbl]`. A `pass` with the action "accept" stops later
        /// findings.
        lists: Vec<List> = Vec::new(); Live, Now;
    }
    check few_white_lists
}

impl Word for List {
    const KIND: &'static str = "a list";
    const EXAMPLE: &'static str = "bl.example.test=127.0.0.[2..11]";

    fn parse(text: &str, _: &Path) -> Result<Self, Problem> {
        text.parse().map_err(|error| {
            let error = match error {
                ListError::Zone(zone) => ListError::Zone(quoted(&zone)),
                ListError::Codes(codes) => ListError::Codes(quoted(&codes)),
            };
            Problem::Invalid(error.to_string())
        })
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

fn few_block_lists(lists: &Dnsbl, section: &Section<'_>, reading: &mut Reading<'_>) {
    few(&lists.lists, section, reading);
}

fn few_white_lists(lists: &Dnswl, section: &Section<'_>, reading: &mut Reading<'_>) {
    few(&lists.lists, section, reading);
}

fn few(lists: &[List], section: &Section<'_>, reading: &mut Reading<'_>) {
    if lists.len() > LISTS_MAX {
        let problem = Problem::TooMany { what: "lists", found: lists.len(), max: LISTS_MAX };
        reading.error(&section.key_span(&["lists"]), problem);
    }
}
