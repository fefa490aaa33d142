use std::fmt;
use std::io::{BufRead, Error, ErrorKind, Result, Write};
use std::str::FromStr;

use crate::{Query, allocations, processor_time};

/// Something that checks senders.
pub trait Subject {
    /// Checks one query of one group; the number of the result.
    fn check(&mut self, group: usize, query: usize) -> u8;
}

/// What a pass over a group took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pass {
    /// Processor time.
    pub nanoseconds: u64,
    /// How many checks were made.
    pub checks: u64,
    /// How many of them had the right result.
    pub right: u64,
    /// How often memory was asked for; none where that cannot be counted.
    pub allocations: Option<u64>,
}

/// Measures as asked on standard input, until it ends.
///
/// # Errors
/// A request that is not understood, or an output that is gone.
pub fn serve(subject: &mut impl Subject, groups: &[Vec<Query>]) -> Result<()> {
    let mut output = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split(' ').collect();
        let asked = match words[..] {
            ["pass" | "warm", group, repeats] => {
                group.parse::<usize>().ok().zip(repeats.parse().ok())
            }
            _ => None,
        };
        let Some((group, repeats)) = asked.filter(|(group, _)| *group < groups.len()) else {
            return Err(Error::new(ErrorKind::InvalidInput, format!("not understood: {line}")));
        };
        let pass = match words[0] {
            "warm" => warm(subject, group, &groups[group], repeats),
            _ => pass(subject, group, &groups[group], repeats),
        };
        writeln!(output, "{pass}")?;
        output.flush()?;
    }
    Ok(())
}

/// Passes that are there for what they leave behind: instruction counters look away.
#[inline(never)]
fn warm(subject: &mut impl Subject, group: usize, queries: &[Query], repeats: usize) -> Pass {
    let time = processor_time();
    let mut right = 0;
    for _ in 0..repeats {
        for (place, query) in queries.iter().enumerate() {
            right += u64::from(subject.check(group, place) == query.expected);
        }
    }
    let nanoseconds = u64::try_from((processor_time() - time).as_nanos()).unwrap_or(u64::MAX);
    let checks = (queries.len() * repeats) as u64;
    Pass { nanoseconds, checks, right, allocations: None }
}

fn pass(subject: &mut impl Subject, group: usize, queries: &[Query], repeats: usize) -> Pass {
    let expected: Vec<u8> = queries.iter().map(|query| query.expected).collect();
    let (time, memory) = (processor_time(), allocations());
    let mut right = 0;
    for _ in 0..repeats {
        right += measured_pass(subject, group, &expected);
    }
    let (time, memory) = (processor_time() - time, allocations() - memory);
    Pass {
        nanoseconds: u64::try_from(time.as_nanos()).unwrap_or(u64::MAX),
        checks: (queries.len() * repeats) as u64,
        right,
        allocations: Some(memory),
    }
}

/// Never inlined: instruction counters know the measured part by its name.
#[inline(never)]
fn measured_pass(subject: &mut impl Subject, group: usize, expected: &[u8]) -> u64 {
    let right = |(query, expected): (usize, &u8)| subject.check(group, query) == *expected;
    expected.iter().enumerate().map(right).map(u64::from).sum()
}

impl fmt::Display for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} ", self.nanoseconds, self.checks, self.right)?;
        match self.allocations {
            Some(allocations) => write!(f, "{allocations}"),
            None => f.write_str("-"),
        }
    }
}

impl FromStr for Pass {
    type Err = ();

    fn from_str(line: &str) -> std::result::Result<Self, ()> {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [nanoseconds, checks, right, allocations] = fields[..] else { return Err(()) };
        let number = |text: &str| text.parse::<u64>().map_err(|_| ());
        Ok(Self {
            nanoseconds: number(nanoseconds)?,
            checks: number(checks)?,
            right: number(right)?,
            allocations: match allocations {
                "-" => None,
                count => Some(number(count)?),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Half;

    impl Subject for Half {
        fn check(&mut self, _: usize, query: usize) -> u8 {
            std::hint::black_box(Box::new(query));
            (query % 2) as u8
        }
    }

    #[test]
    fn a_pass_counts_checks_right_ones_and_allocations() {
        let query = Query {
            address: "192.0.2.1".to_owned(),
            helo: String::new(),
            sender: String::new(),
            expected: 1,
        };
        let queries = vec![query; 10];
        let warm = warm(&mut Half, 0, &queries, 2);
        assert_eq!((warm.checks, warm.right, warm.allocations), (20, 10, None));
        let pass = pass(&mut Half, 0, &queries, 3);
        assert_eq!((pass.checks, pass.right, pass.allocations), (30, 15, Some(30)));
        assert_eq!(pass.to_string().parse(), Ok(pass));
    }
}
