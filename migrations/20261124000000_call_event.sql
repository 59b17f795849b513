-- Every event that was stored, once: what came, byte for byte, and beside it what is searched and shown.
-- Personal data (numbers, names, notes) stands in this table and nowhere else.
create table call_event (
    -- The platform's event_id, which it keeps over its retries; sha256:<hex of the body> where it sent no usable one.
    event_id          text primary key,
    -- When the receiver had read the whole request.
    received_at       timestamptz not null,
    -- The body as it came: the signature can be checked again, and a better parser can read it again.
    body              bytea not null,
    -- The request's headers as [[name, value], ..] in their order, without the credentials.
    headers           jsonb not null,
    -- What was not of the documented form, a sentence each; such a field's column is null.
    problems          text[] not null,

    -- The columns below hold the payload's fields of the same name. A NUL, which text can't hold, became U+FFFD.
    event             text not null,
    call_id           text not null,
    occurred_at       timestamptz,
    parent_call_id    text,
    direction         text,
    from_number       text,
    to_number         text,
    status            text,
    reason            text,
    queue_id          text,
    queue_name        text,
    agent_id          text,
    agent_name        text,
    started_at        timestamptz,
    connected_at      timestamptz,
    ended_at          timestamptz,
    duration_seconds  bigint,
    talk_time_seconds bigint,
    wrap_up_seconds   bigint,
    recording_url     text,
    notes             text,
    custom_fields     jsonb not null
);

-- A hash, because a call_id of any length must fit.
create index call_event_call_id on call_event using hash (call_id);
create index call_event_received_at on call_event (received_at);
