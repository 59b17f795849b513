//! Pools and migrations.

mod encryption;

use std::time::Duration;

use anyhow::Context;
use apalis_postgres::PostgresStorage;
use secrecy::{ExposeSecret, SecretString};
use sqlx::{
    Connection, Executor, PgConnection, PgPool,
    error::DatabaseError,
    migrate::{Migrate, Migrator},
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::time::{Instant, sleep, timeout};
use ulid::Ulid;

pub use encryption::explain;

use crate::{config::ConfigError, package::Package, rotation::Part};

/// Our tables; apalis keeps its own history of its own tables, in the schema apalis.
static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations");

/// How long a database that starts beside us may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Asked of a connection before it is used again, in place of a ping. After a failover the old primary may still answer,
/// and refuse all writes; closed, the connection makes room for one to the new primary.
const TAKES_WRITES: &str = "select current_setting('transaction_read_only') = 'off'";

/// The same for connections that we keep from writing ourselves.
const IS_PRIMARY: &str = "select not pg_is_in_recovery()";

/// The writer's connections. They give up before the platform does: a statement that waits for a lock or a stalled disk
/// must not hold a delivery past the second within which it gets its answer. By their name the server can be asked about
/// them.
///
/// # Errors
///
/// `DATABASE_URL` is no URL of a Postgres.
pub fn writer_pool(url: &SecretString) -> anyhow::Result<PgPool> {
    let options = pool(TAKES_WRITES, FRESH, SIGN_OF_LIFE)
        .max_connections(2)
        .acquire_timeout(Duration::from_millis(800));
    // The last of them for a client that fell silent in the middle of a transaction: its locks would be in the way.
    let options = on_connect(
        options,
        "set statement_timeout = '800ms'; set lock_timeout = '500ms';
        set idle_in_transaction_session_timeout = '5s'",
    );
    let name = format!("{} writer {}", Package::of_this_process().name, Ulid::generate());
    Ok(options.connect_lazy_with(parse(url)?.application_name(&name)))
}

/// The readiness probe's connection, on which the writer asks about its own, too.
///
/// # Errors
///
/// `DATABASE_URL` is no URL of a Postgres.
pub fn probe_pool(url: &SecretString) -> anyhow::Result<PgPool> {
    let options = pool(TAKES_WRITES, Duration::ZERO, SIGN_OF_LIFE)
        .max_connections(1)
        .acquire_timeout(Duration::from_millis(800));
    Ok(on_connect(options, "set statement_timeout = '800ms'; set lock_timeout = '500ms'")
        .connect_lazy_with(parse(url)?))
}

/// How long the workers' statements may take together, where they belong together.
const STATEMENTS: Duration = Duration::from_secs(5);

/// How long a connection may take to say that it is there.
const SIGN_OF_LIFE: Duration = Duration::from_secs(1);

/// How long a connection whose statement was given up may take to end it, before it is cut.
const AFTERMATH: Duration = Duration::from_secs(15);

/// A connection that was idle for less than this is believed without a question.
const FRESH: Duration = Duration::from_secs(2);

/// Waits for statements no longer than they may take: a connection can go silent, open and without an answer.
///
/// # Errors
///
/// Theirs, or [`sqlx::Error::PoolTimedOut`].
pub async fn within<T>(statements: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    timeout(STATEMENTS, statements).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

/// Whether the database refused what one row says: SQLSTATE classes 22 (data exception), 23 (constraint violation) and 54
/// (limit exceeded). All others tell of the server, and what failed for one row would fail for all.
#[must_use]
pub fn is_about_a_row(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    code.is_some_and(|code| ["22", "23", "54"].iter().any(|class| code.starts_with(class)))
}

/// The workers' connections: their statements are short, so they share them. One that has gone silent is cut, both when
/// it is taken and when it comes back: sqlx itself would wait for it for ever.
///
/// # Errors
///
/// `DATABASE_URL` is no URL of a Postgres.
pub fn worker_pool(url: &SecretString, jobs_at_a_time: usize) -> anyhow::Result<PgPool> {
    let connections = u32::try_from(jobs_at_a_time).unwrap_or(u32::MAX).saturating_add(4).min(20);
    let options =
        pool(TAKES_WRITES, FRESH, AFTERMATH).max_connections(connections).acquire_timeout(STATEMENTS);
    Ok(on_connect(options, "set statement_timeout = '5s'").connect_lazy_with(parse(url)?))
}

/// The console's connections: its statements can't write, and none of them takes long.
///
/// # Errors
///
/// `DATABASE_URL` is no URL of a Postgres.
pub fn reader_pool(url: &SecretString) -> anyhow::Result<PgPool> {
    let options = pool(IS_PRIMARY, Duration::ZERO, SIGN_OF_LIFE)
        .max_connections(2)
        .acquire_timeout(Duration::from_secs(3));
    Ok(on_connect(options, // A page's query is planned for what is asked: for all calls and for a few, the best way differs. It ends after a
        // few rows: to compile it, or to start processes for it, takes longer than it does.
        "set default_transaction_read_only = on; set statement_timeout = '5s'; set plan_cache_mode = force_custom_plan;
         set jit = off; set max_parallel_workers_per_gather = 0")
        .connect_lazy_with(parse(url)?))
}

/// A pool that closes a connection of which the question is not true, and cuts one that doesn't answer it, both when it is
/// taken and when it comes back: sqlx itself would wait for an answer for ever. It asks none that was idle for less than
/// `fresh`, and lets one whose statement was given up take as long as `aftermath` to end it.
fn pool(of_use: &'static str, fresh: Duration, aftermath: Duration) -> PgPoolOptions {
    PgPoolOptions::new()
        .test_before_acquire(false)
        .before_acquire(move |connection, meta| {
            Box::pin(async move { Ok(meta.idle_for < fresh || is(connection, of_use, SIGN_OF_LIFE).await?) })
        })
        .after_release(move |connection, _| Box::pin(is(connection, of_use, aftermath)))
}

/// Whether what is asked of a connection is true. An error makes the pool cut it.
async fn is(connection: &mut PgConnection, question: &'static str, limit: Duration) -> sqlx::Result<bool> {
    let answer = sqlx::query_scalar(question).fetch_one(connection);
    timeout(limit, answer).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

fn on_connect(options: PgPoolOptions, statements: &'static str) -> PgPoolOptions {
    options.after_connect(move |connection, _| {
        Box::pin(async move { connection.execute(statements).await.map(drop) })
    })
}

fn parse(url: &SecretString) -> anyhow::Result<PgConnectOptions> {
    let url = url.expose_secret();
    let options = url.parse::<PgConnectOptions>();
    let options =
        options.context("DATABASE_URL is no Postgres URL: postgres://user:password@host:5432/database")?;
    Ok(encryption::require(options, url))
}

/// The pool as a part of the process that a changed password reaches: at the next connection, since those that are open
/// need none. Another database is none that it could go over to, with transactions in hand.
#[must_use]
pub fn part(pool: PgPool) -> Part {
    Box::new(move |config| {
        let before = pool.connect_options();
        let mut next = parse(&config.database()?).map_err(|error| ConfigError::new(format!("{error:#}")))?;
        if let Some(name) = before.get_application_name() {
            next = next.application_name(name);
        }
        let place = |of: &PgConnectOptions| {
            let (socket, database) = (of.get_socket().cloned(), of.get_database().map(str::to_owned));
            (of.get_host().to_owned(), of.get_port(), socket, database)
        };
        if place(&before) != place(&next) {
            return Err(ConfigError::new("DATABASE_URL names another database now, which takes a restart"));
        }
        let pool = pool.clone();
        Ok(Box::new(move || pool.set_connect_options(next)))
    })
}

/// Whether whoever stands in the way to the database could pass for it.
///
/// # Errors
///
/// `DATABASE_URL` is no URL of a Postgres.
pub fn can_be_impersonated(url: &SecretString) -> anyhow::Result<bool> {
    Ok(encryption::can_be_impersonated(&parse(url)?))
}

/// One connection.
///
/// # Errors
///
/// `DATABASE_URL` is no URL of a Postgres, or nothing that would let us in is there.
pub async fn connect(url: &SecretString) -> anyhow::Result<PgConnection> {
    PgConnection::connect_with(&parse(url)?).await.map_err(explain)
}

/// How a database's tables stand to this version of the program.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tables {
    /// Migrations that the next start applies.
    pub pending: usize,
    /// Migrations that this version doesn't know.
    pub newer: usize,
    /// A migration that broke off, or that was another one under the same number: no start gets past it.
    pub broken: Option<i64>,
}

/// Compares the migrations that were applied with those that [`migrate`] would apply, ours and apalis', and changes nothing.
///
/// # Errors
///
/// The database can't be asked.
pub async fn tables(connection: &mut PgConnection) -> anyhow::Result<Tables> {
    let mut tables = Tables::default();
    for migrator in [&MIGRATIONS, &PostgresStorage::migrations()] {
        let history = &migrator.table_name;
        let begun = sqlx::query_scalar!(r#"select to_regclass($1) is not null as "begun!""#, &**history);
        let begun = begun.fetch_one(&mut *connection).await?;
        let applied = if begun { connection.list_applied_migrations(history).await? } else { Vec::new() };
        if begun {
            tables.broken = tables.broken.or(connection.dirty_version(history).await?);
        }
        for migration in migrator.iter() {
            match applied.iter().find(|applied| applied.version == migration.version) {
                None => tables.pending += 1,
                Some(applied) if applied.checksum != migration.checksum => {
                    tables.broken = tables.broken.or(Some(migration.version));
                }
                Some(_) => {}
            }
        }
        tables.newer += applied.iter().filter(|applied| !migrator.version_exists(applied.version)).count();
    }
    Ok(tables)
}

/// Waits for the database, and brings its tables up to date. Any number of processes may do it at once: sqlx holds a lock.
///
/// # Errors
///
/// The database can't be reached for 30 s, or a migration fails.
pub async fn migrate(url: &SecretString) -> anyhow::Result<()> {
    let pool = PgPoolOptions::new().max_connections(1).connect_lazy_with(parse(url)?);
    let deadline = Instant::now() + PATIENCE;
    while let Err(error) = pool.acquire().await {
        // A server that is up and can't encrypt still can't in half a minute.
        if Instant::now() > deadline || matches!(error, sqlx::Error::Tls(_)) {
            return Err(explain(error)).context("the database of DATABASE_URL can't be reached");
        }
        tracing::warn!(%error, "waiting for the database");
        sleep(Duration::from_secs(1)).await;
    }
    // A rollback to an older version meets migrations that it doesn't know: it leaves them alone.
    let mut apalis = PostgresStorage::migrations();
    apalis.set_ignore_missing(true).run(&pool).await.context(
        "apalis' tables can't be made: its migrations need the right to create the extensions hstore and pgcrypto",
    )?;
    let mut ours = Migrator { migrations: MIGRATIONS.migrations.clone(), ..Migrator::DEFAULT };
    ours.set_ignore_missing(true).run(&pool).await.context("the tables can't be made")?;
    pool.close().await;
    Ok(())
}
