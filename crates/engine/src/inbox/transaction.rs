//! The one statement that makes events and their jobs durable together.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};
use serde_json::{
    Value,
    value::{RawValue, to_raw_value},
};
use sqlx::{Connection, PgConnection, types::Json};
use ulid::Ulid;

use super::delivery::Delivery;
use crate::{
    answer::Stored,
    call::{CALL_COMPLETED, Call},
    job::{Enabled, JobKind},
    trace::TraceId,
};

/// The fields of a call that have columns of their own: what is searched or sorted by, and what jobs read of a call's other
/// events. All others stand in the column `details`, and a further one needs no line here.
const COLUMNS: [&str; 14] = [
    "event_id",
    "received_at",
    "platform",
    "event",
    "call_id",
    "occurred_at",
    "direction",
    "from",
    "to",
    "status",
    "queue",
    "agent",
    "recording_url",
    "custom_fields",
];

/// What is stored of a delivery: its event, and the request as it came.
struct Row<'a> {
    event: &'a Call,
    headers: &'a Value,
    trace_id: Option<TraceId>,
    body: &'a [u8],
}

/// Writes the new events among these, enqueues their jobs, and says of each delivery, in order, what became of it.
pub(super) async fn write<'a>(
    connection: &mut PgConnection,
    jobs: &Enabled,
    deliveries: &'a [Delivery],
) -> sqlx::Result<Vec<Stored>> {
    // In the order of their keys: two replicas that insert the same events in different orders would deadlock.
    let mut distinct: Vec<&Delivery> = deliveries.iter().collect();
    distinct.sort_by_key(|delivery| &delivery.event.event_id);
    distinct.dedup_by_key(|delivery| &delivery.event.event_id);

    let row = |delivery: &&'a Delivery| {
        let Delivery { event, headers, trace_id, body, .. } = *delivery;
        Row { event, headers, trace_id: *trace_id, body }
    };
    let rows: Vec<Row<'_>> = distinct.iter().map(row).collect();
    let tasks: Vec<_> = rows.iter().flat_map(|row| started(jobs, row.event)).collect();
    let new = insert(&mut *connection, &rows, &tasks).await?;
    let repeated: Vec<_> = rows.into_iter().filter(|row| !new.contains(&row.event.event_id)).collect();
    let earlier = find(connection, &repeated).await?;

    let mut first_in_batch: HashMap<&str, &Delivery> = HashMap::new();
    let answer = |delivery: &'a Delivery| {
        let Delivery { event, body, .. } = delivery;
        match (earlier.get(&event.event_id), first_in_batch.get(event.event_id.as_str())) {
            (Some(earlier), _) => Stored::Duplicate { of: earlier.0, same_body: earlier.1 },
            (None, Some(first)) => {
                Stored::Duplicate { of: first.event.received_at, same_body: first.body == body }
            }
            (None, None) => {
                first_in_batch.insert(&event.event_id, delivery);
                Stored::New
            }
        }
    };
    Ok(deliveries.iter().map(answer).collect())
}

/// Does what [`write`] does to a single event of its own, and takes it back.
pub(super) async fn try_out(connection: &mut PgConnection, jobs: &Enabled) -> sqlx::Result<()> {
    let event_id = format!("try-out:{}", Ulid::generate());
    let event =
        Call { event_id, event: CALL_COMPLETED.to_owned(), received_at: Utc::now(), ..Call::default() };
    let tasks: Vec<_> = jobs.kinds().iter().map(|job| (event.event_id.as_str(), job.name)).collect();
    let mut transaction = connection.begin().await?;
    let row = Row { event: &event, headers: &Value::Array(Vec::new()), trace_id: None, body: &[] };
    insert(&mut transaction, &[row], &tasks).await?;
    transaction.rollback().await
}

