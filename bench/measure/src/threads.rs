use std::fmt;
use std::io::{BufRead, Error, ErrorKind, Result, Write};
use std::str::FromStr;
use std::time::Instant;

use cpu_time::ProcessTime;

use crate::{Query, WireCount, WirePass};

/// A pass of several threads, each of which checks all queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThreadsRequest {
    /// How many threads.
    pub threads: usize,
    /// How often each of them checks all queries.
    pub repeats: usize,
}

/// Measures as asked on standard input, until it ends: a line `threads THREADS REPEATS`, and a line
/// as [`crate::serve_wire`] writes it. Each thread makes something of its own first, with `make`;
/// `check` gives the number of a result.
///
/// # Errors
/// A request that is not understood, or an output that is gone.
pub fn serve_threads<T>(
    queries: &[Query],
    make: impl Fn() -> T + Sync,
    check: impl Fn(&mut T, usize) -> u8 + Sync,
) -> Result<()> {
    let mut output = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let request: ThreadsRequest = line
            .parse()
            .map_err(|()| Error::new(ErrorKind::InvalidInput, format!("not understood: {line}")))?;
        writeln!(output, "{}", pass(request, queries, &make, &check))?;
        output.flush()?;
    }
    Ok(())
}

fn pass<T>(
    request: ThreadsRequest,
    queries: &[Query],
    make: &(impl Fn() -> T + Sync),
    check: &(impl Fn(&mut T, usize) -> u8 + Sync),
) -> WirePass {
    let (start, processor) = (Instant::now(), ProcessTime::now());
    let check_all = |number: usize| {
        let mut own = make();
        // No two of them begin at the same place: they are to meet by chance only.
        let begin = number * queries.len() / request.threads;
        let places = (begin..queries.len()).chain(0..begin);
        let mut right = 0;
        for _ in 0..request.repeats {
            for place in places.clone() {
                right += u64::from(check(&mut own, place) == queries[place].expected);
            }
        }
        right
    };
    let right = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..request.threads).map(|number| scope.spawn(move || check_all(number))).collect();
        threads.into_iter().map(|thread| thread.join().expect("a check ends")).sum()
    });
    let checks = (request.threads * request.repeats * queries.len()) as u64;
    let count = WireCount { right, ..WireCount::default() };
    WirePass { elapsed: start.elapsed(), processor: processor.elapsed(), checks, count }
}

impl fmt::Display for ThreadsRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "threads {} {}", self.threads, self.repeats)
    }
}

impl FromStr for ThreadsRequest {
    type Err = ();

    fn from_str(line: &str) -> std::result::Result<Self, ()> {
        let ["threads", threads, repeats] = line.split_whitespace().collect::<Vec<_>>()[..] else {
            return Err(());
        };
        let number = |text: &str| text.parse().map_err(|_| ());
        Ok(Self { threads: number(threads)?, repeats: number(repeats)? })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn each_thread_checks_all_queries() {
        let query = |expected| Query {
            address: "192.0.2.1".to_owned(),
            helo: String::new(),
            sender: String::new(),
            expected,
        };
        let queries: Vec<Query> = (0..5).map(query).collect();
        let (made, checked) = (AtomicU64::new(0), AtomicU64::new(0));
        let request = ThreadsRequest { threads: 2, repeats: 3 };
        assert_eq!(request.to_string().parse(), Ok(request));
        let make = || made.fetch_add(1, Ordering::Relaxed);
        let check = |_: &mut u64, place: usize| {
            checked.fetch_add(1 << (8 * place), Ordering::Relaxed);
            place as u8
        };
        let pass = pass(request, &queries, &make, &check);
        assert_eq!((pass.checks, pass.count.right), (30, 30));
        assert_eq!(made.into_inner(), 2);
        assert_eq!(checked.into_inner().to_le_bytes(), [6, 6, 6, 6, 6, 0, 0, 0]);
    }
}
