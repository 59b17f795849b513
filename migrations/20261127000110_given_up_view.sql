-- What was given up, and why, for whoever looks for it, runs it anew or discards it. Catalogue changes only.

-- Shorter than the writer waits for a lock: no delivery is refused while this one waits behind a long query.
set local lock_timeout = '400ms';

-- A word with a digit in it differs from call to call. A number from 100 to 599 that stands alone may be a status, and stays;
-- in 10.0.0.200 and in :443 it is none.
create function cause_of(reason text) returns text language sql immutable as $$
    select left(
        regexp_replace(left(reason, 300), '\m(?!(?<![-.:])[1-5]\d\d(?![-\w]|[.:]\d))[\w-]*\d[\w-]*\M', '#', 'g'),
        200
    )
$$;

create view given_up as
select
    jobs.id as task_id,
    jobs.job_type as job,
    jobs.idempotency_key as event_id,
    (select call_event.call_id from call_event where call_event.event_id = jobs.idempotency_key) as call_id,
    coalesce(jobs.done_at, jobs.run_at) as given_up_at,
    coalesce(last.number, 0) as attempts,
    nullif(last.destination, '') as destination,
    last.failure as kind,
    told.reason,
    cause_of(told.reason) as cause
from apalis.jobs
left join lateral (
    select * from attempt where attempt.event_id = jobs.idempotency_key and attempt.job = jobs.job_type
    order by number desc limit 1
) as last on true
cross join lateral (
    select coalesce(last.reason, jobs.last_result ->> 'Err', 'nothing is known of it') as reason
) as told
where jobs.status = 'Killed';

comment on view given_up is 'One row for each job that was given up and can be run anew.';
comment on column given_up.task_id is 'The key of apalis.jobs.';
comment on column given_up.job is 'The job''s name: update-crm.';
comment on column given_up.event_id is 'The event that started it: the key of call_event.';
comment on column given_up.call_id is 'The platform''s id of the call.';
comment on column given_up.given_up_at is 'When it was given up.';
comment on column given_up.attempts is 'How often it was started.';
comment on column given_up.destination is 'The origin of the vendor''s system; null where it never began.';
comment on column given_up.kind is 'A word for the failure: refused, not yet, failed, died; null where it never began.';
comment on column given_up.reason is 'Why it was given up. Without personal data.';
comment on column given_up.cause is 'The reason without what differs from call to call: failures of one cause have the same.';
