//! Connections: opening, settings, migrations.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::migration::MigrationSource;
use diesel::{Connection as _, MultiConnection, SqliteConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::error::StoreError;

pub(super) const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
#[cfg(feature = "postgres")]
const POSTGRESQL_MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/postgresql");

/// How long a starting process waits for others that start.
const START_PATIENCE: Duration = Duration::from_secs(30);

/// A connection to any of the databases that can be used.
#[derive(MultiConnection)]
pub(super) enum Database {
    /// SQLite 3.
    Sqlite(SqliteConnection),
    /// PostgreSQL, or what speaks its protocol.
    #[cfg(feature = "postgres")]
    Postgresql(diesel::PgConnection),
}

/// Where the database is.
#[derive(Debug)]
pub(super) enum Place {
    /// A SQLite file.
    File(PathBuf),
    /// A SQLite file that goes with the store.
    Passing(Folder),
    /// The URL of a PostgreSQL database.
    #[cfg(feature = "postgres")]
    Server(String),
}

/// A folder that is removed when it is dropped.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is small and in a folder for passing files.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Read,
    Write,
}

impl Place {
    /// The place that a URL means: `sqlite:PATH`, `sqlite::memory:`, or `postgres://…` if that is compiled in.
    pub(super) fn of_url(url: &str) -> Result<Self, StoreError> {
        if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            #[cfg(feature = "postgres")]
            return Ok(Self::Server(url.into()));
            #[cfg(not(feature = "postgres"))]
            return Err(StoreError::Unavailable(
                "this candybar is built without PostgreSQL".into(),
            ));
        }
        let Some(path) = url.strip_prefix("sqlite:") else {
            return Err(StoreError::Unavailable(format!(
                "{url} is no database; use sqlite:FILE"
            )));
        };
        let path = path.strip_prefix("//").unwrap_or(path);
        match path {
            ":memory:" => Folder::make().map(Self::Passing),
            "" => Err(StoreError::Unavailable(
                "the database has no file name; use sqlite:FILE".into(),
            )),
            _ => Ok(Self::File(path.into())),
        }
    }

    /// The database file, if it is one.
    pub(super) fn path(&self) -> Option<PathBuf> {
        match self {
            Self::File(path) => Some(path.clone()),
            Self::Passing(folder) => Some(folder.0.join("candybar.db")),
            #[cfg(feature = "postgres")]
            Self::Server(_) => None,
        }
    }

    /// Where the key file is if nobody says another: beside the database, or in the working directory. None for a
    /// database that goes with the store.
    pub(super) fn key(&self) -> Option<PathBuf> {
        match self {
            Self::File(path) => Some(path.with_file_name(KEY)),
            Self::Passing(_) => None,
            #[cfg(feature = "postgres")]
            Self::Server(_) => Some(KEY.into()),
        }
    }

    /// Opens a connection.
    pub(super) fn connect(&self, purpose: Purpose) -> Result<Database, StoreError> {
        match self {
            Self::File(path) => connect_file(path, purpose),
            Self::Passing(folder) => {
                let mut connection = connect_file(&folder.0.join("candybar.db"), purpose)?;
                connection.batch_execute("PRAGMA synchronous = OFF")?;
                Ok(connection)
            }
            #[cfg(feature = "postgres")]
            Self::Server(url) => {
                // The address may hold a password: it is not shown.
                let mut postgresql = diesel::PgConnection::establish(url)
                    .map_err(|error| StoreError::Unavailable(error.to_string()))?;
                postgresql.batch_execute("SET client_min_messages = warning")?;
                Ok(Database::Postgresql(postgresql))
            }
        }
    }

    /// Makes the database if there is none and brings its tables up to date, while other processes may do the same.
    pub(super) fn prepare(&self) -> Result<(), StoreError> {
        if let Some(path) = self.path() {
            make_private(&path)
                .map_err(|error| StoreError::Unavailable(format!("{}: {error}", path.display())))?;
        }
        // The change to WAL does not wait for the lock as other statements do.
        let start = Instant::now();
        loop {
            match self.prepare_once() {
                Err(StoreError::Busy { .. }) if start.elapsed() < START_PATIENCE => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                result => return result,
            }
        }
    }

    fn prepare_once(&self) -> Result<(), StoreError> {
        let mut connection = self.connect(Purpose::Write)?;
        match &mut connection {
            Database::Sqlite(sqlite) => {
                // A new database has pages of 8 KiB: replies and bodies that are longer than a page are written and read in half as
                // many pieces. One that is there keeps its own.
                sqlite.batch_execute("PRAGMA page_size = 8192; PRAGMA journal_mode = WAL;")?;
                sqlite.exclusive_transaction(|sqlite| migrate(sqlite, MIGRATIONS))
            }
            #[cfg(feature = "postgres")]
            Database::Postgresql(postgresql) => postgresql.transaction(|postgresql| {
                postgresql.batch_execute("SELECT pg_advisory_xact_lock(7238926340157)")?;
                migrate(postgresql, POSTGRESQL_MIGRATIONS)
            }),
        }
    }
}

