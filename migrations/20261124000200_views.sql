-- The database for people: what became of each call, in plain words, without a join over our tables and apalis' own.
-- They are the one door to apalis' table for whoever reads; a role that may select from them needs no other right.
--
-- A later version of apalis that alters a column used here fails in its own migration until these views are dropped.

-- An anti-join, because `distinct on` would sort the whole table for the newest fifty.
create view call as
select
    newest.call_id,
    newest.event_id,
    (select count(*) from call_event as other where other.call_id = newest.call_id) as events,
    newest.received_at,
    newest.occurred_at,
    newest.event,
    newest.parent_call_id,
    newest.direction,
    newest.from_number,
    newest.to_number,
    newest.status,
    newest.reason,
    newest.queue_id,
    newest.queue_name,
    newest.agent_id,
    newest.agent_name,
    newest.started_at,
    newest.connected_at,
    newest.ended_at,
    newest.duration_seconds,
    newest.talk_time_seconds,
    newest.wrap_up_seconds,
    newest.recording_url,
    newest.notes,
    newest.custom_fields,
    newest.problems
from call_event as newest
where not exists (
    select from call_event as newer
    where newer.call_id = newest.call_id
      -- The order by which jobs choose the event that they work on, in src/jobs/ledger.rs.
      and (newer.event = 'call.completed', coalesce(newer.occurred_at, '-infinity'), newer.received_at, newer.event_id)
        > (newest.event = 'call.completed', coalesce(newest.occurred_at, '-infinity'), newest.received_at, newest.event_id)
);

comment on view call is 'One row for each call, of its newest event: call.completed before others, then by occurred_at, then by received_at.';
comment on column call.call_id is 'The platform''s id of the call.';
comment on column call.event_id is 'The newest event: the key of call_event and of call_job.';
comment on column call.events is 'How many events of this call are stored.';
comment on column call.received_at is 'When the receiver had read the whole request. An index makes this the column to sort by.';
comment on column call.occurred_at is 'When the event came about, as the platform says; null where it doesn''t.';
comment on column call.event is 'The event''s name; only call.completed starts jobs.';
comment on column call.parent_call_id is 'The call that this one was transferred from, or the conference that it is part of.';
comment on column call.direction is 'Who called whom: inbound or outbound.';
comment on column call.from_number is 'The caller''s number, E.164 as a rule. Personal data.';
comment on column call.to_number is 'The called number, E.164 as a rule. Personal data.';
comment on column call.status is 'How the call ended: answered, missed, abandoned, voicemail.';
comment on column call.reason is 'Why it was missed or abandoned.';
comment on column call.queue_id is 'The platform''s id of the queue in which the caller waited.';
comment on column call.queue_name is 'That queue''s name.';
comment on column call.agent_id is 'The platform''s id of the agent who handled it.';
comment on column call.agent_name is 'That agent''s name. Personal data.';
comment on column call.started_at is 'When it began to ring.';
comment on column call.connected_at is 'When it was answered.';
comment on column call.ended_at is 'When it ended.';
comment on column call.duration_seconds is 'From start to end.';
comment on column call.talk_time_seconds is 'From answer to end.';
comment on column call.wrap_up_seconds is 'The agent''s work after the call.';
comment on column call.recording_url is 'Where the recording is. The sender''s text: it may be no web address at all.';
comment on column call.notes is 'What the agent wrote. Personal data.';
comment on column call.custom_fields is 'What the account maps in the platform''s settings, as an object.';
comment on column call.problems is 'What was not of the documented form, a sentence each; such a field is null here.';

create view call_job as
select
    call_event.event_id,
    call_event.call_id,
    call_event.received_at,
    known.job,
    now.state,
    total.attempts,
    total.open - (now.state = 'running' and total.open > 0)::int as crashes,
    total.first_attempt_at,
    total.last_attempt_at,
    case when now.state in ('waiting', 'retrying', 'paused') then queued.run_at end as next_try_at,
    case
        when now.state = 'retrying' and last.result is null then 'its process died in the middle of it'
        when last.number is null then queued.last_result ->> 'Err'
        else total.reason
    end as last_reason,
    done.made,
    done.external_id,
    done.url,
    done.note,
    done.destination,
    done.created_at as made_at
