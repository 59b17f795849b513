//! Which receivers there are, and which of the platform's tokens each admits.
//!
//! Each receiver says so itself, in a row of its own: when it starts, every few seconds, and at once when a token has changed.
//! A rotation waits for what they say. No delivery waits for it: where the database can't be reached, receivers go on.

mod fingerprint;

use std::{sync::Arc, time::Duration};

use sqlx::{PgConnection, PgPool};
use tokio::{sync::Notify, time::sleep};
use tokio_util::sync::CancellationToken;
use ulid::Ulid;

pub(crate) use fingerprint::{Fingerprint, Uses};

use crate::{db, guard::Guard, rotation::Part};

/// How often a receiver says that it is there.
const EVERY: Duration = Duration::from_secs(5);

/// Who has not said so for this long is taken for dead: killed, or on a machine that is gone.
pub(crate) const DEAD_AFTER: Duration = Duration::from_mins(1);

/// The tokens that a receiver admits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct InForce {
    /// `WEBHOOK_TOKEN`.
    pub(crate) token: Option<Fingerprint>,
    /// `WEBHOOK_TOKEN_PREVIOUS`.
    pub(crate) previous: Option<Fingerprint>,
}

/// A receiver, as it says of itself that it is there.
pub(crate) struct Presence {
    id: String,
    guard: Arc<Guard>,
    pool: PgPool,
    changed: Arc<Notify>,
}

impl Presence {
    pub(crate) fn new(guard: Arc<Guard>, pool: PgPool) -> Self {
        Self { id: Ulid::generate().to_string(), guard, pool, changed: Arc::default() }
    }

    /// What has it say so anew. It stands behind the guard's own part, since they are put in force in their order.
    pub(crate) fn part(&self) -> Part {
        let changed = Arc::clone(&self.changed);
        Box::new(move |_| {
            let changed = Arc::clone(&changed);
            Ok(Box::new(move || changed.notify_one()))
        })
    }

    /// Says so until it is told to stop, and then takes its row away.
    pub(crate) async fn keep_up(self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.changed.notified() => {}
                () = sleep(EVERY) => {}
            }
            self.say().await;
        }
        self.say().await;
        let gone = sqlx::query!("delete from receiver where id = $1", self.id).execute(&self.pool);
        if let Err(error) = db::within(gone).await {
            tracing::debug!(%error, "this receiver's row stays, and is taken for a dead one's");
        }
    }

    /// Says so once.
    pub(crate) async fn say(&self) {
        let (in_force, uses) = (self.guard.in_force(), self.guard.uses().take());
        if let Err(error) = db::within(self.write(&in_force, &uses)).await {
            tracing::debug!(%error, "that this receiver is there can't be written down yet");
            self.guard.uses().give_back(uses);
        }
    }

    async fn write(&self, in_force: &InForce, uses: &fingerprint::Used) -> sqlx::Result<()> {
        let mut connection = self.pool.acquire().await?;
        let known = uses.keys().chain(&in_force.token).chain(&in_force.previous);
        let known: Vec<_> = known.map(|known| known.as_str().to_owned()).collect();
        // As an age, since this machine's clock and the database's may differ.
        let ages: Vec<_> = uses.values().map(|used| used.elapsed().as_secs_f64()).collect();
        sqlx::query!(
            "
            insert into webhook_secret (fingerprint, first_seen_at, last_used_at)
            select known, now(), now() - make_interval(secs => min(age))
            from unnest($1::text[], $2::float8[]) as secret (known, age)
            group by known
            order by known
            on conflict (fingerprint) do update
            set last_used_at = greatest(webhook_secret.last_used_at, excluded.last_used_at)
            ",
            &known,
            &ages,
        )
        .execute(&mut *connection)
        .await?;
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        sqlx::query!(
            "
            insert into receiver (id, host, process, started_at, seen_at, token, token_previous)
            values ($1, $2, $3, now(), now(), $4, $5)
            on conflict (id) do update
            set seen_at = excluded.seen_at, token = excluded.token, token_previous = excluded.token_previous
            ",
            self.id,
            host,
            i64::from(std::process::id()),
            in_force.token.as_ref().map(Fingerprint::as_str),
            in_force.previous.as_ref().map(Fingerprint::as_str),
        )
        .execute(&mut *connection)
        .await?;
        // Those of long dead ones.
        sqlx::query!("delete from receiver where seen_at < now() - interval '1 day'")
            .execute(&mut *connection)
            .await
            .map(drop)
    }
}

/// A receiver's row.
pub(crate) struct Seen {
    pub(crate) host: String,
    pub(crate) process: i64,
    /// How long ago it last said that it is there.
    pub(crate) silent: Duration,
    pub(crate) in_force: InForce,
}

impl Seen {
    pub(crate) fn is_dead(&self) -> bool {
        self.silent > DEAD_AFTER
    }
}

impl std::fmt::Display for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "process {} on {}", self.process, self.host)
    }
}

/// All receivers that have a row, the dead ones too.
pub(crate) async fn receivers(connection: &mut PgConnection) -> sqlx::Result<Vec<Seen>> {
    let rows = sqlx::query!(
        r#"
        select host, process, token, token_previous,
            extract(epoch from clock_timestamp() - seen_at)::float8 as "silent!"
        from receiver order by started_at, id
        "#
    );
    let rows = rows.fetch_all(connection).await?;
    let seen = rows.into_iter().map(|row| Seen {
        host: row.host,
        process: row.process,
        silent: Duration::try_from_secs_f64(row.silent).unwrap_or_default(),
        in_force: InForce {
            token: row.token.map(Fingerprint::from),
            previous: row.token_previous.map(Fingerprint::from),
        },
    });
    Ok(seen.collect())
}

/// Takes the rows of dead receivers away.
pub(crate) async fn bury(connection: &mut PgConnection) -> sqlx::Result<()> {
    let dead = sqlx::query!(
        "delete from receiver where seen_at < now() - make_interval(secs => $1)",
        DEAD_AFTER.as_secs_f64()
    );
    dead.execute(connection).await.map(drop)
}

/// How long ago a token was first in force and last admitted a delivery; nothing where no receiver has had it.
pub(crate) async fn ages(
    connection: &mut PgConnection,
    of: &Fingerprint,
) -> sqlx::Result<Option<(Duration, Option<Duration>)>> {
    let row = sqlx::query!(
        r#"
        select extract(epoch from clock_timestamp() - first_seen_at)::float8 as "first!",
            extract(epoch from clock_timestamp() - last_used_at)::float8 as last
        from webhook_secret where fingerprint = $1
        "#,
        of.as_str()
    );
    let age = |secs: f64| Duration::try_from_secs_f64(secs).unwrap_or_default();
    Ok(row.fetch_optional(connection).await?.map(|row| (age(row.first), row.last.map(age))))
}
