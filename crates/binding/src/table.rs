//! Grants in a text file. It reads as Postfix's `smtpd_sender_login_maps` does, so that such a map
//! can be taken as it is:
//!
//! ```text
//! # who may use what                for what, how, until when
//! alice@e.test      alice           [detail]
//! team@e.test       alice, %support [scopes=from,replyto]
//! @lists.e.test     cert:lists.e.test
//! .printers.e.test  net:192.0.2.0/24
//! <>                *
//! as:boss           secretary
//! %support          bob, carol, %second
//! %second           dave
//! ```

use std::collections::{HashMap, HashSet};

use thiserror::Error;

use crate::address::folded;
use crate::grant::GrantError;
use crate::query::pattern;
use crate::{Grant, Holder, Query, Rules, words};

/// Octets of a table.
pub const TABLE_OCTETS_MAX: usize = 256 * 1024 * 1024;

/// Grants of a table, with every member of a group.
pub const GRANTS_MAX: usize = 5_000_000;

/// A table of grants, by pattern.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GrantTable {
    grants: HashMap<String, Vec<Grant>>,
    count: usize,
}

/// Why a text is no table of grants.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: {fault}")]
pub struct TableError {
    /// Where, counted from 1.
    pub line: usize,
    /// What.
    pub fault: TableFault,
}

/// What is wrong with a line of a table.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TableFault {
    /// What stands first is none.
    #[error(
        "`{0}` is no address; write user@domain, user, user@*, @domain, .domain, *, <>, as:login, \
         or %group"
    )]
    Pattern(String),
    /// The rest is no list of holders with options.
    #[error(transparent)]
    Grant(#[from] GrantError),
    /// A group that is used and nowhere defined.
    #[error("the group %{0} is nowhere defined")]
    NoGroup(String),
    /// A group that is defined twice.
    #[error("the group %{0} is defined in line {1} already")]
    GroupTwice(String, usize),
    /// A group that is in itself.
    #[error("the group %{0} is in itself, by way of {1}")]
    Cycle(String, String),
    /// A group has no options: they belong where it is granted something.
    #[error("a group has members alone; options stand where it is granted something")]
    GroupOptions,
    /// More than [`GRANTS_MAX`].
    #[error("there are more than {GRANTS_MAX} grants, with every member of a group")]
    TooMany,
    /// More than [`TABLE_OCTETS_MAX`].
    #[error("the table is longer than {TABLE_OCTETS_MAX} octets")]
    TooLong,
}

impl GrantTable {
    /// Reads a table. Lines that begin with a blank continue the line above; a line that begins
    /// with `#` is a comment.
    ///
    /// # Errors
    /// The first fault.
    pub fn parse(text: &str, rules: &Rules) -> Result<Self, TableError> {
        if text.len() > TABLE_OCTETS_MAX {
            return Err(TableError { line: 1, fault: TableFault::TooLong });
        }
        let lines: Vec<Line> = logical_lines(text)
            .map(|(number, text)| {
                Line::read(number, &text, rules).map_err(|fault| TableError { line: number, fault })
            })
            .collect::<Result<_, _>>()?;
        let groups = Groups::of(&lines)?;
        let mut table = Self::default();
        for line in &lines {
            let Subject::Pattern(pattern) = &line.subject else { continue };
            for holder in groups.holders(line)? {
                table.add(Grant { pattern: pattern.clone(), holder, ..line.options.clone() });
                if table.count > GRANTS_MAX {
                    return Err(TableError { line: line.number, fault: TableFault::TooMany });
                }
            }
        }
        Ok(table)
    }

