//! The lists of calls, as their tabs show them.

use sqlx::PgPool;

use super::find::TABS;
use crate::work::tasks::{
    calls::Progress,
    count::{self, Counts},
    open::{self, Depth},
};

/// A list.
pub(super) struct Tab {
    /// [`Asked::show`](super::find::Asked::show); empty for all calls.
    pub(super) word: &'static str,
    pub(super) link: String,
    pub(super) title: &'static str,
    /// What is in it, where the database says so.
    pub(super) count: Option<String>,
}

/// The word of the tab of refused deliveries, which is a page of its own.
pub(super) const REFUSED: &str = "refused";

pub(super) async fn tabs(pool: &PgPool) -> Vec<Tab> {
    let counts = counts(pool).await;
    if let Err(error) = &counts {
        tracing::warn!(%error, "the console can't count the calls");
    }
    let counts = counts.ok();
    let count = |of: fn(&Counts) -> count::Count| counts.as_ref().map(|(counts, _)| of(counts).to_string());
    let all = Tab { word: "", link: "/calls".to_owned(), title: "All", count: count(|counts| counts.all) };
    let lists = TABS.into_iter().map(|(word, title, progress)| {
        let count = match progress {
            Progress::Ongoing => count(|counts| counts.in_progress),
            Progress::Done => count(|counts| counts.done),
            Progress::GivenUp => count(|counts| counts.given_up),
        };
        Tab { word, link: format!("/calls?show={word}"), title, count }
    });
    let refused = Tab {
        word: REFUSED,
        link: "/refused".to_owned(),
        title: "Refused",
        count: counts.as_ref().map(|(_, refused)| refused.to_string()),
    };
    std::iter::once(all).chain(lists).chain(std::iter::once(refused)).collect()
}

/// The calls, and the deliveries that were refused in the last 24 hours.
async fn counts(pool: &PgPool) -> sqlx::Result<(Counts, i64)> {
    let depths = open::depths(pool).await?;
    let jobs = |of: fn(&Depth) -> i32| depths.values().map(|depth| i64::from(of(depth))).sum();
    let in_progress = jobs(|depth| depth.waiting + depth.retrying + depth.running);
    let counts = count::count(pool, in_progress, jobs(|depth| depth.given_up)).await?;
    let refused = sqlx::query_scalar!(
        r#"
        select coalesce(sum(times), 0)::int8 as "refused!" from tally
        where what = 'delivery' and result not in ('stored', 'duplicate') and hour > now() - interval '24 hours'
        "#
    );
    Ok((counts, refused.fetch_one(pool).await?))
}
