-- A person may let a job run that is done: what it made at the vendor was deleted there, or is wrong. Its receipt counts no
-- longer then. It moves to a table of its own, because it holds the vendor's id, for whoever erases a caller's data.

-- Shorter than the writer waits for a lock: no delivery is refused while this one waits behind a long query.
set local lock_timeout = '400ms';

create table voided_receipt (
    event_id    text not null references call_event,
    job         text not null,
    destination text not null,
    made        text not null,
    external_id text not null,
    url         text,
    created_at  timestamptz not null,
    voided_at   timestamptz not null default clock_timestamp()
);
create index voided_receipt_event on voided_receipt (event_id);
create index voided_receipt_external_id on voided_receipt using hash (external_id);

-- The same view with one case more: a job that was done, and is to run again, is waiting though it failed to begin.
create or replace view call_job as
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
        when last.result in ('done', 'skipped') and queued.status = 'Failed' then 'waiting'
        when last.result in ('done', 'skipped', 'paused') then last.result
        when last.result = 'given_up' or queued.status = 'Killed' then 'given up'
        when last.result = 'retry' then 'retrying'
        when last.number is null and coalesce(queued.status, 'Done') = 'Done' then 'done'
        when last.number is null then 'waiting'
        -- A process that was stopped for a minute began once more what another one had done meanwhile.
        when last.result is null and queued.status = 'Done' then case when done.made is null then 'skipped' else 'done' end
        when queued.status in ('Queued', 'Running') then 'running'
        else 'retrying'
    end as state
) as now;
