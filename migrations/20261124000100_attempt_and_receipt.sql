-- Every start of a job, and how it ended. A start without an end is a run that is going on, or one that died with its process.
create table attempt (
    event_id   text not null references call_event,
    -- The job's name, which is also its queue's: update-crm.
    job        text not null,
    -- Counts from 1 for each event and job.
    number     int not null,
    started_at timestamptz not null default clock_timestamp(),
    ended_at   timestamptz,
    -- Null until the end. retry is a failure of the job; paused says that its vendor was in trouble, and counts as none.
    result     text check (result in ('done', 'skipped', 'retry', 'paused', 'given_up')),
    -- Why it was skipped, failed, paused or given up, without the call's personal data.
    reason     text,
    -- When it will be tried again, after a failure.
    next_at    timestamptz,
    primary key (event_id, job, number)
);

-- What a job achieved at a vendor. A job that finds its receipt does nothing.
create table receipt (
    event_id    text not null references call_event,
    job         text not null,
    -- The vendor's origin, https://api.hubapi.com: a receipt from a test system says nothing about the real one.
    destination text not null,
    -- What was made there: call, comment, ticket.
    made        text not null,
    -- The vendor's id for it, and a link to it for people.
    external_id text not null,
    url         text,
    -- What a person should know beside it: "no contact has this number".
    note        text,
    created_at  timestamptz not null default clock_timestamp(),
    primary key (event_id, job, destination)
);