    /// Reads one line, in which there are no groups: `PATTERN HOLDER, HOLDER [OPTIONS]`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read_line(text: &str, rules: &Rules) -> Result<Vec<Grant>, TableFault> {
        let line = Line::read(1, text.trim(), rules)?;
        let lines = [line];
        let groups = Groups::of(&lines).map_err(|error| error.fault)?;
        let [line] = &lines;
        let Subject::Pattern(pattern) = &line.subject else {
            return Err(TableFault::Pattern(text.to_owned()));
        };
        let holders = groups.holders(line).map_err(|error| error.fault)?.into_iter();
        let grant = |holder| Grant { pattern: pattern.clone(), holder, ..line.options.clone() };
        Ok(holders.map(grant).collect())
    }

    /// How many grants there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// There is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The entries that answer a query: those of the first pattern that has any.
    pub fn look_up(&self, query: &Query, rules: &Rules) -> Vec<String> {
        let patterns = query.subject.patterns(rules);
        let found = patterns.iter().find_map(|pattern| Some((pattern, self.grants.get(pattern)?)));
        found.map_or_else(Vec::new, |(pattern, grants)| query.entries(pattern, grants))
    }

    fn add(&mut self, grant: Grant) {
        self.count += 1;
        self.grants.entry(grant.pattern.clone()).or_default().push(grant);
    }
}

/// A line, and those that continue it.
struct Line {
    number: usize,
    subject: Subject,
    members: Vec<Member>,
    /// A grant of these options; its pattern and holder mean nothing.
    options: Grant,
}

enum Subject {
    Pattern(String),
    Group(String),
}

enum Member {
    Holder(Holder),
    Group(String),
}

impl Line {
    fn read(number: usize, text: &str, rules: &Rules) -> Result<Self, TableFault> {
        let (word, mut rest) = words::split(text).ok_or(GrantError::Pattern)?;
        let subject = match word.strip_prefix('%') {
            Some(group) if !group.is_empty() => Subject::Group(group.to_lowercase()),
            _ => Subject::Pattern(
                pattern(word, rules).ok_or_else(|| TableFault::Pattern(word.to_owned()))?,
            ),
        };
        let mut members = Vec::new();
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
            let Some((word, after)) = words::split(rest) else { break };
            members.push(Member::read(word, rules)?);
            rest = after;
        }
        if members.is_empty() {
            return Err(GrantError::NoHolder.into());
        }
        let mut options = Grant::new("", Holder::Others);
        options.read_options(rest)?;
        if matches!(subject, Subject::Group(_)) && !rest.trim().is_empty() {
            return Err(TableFault::GroupOptions);
        }
        Ok(Self { number, subject, members, options })
    }
}

impl Member {
    fn read(word: &str, rules: &Rules) -> Result<Self, GrantError> {
        if let Some(group) = word.strip_prefix('%').filter(|group| !group.is_empty()) {
            return Ok(Self::Group(group.to_lowercase()));
        }
        Ok(Self::Holder(match Holder::parse(word)? {
            Holder::Login(login) => Holder::Login(folded(&login, rules)),
            // What stands for others in answers names nobody.
            Holder::Others => return Err(GrantError::Holder(word.to_owned())),
            holder => holder,
        }))
    }
}

/// The groups of a table, each with its members.
struct Groups<'l>(HashMap<&'l str, &'l Line>);

impl<'l> Groups<'l> {
    fn of(lines: &'l [Line]) -> Result<Self, TableError> {
        let mut groups: HashMap<&str, &Line> = HashMap::new();
        for line in lines {
            let Subject::Group(name) = &line.subject else { continue };
            if let Some(known) = groups.insert(name, line) {
                let fault = TableFault::GroupTwice(name.clone(), known.number);
                return Err(TableError { line: line.number, fault });
            }
        }
        let groups = Self(groups);
        // Also one that nobody uses must hold together.
        let defining = lines.iter().filter(|line| line.group().is_some());
        for line in defining {
            groups.holders(line)?;
        }
        Ok(groups)
    }

