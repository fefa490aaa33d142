use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use quivive_evidence::Facts;
use quivive_verdict::{Case, Judgement};
use sqlx::sqlite::SqlitePool;
use tokio::sync::{mpsc, oneshot};

use crate::database::{BUSY_TIMEOUT, Bounds, Database, OpenError};
use crate::health::{Counters, Health, Trouble};
use crate::packed::Packing;
use crate::queue::{CASES_WAITING_MAX, OCTETS_WAITING_MAX, Queue};
use crate::subject::Subject;
use crate::writer::{self, Writer};
use crate::{Error, database, file};

/// Drops are told in the log once in so many seconds.
const DROPS_TOLD_EVERY: u64 = 10;

/// So many cases at once are a flood: they go into the file packed.
const FLOOD: usize = 400;

/// How many cases stay packed at most while mail comes in floods. A search looks at all of them.
const CASES_PACKED_MAX: u64 = 131_072;

/// How long a message waits at most until there is room for its case.
pub const ROOM_WAIT_MAX: Duration = Duration::from_secs(1);

/// Where cases are kept, and for how long.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The file.
    pub path: PathBuf,
    /// How many days a case is kept.
    pub retain_days: u32,
    /// How many MiB the file may have; the oldest cases make room.
    pub retain_mib: u64,
    /// After how many days the local parts of addresses become hashes; 0: never.
    pub hash_addresses_after_days: u32,
}

/// The store. Cheap to clone; the file is closed by [`Store::close`], or when the last handle is
/// gone.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
    commands: mpsc::UnboundedSender<Command>,
}

/// What handles and the writer share.
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) tuning: Tuning,
    pub(crate) queue: Queue,
    pub(crate) counters: Counters,
    /// `None` while the file cannot be used.
    pub(crate) readers: Mutex<Option<SqlitePool>>,
    /// A reader met damage.
    pub(crate) suspect: AtomicBool,
    drops_told_at: AtomicU64,
}

/// What the writer is asked.
pub(crate) enum Command {
    /// Try to write all that waits.
    Flush(oneshot::Sender<()>),
    /// Bring the file within its bounds.
    Tidy(oneshot::Sender<()>),
    /// Forget a subject.
    Erase(Subject, oneshot::Sender<Result<u64, Error>>),
    /// Write what waits, and end.
    Close(oneshot::Sender<()>),
}

/// What tests have otherwise.
#[derive(Clone)]
pub(crate) struct Tuning {
    pub(crate) cases_waiting_max: usize,
    pub(crate) octets_waiting_max: usize,
    pub(crate) busy_timeout: Duration,
    /// How long the writer waits for more cases before it writes.
    pub(crate) linger: Duration,
    /// How often it is looked whether packed cases can be written out.
    pub(crate) unpack_every: Duration,
    /// So many cases at once are a flood.
    pub(crate) flood: usize,
    /// How many cases stay packed at most while there is one.
    pub(crate) cases_packed_max: u64,
    /// How long after its start the writer first brings the file within its bounds.
    pub(crate) first_tidy: Duration,
    /// How long the writer waits after a failure; twice as long after each further one.
    pub(crate) back_off: Duration,
    /// Bounds the file, as a full disk does. Zero: nothing does.
    pub(crate) pages_max: Arc<AtomicU64>,
    /// SQLite may not write, as to a file system that is mounted so.
    pub(crate) read_only: Arc<AtomicBool>,
    /// Seconds since 1970.
    pub(crate) clock: Arc<dyn Fn() -> u64 + Send + Sync>,
}

impl Default for Tuning {
    fn default() -> Self {
        let clock =
            || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Self {
            cases_waiting_max: CASES_WAITING_MAX,
            octets_waiting_max: OCTETS_WAITING_MAX,
            busy_timeout: BUSY_TIMEOUT,
            linger: Duration::from_millis(400),
            unpack_every: Duration::from_secs(1),
            flood: FLOOD,
            cases_packed_max: CASES_PACKED_MAX,
            first_tidy: Duration::ZERO,
            back_off: Duration::from_millis(250),
            pages_max: Arc::default(),
            read_only: Arc::default(),
            clock: Arc::new(clock),
        }
    }
}

