//! What the database knows of an event's call: its newest event, and what only older ones have.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use sqlx::types::Json;

use super::{ledger::Ledger, tasks};
use crate::{
    call::{Call, followable},
    db,
    fields::Malformed,
    platform::Platform,
};

/// What is known of the call of an event: vendors are keyed by call, and the newest word on it counts.
pub(super) struct Known {
    pub(super) newest_id: String,
    received_at: DateTime<Utc>,
    body: Vec<u8>,
    /// What the older events name, newest first: recordings, and custom fields.
    recordings: Vec<String>,
    custom_fields: Vec<Json<Map<String, Value>>>,
    newest_recording: Option<String>,
    own_recording: Option<String>,
    /// Whether this event names a custom field that the newest one doesn't.
    brings_a_field: bool,
    /// Whether the newest event has this job too.
    pub(super) newest_has_job: bool,
    /// Whether this job has its receipt for this event, or for another of its call where one is enough, from its destination.
    pub(super) receipt: bool,
}

impl Ledger<'_> {
    /// What is known of the event's call; `None` where its data was deleted. Receipts count also of events whose data was.
    pub(super) async fn look(&self) -> sqlx::Result<Option<Known>> {
        let query = sqlx::query!(
            r#"
            with event as (
                select other.event_id, other.received_at, other.body, other.occurred_at,
                       other.recording_url, other.custom_fields, other.pruned_at
                from call_event as this join call_event as other using (call_id)
                where this.event_id = $1 and other.event = 'call.completed'
            ), own as (
                select recording_url, custom_fields from event where event_id = $1
            ), newest as (
                select * from event where pruned_at is null
                order by occurred_at desc nulls last, received_at desc, event_id desc limit 1
            )
            select newest.event_id, newest.received_at, newest.body, newest.recording_url as newest_recording,
                   array(
                       select recording_url from event where recording_url is not null
                       order by occurred_at desc nulls last, received_at desc, event_id desc
                   ) as "recordings!: Vec<String>",
                   array(
                       select custom_fields from event where event_id <> newest.event_id
                       order by occurred_at desc nulls last, received_at desc, event_id desc
                   ) as "custom_fields!: Vec<Json<Map<String, Value>>>",
                   (select recording_url from own) as own_recording,
                   exists (
                       select from own cross join jsonb_each(own.custom_fields) as field
                       where field.value <> 'null'
                       and coalesce(newest.custom_fields -> field.key, 'null') = 'null'
                   ) as "brings_a_field!",
                   exists (
                       select from receipt where job = $2 and destination = $3
                       and (event_id = $1 or $4 and event_id in (select event_id from event))
                   ) as "receipt!"
            from newest
            "#,
            self.event_id,
            self.job,
            self.destination,
            self.once_a_call,
        );
        let Some(row) = db::within(query.fetch_optional(self.pool)).await? else { return Ok(None) };
        let newest_has_job =
            row.event_id == self.event_id || tasks::has(self.pool, self.job, &row.event_id).await?;
        Ok(Some(Known {
            newest_id: row.event_id,
            received_at: row.received_at,
            body: row.body,
            recordings: row.recordings,
            custom_fields: row.custom_fields,
            newest_recording: row.newest_recording,
            own_recording: row.own_recording,
            brings_a_field: row.brings_a_field,
            newest_has_job,
            receipt: row.receipt,
        }))
    }
}

impl Known {
    /// The call as its newest event tells it, read again from the bytes that came. What it doesn't name, a recording or a
    /// custom field, is an older event's.
    ///
    /// # Errors
    ///
    /// Its body can't be read by this version.
    pub(super) fn call(&self, platform: &Platform) -> Result<Call, Malformed> {
        let mut call = platform.read(&self.body, self.received_at)?;
        let recordings = self.recordings.iter().filter(|url| followable(url));
        for recording in recordings {
            if call.recording().is_none() {
                call.recording_url = Some(recording.clone());
            } else if call.recording() != Some(recording) && !call.older_recordings.contains(recording) {
                call.older_recordings.push(recording.clone());
            }
        }
        for (name, value) in self.custom_fields.iter().flat_map(|Json(fields)| fields) {
            if call.custom_fields.get(name).is_none_or(Value::is_null) {
                call.custom_fields.insert(name.clone(), value.clone());
            }
        }
        Ok(call)
    }

    /// Whether this event names a recording or a custom field that the newest one doesn't: that one's job may have run
    /// without it.
    pub(super) fn brings_more(&self) -> bool {
        let own = self.own_recording.as_ref().filter(|own| followable(own));
        self.brings_a_field || own.is_some() && own != self.newest_recording.as_ref()
    }
}
