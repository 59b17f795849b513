-- An attempt says at which vendor it was, and what kind of failure it met; older ones don't know.
alter table attempt
    -- The vendor's origin, https://api.hubapi.com.
    add column destination text not null default '',
    -- The vendor is down, asks for a pause, doesn't know our credential, won't do it yet, or won't ever; the job failed by
    -- itself; or its process died.
    add column failure text check (failure in ('down', 'busy', 'unauthorized', 'not yet', 'refused', 'failed', 'died'));
alter table attempt alter column destination drop default;

-- What alerts look for, and whether it is over.
create index attempt_failed on attempt (ended_at) where failure is not null;
create index attempt_done on attempt (destination, ended_at) where result = 'done';

-- What people were told of, so that they are told once: a row is written when its message has been delivered.
create table alert (
    -- What kind of trouble: 'down https://api.hubapi.com', 'given up update-crm refused', 'silence'.
    kind        text primary key,
    -- The same for people: https://api.hubapi.com is down.
    trouble     text not null,
    -- The vendor that it is over with when it takes something again. Null where nothing has to be waited for.
    destination text,
    began_at    timestamptz not null,
    last_at     timestamptz not null,
    -- How often it was met since it began.
    times       bigint not null,
    -- When people were told that it is over.
    over_at     timestamptz
);
