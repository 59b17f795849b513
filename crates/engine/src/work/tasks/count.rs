//! How many calls there are, by how their jobs stand.

use std::fmt;

use sqlx::PgPool;

/// The most events that are looked through to count calls one by one.
const MOST_COUNTED: i32 = 2000;

/// How many calls stand so.
pub(crate) struct Counts {
    /// All there are.
    pub(crate) all: Count,
    /// [`Progress::Done`](super::calls::Progress::Done).
    pub(crate) done: Count,
    /// [`Progress::Ongoing`](super::calls::Progress::Ongoing).
    pub(crate) in_progress: Count,
    /// [`Progress::GivenUp`](super::calls::Progress::GivenUp).
    pub(crate) given_up: Count,
}

/// A number of calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Count {
    /// This one.
    Exactly(i64),
    /// Around this one: as the planner of the database believes, or of jobs, of which a call has some.
    About(i64),
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match *self {
            Self::Exactly(calls) => write!(f, "{calls}"),
            Self::About(calls @ 1_000_000..) => {
                write!(f, "~{}.{} M", calls / 1_000_000, calls / 100_000 % 10)
            }
            Self::About(calls @ 1000..) => write!(f, "~{} k", calls / 1000),
            Self::About(calls) => write!(f, "~{calls}"),
        }
    }
}

/// Counts calls: one by one while there are few, and else by what the planner knows of them. So many jobs are in progress, and
/// so many were given up.
///
/// # Errors
///
/// The database can't be asked.
pub(crate) async fn count(pool: &PgPool, in_progress: i64, given_up: i64) -> sqlx::Result<Counts> {
    let few = sqlx::query_scalar!(
        r#"select count(*) <= $1 as "few!" from (select from call_event limit $1::int + 1) as event"#,
        MOST_COUNTED,
    );
    if few.fetch_one(pool).await? {
        return one_by_one(pool).await;
    }
    let all = sqlx::query_scalar!(
        r#"
        select case when n_distinct < 0 then - n_distinct * reltuples else n_distinct end::int8 as "calls!"
        from pg_class join pg_stats on tablename = relname and schemaname = relnamespace::regnamespace::text
        where pg_class.oid = 'call_event'::regclass and attname = 'call_id'
        "#
    );
    // Nothing is known before the first analysis, which comes with so many.
    let all = all.fetch_optional(pool).await?.unwrap_or_default().max(MOST_COUNTED.into());
    Ok(Counts {
        all: Count::About(all),
        done: Count::About((all - in_progress - given_up).max(0)),
        in_progress: Count::About(in_progress),
        given_up: Count::About(given_up),
    })
}

async fn one_by_one(pool: &PgPool) -> sqlx::Result<Counts> {
    let counted = sqlx::query!(
        r#"
        select count(distinct call_id) as "all!",
               count(distinct call_id) filter (where job.status <> 'Killed') as "in_progress!",
               count(distinct call_id) filter (where job.status = 'Killed') as "given_up!",
               count(distinct call_id) filter (where job.status is not null) as "open!"
        from call_event left join (
            select idempotency_key, status from apalis.jobs where status <> 'Done'
        ) as job on event_id = idempotency_key
        "#
    )
    .fetch_one(pool)
    .await?;
    Ok(Counts {
        all: Count::Exactly(counted.all),
        done: Count::Exactly(counted.all - counted.open),
        in_progress: Count::Exactly(counted.in_progress),
        given_up: Count::Exactly(counted.given_up),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_calls_are_told_in_round_numbers() {
        let told = [Count::Exactly(1999), Count::About(30), Count::About(52_321), Count::About(1_450_000)];
        assert_eq!(told.map(|count| count.to_string()), ["1999", "~30", "~52 k", "~1.4 M"]);
    }
}
