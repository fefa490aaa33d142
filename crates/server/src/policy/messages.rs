use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use quivive_postfix::policy::{Attribute, Request};
use tokio::time::{Instant, sleep};

use super::message::Message;

/// How many messages are known at a time. Beyond it the one is forgotten that was not asked about
/// for the longest time; asked about again, it is judged again.
pub(super) const MESSAGES_MAX: usize = 4096;

/// How long an instance may be that is remembered. Postfix's have some twenty octets.
pub(super) const INSTANCE_OCTETS_MAX: usize = 256;

/// After which silence a message is written down: its recipients are complete then.
pub(super) const SETTLED_AFTER: Duration = Duration::from_secs(10);

/// The same, where the header of the message is waited for, and so the message.
pub(super) const HEADER_AFTER: Duration = Duration::from_secs(300);

/// After which silence a message is forgotten.
pub(super) const FORGOTTEN_AFTER: Duration = Duration::from_secs(600);

/// How often silence is looked for, while there are messages.
pub(super) const SWEEP: Duration = Duration::from_secs(10);

/// The messages that are on their way, by instance.
pub(super) struct Messages {
    book: Mutex<Book>,
    random: RandomState,
    pub(super) messages_max: usize,
}

#[derive(Default)]
struct Book {
    open: HashMap<Arc<[u8]>, Arc<Open>>,
    /// Somebody looks for silence.
    is_swept: bool,
}

/// A message on its way; it is written down when nobody has it any more.
pub(super) struct Open {
    /// Empty: nobody else can find it.
    instance: Arc<[u8]>,
    touched: Mutex<Instant>,
    pub(super) message: tokio::sync::Mutex<Option<Message>>,
}

impl Open {
    fn new(instance: Arc<[u8]>) -> Self {
        Self {
            instance,
            touched: Mutex::new(Instant::now()),
            message: tokio::sync::Mutex::default(),
        }
    }

    /// Whether another question can be about it.
    pub(super) fn is_remembered(&self) -> bool {
        !self.instance.is_empty()
    }

    /// One that is being judged is written down when that is over, and nobody has it any more.
    fn write_down(&self) {
        if let Ok(mut place) = self.message.try_lock()
            && let Some(message) = &mut *place
        {
            message.write_down();
        }
    }

    fn touch(&self) {
        *lock(&self.touched) = Instant::now();
    }

    fn silence(&self) -> Duration {
        lock(&self.touched).elapsed()
    }
}

impl Messages {
    /// Room for so many messages.
    pub(super) fn new(messages_max: usize) -> Self {
        Self { book: Mutex::default(), random: RandomState::new(), messages_max }
    }

    /// The message of an instance. Another one that the same connection asked about before is over:
    /// a mail server works at one message after the other.
    pub(super) fn open(
        self: &Arc<Self>,
        instance: &[u8],
        last: &mut Option<Arc<Open>>,
    ) -> Arc<Open> {
        if let Some(last) = last.take() {
            if *last.instance == *instance {
                last.touch();
                return last;
            }
            self.end(&last);
        }
        if instance.is_empty() || instance.len() > INSTANCE_OCTETS_MAX {
            return Arc::new(Open::new(Arc::default()));
        }
        let mut forgotten = None;
        let mut book = lock(&self.book);
        if let Some(open) = book.open.get(instance) {
            open.touch();
            return open.clone();
        }
        if book.open.len() >= self.messages_max {
            forgotten = book.remove_oldest();
        }
        let open = Arc::new(Open::new(instance.into()));
        book.open.insert(open.instance.clone(), open.clone());
        if !std::mem::replace(&mut book.is_swept, true) {
            tokio::spawn(sweep(Arc::downgrade(self)));
        }
        drop(book);
        // It may have to be written down, which nobody else need wait for.
        drop(forgotten);
        open
    }

    /// What must stay the same within a message, as a number.
    pub(super) fn identity(&self, client: IpAddr, request: &Request<'_>) -> u64 {
        let value = |attribute| request.get(attribute).unwrap_or_default();
        let texts = [Attribute::HeloName, Attribute::Sender, Attribute::SaslUsername].map(value);
        self.random.hash_one((client, texts))
    }

    /// Nothing more will be asked about a message.
    pub(super) fn end(&self, open: &Arc<Open>) {
        let mut book = lock(&self.book);
        if book.open.get(&open.instance).is_some_and(|known| Arc::ptr_eq(known, open)) {
            book.open.remove(&open.instance);
        }
        drop(book);
        open.write_down();
    }

    /// Nothing more will be asked about any message.
    pub(super) fn end_all(&self) {
        let all = std::mem::take(&mut lock(&self.book).open);
        all.values().for_each(|open| open.write_down());
    }

    /// Writes down and forgets what was not asked about for long enough; false if nothing is left.
    fn sweep(&self) -> bool {
        let mut book = lock(&self.book);
        let silent = book.open.values().filter(|open| open.silence() >= SETTLED_AFTER);
        let silent: Vec<Arc<Open>> = silent.cloned().collect();
        book.open.retain(|_, open| open.silence() < FORGOTTEN_AFTER);
        book.is_swept = !book.open.is_empty();
        let is_swept = book.is_swept;
        drop(book);
        for open in silent {
            // One that is being judged is not silent.
            if let Ok(mut place) = open.message.try_lock()
                && let Some(message) = &mut *place
                && (!message.waits_for_header() || open.silence() >= HEADER_AFTER)
            {
                message.write_down();
            }
        }
        is_swept
    }

    /// How many are known.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        lock(&self.book).open.len()
    }

    /// How many of them are written down.
    #[cfg(test)]
    pub(super) fn written(&self) -> usize {
        let book = lock(&self.book);
        let is_written = |open: &&Arc<Open>| {
            open.message
                .try_lock()
                .is_ok_and(|place| place.as_ref().is_some_and(Message::is_written))
        };
        book.open.values().filter(is_written).count()
    }
}

impl Book {
    fn remove_oldest(&mut self) -> Option<Arc<Open>> {
        let oldest = self.open.values().min_by_key(|open| *lock(&open.touched))?.instance.clone();
        self.open.remove(&oldest)
    }
}

/// Looks for silence until there are no messages.
async fn sweep(messages: Weak<Messages>) {
    loop {
        sleep(SWEEP).await;
        if !messages.upgrade().is_some_and(|messages| messages.sweep()) {
            return;
        }
    }
}

/// Nothing that holds such a lock can leave what it guards in disorder.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
