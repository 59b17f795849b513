-- Which event of a call a job is at work on, so that two events of one call never write to a vendor at the same time. Of
-- use only while the job runs: whoever dies leaves a row that expires.
create unlogged table lease (
    job        text not null,
    -- A hash of the call_id, which may be of any length. Two calls of one hash wait for each other, and no more.
    call_key   bigint not null,
    event_id   text not null,
    -- Of that event's attempts: a run that was overtaken must not give back what another one holds.
    attempt    int not null,
    expires_at timestamptz not null,
    primary key (job, call_key)
);

-- Each heartbeat of apalis looks for the jobs of dead workers. Without this it reads every job that was ever done.
create index if not exists jobs_in_hand on apalis.jobs (lock_by) where status in ('Running', 'Queued');
