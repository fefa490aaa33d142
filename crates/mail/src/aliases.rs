//! An alias table: which addresses stand for which others, as Postfix's virtual(5) writes it.
//!
//! ```text
//! # address              what it stands for
//! info@here.example      someone@there.example
//! team@here.example      a@one.example, b@two.example,
//!                        c@three.example
//! @old.example           new@here.example      everybody at the domain
//! @former.example        @here.example         everybody there, under the same local part
//! ```
//! An address that stands for itself among others is one that is delivered as well.

use std::collections::HashMap;

use crate::{Charset, MailDomain, Mailbox};

/// Octets of a table.
pub const TABLE_OCTETS_MAX: usize = 16 << 20;

/// How many addresses one may stand for, with those behind them.
pub const TARGETS_MAX: usize = 100;

/// How many aliases may stand behind each other.
pub const NESTING_MAX: usize = 10;

/// How many addresses are looked at to find out what one stands for: there may be many ways to the
/// same.
pub const STEPS_MAX: usize = 10_000;

/// Which addresses stand for which others.
#[derive(Debug, Clone, Default)]
pub struct Aliases {
    /// What stands for a mailbox, and for a whole domain, by [`key`].
    entries: HashMap<String, Vec<Target>>,
}

/// What an address stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    Mailbox(Mailbox),
    /// The same local part at this domain.
    Domain(MailDomain),
}

/// Why a table cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct AliasesError {
    /// The line on which the entry begins, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: AliasProblem,
}

/// What is wrong with an entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AliasProblem {
    /// A text that is no address.
    #[error("`{0}` is no address; write user@domain.example, or @domain.example for all of it")]
    Address(String),
    /// An address alone.
    #[error("this address stands for nothing; write what it stands for behind it")]
    NoTarget,
    /// An address for the second time.
    #[error("`{0}` stands in an earlier line already; put all into one")]
    Twice(String),
    /// A line that continues nothing.
    #[error("the first line begins with a blank, as one does that continues another")]
    NothingToContinue,
    /// What it stands for cannot be found out.
    #[error("{0}")]
    Expansion(ExpansionError),
    /// Longer than [`TABLE_OCTETS_MAX`].
    #[error("the table is longer than {TABLE_OCTETS_MAX} octets")]
    TooLong,
}

/// Why nobody can say what an address stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ExpansionError {
    /// It leads back to an address on the way.
    #[error("this address stands for itself by way of others")]
    Circle,
    /// More than [`NESTING_MAX`].
    #[error("more than {NESTING_MAX} aliases stand behind each other")]
    TooDeep,
    /// More than [`TARGETS_MAX`].
    #[error("this address stands for more than {TARGETS_MAX} others")]
    TooMany,
}

impl Aliases {
    /// Reads a table.
    ///
    /// # Errors
    /// The first entry that cannot be used, or that leads nowhere.
    pub fn parse(text: &str) -> Result<Self, AliasesError> {
        if text.len() > TABLE_OCTETS_MAX {
            return Err(AliasesError { line: 1, problem: AliasProblem::TooLong });
        }
        let mut aliases = Self::default();
        let entries = entries(text)?;
        for (line, words) in &entries {
            aliases.add(words).map_err(|problem| AliasesError { line: *line, problem })?;
        }
        for (line, words) in &entries {
            let expanded = words.first().and_then(|word| Alias::parse(word)).map(|alias| {
                let sample = alias.sample();
                aliases.expand(&sample).map_err(AliasProblem::Expansion)
            });
            if let Some(Err(problem)) = expanded {
                return Err(AliasesError { line: *line, problem });
            }
        }
        Ok(aliases)
    }

    fn add(&mut self, words: &[String]) -> Result<(), AliasProblem> {
        let [alias, targets @ ..] = words else { return Ok(()) };
        let key = match Alias::parse(alias) {
            Some(alias) => alias.key(),
            None => return Err(AliasProblem::Address(shortened(alias))),
        };
        if targets.is_empty() {
            return Err(AliasProblem::NoTarget);
        }
        let target = |word: &String| {
            let target = Alias::parse(word).map(Alias::target);
            target.ok_or_else(|| AliasProblem::Address(shortened(word)))
        };
        let targets = targets.iter().map(target).collect::<Result<_, _>>()?;
        match self.entries.insert(key, targets) {
            None => Ok(()),
            Some(_) => Err(AliasProblem::Twice(shortened(alias))),
        }
    }

    /// Whether no address stands for another.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The mailboxes that an address stands for in the end, each once. None: it stands for itself
    /// alone.
    ///
    /// # Errors
    /// It leads in a circle, or too far.
    pub fn expand(&self, mailbox: &Mailbox) -> Result<Option<Vec<Mailbox>>, ExpansionError> {
        if self.entries.is_empty() || self.targets(mailbox).is_none() {
            return Ok(None);
        }
        let mut expansion =
            Expansion { aliases: self, way: Vec::new(), found: Vec::new(), steps: 0 };
        expansion.follow(mailbox)?;
        Ok(Some(expansion.found))
    }

    /// What stands for a sample of each entry, for whoever wants to know before mail comes: the
    /// alias as it is written, and what [`Aliases::expand`] says of it.
    pub fn samples(&self) -> impl Iterator<Item = (&str, Vec<Mailbox>)> {
        self.entries.keys().filter_map(|key| {
            let sample = Alias::parse(key)?.sample();
            Some((key.as_str(), self.expand(&sample).ok()??))
        })
    }