/// Inserts the events that aren't there, and with them their tasks, each an event's key and a job; returns the keys.
///
/// One statement is one commit and one round trip. What it writes into apalis' table is what apalis itself would, but for
/// the time: the database's, because a clock of ours that is ahead would make a job wait.
async fn insert(
    connection: &mut PgConnection,
    rows: &[Row<'_>],
    tasks: &[(&str, &str)],
) -> sqlx::Result<HashSet<String>> {
    let texts = |of: fn(&Call) -> Option<&str>| column(rows, of);
    let times = |of: fn(&Call) -> Option<DateTime<Utc>>| column(rows, of);
    let query = sqlx::query_scalar!(
        r#"
        with event as (
            insert into call_event (
                event_id, received_at, platform, body, headers, event, call_id, occurred_at, direction, from_number,
                to_number, status, queue_id, queue_name, agent_id, agent_name, recording_url, custom_fields, details
            )
            select * from unnest(
                $1::text[], $2::timestamptz[], $3::text[], $4::bytea[], $5::jsonb[], $6::text[], $7::text[],
                $8::timestamptz[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[],
                $15::text[], $16::text[], $17::text[], $18::jsonb[], $19::jsonb[]
            )
            on conflict (event_id) do nothing
            returning event_id
        ), task as (
            insert into apalis.jobs (id, job_type, idempotency_key, job, max_attempts, run_at, metadata)
            -- apalis takes whole seconds, and notifies of no job that is to run later. One that failed as often as it may
            -- would stay for ever, neither run nor given up: the runner counts.
            select task_id, job, event_id, convert_to(to_json(event_id)::text, 'UTF8'), 2147483647,
                   date_trunc('second', now()), ''
            from unnest($20::text[], $21::text[], $22::text[]) as started (event_id, job, task_id)
            join event using (event_id)
        )
        select event_id from event
        "#,
        texts(|event| Some(&event.event_id)) as _,
        times(|event| Some(event.received_at)) as _,
        texts(|event| Some(&event.platform)) as _,
        rows.iter().map(|row| row.body).collect::<Vec<_>>() as _,
        rows.iter().map(|row| row.headers).collect::<Vec<_>>() as _,
        texts(|event| Some(&event.event)) as _,
        texts(|event| Some(&event.call_id)) as _,
        times(|event| event.occurred_at) as _,
        texts(|event| event.direction.as_ref().map(AsRef::as_ref)) as _,
        texts(|event| event.from.as_deref()) as _,
        texts(|event| event.to.as_deref()) as _,
        texts(|event| event.status.as_ref().map(AsRef::as_ref)) as _,
        texts(|event| event.queue.id.as_deref()) as _,
        texts(|event| event.queue.name.as_deref()) as _,
        texts(|event| event.agent.id.as_deref()) as _,
        texts(|event| event.agent.name.as_deref()) as _,
        texts(|event| event.recording_url.as_deref()) as _,
        rows.iter().map(|row| Json(&row.event.custom_fields)).collect::<Vec<_>>() as _,
        rows.iter().map(|row| details(row).map(Json)).collect::<Result<Vec<_>, _>>()? as _,
        tasks.iter().map(|(event_id, _)| *event_id).collect::<Vec<_>>() as _,
        tasks.iter().map(|(_, job)| *job).collect::<Vec<_>>() as _,
        tasks.iter().map(|_| Ulid::generate().to_string()).collect::<Vec<_>>() as _,
    );
    Ok(query.fetch_all(connection).await?.into_iter().collect())
}

/// The jobs that an event starts, each with the event's key.
fn started<'a>(jobs: &'a Enabled, event: &'a Call) -> impl Iterator<Item = (&'a str, &'a str)> {
    let wanted = |job: &&JobKind| event.event == CALL_COMPLETED && jobs.wants(job, event);
    jobs.kinds().iter().filter(wanted).map(|job| (event.event_id.as_str(), job.name))
}

fn column<'a, T>(rows: &[Row<'a>], of: fn(&'a Call) -> Option<T>) -> Vec<Option<T>> {
    rows.iter().map(|row| of(row.event)).collect()
}

/// The fields that a call has and [`COLUMNS`] don't, and the delivery's `w3c_trace_id`, as one JSON object. Its values are
/// copied as they are written: a tree of them would take many times as much memory.
fn details(row: &Row<'_>) -> sqlx::Result<Box<RawValue>> {
    let details = || {
        let call = serde_json::to_string(row.event)?;
        let trace_id = row.trace_id.map(|id| to_raw_value(&id)).transpose()?;
        let mut fields: BTreeMap<&str, &RawValue> = serde_json::from_str(&call)?;
        fields.retain(|name, value| !COLUMNS.contains(name) && value.get() != "null");
        fields.extend(trace_id.as_deref().map(|id| ("w3c_trace_id", id)));
        to_raw_value(&fields)
    };
    details().map_err(|error| sqlx::Error::Encode(error.into()))
}

/// Of events that were here before: when they first came, and whether with this body, as far as that is known still.
///
/// A statement of its own, because the insert's snapshot doesn't show what another receiver has just committed.
async fn find(
    connection: &mut PgConnection,
    repeated: &[Row<'_>],
) -> sqlx::Result<HashMap<String, (DateTime<Utc>, bool)>> {
    if repeated.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query!(
        r#"
        select event_id, received_at, pruned_at is not null or body = repeated_body as "same_body!"
        from call_event join unnest($1::text[], $2::bytea[]) as repeated (repeated_id, repeated_body)
          on event_id = repeated_id
        "#,
        repeated.iter().map(|row| row.event.event_id.as_str()).collect::<Vec<_>>() as _,
        repeated.iter().map(|row| row.body).collect::<Vec<_>>() as _,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.event_id, (row.received_at, row.same_body))).collect())
}
