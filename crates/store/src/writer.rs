//! The thread that writes.

mod unpack;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};

use crate::batch::Written;
use crate::database::{Database, OpenError};
use crate::error::{Error, Fault};
use crate::file::Fate;
use crate::health::{Counters, Trouble};
use crate::merge::Merge;
use crate::pack::Pack;
use crate::queue::BATCH_MAX;
use crate::retention::{self, Progress};
use crate::store::{Command, Shared};
use crate::tally::DAY;
use crate::{age, batch, file, packs, subject};

/// How long the writer waits at most between attempts on a file that cannot be used.
const BACK_OFF_MAX: Duration = Duration::from_secs(30);

/// How often the file is brought within its bounds.
const TIDY_EVERY: Duration = Duration::from_secs(30);

/// How long is worked at what can be put off before waiting cases have their turn.
const TURN: Duration = Duration::from_millis(250);

pub(crate) struct Writer {
    shared: Arc<Shared>,
    commands: UnboundedReceiver<Command>,
    database: Option<Database>,
    /// A batch that could not be written yet.
    pending: Vec<Pack>,
    /// When waiting cases are written.
    write_at: Option<Instant>,
    tidy_at: Instant,
    /// When packed cases are written out.
    unpack_at: Option<Instant>,
    /// A flood of cases has come since then.
    is_flood: bool,
    /// A merge of the index of words that goes on.
    merge: Merge,
    /// On which day since 1970 the last one ended.
    merged_on: Option<u64>,
    /// How long is waited after the next failure.
    back_off: Duration,
}

/// The file cannot be used now.
struct Unusable;

/// By how much the writer stands back for what handles mail. Not by more: where another process
/// keeps all processors busy, a thirtieth of them must still do to write what comes.
const NICENESS: i32 = 15;