impl Store {
    /// Opens the file, or makes it, and begins to write what is recorded. Runs in a tokio runtime.
    ///
    /// A file that is damaged is moved aside. One that cannot be used now (a full disk,
    /// permissions) is no error here: the writer goes on trying, for a daemon must not stay down
    /// for it.
    ///
    /// # Errors
    /// Settings that cannot work: a folder that does not exist, a file of a newer version.
    pub async fn open(settings: Settings) -> Result<Self, Error> {
        Self::open_tuned(settings, Tuning::default()).await
    }

    /// As [`Store::open`], but the file has to be there.
    ///
    /// # Errors
    /// As [`Store::open`], and [`Error::Absent`].
    pub async fn open_existing(settings: Settings) -> Result<Self, Error> {
        match settings.path.try_exists() {
            Ok(true) => Self::open(settings).await,
            Ok(false) => Err(Error::Absent { path: settings.path }),
            Err(source) => Err(Error::Unusable { path: settings.path, source }),
        }
    }

    /// Opens a file for reading alone, while others write it. Nothing is recorded, bounded or
    /// mended by this handle.
    ///
    /// # Errors
    /// There is no such file.
    pub fn open_to_read(settings: Settings) -> Result<Self, Error> {
        match settings.path.try_exists() {
            Ok(true) => {}
            Ok(false) => return Err(Error::Absent { path: settings.path }),
            Err(source) => return Err(Error::Unusable { path: settings.path, source }),
        }
        let (commands, _) = mpsc::unbounded_channel();
        let tuning = Tuning { cases_waiting_max: 0, ..Tuning::default() };
        let readers = database::readers(&settings.path, tuning.busy_timeout);
        let shared = Arc::new(Shared::new(settings, tuning));
        shared.set_readers(Some(readers));
        shared.measure();
        Ok(Self { shared, commands })
    }

    pub(crate) async fn open_tuned(settings: Settings, tuning: Tuning) -> Result<Self, Error> {
        let (commands, commanded) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared::new(settings, tuning));
        writer::start(Writer::new(shared.clone(), commanded)).await?;
        Ok(Self { shared, commands })
    }

    /// Has a case written: what was judged, the door by which it came, and the reply that its
    /// client heard last. Never waits for the file, never fails: what finds no room is dropped and
    /// counted, and so is what has no id.
    pub fn record(&self, judgement: &Judgement, door: &str, outcome: &str) {
        self.take(&judgement.facts, &Packing::of_judgement(judgement, door, outcome));
    }

    /// As [`Store::record`], of a case as it stands, such as one that was exported.
    pub fn record_case(&self, case: &Case) {
        self.take(&case.facts, &Packing::of_case(case));
    }

    fn take(&self, facts: &Facts, case: &Packing<'_>) {
        let Shared { queue, .. } = &*self.shared;
        let has_id = !facts.case_id.is_empty();
        if !(has_id && !queue.is_full() && queue.push(case)) {
            self.shared.lost(1, "the queue is full");
        }
    }

    /// Waits while half of the queue is taken, so that a flood of mail is slowed rather than its
    /// cases lost. Mail does not wait for a store that cannot be used, nor longer than
    /// [`ROOM_WAIT_MAX`].
    pub async fn room(&self) {
        let Shared { queue, counters, .. } = &*self.shared;
        if queue.has_room() || counters.is_troubled() {
            return;
        }
        // Room may never come: then what finds none is dropped.
        let _ = tokio::time::timeout(ROOM_WAIT_MAX, queue.room()).await;
    }

    /// Has everything that was recorded so far written, and waits for it. While the file cannot be
    /// used, this is one more attempt; what could not be written goes on waiting.
    pub async fn flush(&self) {
        self.command(Command::Flush).await;
    }

    /// Brings the file within its bounds now; the writer does so from time to time by itself.
    pub async fn tidy(&self) {
        self.command(Command::Tidy).await;
    }

    /// Writes what waits and closes the file. What cannot be written now is lost, and counted.
    pub async fn close(self) {
        self.command(Command::Close).await;
    }

    /// Forgets every case that has the address, or an address of the domain, or a finding about it;
    /// and says how many. Their texts are out of the file afterwards, also out of its free pages.
    ///
    /// # Errors
    /// The file cannot be used; some cases may be gone already.
    pub async fn erase(&self, whom: &Subject) -> Result<u64, Error> {
        let whom = whom.clone();
        let erased = self.command(|done| Command::Erase(whom, done)).await;
        erased.unwrap_or_else(|| Err(Error::Trouble("it is closed".to_owned())))
    }

    /// How it does.
    pub fn health(&self) -> Health {
        self.shared.counters.health(self.shared.queue.len(), self.shared.queue.capacity())
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// `None` if the writer has ended.
    async fn command<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Option<T> {
        let (done, answer) = oneshot::channel();
        self.commands.send(command(done)).ok()?;
        answer.await.ok()
    }
}

