use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use tokio::task::JoinSet;

use crate::{Query, Start, WireCount, WireRequest};

/// Checks as many queries at once as the request says; each lane takes the next query when it has
/// come to the end of one. `subject` gives what checks, which takes no time that counts; `check`
/// gives the number of the result, and how often it waited.
///
/// # Panics
/// When a check does.
pub async fn check_in_lanes<S, F>(
    request: WireRequest,
    queries: &Arc<[Query]>,
    subject: impl Fn() -> S + Clone + Send + 'static,
    check: impl Fn(S, Arc<[Query]>, usize) -> F + Clone + Send + 'static,
) -> WireCount
where
    S: Send,
    F: Future<Output = (u8, u64)> + Send,
{
    let next = Arc::new(AtomicUsize::new(0));
    let mut lanes = JoinSet::new();
    for _ in 0..request.at_once {
        let (queries, next) = (queries.clone(), next.clone());
        let (subject, check) = (subject.clone(), check.clone());
        lanes.spawn(async move {
            let mut count = WireCount::default();
            loop {
                let place = next.fetch_add(1, Ordering::Relaxed);
                if place >= request.checks() {
                    return count;
                }
                let place = place % request.queries.min(queries.len());
                let subject = subject();
                // Where nobody waits, the clock would be part of what is measured.
                let start = (request.start != Start::Warm).then(Instant::now);
                let (result, rounds) = check(subject, queries.clone(), place).await;
                count.waited += start.map(|start| start.elapsed()).unwrap_or_default();
                count.rounds += rounds;
                count.right += u64::from(result == queries[place].expected);
            }
        });
    }
    let mut all = WireCount::default();
    while let Some(count) = lanes.join_next().await {
        let count = count.expect("a lane comes to its end");
        all.right += count.right;
        all.waited += count.waited;
        all.rounds += count.rounds;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_query_is_checked_as_often_as_asked() {
        let query = |expected| Query {
            address: "192.0.2.1".to_owned(),
            helo: String::new(),
            sender: String::new(),
            expected,
        };
        let queries: Arc<[Query]> = (0..5).map(query).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        for at_once in [1, 2, 64] {
            let request = WireRequest { at_once, start: Start::Cold, queries: 4, repeats: 3 };
            // The third and the fourth are wrong.
            let check = |least: u8, queries: Arc<[Query]>, place: usize| async move {
                tokio::task::yield_now().await;
                (queries[place].expected.min(least) % 2, 2)
            };
            let count = runtime.block_on(check_in_lanes(request, &queries, || 2, check));
            assert_eq!((count.right, count.rounds), (6, 24), "{at_once}");
        }
    }
}