/// Opens the file and lets the writer work in a thread of its own, until it is told to end or all
/// handles are gone. The thread, and SQLite's that it starts, stand back for mail: what waits is
/// written when there is time for it, and [`crate::Store::room`] makes time.
///
/// # Errors
/// Settings that cannot work.
pub(crate) async fn start(mut writer: Writer) -> Result<(), Error> {
    let (opened, open) = oneshot::channel();
    let work = async move {
        let result = writer.open().await;
        let goes_on = !matches!(result, Err(OpenError::Settings(_)));
        let _ = opened.send(result);
        if goes_on {
            writer.run().await;
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(Error::Thread)?;
    let thread = std::thread::Builder::new().name("quivive-store".to_owned());
    let thread = thread.spawn(move || {
        if let Err(error) = rustix::process::nice(NICENESS) {
            tracing::debug!("the writer cannot stand back for mail: {error}");
        }
        runtime.block_on(work);
    });
    thread.map_err(Error::Thread)?;
    match open.await {
        Ok(Err(OpenError::Settings(error))) => Err(error),
        _ => Ok(()),
    }
}

impl Writer {
    pub(crate) fn new(shared: Arc<Shared>, commands: UnboundedReceiver<Command>) -> Self {
        let back_off = shared.tuning.back_off;
        let tidy_at = Instant::now() + shared.tuning.first_tidy;
        Self {
            shared,
            commands,
            database: None,
            pending: Vec::new(),
            write_at: None,
            tidy_at,
            unpack_at: None,
            is_flood: false,
            merge: Merge::default(),
            merged_on: None,
            back_off,
        }
    }

    /// Works until it is told to end, or all handles are gone.
    pub(crate) async fn run(mut self) {
        loop {
            let far = Instant::now() + TIDY_EVERY;
            tokio::select! {
                command = self.commands.recv() => match command {
                    Some(command) => if self.obey(command).await.is_break() { return },
                    None => return self.end().await,
                },
                () = self.shared.queue.filled.notified() => self.schedule(),
                () = sleep_until(self.write_at.unwrap_or(far)), if self.write_at.is_some() => {
                    self.write_waiting().await;
                }
                () = sleep_until(self.tidy_at) => self.tidy(Some(Instant::now() + TURN)).await,
                () = sleep_until(self.unpack_at.unwrap_or(far)), if self.unpack_at.is_some() => {
                    self.unpack().await;
                }
            }
        }
    }

    /// Opens the file, or makes it; a damaged one is moved aside first.
    pub(crate) async fn open(&mut self) -> Result<(), OpenError> {
        let mut opened = self.shared.database().await;
        if let Err(OpenError::Damaged(text)) = &opened {
            let text = text.clone();
            self.move_aside(&text);
            opened = self.shared.database().await;
        }
        match opened {
            Ok(database) => {
                self.shared.set_readers(Some(database.readers.clone()));
                self.database = Some(database);
                self.shared.measure();
                self.note_foreign().await;
                // Some may have stayed packed.
                self.unpack_soon();
                Ok(())
            }
            Err(error) => {
                let text = match &error {
                    OpenError::Settings(error) => error.to_string(),
                    OpenError::Damaged(text) | OpenError::Later(text) => text.clone(),
                };
                self.failed(&text);
                Err(error)
            }
        }
    }

    /// Says that the file has cases which this version cannot read.
    async fn note_foreign(&mut self) {
        let Some(database) = &mut self.database else { return };
        let cases = packs::foreign(&mut database.connection).await.unwrap_or_default();
        if cases > 0 {
            self.note(&format!(
                "{cases} cases wait in the form of another version of Quivive: once that version \
                 has been started and stopped on the file, this one finds them, too"
            ));
        }
    }

    async fn obey(&mut self, command: Command) -> ControlFlow<()> {
        // Whoever asked may have gone; what was asked is done all the same.
        match command {
            Command::Flush(done) => {
                self.write_waiting().await;
                let _ = done.send(());
            }
            Command::Tidy(done) => {
                self.tidy(None).await;
                let _ = done.send(());
            }
            Command::Erase(whom, done) => {
                let _ = done.send(self.erase(&whom).await);
            }
            Command::Close(done) => {
                self.end().await;
                let _ = done.send(());
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }

    /// The last attempt; then the file is closed.
    async fn end(&mut self) {
        self.write_waiting().await;
        let lost = cases(&self.pending) + self.shared.queue.give_up();
        if lost > 0 {
            self.shared.lost(lost, "the store ended before it could write them");
        }
        // Another version may be the next that opens the file.
        self.unpack_at_end().await;
        self.shut().await;
    }

    async fn shut(&mut self) {
        self.shared.set_readers(None);
        if let Some(database) = self.database.take() {
            database.close().await;
        }
    }

    /// Cases have come: they are written together with those that come soon.
    fn schedule(&mut self) {
        let full = self.shared.queue.len() >= BATCH_MAX;
        let linger = if full { Duration::ZERO } else { self.shared.tuning.linger };
        let suspect = self.shared.suspect.load(Ordering::Relaxed);
        let at = Instant::now() + if suspect { Duration::ZERO } else { linger };
        // After a failure the attempt waits for its time.
        if self.pending.is_empty() {
            self.write_at = Some(self.write_at.map_or(at, |before| before.min(at)));
        }
    }

    /// Writes all that waits now. What comes meanwhile has its turn afterwards.
    async fn write_waiting(&mut self) {
        self.write_at = None;
        let mut left = self.shared.queue.len();
        loop {
            if self.usable().await.is_err() {
                return;
            }
            if self.pending.is_empty() {
                self.pending = self.shared.queue.take(left);
                left = left.saturating_sub(cases(&self.pending));
            }
            if self.pending.is_empty() {
                break;
            }
            if self.write_pending().await.is_err() {
                return;
            }
        }
        self.well();
        if self.shared.queue.len() > 0 {
            self.schedule();
        }
    }

    async fn write_pending(&mut self) -> Result<(), Unusable> {
        let Self { database: Some(database), pending, shared, .. } = self else {
            return Err(Unusable);
        };
        let is_flood = cases(pending) >= shared.tuning.flood;
        let mut written = batch::write(database, pending, is_flood).await;
        if let Err(error) = &written
            && Fault::of(error) == Fault::Content
        {
            // One of them cannot be written, now or ever: that is found out later.
            tracing::error!("cases cannot be written ({error}): they stay packed");
            written = batch::write(database, pending, true).await;
        }
        let Written { cases, lost, packed } = match written {
            Ok(written) => written,
            Err(error) => return Err(self.fault(&error).await),
        };
        self.pending.clear();
        self.is_flood |= is_flood;
        Counters::add(&self.shared.counters.written, cases);
        if lost > 0 {
            self.shared.lost(lost, "what waited cannot be read");
        }
        if packed {
            self.unpack_soon();
        }
        self.well();
        self.shared.measure();
        if self.shared.counters.oldest().is_none() {
            self.note_oldest().await;
        }
        if packed {
            // Where mail comes faster than that it waits for room in the queue.
            let _ = self.unpack_down_to(self.shared.tuning.cases_packed_max, None).await;
        }
        Ok(())
    }

    /// The open file, if it is still the one that the path leads to, and whole.
    async fn usable(&mut self) -> Result<&mut Database, Unusable> {
        self.look_after_file().await;
        if self.database.is_none() {
            self.open().await.map_err(|_| Unusable)?;
        }
        self.database.as_mut().ok_or(Unusable)
    }

    async fn look_after_file(&mut self) {
        let Some(database) = &self.database else { return };
        let suspect = self.shared.suspect.swap(false, Ordering::Relaxed);
        match database.file.fate() {
            Fate::Here if !suspect => {}
            Fate::Gone => {
                self.note("the store's file was deleted or replaced; cases go into a new one");
                self.shut().await;
            }
            Fate::Here | Fate::Truncated => self.examine().await,
        }
    }

    /// The file may be damaged: if it is, it is moved aside.
    async fn examine(&mut self) {
        self.shut().await;
        if self.open().await.is_err() {
            return;
        }
        let Some(database) = &mut self.database else { return };
        if database.is_sound().await {
            tracing::warn!("the store's file looked damaged and is sound, or was emptied");
            return;
        }
        self.shut().await;
        self.move_aside("its check failed");
    }

    fn move_aside(&self, text: &str) {
        let path = &self.shared.settings.path;
        match file::move_aside(path, self.shared.now()) {
            Ok(to) => self.note(&format!(
                "the store's file is damaged ({text}); it is now {}, and cases go into a new one",
                to.display()
            )),
            Err(error) => self.note(&format!(
                "the store's file is damaged ({text}), and cannot be moved aside: {error}"
            )),
        }
    }

    /// Something that is over already.
    fn note(&self, text: &str) {
        tracing::error!(path = %self.shared.settings.path.display(), "{text}");
        let trouble = Trouble { at: self.shared.now(), text: text.to_owned() };
        self.shared.counters.note_trouble(trouble);
    }

    /// A transaction failed: the file is opened anew for the next, unless it is only busy.
    async fn fault(&mut self, error: &sqlx::Error) -> Unusable {
        match Fault::of(error) {
            Fault::Busy => {
                self.failed(&format!("another process is writing for too long: {error}"));
            }
            Fault::Damage => {
                self.failed(&error.to_string());
                self.examine().await;
            }
            Fault::Surroundings | Fault::Content => {
                self.failed(&error.to_string());
                self.shut().await;
            }
        }
        Unusable
    }

    /// Notes trouble, and when there is another attempt.
    fn failed(&mut self, text: &str) {
        Counters::add(&self.shared.counters.failed_batches, 1);
        self.shared.trouble(text);
        self.write_at = Some(Instant::now() + self.back_off);
        self.back_off = (self.back_off * 2).min(BACK_OFF_MAX);
    }

    fn well(&mut self) {
        self.back_off = self.shared.tuning.back_off;
        self.shared.well();
    }

    async fn erase(&mut self, whom: &subject::Subject) -> Result<u64, Error> {
        self.write_waiting().await;
        if !self.pending.is_empty() || self.usable().await.is_err() {
            return Err(self.shared.unusable());
        }
        let unpacked = self.unpack_all(None).await;
        let erased = match (unpacked, &mut self.database) {
            (Ok(()), Some(database)) => subject::erase(database, whom).await,
            (Err(error), _) => Err(Error::Database(error)),
            (Ok(()), None) => Err(self.shared.unusable()),
        };
        self.tell_lost();
        if let Err(Error::Database(error)) = &erased {
            self.fault(error).await;
        }
        self.shared.measure();
        erased
    }

    /// Brings the file within its bounds, as far as it comes until then.
    async fn tidy(&mut self, until: Option<Instant>) {
        self.tidy_at = Instant::now() + TIDY_EVERY;
        let (settings, now) = (self.shared.settings.clone(), self.shared.now());
        while until.is_none_or(|until| Instant::now() < until) {
            if self.shared.queue.len() >= BATCH_MAX {
                self.write_waiting().await;
            }
            let Ok(database) = self.usable().await else { return };
            let mut progress = retention::step(database, &settings, now).await;
            if matches!(progress, Ok(Progress::Done)) {
                progress = age::step(database, &settings, now).await;
            }
            if matches!(progress, Ok(Progress::Done)) && settings.hash_addresses_after_days > 0 {
                progress = self.merge(now / DAY.unsigned_abs()).await;
            }
            self.tell_lost();
            match progress {
                Ok(Progress::More) => {}
                Ok(Progress::Done) => {
                    self.note_oldest().await;
                    self.shared.measure();
                    return;
                }
                Err(error) => {
                    self.fault(&error).await;
                    return;
                }
            }
        }
        self.tidy_at = Instant::now();
        if self.shared.queue.len() > 0 {
            self.schedule();
        }
    }

    /// Once a day the words of addresses that have become hashes go out of their index.
    async fn merge(&mut self, day: u64) -> Result<Progress, sqlx::Error> {
        let Some(database) = self.database.as_mut().filter(|_| self.merged_on != Some(day)) else {
            return Ok(Progress::Done);
        };
        let progress = self.merge.step(&mut database.connection).await?;
        if progress == Progress::Done {
            (self.merge, self.merged_on) = (Merge::default(), Some(day));
        }
        Ok(progress)
    }

    async fn note_oldest(&mut self) {
        let Some(database) = &mut self.database else { return };
        if let Ok(oldest) = retention::oldest(&mut database.connection).await {
            self.shared.counters.set_oldest(oldest);
        }
    }
}

/// How many cases these packs have.
fn cases(packs: &[Pack]) -> usize {
    packs.iter().map(|pack| pack.cases).sum()
}
