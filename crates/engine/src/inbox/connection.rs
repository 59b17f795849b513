//! The writer's way to Postgres: one transaction at a time, and when to give it up.
//!
//! A commit that waits for a disk or a standby goes on waiting when its client hangs up. With a new connection for each
//! next try the server would soon have none left. So a transaction that is over its time keeps its connection, and there
//! is no further one, until it ends, or until the server says that it has nothing in hand for us: then it is the
//! connection that is broken.

use std::{
    pin::{Pin, pin},
    time::Duration,
};

use sqlx::{PgConnection, PgPool, Postgres, pool::PoolConnection};
use tokio::time::{Instant, timeout};
use tokio_util::task::AbortOnDropHandle;

/// How long a transaction may take. Postgres' own `statement_timeout` is shorter, but doesn't hold for a commit, nor where
/// the other end is gone.
const TRANSACTION_DEADLINE: Duration = Duration::from_secs(2);

/// The waits between two tries to connect, and between two questions after a transaction that is over its time: each is
/// twice the one before.
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// What a transaction does.
pub(super) type Work<'c, T> = Pin<Box<dyn Future<Output = sqlx::Result<T>> + Send + 'c>>;

/// Why a transaction is not known to be committed.
pub(super) enum Failure {
    /// It was not tried, because of an earlier one whose error is in the log.
    NotTried,
    /// It took too long.
    Late,
    /// The database refused it, or can't be reached.
    Database(sqlx::Error),
}

pub(super) struct Connection {
    pool: PgPool,
    /// Another connection, on which the server is asked what it does.
    probe: PgPool,
    /// A transaction that is over its time.
    abandoned: Option<AbortOnDropHandle<()>>,
    /// How often connecting has failed in a row, and when it is tried again.
    unreachable: Option<(u32, Instant)>,
}

impl Connection {
    pub(super) fn new(pool: PgPool, probe: PgPool) -> Self {
        Self { pool, probe, abandoned: None, unreachable: None }
    }

    /// Does this and returns what came of it. After the deadline it may still be committed.
    pub(super) async fn run<T: Send + 'static>(
        &mut self,
        work: impl for<'c> FnOnce(&'c mut PgConnection) -> Work<'c, T> + Send + 'static,
    ) -> Result<T, Failure> {
        let mut connection = self.open().await?;
        let mut transaction = Box::pin(async move { work(&mut connection).await });
        match timeout(TRANSACTION_DEADLINE, &mut transaction).await {
            Ok(done) => done.map_err(Failure::Database),
            Err(_) => {
                tracing::error!("a transaction takes too long: no other is begun until it ends");
                let name = self.pool.connect_options().get_application_name().map(str::to_owned);
                let outlasting = outlast(transaction, self.probe.clone(), name);
                self.abandoned = Some(AbortOnDropHandle::new(tokio::spawn(outlasting)));
                Err(Failure::Late)
            }
        }
    }

    async fn open(&mut self) -> Result<PoolConnection<Postgres>, Failure> {
        if self.abandoned.as_ref().is_some_and(|abandoned| !abandoned.is_finished()) {
            return Err(Failure::NotTried);
        }
        self.abandoned = None;
        let failed = match self.unreachable {
            Some((_, again)) if Instant::now() < again => return Err(Failure::NotTried),
            Some((failed, _)) => failed,
            None => 0,
        };
        match self.pool.acquire().await {
            Ok(connection) => {
                self.unreachable = None;
                Ok(connection)
            }
            Err(error) => {
                self.unreachable = Some((failed.saturating_add(1), Instant::now() + wait(failed)));
                Err(Failure::Database(error))
            }
        }
    }
}

fn wait(failed: u32) -> Duration {
    FIRST_WAIT.saturating_mul(2_u32.saturating_pow(failed)).min(LONGEST_WAIT)
}

/// Waits until it ends, or the server has nothing in hand for us.
async fn outlast<T>(transaction: impl Future<Output = T>, probe: PgPool, name: Option<String>) {
    let mut transaction = pin!(transaction);
    for asked in 0.. {
        if timeout(wait(asked), &mut transaction).await.is_ok() {
            tracing::info!("the transaction that took too long has ended");
            return;
        }
        match is_busy(&probe, name.as_deref()).await {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => tracing::debug!(%error, "the database can't be asked what became of a transaction"),
        }
    }
    tracing::warn!("the connection of the transaction that took too long is broken: it is given up");
}

/// Whether the server works for a connection of this name.
async fn is_busy(probe: &PgPool, name: Option<&str>) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"
        select exists (
            select from pg_stat_activity where application_name = $1 and state = 'active'
        ) as "busy!"
        "#,
        name,
    )
    .fetch_one(probe)
    .await
}
