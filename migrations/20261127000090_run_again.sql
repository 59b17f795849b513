-- A person may let a job run that is done: what it made at the vendor was deleted there, or is wrong. Its receipt counts no
-- longer then, and stays, because it holds the vendor's id. A catalogue change only; the version before goes by such a
-- receipt still, and finds the job done.

-- Shorter than the writer waits for a lock: no delivery is refused while this one waits behind a long query.
set local lock_timeout = '400ms';

alter table receipt add column voided_at timestamptz;
comment on column receipt.voided_at is 'Since when it counts no longer: a person let the job run again. Null while it counts.';
