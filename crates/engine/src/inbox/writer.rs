//! The writer task: whatever waits goes into one transaction.

use std::{ops::Range, sync::Arc, time::Duration};

use sqlx::PgPool;
use tokio::{sync::mpsc, time::sleep};

use super::{
    connection::{Connection, Failure},
    delivery::{Condition, Delivery, Entry, Reply},
    transaction,
};
use crate::{answer::StoreError, db, job::Enabled};

/// The most calls in one transaction.
const LARGEST_BATCH: usize = 256;

/// How often the writer tries, while it is in trouble and no call comes, whether it is over.
const TRIAL: Duration = Duration::from_secs(1);

pub(super) async fn write_all(
    pool: PgPool,
    probe: PgPool,
    jobs: Enabled,
    condition: Condition,
    mut entries: mpsc::Receiver<Entry>,
) {
    let mut connection = Connection::new(pool, probe);
    let mut batch = Vec::new();
    loop {
        tokio::select! {
            biased;
            received = entries.recv_many(&mut batch, LARGEST_BATCH) => if received == 0 { break },
            () = sleep(TRIAL), if condition.is_in_trouble() => {
                try_out(&mut connection, &jobs, &condition).await;
                continue;
            }
        }
        // A caller that has gone was told 503 and comes again.
        let waiting = batch.drain(..).filter(|entry| !entry.reply.is_closed());
        let (deliveries, replies): (Vec<_>, Vec<_>) =
            waiting.map(|entry| (entry.delivery, entry.reply)).unzip();
        let written = write(&mut connection, &jobs, &condition, deliveries).await;
        for (reply, result) in replies.into_iter().zip(written) {
            // An error says that the caller has gone in the meantime; the event is stored all the same.
            let _gone = reply.send(result);
        }
    }
}

/// One transaction for all; only where a row itself is refused, one for each half, and so on down to that row.
async fn write(
    connection: &mut Connection,
    jobs: &Enabled,
    condition: &Condition,
    deliveries: Vec<Delivery>,
) -> Vec<Reply> {
    let mut replies = Vec::with_capacity(deliveries.len());
    let deliveries = Arc::new(deliveries);
    let mut parts: Vec<Range<usize>> = std::iter::once(0..deliveries.len()).collect();
    while let Some(part) = parts.pop() {
        let (jobs, deliveries, rows) = (jobs.clone(), Arc::clone(&deliveries), part.clone());
        let written = connection.run(move |connection| {
            Box::pin(async move { transaction::write(connection, &jobs, &deliveries[rows]).await })
        });
        match written.await {
            Ok(stored) => {
                condition.set(false);
                replies.extend(stored.into_iter().map(Ok));
            }
            Err(failure) if part.len() > 1 && is_about_a_row(&failure) => {
                let middle = part.start + part.len() / 2;
                parts.extend([middle..part.end, part.start..middle]);
            }
            Err(failure) => {
                condition.set(!is_about_a_row(&failure));
                replies.extend(std::iter::repeat_n(Err(refused(&failure)), part.len()));
            }
        }
    }
    replies
}

/// Does what storing a call takes, but for the commit.
async fn try_out(connection: &mut Connection, jobs: &Enabled, condition: &Condition) {
    let jobs = jobs.clone();
    let tried = connection
        .run(move |connection| Box::pin(async move { transaction::try_out(connection, &jobs).await }));
    match tried.await {
        Ok(()) => {
            condition.set(false);
            tracing::info!("events can be stored again");
        }
        Err(failure) => drop(refused(&failure)),
    }
}

fn is_about_a_row(failure: &Failure) -> bool {
    matches!(failure, Failure::Database(error) if db::is_about_a_row(error))
}

fn refused(failure: &Failure) -> StoreError {
    let error = match failure {
        Failure::NotTried => return StoreError::Refused,
        Failure::Late => return StoreError::Late,
        Failure::Database(error) => error,
    };
    // A database's message can quote the row that it refused, and with it a phone number.
    match error.as_database_error() {
        Some(database) => tracing::error!(
            code = database.code().as_deref(),
            table = database.table(),
            constraint = database.constraint(),
            "Postgres refused to store events"
        ),
        None => tracing::error!(%error, "events could not be stored"),
    }
    StoreError::Refused
}