from call_event
-- The names of all queues, by one look into apalis' index for each: it begins with the name, and by the event alone it
-- would be read from end to end. `limit 1` of what is unique keeps a planner without statistics from doing that.
cross join lateral (
    with recursive queue (name) as (
        select min(job_type) from apalis.jobs
        union all
        select (select min(job_type) from apalis.jobs where job_type > name) from queue where name is not null
    )
    select name as job from queue cross join lateral (
        select from apalis.jobs where job_type = name and idempotency_key = call_event.event_id limit 1
    ) as queued
    union
    select job from attempt where attempt.event_id = call_event.event_id
    union
    select job from receipt where receipt.event_id = call_event.event_id
) as known
left join lateral (
    select * from apalis.jobs where job_type = known.job and idempotency_key = call_event.event_id limit 1
) as queued on true
cross join lateral (
    select
        count(*)::int as attempts,
        count(*) filter (where ended_at is null)::int as open,
        min(started_at) as first_attempt_at,
        max(started_at) as last_attempt_at,
        (array_agg(reason order by number desc) filter (where ended_at is not null))[1] as reason
    from attempt where attempt.event_id = call_event.event_id and attempt.job = known.job
) as total
left join lateral (
    select * from attempt where attempt.event_id = call_event.event_id and attempt.job = known.job
    order by number desc limit 1
) as last on true
left join lateral (
    select * from receipt where receipt.event_id = call_event.event_id and receipt.job = known.job
    order by created_at desc limit 1
) as done on true
-- An attempt's own record comes first: the queue hears of its start and its end a moment later, and holds as Running
-- what waits for its vendor.
cross join lateral (
    select case
        when queued.status = 'Pending' and coalesce(last.result not in ('retry', 'paused'), last.number is null) then 'waiting'
        when last.result in ('done', 'skipped', 'paused') then last.result
        when last.result = 'given_up' or queued.status = 'Killed' then 'given up'
        when last.result = 'retry' then 'retrying'
        when last.number is null and coalesce(queued.status, 'Done') = 'Done' then 'done'
        when last.number is null then 'waiting'
        when queued.status in ('Queued', 'Running') then 'running'
        else 'retrying'
    end as state
) as now;

comment on view call_job is 'One row for each event and each job that it started.';
comment on column call_job.event_id is 'The event: the key of call_event; call has the newest one of each call.';
comment on column call_job.call_id is 'The platform''s id of the call.';
comment on column call_job.received_at is 'When the event came. An index makes this the column to narrow down by.';
comment on column call_job.job is 'The job''s name: update-crm.';
comment on column call_job.state is 'waiting for its first attempt, or to be run anew; running, or its process died less than a minute ago; retrying: it failed and comes back; paused: its vendor is in trouble; done; skipped: there was nothing to do; given up: it does not come back by itself.';
comment on column call_job.attempts is 'How often it was started.';
comment on column call_job.crashes is 'How many of the attempts never ended, because their process died.';
comment on column call_job.first_attempt_at is 'When it was first started.';
comment on column call_job.last_attempt_at is 'When it was last started.';
comment on column call_job.next_try_at is 'When it is started next, for one that waits or is retried. In the past: as soon as a worker is free.';
comment on column call_job.last_reason is 'Why the last attempt that has ended was skipped, failed, was paused or given up. Without personal data.';
comment on column call_job.made is 'What it made at the vendor, by its newest receipt: call, comment, ticket.';
comment on column call_job.external_id is 'The vendor''s id for that.';
comment on column call_job.url is 'A link to that for people, as the vendor gave it.';
comment on column call_job.note is 'What a person should know beside it: "no contact has this number".';
comment on column call_job.destination is 'The origin of the vendor''s system: the receipt of a test system has its own.';
comment on column call_job.made_at is 'When the receipt was written.';
