-- Which receivers there are, and which of the platform's secrets each admits: a rotation asks it before each of its steps.
-- A secret is named by a fingerprint, of which nothing leads back to it.
create table receiver (
    id             text primary key,
    host           text not null,
    process        bigint not null,
    started_at     timestamptz not null,
    seen_at        timestamptz not null,
    token          text,
    token_previous text
);
comment on table receiver is 'The processes that receive. One that ended cleanly has no row; one that was killed is not seen again.';
comment on column receiver.id is 'A new one for each start.';
comment on column receiver.host is 'The name of the machine or container.';
comment on column receiver.process is 'The process id there.';
comment on column receiver.started_at is 'When it first said that it is there.';
comment on column receiver.seen_at is 'When it last said so, which it does every few seconds.';
comment on column receiver.token is 'The fingerprint of the WEBHOOK_TOKEN that it admits; null where it has none.';
comment on column receiver.token_previous is 'The fingerprint of the WEBHOOK_TOKEN_PREVIOUS that it admits too; null where it has none.';

create table webhook_secret (
    fingerprint   text primary key,
    first_seen_at timestamptz not null,
    last_used_at  timestamptz
);
comment on table webhook_secret is 'The tokens that receivers have had in force, by their fingerprints.';
comment on column webhook_secret.fingerprint is 'The fingerprint, as in the table receiver.';
comment on column webhook_secret.first_seen_at is 'When a receiver first had it in force.';
comment on column webhook_secret.last_used_at is 'When it last admitted a delivery, some seconds late; null where it never has.';