impl Shared {
    fn new(settings: Settings, tuning: Tuning) -> Self {
        Self {
            queue: Queue::new(tuning.cases_waiting_max, tuning.octets_waiting_max),
            settings,
            tuning,
            counters: Counters::default(),
            readers: Mutex::default(),
            suspect: AtomicBool::default(),
            drops_told_at: AtomicU64::default(),
        }
    }

    pub(crate) fn now(&self) -> u64 {
        (self.tuning.clock)()
    }

    /// Counts cases that nobody will find, and says so from time to time.
    pub(crate) fn lost(&self, cases: usize, why: &str) {
        Counters::add(&self.counters.dropped, cases);
        let now = self.now();
        let told_at = self.drops_told_at.load(Ordering::Relaxed);
        if told_at != 0 && now.abs_diff(told_at) < DROPS_TOLD_EVERY {
            return;
        }
        let exchange =
            self.drops_told_at.compare_exchange(told_at, now, Ordering::Relaxed, Ordering::Relaxed);
        if exchange.is_ok() {
            let dropped = self.counters.dropped.load(Ordering::Relaxed);
            tracing::error!(dropped, "cases are lost, no mail: {why}");
        }
    }

    /// Notes that the file cannot be used, for the log and for health.
    pub(crate) fn trouble(&self, text: &str) {
        let path = self.settings.path.display();
        tracing::error!(%path, "the store cannot be used, mail goes on without it: {text}");
        self.counters.set_trouble(Trouble { at: self.now(), text: text.to_owned() });
    }

    /// Notes that the file can be used.
    pub(crate) fn well(&self) {
        if self.counters.clear_trouble() {
            let path = self.settings.path.display();
            tracing::warn!(%path, "the store can be used again");
        }
    }

    /// Sets who reads; `None` while nobody can.
    pub(crate) fn set_readers(&self, readers: Option<SqlitePool>) {
        *self.readers.lock().unwrap_or_else(PoisonError::into_inner) = readers;
    }

    /// Who reads.
    pub(crate) fn readers(&self) -> Result<SqlitePool, Error> {
        let readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        readers.clone().ok_or_else(|| self.unusable())
    }

    /// That the file cannot be used, and why.
    pub(crate) fn unusable(&self) -> Error {
        let health = self.counters.health(0, 0);
        Error::Trouble(health.last_trouble.map_or_else(|| "it is closed".to_owned(), |it| it.text))
    }

    /// Opens the file as the settings say.
    pub(crate) async fn database(&self) -> Result<Database, OpenError> {
        let Tuning { pages_max, read_only, busy_timeout, .. } = &self.tuning;
        let bounds = Bounds {
            busy_timeout: *busy_timeout,
            pages_max: pages_max.load(Ordering::Relaxed),
            read_only: read_only.load(Ordering::Relaxed),
        };
        Database::open(&self.settings.path, bounds).await
    }

    /// Notes how large the file is.
    pub(crate) fn measure(&self) {
        let octets = file::octets(&self.settings.path);
        self.counters.file_octets.store(octets, Ordering::Relaxed);
    }
}
