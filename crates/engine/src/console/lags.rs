//! How long it takes from the end of a call, over the newest calls of the last 24 hours.

use sqlx::PgPool;

use super::job::Seconds;

/// Medians and 95th percentiles.
pub(super) struct Lags {
    /// From the end of a call to its event's 200.
    pub(super) to_us: Option<Lag>,
    /// From there to the receipt of each job.
    pub(super) to_done: Vec<(String, Lag)>,
}

pub(super) struct Lag {
    pub(super) p50: Seconds,
    pub(super) p95: Seconds,
}

impl Lags {
    pub(super) fn of(&self, job: &str) -> Option<&Lag> {
        self.to_done.iter().find(|(name, _)| name == job).map(|(_, lag)| lag)
    }
}

/// Over the newest five hundred: their number bounds the time that this takes.
pub(super) async fn of_newest(pool: &PgPool) -> sqlx::Result<Lags> {
    let rows = sqlx::query!(
        r#"
        with newest as (
            select event_id, received_at, coalesce((details ->> 'ended_at')::timestamptz, ended_at) as ended_at
            from call_event
            where received_at > now() - interval '24 hours' and pruned_at is null
            order by received_at desc limit 500
        ), lag as (
            select null as job, received_at - ended_at as took from newest
            union all
            select job, created_at - ended_at from newest join receipt using (event_id)
        )
        select job, percentile_disc(0.5) within group (order by seconds)::int8 as "p50!",
               percentile_disc(0.95) within group (order by seconds)::int8 as "p95!"
        from lag cross join lateral (select greatest(extract(epoch from took), 0) as seconds) as as_number
        where took is not null group by job order by job
        "#
    )
    .fetch_all(pool)
    .await?;
    let (mut to_us, mut to_done) = (None, Vec::new());
    for row in rows {
        let lag = Lag { p50: Seconds(row.p50), p95: Seconds(row.p95) };
        match row.job {
            None => to_us = Some(lag),
            Some(job) => to_done.push((job, lag)),
        }
    }
    Ok(Lags { to_us, to_done })
}