    /// Everybody whom a line names, its groups taken apart; each once.
    fn holders(&self, line: &'l Line) -> Result<Vec<Holder>, TableError> {
        let error = |fault| TableError { line: line.number, fault };
        let mut holders: Vec<Holder> = Vec::new();
        let (mut known, mut taken_apart) = (HashSet::new(), HashSet::new());
        // The way from the line to the member that is looked at: a group that stands on it is in
        // itself.
        let mut way = vec![(line.group(), line.members.iter())];
        while let Some((_, members)) = way.last_mut() {
            match members.next() {
                None => drop(way.pop()),
                Some(Member::Holder(holder)) => {
                    if known.insert(holder) {
                        holders.push(holder.clone());
                    }
                }
                Some(Member::Group(group)) => {
                    if let Some(at) = way.iter().position(|(name, _)| *name == Some(group)) {
                        let between = way[at..].iter().filter_map(|(name, _)| *name);
                        let between: Vec<String> = between.map(|name| format!("%{name}")).collect();
                        return Err(error(TableFault::Cycle(group.clone(), between.join(", "))));
                    }
                    let Some(found) = self.0.get(&**group) else {
                        return Err(error(TableFault::NoGroup(group.clone())));
                    };
                    if taken_apart.insert(group) {
                        way.push((Some(group), found.members.iter()));
                    }
                }
            }
        }
        Ok(holders)
    }
}

impl Line {
    /// The group that it defines.
    fn group(&self) -> Option<&str> {
        match &self.subject {
            Subject::Group(name) => Some(name),
            Subject::Pattern(_) => None,
        }
    }
}

/// The lines with those that continue them, without comments and empty lines; each with its number.
fn logical_lines(text: &str) -> impl Iterator<Item = (usize, String)> + '_ {
    let mut lines =
        text.lines().map(without_comment).zip(1..).filter(|(line, _)| !line.is_empty()).peekable();
    std::iter::from_fn(move || {
        let (first, number) = lines.next()?;
        let mut line = first.trim().to_owned();
        while let Some((more, _)) = lines.next_if(|(line, _)| line.starts_with([' ', '\t'])) {
            line.push(' ');
            line.push_str(more.trim());
        }
        Some((number, line))
    })
}

