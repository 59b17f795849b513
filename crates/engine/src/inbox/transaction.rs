//! The one transaction that makes events and their jobs durable together.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    iter,
};

use chrono::{DateTime, Utc};
use serde_json::value::{RawValue, to_raw_value};
use sqlx::{Connection, PgConnection, types::Json};
use ulid::Ulid;

use super::delivery::Delivery;
use crate::{
    answer::Stored,
    call::{CALL_COMPLETED, Call},
    job::Enabled,
    work::tasks,
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

    let mut transaction = connection.begin().await?;
    let (new, now) = insert(&mut transaction, &distinct).await?;
    let (new, repeated): (Vec<_>, Vec<_>) =
        distinct.into_iter().partition(|delivery| new.contains(&delivery.event.event_id));
    for job in jobs.kinds() {
        let wanted = |event: &&Call| event.event == CALL_COMPLETED && jobs.wants(job, event);
        let events = new.iter().map(|delivery| &delivery.event).filter(wanted);
        tasks::enqueue(&mut transaction, job.name, events.map(|event| event.event_id.as_str()), now).await?;
    }
    let earlier = find(&mut transaction, &repeated).await?;
    transaction.commit().await?;

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
    let mut transaction = connection.begin().await?;
    let event_id = format!("try-out:{}", Ulid::generate());
    let now = sqlx::query_scalar!(
        r#"
        insert into call_event (event_id, received_at, body, headers, event, call_id, custom_fields)
        values ($1, now(), '', '[]', 'try-out', '', '{}')
        returning extract(epoch from now())::bigint as "now!"
        "#,
        event_id,
    )
    .fetch_one(&mut *transaction)
    .await?;
    for job in jobs.kinds() {
        tasks::enqueue(&mut transaction, job.name, iter::once(event_id.as_str()), now).await?;
    }
    transaction.rollback().await
}

/// Inserts what isn't there; returns the keys of the new events, and the database's time in whole seconds since 1970.
async fn insert(
    connection: &mut PgConnection,
    deliveries: &[&Delivery],
) -> sqlx::Result<(HashSet<String>, i64)> {
    let texts = |of: fn(&Call) -> Option<&str>| column(deliveries, of);
    let times = |of: fn(&Call) -> Option<DateTime<Utc>>| column(deliveries, of);
    let rows = sqlx::query!(
        r#"
        insert into call_event (
            event_id, received_at, platform, body, headers, event, call_id, occurred_at, direction, from_number, to_number,
            status, queue_id, queue_name, agent_id, agent_name, recording_url, custom_fields, details
        )
        select * from unnest(
            $1::text[], $2::timestamptz[], $3::text[], $4::bytea[], $5::jsonb[], $6::text[], $7::text[], $8::timestamptz[],
            $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::text[],
            $17::text[], $18::jsonb[], $19::jsonb[]
        )
        on conflict (event_id) do nothing
        returning event_id, floor(extract(epoch from now()))::bigint as "now!"
        "#,
        texts(|event| Some(&event.event_id)) as _,
        times(|event| Some(event.received_at)) as _,
        texts(|event| Some(&event.platform)) as _,
        deliveries.iter().map(|delivery| &delivery.body[..]).collect::<Vec<_>>() as _,
        deliveries.iter().map(|delivery| &delivery.headers).collect::<Vec<_>>() as _,
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
        deliveries.iter().map(|delivery| Json(&delivery.event.custom_fields)).collect::<Vec<_>>() as _,
        deliveries.iter().map(|delivery| details(&delivery.event).map(Json)).collect::<Result<Vec<_>, _>>()? as _,
    )
    .fetch_all(connection)
    .await?;
    let now = rows.first().map_or(0, |row| row.now);
    Ok((rows.into_iter().map(|row| row.event_id).collect(), now))
}

fn column<'a, T>(deliveries: &[&'a Delivery], of: fn(&'a Call) -> Option<T>) -> Vec<Option<T>> {
    deliveries.iter().map(|delivery| of(&delivery.event)).collect()
}

/// The fields that a call has and [`COLUMNS`] don't, as one JSON object. Its values are copied as they are written: a tree
/// of them would take many times as much memory.
fn details(call: &Call) -> sqlx::Result<Box<RawValue>> {
    let details = || {
        let call = serde_json::to_string(call)?;
        let mut fields: BTreeMap<&str, &RawValue> = serde_json::from_str(&call)?;
        fields.retain(|name, value| !COLUMNS.contains(name) && value.get() != "null");
        to_raw_value(&fields)
    };
    details().map_err(|error| sqlx::Error::Encode(error.into()))
}

/// Of events that were here before: when they first came, and whether with this body, as far as that is known still.
///
/// A statement of its own, because the insert's snapshot doesn't show what another receiver has just committed.
async fn find(
    connection: &mut PgConnection,
    repeated: &[&Delivery],
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
        repeated.iter().map(|delivery| delivery.event.event_id.as_str()).collect::<Vec<_>>() as _,
        repeated.iter().map(|delivery| &delivery.body[..]).collect::<Vec<_>>() as _,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.event_id, (row.received_at, row.same_body))).collect())
}