    fn targets(&self, mailbox: &Mailbox) -> Option<&Vec<Target>> {
        let domain = domain_key(mailbox.domain());
        let exact = self.entries.get(&format!("{}{domain}", local_key(mailbox)));
        exact.or_else(|| self.entries.get(&domain))
    }
}

/// A mailbox followed to what it stands for.
struct Expansion<'a> {
    aliases: &'a Aliases,
    /// The aliases on the way, from the first.
    way: Vec<Mailbox>,
    found: Vec<Mailbox>,
    steps: usize,
}

impl Expansion<'_> {
    fn follow(&mut self, mailbox: &Mailbox) -> Result<(), ExpansionError> {
        self.steps += 1;
        if self.steps > STEPS_MAX {
            return Err(ExpansionError::TooMany);
        }
        let Some(targets) = self.aliases.targets(mailbox) else { return self.find(mailbox) };
        if self.way.iter().any(|passed| is_same(passed, mailbox)) {
            return Err(ExpansionError::Circle);
        }
        if self.way.len() == NESTING_MAX {
            return Err(ExpansionError::TooDeep);
        }
        self.way.push(mailbox.clone());
        for target in targets {
            let target = match target {
                Target::Mailbox(target) => target.clone(),
                Target::Domain(domain) => mailbox.at(domain.clone()),
            };
            match is_same(&target, mailbox) {
                true => self.find(&target)?,
                false => self.follow(&target)?,
            }
        }
        self.way.pop();
        Ok(())
    }

    fn find(&mut self, mailbox: &Mailbox) -> Result<(), ExpansionError> {
        if self.found.iter().any(|found| is_same(found, mailbox)) {
            return Ok(());
        }
        if self.found.len() == TARGETS_MAX {
            return Err(ExpansionError::TooMany);
        }
        self.found.push(mailbox.clone());
        Ok(())
    }
}

/// A word of the table: a mailbox or a domain.
enum Alias {
    Mailbox(Mailbox),
    Domain(MailDomain),
}

impl Alias {
    fn parse(word: &str) -> Option<Self> {
        match word.strip_prefix('@') {
            Some(domain) => {
                let domain = MailDomain::parse(domain).ok()?;
                matches!(domain, MailDomain::Name(_)).then_some(Self::Domain(domain))
            }
            None => Mailbox::parse(word.as_bytes(), Charset::Utf8).ok().map(Self::Mailbox),
        }
    }

    fn target(self) -> Target {
        match self {
            Self::Mailbox(mailbox) => Target::Mailbox(mailbox),
            Self::Domain(domain) => Target::Domain(domain),
        }
    }

    fn key(&self) -> String {
        match self {
            Self::Mailbox(mailbox) => local_key(mailbox) + &domain_key(mailbox.domain()),
            Self::Domain(domain) => domain_key(domain),
        }
    }

    /// The mailbox, or one at the domain.
    fn sample(self) -> Mailbox {
        match self {
            Self::Mailbox(mailbox) => mailbox,
            Self::Domain(domain) => Mailbox::postmaster(domain),
        }
    }
}

/// Case does not matter in an alias, as in Postfix.
fn local_key(mailbox: &Mailbox) -> String {
    mailbox.local_part().to_lowercase()
}

/// `@domain`
fn domain_key(domain: &MailDomain) -> String {
    match domain.to_ascii() {
        Some(name) => format!("@{name}"),
        None => format!("@{domain}"),
    }
}

fn is_same(one: &Mailbox, other: &Mailbox) -> bool {
    local_key(one) == local_key(other) && domain_key(one.domain()) == domain_key(other.domain())
}

/// Entries as their words, with the line on which each begins.
type Entries = Vec<(usize, Vec<String>)>;

/// A line that begins with a blank continues the one before it; empty lines and those that begin
/// with `#` do not count.
fn entries(text: &str) -> Result<Entries, AliasesError> {
    let mut entries = Entries::new();
    for (line, content) in (1..).zip(text.lines()) {
        if content.trim().is_empty() || content.trim_start().starts_with('#') {
            continue;
        }
        if !content.starts_with([' ', '\t']) {
            entries.push((line, words(content)));
        } else if let Some((_, entry)) = entries.last_mut() {
            entry.extend(words(content));
        } else {
            return Err(AliasesError { line, problem: AliasProblem::NothingToContinue });
        }
    }
    Ok(entries)
}

/// Words between blanks and commas, save within quotes.
fn words(line: &str) -> Vec<String> {
    let (mut quoted, mut escaped) = (false, false);
    let parts = |character: char| {
        let parts = !quoted && (character.is_whitespace() || character == ',');
        quoted ^= character == '"' && !escaped;
        escaped = quoted && character == '\\' && !escaped;
        parts
    };
    line.split(parts).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// An operator's text as it may stand in a message.
fn shortened(text: &str) -> String {
    let mut shortened: String = text.chars().take(80).flat_map(char::escape_debug).collect();
    if text.chars().nth(80).is_some() {
        shortened.push_str("...");
    }
    shortened
}

#[cfg(test)]
mod tests;
