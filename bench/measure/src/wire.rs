use std::fmt;
use std::io::{BufRead, Error, ErrorKind, Result, Write};
use std::str::FromStr;
use std::time::{Duration, Instant};

use cpu_time::ProcessTime;

/// A pass of checks that ask a name server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WireRequest {
    /// How many checks are under way at once.
    pub at_once: usize,
    /// What is known beforehand.
    pub start: Start,
    /// How many queries, from the first on.
    pub queries: usize,
    /// How often all of them are checked.
    pub repeats: usize,
}

/// What is known before a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Nothing before any check.
    Fresh,
    /// Nothing before the first check of a pass.
    Cold,
    /// What is kept of earlier passes.
    Warm,
}

impl Start {
    const WORDS: [(Self, &'static str); 3] =
        [(Self::Fresh, "fresh"), (Self::Cold, "cold"), (Self::Warm, "warm")];
}

/// What came of the checks of a pass.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WireCount {
    /// How many had the right result.
    pub right: u64,
    /// How long they took, all together.
    pub waited: Duration,
    /// How often they had to wait for answers, all together; zero where that is not known.
    pub rounds: u64,
}

/// What a pass took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WirePass {
    /// From the first check to the end of the last.
    pub elapsed: Duration,
    /// Processor time of the process, all threads.
    pub processor: Duration,
    /// How many checks were made.
    pub checks: u64,
    /// What came of them.
    pub count: WireCount,
}

/// Measures as asked on standard input, until it ends: a line `wire AT_ONCE fresh|cold|warm QUERIES
/// REPEATS`, and the line `ELAPSED PROCESSOR CHECKS RIGHT WAITED ROUNDS` on standard output, times
/// in nanoseconds.
///
/// # Errors
/// A request that is not understood, a pass that fails, or an output that is gone.
pub fn serve_wire(mut pass: impl FnMut(WireRequest) -> Result<WireCount>) -> Result<()> {
    let mut output = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let request: WireRequest = line
            .parse()
            .map_err(|()| Error::new(ErrorKind::InvalidInput, format!("not understood: {line}")))?;
        let (start, processor) = (Instant::now(), ProcessTime::now());
        let count = pass(request)?;
        let (elapsed, processor) = (start.elapsed(), processor.elapsed());
        let checks = request.checks() as u64;
        writeln!(output, "{}", WirePass { elapsed, processor, checks, count })?;
        output.flush()?;
    }
    Ok(())
}

impl WireRequest {
    /// How many checks it takes in all.
    pub fn checks(&self) -> usize {
        self.queries * self.repeats
    }
}

impl fmt::Display for WireRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (_, start) = Start::WORDS[self.start as usize];
        write!(f, "wire {} {start} {} {}", self.at_once, self.queries, self.repeats)
    }
}

impl FromStr for WireRequest {
    type Err = ();

    fn from_str(line: &str) -> std::result::Result<Self, ()> {
        let ["wire", at_once, start, queries, repeats] =
            line.split_whitespace().collect::<Vec<_>>()[..]
        else {
            return Err(());
        };
        let number = |text: &str| text.parse().map_err(|_| ());
        let (start, _) = *Start::WORDS.iter().find(|(_, word)| *word == start).ok_or(())?;
        let (queries, repeats) = (number(queries)?, number(repeats)?);
        Ok(Self { at_once: number(at_once)?, start, queries, repeats })
    }
}

impl fmt::Display for WirePass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let WireCount { right, waited, rounds } = self.count;
        let [elapsed, processor, waited] =
            [self.elapsed, self.processor, waited].map(|time| time.as_nanos());
        write!(f, "{elapsed} {processor} {} {right} {waited} {rounds}", self.checks)
    }
}

impl FromStr for WirePass {
    type Err = ();

    fn from_str(line: &str) -> std::result::Result<Self, ()> {
        let numbers: Option<Vec<u64>> =
            line.split_whitespace().map(|text| text.parse().ok()).collect();
        let [elapsed, processor, checks, right, waited, rounds] = numbers.ok_or(())?[..] else {
            return Err(());
        };
        let [elapsed, processor, waited] = [elapsed, processor, waited].map(Duration::from_nanos);
        Ok(Self { elapsed, processor, checks, count: WireCount { right, waited, rounds } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_and_passes_are_read_as_they_are_written() {
        for (start, word) in Start::WORDS {
            let request = WireRequest { at_once: 64, start, queries: 7, repeats: 3 };
            assert_eq!(request.to_string(), format!("wire 64 {word} 7 3"));
            assert_eq!(request.to_string().parse(), Ok(request));
            assert_eq!(request.checks(), 21);
        }
        assert_eq!("wire 64 tepid 7 3".parse::<WireRequest>(), Err(()));
        assert_eq!("wire 64 cold 7".parse::<WireRequest>(), Err(()));
        let [elapsed, processor, waited] = [1, 2, 3].map(Duration::from_nanos);
        let count = WireCount { right: 5, waited, rounds: 6 };
        let pass = WirePass { elapsed, processor, checks: 4, count };
        assert_eq!(pass.to_string().parse(), Ok(pass));
        assert_eq!("1 2 3 4 5".parse::<WirePass>(), Err(()));
    }
}
