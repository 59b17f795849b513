-- What was given up is counted at every scrape of the metrics, and grouped on pages, however many jobs are done: this index
-- alone tells of which events and when. In a table of a million jobs this
-- takes some tenths of a second, in which receivers answer 503 and are asked again.

-- Shorter than the writer waits for a lock: no delivery is refused while this one waits behind a long query.
set local lock_timeout = '400ms';

create index if not exists jobs_given_up on apalis.jobs (job_type, done_at) include (id, idempotency_key) where status = 'Killed';
