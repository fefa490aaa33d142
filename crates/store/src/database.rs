//! Opening the file. Everything here is SQLite's own; PostgreSQL has its own settings for all of
//! it.

use std::path::Path;
use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{
    SqliteAutoVacuum, SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool,
    SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection, Executor, SqlSafeStr};

use crate::batch::Scribe;
use crate::encode::Key;
use crate::error::{Error, Fault};
use crate::file::{self, Opened};

/// How long a transaction waits for that of another process.
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How many readers there are at a time; more wait.
const READERS_MAX: u32 = 4;

/// How long a reader waits for its turn.
const READER_PATIENCE: Duration = Duration::from_secs(10);

/// Memory for pages, in KiB: with the index of words of a million cases writes stay in memory.
const WRITER_CACHE_KIB: u32 = 32 * 1024;

/// So many pages of the log go into the file together: of those that change with every batch only
/// the last state. The log grows beyond while readers hold it.
const LOG_PAGES_MAX: u32 = 4000;

/// Octets of the log after a checkpoint.
const LOG_OCTETS_MAX: u32 = 16 * 1024 * 1024;

/// The file as its one writer has it open.
pub(crate) struct Database {
    pub(crate) connection: SqliteConnection,
    pub(crate) readers: SqlitePool,
    pub(crate) file: Opened,
    pub(crate) scribe: Scribe,
    /// How many cases were packed and are lost, and nobody has been told.
    pub(crate) lost: usize,
}

/// What binds a file that is opened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) busy_timeout: Duration,
    /// How many pages it may have; 0: any number.
    pub(crate) pages_max: u64,
    /// It may not be written.
    pub(crate) read_only: bool,
}

/// Why the file could not be opened.
#[derive(Debug)]
pub(crate) enum OpenError {
    /// The settings are wrong.
    Settings(Error),
    /// The file is broken.
    Damaged(String),
    /// It may be better later.
    Later(String),
}

impl Database {
    /// Opens the file, or makes it.
    pub(crate) async fn open(path: &Path, bounds: Bounds) -> Result<Self, OpenError> {
        file::prepare(path).map_err(|source| of_file(path, source))?;
        let file = Opened::new(path).map_err(|source| of_file(path, source))?;
        let mut options = options(path, bounds.busy_timeout)
            .auto_vacuum(SqliteAutoVacuum::Incremental)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .pragma("cache_size", format!("-{WRITER_CACHE_KIB}"))
            .pragma("wal_autocheckpoint", LOG_PAGES_MAX.to_string())
            .pragma("journal_size_limit", LOG_OCTETS_MAX.to_string())
            // What a statement of many rows changes is noted until it ends: SQLite would write that
            // to another file, as much as to the log.
            .pragma("temp_store", "memory")
            .pragma("secure_delete", "fast");
        if bounds.pages_max > 0 {
            options = options.pragma("max_page_count", bounds.pages_max.to_string());
        }
        let mut connection = options.read_only(bounds.read_only).connect().await?;
        migrate(path, &mut connection).await?;
        let key = key(&mut connection).await?;
        // The header in the file then says what it has: see `file::fate`.
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").await?;
        Ok(Self {
            connection,
            readers: readers(path, bounds.busy_timeout),
            file,
            scribe: Scribe::new(key),
            lost: 0,
        })
    }

    /// Whether what is taken out is overwritten even where it stood in pages of its own, which
    /// would not have to be written otherwise. It is what lets somebody be forgotten; for all that
    /// the index of words merges it would take too long.
    pub(crate) async fn overwrite(
        connection: &mut SqliteConnection,
        all: bool,
    ) -> Result<(), sqlx::Error> {
        let sql = if all { "PRAGMA secure_delete = on" } else { "PRAGMA secure_delete = fast" };
        connection.execute(sql).await.map(|_| ())
    }

    /// Whether all of it can be read. Takes seconds for a file of 1 GiB.
    pub(crate) async fn is_sound(&mut self) -> bool {
        let check = sqlx::query_scalar::<_, String>("PRAGMA quick_check(1)");
        check.fetch_one(&mut self.connection).await.is_ok_and(|answer| answer == "ok")
    }

    /// Closes it. Readers that are at work end first.
    pub(crate) async fn close(self) {
        let Self { connection, readers, file, .. } = self;
        readers.close().await;
        if let Err(error) = connection.close().await {
            tracing::debug!("the store's file was not closed in order: {error}");
        }
        drop(file);
    }
}

impl From<sqlx::Error> for OpenError {
    fn from(error: sqlx::Error) -> Self {
        match Fault::of(&error) {
            Fault::Damage => Self::Damaged(error.to_string()),
            Fault::Busy | Fault::Surroundings | Fault::Content => Self::Later(error.to_string()),
        }
    }
}

fn options(path: &Path, busy_timeout: Duration) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .busy_timeout(busy_timeout)
        .disable_statement_logging()
}

/// Who reads a file. It is opened when the first does.
pub(crate) fn readers(path: &Path, busy_timeout: Duration) -> SqlitePool {
    let options = options(path, busy_timeout).pragma("query_only", "1");
    SqlitePoolOptions::new()
        .max_connections(READERS_MAX)
        .acquire_timeout(READER_PATIENCE)
        .connect_lazy_with(options)
}

fn of_file(path: &Path, source: std::io::Error) -> OpenError {
    use std::io::ErrorKind::{IsADirectory, NotADirectory, NotFound};
    match source.kind() {
        IsADirectory | NotADirectory | NotFound => {
            OpenError::Settings(Error::Unusable { path: path.to_owned(), source })
        }
        _ => OpenError::Later(source.to_string()),
    }
}

async fn migrate(path: &Path, connection: &mut SqliteConnection) -> Result<(), OpenError> {
    use sqlx::migrate::MigrateError;
    let simple = |version: i64, name: &'static str, sql: &'static str| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    let migrations = vec![
        simple(1, "cases", include_str!("../migrations/0001_cases.sql")),
        simple(2, "uses", include_str!("../migrations/0002_uses.sql")),
        simple(3, "merges", include_str!("../migrations/0003_merges.sql")),
        simple(4, "words due", include_str!("../migrations/0004_words_due.sql")),
        simple(5, "packs", include_str!("../migrations/0005_packs.sql")),
    ];
    match Migrator::with_migrations(migrations).run_direct(None, connection, false).await {
        Ok(()) => Ok(()),
        Err(MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) => {
            Err(error.into())
        }
        Err(source) => Err(OpenError::Settings(Error::Newer { path: path.to_owned(), source })),
    }
}

/// The file's key, made with the file.
async fn key(connection: &mut SqliteConnection) -> Result<Key, OpenError> {
    let mut fresh = [0; 32];
    getrandom::fill(&mut fresh).map_err(|error| OpenError::Later(error.to_string()))?;
    sqlx::query("INSERT INTO secret (name, value) VALUES ('key', $1) ON CONFLICT DO NOTHING")
        .bind(fresh.as_slice())
        .execute(&mut *connection)
        .await?;
    let query = sqlx::query_scalar::<_, Vec<u8>>("SELECT value FROM secret WHERE name = 'key'");
    let key = query.fetch_one(connection).await?;
    let key = key.try_into().map_err(|_| OpenError::Damaged("its key is cut".to_owned()))?;
    Ok(Key(key))
}
