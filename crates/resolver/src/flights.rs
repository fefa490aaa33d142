use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use quivive_evidence::{DnsAnswer, DnsQuestion};
use tokio::sync::watch;

use crate::metrics::Counter;

/// Questions on their way: equal ones share one flight.
///
/// A flight is a task of its own, so that it lands for the others when one that waits goes away.
#[derive(Default)]
pub(crate) struct Flights {
    boarded: Mutex<HashMap<DnsQuestion, Landing>>,
    pub(crate) joined: Counter,
}

/// Where the answer of a flight is waited for; it stays empty if the flight is lost.
pub(crate) type Landing = watch::Receiver<Option<DnsAnswer>>;

impl Flights {
    /// The flight of a question: the one that is on its way, or else `fly` as a new one.
    pub(crate) fn board<F>(
        self: &Arc<Self>,
        question: &DnsQuestion,
        fly: impl FnOnce() -> F,
    ) -> Landing
    where
        F: Future<Output = DnsAnswer> + Send + 'static,
    {
        let mut boarded = self.lock();
        if let Some(landing) = boarded.get(question) {
            self.joined.add(1);
            return landing.clone();
        }
        let (sender, landing) = watch::channel(None);
        boarded.insert(question.clone(), landing.clone());
        drop(boarded);
        let on_board = OnBoard { flights: self.clone(), question: question.clone() };
        let flight = fly();
        tokio::spawn(async move {
            let answer = flight.await;
            drop(on_board);
            // Nobody need be waiting any more.
            let _ = sender.send(Some(answer));
        });
        landing
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<DnsQuestion, Landing>> {
        // The map is whole after any panic: each change is a single call.
        self.boarded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the flight off the list however it ends.
struct OnBoard {
    flights: Arc<Flights>,
    question: DnsQuestion,
}

impl Drop for OnBoard {
    fn drop(&mut self) {
        self.flights.lock().remove(&self.question);
    }
}

#[cfg(test)]
mod tests {
    use quivive_evidence::RecordType;
    use tokio::sync::oneshot;

    use super::*;
    use crate::zone::no_such_name;

    fn question() -> DnsQuestion {
        DnsQuestion { name: "a.example".into(), record_type: RecordType::A }
    }

    #[tokio::test]
    async fn equal_questions_share_a_flight_that_outlives_its_first_waiter() {
        let flights = Arc::new(Flights::default());
        let (land, landed) = oneshot::channel();
        let first = flights.board(&question(), || async {
            landed.await.expect("the test lands it");
            no_such_name(RecordType::A)
        });
        let mut second = flights.board(&question(), || async { panic!("a second flight") });
        assert_eq!((flights.len(), flights.joined.get()), (1, 1));
        drop(first);
        land.send(()).unwrap();
        let answer = second.wait_for(Option::is_some).await.unwrap();
        assert_eq!(answer.as_ref().unwrap().status(), "nxdomain");
        assert_eq!(flights.len(), 0);
    }

    #[tokio::test]
    async fn a_lost_flight_leaves_nothing_behind() {
        let flights = Arc::new(Flights::default());
        let (loser, lost) = oneshot::channel::<()>();
        let mut landing = flights.board(&question(), || async {
            lost.await.expect("it never lands");
            no_such_name(RecordType::A)
        });
        drop(loser);
        assert!(landing.wait_for(Option::is_some).await.is_err());
        assert_eq!(flights.len(), 0);
    }
}