/// A line up to the `#` that begins a comment: at its beginning or after a blank, and not in
/// quotes.
fn without_comment(line: &str) -> &str {
    let (mut quoted, mut escaped, mut after_blank) = (false, false, true);
    for (place, character) in line.char_indices() {
        match character {
            '#' if after_blank && !quoted => return line[..place].trim_end(),
            '"' if !escaped => quoted = !quoted,
            _ => {}
        }
        escaped = quoted && character == '\\' && !escaped;
        after_blank = character.is_whitespace();
    }
    line.trim_end()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TABLE: &str = "\
# who may use what
alice@e.test   alice  [detail]
team@e.test    alice,
   %support, %SECOND
   # a comment in between
   [scopes=from,replyto]
@e.test        gw
<>             *
as:boss        Alice
%support       bob, carol, %second
%second        dave, carol
";

    fn table(text: &str) -> Result<GrantTable, TableError> {
        GrantTable::parse(text, &Rules::default())
    }

    /// What a comment says is granted to nobody.
    #[test]
    fn comments_end_lines() {
        for (line, rest) in [
            ("boss@e.test boss # alice may not, said bob", "boss@e.test boss"),
            ("boss@e.test boss\t# *", "boss@e.test boss"),
            ("a@e.test \"al # ice\" # no", "a@e.test \"al # ice\""),
            ("a@e.test \"al \\\" # ice\" # no", "a@e.test \"al \\\" # ice\""),
            ("a#b@e.test alice#1", "a#b@e.test alice#1"),
            ("  # all of it", ""),
        ] {
            assert_eq!(without_comment(line), rest);
        }
        let grants = table("boss@e.test boss # alice, *\n").unwrap();
        assert_eq!(grants.len(), 1);
    }

    fn look_up(table: &GrantTable, key: &str) -> Vec<String> {
        let rules = Rules::default();
        table.look_up(&Query::parse(key, &rules).unwrap(), &rules)
    }

    #[test]
    fn a_table_answers() {
        let table = table(TABLE).unwrap();
        for (key, entries) in [
            ("alice@e.test alice", &["alice@e.test alice [detail]"][..]),
            ("alice+x@e.test alice", &["alice@e.test alice [detail]"]),
            ("alice@e.test gw", &["alice@e.test -"]),
            ("team@e.test dave", &["team@e.test dave [scopes=from,replyto]", "team@e.test -"]),
            ("other@e.test gw", &["@e.test gw"]),
            ("other@e.test alice", &["@e.test -"]),
            ("other@f.test alice", &[]),
            ("<> bob", &["<> *"]),
            ("<> net:192.0.2.1", &["<> -"]),
            ("as:boss alice", &["as:boss alice"]),
        ] {
            assert_eq!(look_up(&table, key), entries, "{key}");
        }
        assert_eq!(table.len(), 8);
    }

    #[test]
    fn a_map_of_postfix_is_a_table() {
        let table = table("alice@e.test alice, bob\n@f.test   carol dave\n").unwrap();
        assert_eq!(look_up(&table, "alice@e.test bob"), ["alice@e.test bob", "alice@e.test -"]);
        assert_eq!(look_up(&table, "x@f.test dave"), ["@f.test dave", "@f.test -"]);
        assert!(super::GrantTable::parse("", &Rules::default()).unwrap().is_empty());
    }

    #[test]
    fn grants_of_one_pattern_add_up() {
        let table = table("a@e.test alice [detail]\nA@E.test bob\n").unwrap();
        assert_eq!(look_up(&table, "a@e.test bob"), ["a@e.test bob", "a@e.test -"]);
    }

    #[test]
    fn faults_have_their_line() {
        for (text, said) in [
            ("\n\na@@b alice", "line 3: `a@@b` is no address"),
            ("a@e.test", "line 1: nobody is named who may use it"),
            ("a@e.test alice\n\n  [deatil]", "line 1: `deatil` is no option"),
            ("a@e.test al%ice", "line 1: `al%ice` is no login"),
            ("a@e.test -", "line 1: `-` is no login"),
            ("a@e.test %team", "line 1: the group %team is nowhere defined"),
            ("%a x\n%A y", "line 2: the group %a is defined in line 1 already"),
            ("%a x [detail]", "line 1: a group has members alone"),
            ("\n%a x, %b\n%b %c\n%c %b", "line 2: the group %b is in itself, by way of %b, %c"),
            ("%a %a", "line 1: the group %a is in itself, by way of %a"),
        ] {
            let error = table(text).unwrap_err().to_string();
            assert!(error.contains(said), "{text:?}: {error}");
        }
    }

    #[test]
    fn one_line_alone() {
        let line = |text| GrantTable::read_line(text, &Rules::default());
        let grants = line("A@e.test alice, Bob [detail]").unwrap();
        let grants: Vec<String> = grants.iter().map(Grant::to_string).collect();
        assert_eq!(grants, ["a@e.test alice [detail]", "a@e.test bob [detail]"]);
        assert!(matches!(line("a@e.test %team"), Err(TableFault::NoGroup(_))));
        assert!(matches!(line("%team alice"), Err(TableFault::Pattern(_))));
    }

    #[test]
    fn nested_groups_are_bounded() {
        // Each group names the one below it twice: taken apart without care, 2^40 members.
        let mut text = String::from("a@e.test %g0\n%g40 alice\n");
        for at in 0..40 {
            text += &format!("%g{at} %g{0}, %g{0}\n", at + 1);
        }
        assert_eq!(table(&text).unwrap().len(), 1);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(
            parts in prop::collection::vec("[ab@.*<>%\"\\\\,\\[\\] =:-]{0,6}|\n|detail|scopes=|net:", 0..24),
        ) {
            if let Ok(table) = table(&parts.concat()) {
                for key in ["a@a b", "<> a", "as:a b"] {
                    look_up(&table, key);
                }
            }
        }

        #[test]
        fn a_line_of_the_table_is_an_answer(
            pattern in "[a-c]{1,3}@[a-c]{1,3}|@[a-c]{1,3}|\\.[a-c]{1,3}",
            login in "[a-z,:%\" \\\\*-]{1,6}",
        ) {
            let grant = Grant::new(&pattern, Holder::Login(login));
            let table = table(&grant.to_string()).unwrap();
            let entry = table.grants.values().flatten().next().unwrap();
            prop_assert_eq!(entry, &grant);
            prop_assert_eq!(Grant::parse(&entry.to_string()), Ok(grant));
        }
    }
}
