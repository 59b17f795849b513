//! `/refused`: the deliveries that were not answered 200, by the hour. Nothing of them is stored: the platform sends them
//! again, and whoever else it was has nothing to be kept.

use askama::Template;
use axum::{Extension, extract::State, response::Html};
use chrono::{DateTime, Utc};

use super::{
    Console,
    access::Visitor,
    page::{Broken, render},
    session::Csrf,
    tabs::{REFUSED, Tab, tabs},
};

/// Deliveries of one hour that were refused for one reason.
struct Refusals {
    hour: DateTime<Utc>,
    platform: String,
    reason: String,
    times: i64,
}

#[derive(Template)]
#[template(path = "console/refused.html")]
struct Refused {
    here: &'static str,
    csrf: Option<Csrf>,
    shown: Option<&'static str>,
    tabs: Vec<Tab>,
    refusals: Vec<Refusals>,
    now: DateTime<Utc>,
}

pub(super) async fn page(
    State(Console { reader: pool, .. }): State<Console>,
    Extension(visitor): Extension<Visitor>,
) -> Result<Html<String>, Broken> {
    let refusals = sqlx::query_as!(
        Refusals,
        "
        select hour, name as platform, result as reason, times from tally
        where what = 'delivery' and result not in ('stored', 'duplicate') and hour > now() - interval '24 hours'
        order by hour desc, times desc, result limit 500
        "
    )
    .fetch_all(&pool)
    .await?;
    render(&Refused {
        here: "calls",
        csrf: visitor.csrf,
        shown: Some(REFUSED),
        tabs: tabs(&pool).await,
        refusals,
        now: Utc::now(),
    })
}
