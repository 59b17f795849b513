-- The queues that hold a job: one look into the index for each, however many jobs there are.
create view job_queue as
with recursive queue (name) as (
    select min(job_type) from apalis.jobs
    union all
    select (select min(job_type) from apalis.jobs where job_type > name) from queue where name is not null
)
select name from queue where name is not null;

comment on view job_queue is 'The names of the jobs that have a row in apalis.jobs, waiting or done.';
comment on column job_queue.name is 'The job''s name.';
