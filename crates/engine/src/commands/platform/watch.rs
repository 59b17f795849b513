//! What the receivers say of themselves, on the one connection that keeps two rotations apart.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Context, bail, ensure};
use secrecy::SecretString;
use sqlx::PgConnection;
use tokio::time::{Instant, sleep, timeout};

use crate::{
    db,
    presence::{self, Fingerprint, InForce, Seen},
};

/// The key of the lock that a rotation holds.
const LOCK: i64 = 0x726f_7461_7465;

/// How often it is asked.
const PAUSE: Duration = Duration::from_millis(250);

/// How long the database may be away, and how long it may take to be reached.
const AWAY: Duration = Duration::from_mins(5);
const REACHED: Duration = Duration::from_secs(10);

/// A connection that holds the lock.
pub(super) struct Watch {
    url: SecretString,
    connection: PgConnection,
    /// The dead ones that were told.
    told: BTreeSet<String>,
}

async fn lock(connection: &mut PgConnection) -> sqlx::Result<bool> {
    let taken = sqlx::query_scalar!(r#"select pg_try_advisory_lock($1) as "taken!""#, LOCK);
    db::within(taken.fetch_one(connection)).await
}

async fn connect(url: &SecretString) -> anyhow::Result<PgConnection> {
    timeout(REACHED, db::connect(url)).await.context("the database does not answer")?
}

impl Watch {
    /// Takes the lock.
    pub(super) async fn begin(url: SecretString) -> anyhow::Result<Self> {
        let mut connection =
            connect(&url).await.context("a rotation asks the database about the receivers")?;
        ensure!(
            lock(&mut connection).await?,
            "another rotation is under way: wait until it has ended, or end it, and run this again"
        );
        Ok(Self { url, connection, told: BTreeSet::new() })
    }

    /// Makes sure that the lock is still held: without it, another rotation may be at work.
    pub(super) async fn still_alone(&mut self) -> anyhow::Result<()> {
        self.receivers().await.map(drop)
    }

    /// The live receivers; a dead one is told once, and its row taken away.
    pub(super) async fn receivers(&mut self) -> anyhow::Result<Vec<Seen>> {
        let mut seen = loop {
            match db::within(presence::receivers(&mut self.connection)).await {
                Ok(seen) => break seen,
                Err(error) => self.again(&error).await?,
            }
        };
        let any_dead = seen.iter().any(Seen::is_dead);
        for dead in seen.iter().filter(|receiver| receiver.is_dead()) {
            if self.told.insert(dead.to_string()) {
                println!("  {dead} has not been seen for {} s: taken for dead.", dead.silent.as_secs());
            }
        }
        if any_dead {
            // What stays is asked about the next time.
            let _later = db::within(presence::bury(&mut self.connection)).await;
        }
        seen.retain(|receiver| !receiver.is_dead());
        Ok(seen)
    }

    /// How long ago this secret last admitted a delivery.
    pub(super) async fn used(&mut self, secret: &Fingerprint) -> anyhow::Result<Option<Duration>> {
        loop {
            match db::within(presence::ages(&mut self.connection, secret)).await {
                Ok(ages) => return Ok(ages.and_then(|(_, last)| last)),
                Err(error) => self.again(&error).await?,
            }
        }
    }

    /// Waits until every live receiver has these in force, as long as the files `still` hold them; after `limit` it says which
    /// have not.
    pub(super) async fn until(
        &mut self,
        wanted: &InForce,
        still: impl Fn() -> anyhow::Result<()>,
        limit: Duration,
    ) -> anyhow::Result<()> {
        let begun = Instant::now();
        loop {
            let receivers = self.receivers().await?;
            still()?;
            let lacking: Vec<_> = receivers.iter().filter(|receiver| receiver.in_force != *wanted).collect();
            if lacking.is_empty() && !receivers.is_empty() {
                return Ok(());
            }
            if begun.elapsed() > limit {
                if receivers.is_empty() {
                    bail!(
                        "no receiver is running, so none can admit a secret: start them, and run this again"
                    );
                }
                let lacking: Vec<_> = lacking.iter().map(ToString::to_string).collect();
                bail!(
                    "{} of {} receivers did not take it up within {}: {}. Has each the same two files, in \
                     WEBHOOK_TOKEN_FILE and WEBHOOK_TOKEN_PREVIOUS_FILE, and what does its log say? Then run this again",
                    lacking.len(),
                    receivers.len(),
                    humantime::format_duration(limit),
                    lacking.join(", ")
                );
            }
            sleep(PAUSE).await;
        }
    }

    /// Another connection, with the lock, after this one broke.
    async fn again(&mut self, error: &sqlx::Error) -> anyhow::Result<()> {
        println!("  The database can't be asked ({error}): waiting for it.");
        let begun = Instant::now();
        loop {
            sleep(PAUSE).await;
            if let Ok(mut connection) = connect(&self.url).await
                // The session that broke may still be there, and hold it.
                && lock(&mut connection).await.unwrap_or(false)
            {
                self.connection = connection;
                return Ok(());
            }
            ensure!(
                begun.elapsed() < AWAY,
                "the database could not be asked for {}, or another rotation has begun: run this again",
                humantime::format_duration(AWAY)
            );
        }
    }

    pub(super) async fn pause(&self) {
        sleep(PAUSE).await;
    }
}
