//! Mail through a mail server while Quivive is reloaded and restarted: nothing is lost, doubled or
//! unmarked, and the worst that a client hears is that it may come again.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::client::Dialogue;
use crate::filtered::{Filtered, MESSAGE};
use crate::{maildir, postfix, wait};

/// How many messages the whole job has; the ordinary test sends a hundredth.
pub const MESSAGES: usize = 20_000;

/// How often the daemon is told to read its configuration again, and how often it is restarted.
const RELOADS: usize = 10;
const RESTARTS: usize = 2;

/// How many clients send at once.
const CLIENTS: usize = 8;

/// How often a message is offered that is deferred, and how long its client waits in between.
const OFFERS_MAX: usize = 600;
const REST: Duration = Duration::from_millis(100);

/// What the clients saw.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    /// Messages that were taken, each of which has arrived, once and marked.
    pub taken: usize,
    /// Times that one had to be offered again.
    pub deferred: usize,
}

/// Sends so many messages from a client that `vouched.test` vouches for.
///
/// # Panics
/// When one is lost, doubled, unmarked or refused for good.
pub fn run(world: &mut Filtered, messages: usize) -> Seen {
    let (next, taken, deferred) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let stop = AtomicBool::new(false);
    let address = world.postfix.address;
    thread::scope(|scope| {
        let client = || {
            while !stop.load(Ordering::Relaxed) {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= messages {
                    return;
                }
                deferred.fetch_add(deliver(address, number), Ordering::Relaxed);
                taken.fetch_add(1, Ordering::Relaxed);
            }
        };
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(client)).collect();
        // Should this thread fail, the others end.
        let _guard = StopOnDrop(&stop);
        for event in 1..=RELOADS + RESTARTS {
            let due = messages * event / (RELOADS + RESTARTS + 1);
            wait::until("mail in transit", || {
                let is_over = clients.iter().all(thread::ScopedJoinHandle::is_finished);
                (taken.load(Ordering::Relaxed) >= due || is_over).then_some(())
            });
            // The restarts lie between the reloads.
            if event % (RELOADS / RESTARTS + 1) == 0 {
                world.serve.restart();
            } else {
                world.serve.signal("HUP");
            }
        }
        for client in clients {
            client.join().expect("a client ends well");
        }
    });
    arrived_once_and_marked(world, messages);
    let reloads = world.serve.log().matches("reloaded").count();
    assert!((1..=RELOADS).contains(&reloads), "{reloads} reloads:\n{}", world.serve.log());
    Seen { taken: taken.into_inner(), deferred: deferred.into_inner() }
}

struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Offers a message until it is taken, on a connection of its own each time; says how often it was
/// deferred.
fn deliver(address: SocketAddr, number: usize) -> usize {
    let content = format!("X-Number: {number}\r\n{MESSAGE}");
    for deferred in 0..OFFERS_MAX {
        let mut client = Dialogue::open_as(address, "192.0.2.25", "client.test");
        let answer = client.message("a@vouched.test", "b@example.test", &content);
        match answer.as_bytes()[0] {
            b'2' => {
                client.say("QUIT", "221");
                return deferred;
            }
            b'4' => thread::sleep(REST),
            _ => panic!("refused for good: {answer}"),
        }
    }
    panic!("message {number} is never taken");
}

fn arrived_once_and_marked(world: &Filtered, messages: usize) {
    let folder = postfix::maildir(&world.postfix);
    wait::within(wait::DEADLINE, || (maildir::count(&folder) >= messages).then_some(()));
    let arrived = maildir::messages(&folder);
    let numbers: HashSet<_> =
        arrived.iter().filter_map(|message| maildir::field(message, "X-Number")).collect();
    assert_eq!(numbers.len(), messages, "different messages that arrived");
    assert_eq!(arrived.len(), messages, "messages that arrived");
    for message in &arrived {
        let is_ours = |(name, value): &(String, String)| {
            name == "Authentication-Results" && value.starts_with("mx.example.test; spf=pass")
        };
        let results = maildir::fields(message).into_iter().filter(is_ours).count();
        assert_eq!(results, 1, "{message}");
    }
}