fn connect_file(path: &Path, purpose: Purpose) -> Result<Database, StoreError> {
    // `:memory:` and `file:` mean something else to SQLite; a path with a folder does not.
    let path = if path.is_relative() {
        Path::new(".").join(path)
    } else {
        path.to_path_buf()
    };
    let path = path.to_str().ok_or_else(|| {
        StoreError::Unavailable("the name of the database file is not UTF-8".into())
    })?;
    let mut sqlite = SqliteConnection::establish(path)
        .map_err(|error| StoreError::Unavailable(format!("{path}: {error}")))?;
    sqlite.batch_execute(
        "PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;",
    )?;
    sqlite.batch_execute(match purpose {
        Purpose::Read => READ_SETTINGS,
        Purpose::Write => WRITE_SETTINGS,
    })?;
    Ok(Database::Sqlite(sqlite))
}

const KEY: &str = "candybar.key";

const READ_SETTINGS: &str = "PRAGMA query_only = ON; PRAGMA cache_size = -4000;";

/// FULL: a commit is on the disk before it is answered. A checkpoint comes after 16 MiB of log.
const WRITE_SETTINGS: &str = "PRAGMA synchronous = FULL; PRAGMA cache_size = -16000; \
     PRAGMA wal_autocheckpoint = 2000; PRAGMA journal_size_limit = 67108864;";

fn migrate<C, B>(connection: &mut C, migrations: EmbeddedMigrations) -> Result<(), StoreError>
where
    C: MigrationHarness<B>,
    B: diesel::backend::Backend,
    EmbeddedMigrations: MigrationSource<B>,
{
    let applied = connection.applied_migrations().map_err(of_migration)?;
    let known: Vec<_> = MigrationSource::<B>::migrations(&migrations)
        .map_err(of_migration)?
        .iter()
        .map(|migration| migration.name().version().as_owned())
        .collect();
    if let Some(newer) = applied.iter().find(|version| !known.contains(version)) {
        return Err(StoreError::Newer(newer.to_string()));
    }
    connection
        .run_pending_migrations(migrations)
        .map_err(of_migration)?;
    Ok(())
}

fn of_migration(error: Box<dyn std::error::Error + Send + Sync>) -> StoreError {
    match error.downcast::<diesel::result::Error>() {
        Ok(error) => (*error).into(),
        Err(error) => match error.to_string() {
            text if text.contains("is locked") => StoreError::BUSY,
            text if text.contains("disk is full") => StoreError::Full,
            text => StoreError::Unavailable(text),
        },
    }
}

/// Makes the file, for its owner only; SQLite gives the files beside it the same mode.
fn make_private(path: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

impl Folder {
    /// Makes a private folder, in memory where the system has such a place.
    fn make() -> Result<Self, StoreError> {
        let unavailable = |error: &dyn std::fmt::Display| {
            StoreError::Unavailable(format!("no place for a passing database: {error}"))
        };
        let mut tag = [0; 8];
        getrandom::fill(&mut tag).map_err(|error| unavailable(&error))?;
        let name = format!("candybar-{:016x}", u64::from_be_bytes(tag));
        let mut builder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        let shared = Path::new("/dev/shm").join(&name);
        if builder.create(&shared).is_ok() {
            return Ok(Self(shared));
        }
        let path = std::env::temp_dir().join(name);
        builder.create(&path).map_err(|error| unavailable(&error))?;
        Ok(Self(path))
    }
}
