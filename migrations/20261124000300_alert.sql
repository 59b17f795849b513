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
