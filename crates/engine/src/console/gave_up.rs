//! `/gave-up`: what was given up, by vendor and cause, and what a person does about it.

use askama::Template;
use axum::{
    Extension,
    extract::State,
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};
use chrono::{DateTime, NaiveDateTime, Utc};
use sqlx::PgPool;

use super::{
    Console,
    access::Visitor,
    causes::named,
    change::Change,
    page::{Broken, message, render},
    session::Csrf,
};
use crate::{
    telemetry::Safe,
    work::tasks::given_up::{
        Cause, Group, Which, discard as discard_all, groups, is_cut, retry as retry_all,
    },
};

#[derive(Template)]
#[template(path = "console/gave-up.html")]
struct GaveUp {
    here: &'static str,
    csrf: Option<Csrf>,
    groups: Vec<Group>,
    now: DateTime<Utc>,
}

impl GaveUp {
    fn jobs(&self) -> i64 {
        self.groups.iter().map(|group| group.count).sum()
    }

    fn is_cut(&self) -> bool {
        is_cut(&self.groups)
    }
}

pub(super) async fn page(
    State(console): State<Console>,
    Extension(visitor): Extension<Visitor>,
) -> Result<Html<String>, Broken> {
    let now = Utc::now();
    let groups = groups(&console.reader).await?;
    render(&GaveUp { here: "gave-up", csrf: visitor.csrf, groups, now })
}

/// `POST /gave-up/retry`: those that the form names run anew.
pub(super) async fn retry(State(console): State<Console>, change: Change) -> Result<Response, Broken> {
    done(&console.writer, &change, Deed::Retry).await
}

/// `POST /gave-up/discard`: those that the form names never run.
pub(super) async fn discard(State(console): State<Console>, change: Change) -> Result<Response, Broken> {
    done(&console.writer, &change, Deed::Discard).await
}

#[derive(Clone, Copy)]
enum Deed {
    Retry,
    Discard,
}

/// One group where the button of one was pressed, those that are selected, or all; between two times where the form says so.
async fn done(pool: &PgPool, change: &Change, deed: Deed) -> Result<Response, Broken> {
    let refused = |why| Ok(message(StatusCode::BAD_REQUEST, "Nothing was changed", why));
    let (Ok(since), Ok(until), Ok(shown)) =
        (time(change.field("since")), time(change.field("until")), time(change.field("shown")))
    else {
        return refused("A time is not one. Write it as 2026-11-27T10:00, in UTC.");
    };
    // What was given up since the page was shown is not meant.
    let until = until.into_iter().chain(shown).min();
    let keys: Vec<_> = match (change.field("all"), change.field("one")) {
        (Some(_), _) => Vec::new(),
        (None, Some(one)) => vec![one],
        (None, None) => change.all("group").collect(),
    };
    if keys.is_empty() && change.field("all").is_none() {
        return refused("Nothing is selected. Select causes, or press the button for all.");
    }
    let Some(groups) = keys.into_iter().map(named).collect::<Option<Vec<_>>>() else {
        return refused("The form names no cause that there is. Load the page again.");
    };
    let told = match deed {
        Deed::Retry => "somebody lets jobs run anew that were given up",
        Deed::Discard => "somebody discards jobs that were given up",
    };
    let names: Vec<_> = groups.iter().map(|(job, _)| job.as_str()).collect();
    let of = if names.is_empty() { "every job".to_owned() } else { names.join(", ") };
    let (client, of) = (change.client, Safe(&of));
    // Before the first is changed: whoever did it is known, however it ends.
    tracing::info!(%client, %of, "{told}");
    let mut jobs = 0;
    if groups.is_empty() {
        jobs = does(pool, &Which { since, until, ..Which::default() }, deed).await?;
    }
    for (job, alike) in &groups {
        let which = Which { job: Some(job), cause: Some(Cause::Of(alike)), since, until, ..Which::default() };
        jobs += does(pool, &which, deed).await?;
    }
    tracing::info!(%client, %of, jobs, "{told}: done");
    let back = if change.field("from") == Some("overview") { "/" } else { "/gave-up" };
    Ok(Redirect::to(back).into_response())
}

async fn does(pool: &PgPool, which: &Which<'_>, deed: Deed) -> sqlx::Result<u64> {
    let jobs = match deed {
        Deed::Retry => retry_all(pool, which).await?,
        Deed::Discard => discard_all(pool, which).await?,
    };
    Ok(jobs.values().sum())
}

/// A time as a browser's field has it, in UTC.
fn time(text: Option<&str>) -> Result<Option<DateTime<Utc>>, chrono::ParseError> {
    let Some(text) = text else { return Ok(None) };
    let parse = |format| NaiveDateTime::parse_from_str(text, format);
    parse("%Y-%m-%dT%H:%M").or_else(|_| parse("%Y-%m-%dT%H:%M:%S%.f")).map(|time| Some(time.and_utc()))
}
