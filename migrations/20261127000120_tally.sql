-- What happened in each hour, for the console's first page: it can't count a day's rows whenever somebody looks. Every process
-- adds to it what it has counted, some seconds late; what a process that was killed had counted in those is lost.
create table tally (
    hour   timestamptz not null,
    -- delivery or job.
    what   text not null,
    -- The platform's name, or the job's.
    name   text not null,
    -- What became of it: stored, duplicate, the reason of a refusal; done, skipped, retry, paused, given_up.
    result text not null,
    times  bigint not null,
    primary key (hour, what, name, result)
);
