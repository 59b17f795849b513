//! Pages for people: what came in, what became of it, and why; and what they may have done about it.
//!
//! They read the views `call` and `call_job`; what they change goes through `work::tasks`. Who may: `access`. A page is a
//! file here with its query, and a template of the same name in `templates/console/`. To leave the console out, build
//! without the cargo feature `console`.

mod access;
mod attempts;
mod call;
mod calls;
mod causes;
mod change;
mod chart;
mod cookie;
mod find;
mod gave_up;
mod hosts;
mod job;
mod lags;
mod login;
mod mend;
mod overview;
mod page;
mod payload;
mod refused;
mod session;
mod standing;
mod tabs;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    http::{StatusCode, header},
    middleware,
    response::IntoResponse,
    routing::{get, post},
};
use sqlx::PgPool;

use crate::{
    config::{Config, ConfigError},
    guard::credential::Secret,
    rotation::{Live, Part},
};
use access::Access;
use page::Nothing;

/// What the pages have at hand.
#[derive(Clone)]
struct Console {
    /// Its statements can't write.
    reader: PgPool,
    writer: PgPool,
    /// [`JobsConfig::give_up_after`](crate::config::JobsConfig::give_up_after).
    give_up_after: Duration,
}

/// Every page, and what goes by the password. Without a password there are none.
pub fn routes(config: &Config, reader: PgPool, writer: PgPool) -> (Router, Option<Part>) {
    let Ok(password) = password(config) else {
        let off = "The console is off: CONSOLE_PASSWORD, or CONSOLE_PASSWORD_FILE, turns it on.\n";
        return (Router::new().fallback(async move || (StatusCode::NOT_FOUND, off)), None);
    };
    let password = Live::new(password);
    let part = password.part(self::password);
    let access = Arc::new(Access::new(config, password));
    let sessions = Router::new()
        .route("/login", get(login::form).post(login::log_in))
        .route("/logout", post(login::log_out))
        .with_state(Arc::clone(&access));
    let pages = Router::new()
        .route("/", get(overview::page))
        .route("/gave-up", get(gave_up::page))
        .route("/gave-up/retry", post(gave_up::retry))
        .route("/gave-up/discard", post(gave_up::discard))
        .route("/calls", get(calls::page))
        .route("/refused", get(refused::page))
        .route("/calls/{event_id}", get(call::page))
        .route("/calls/{event_id}/run", post(mend::run_missing))
        .route("/calls/{event_id}/again", post(mend::run_again))
        .route("/style.css", get(style))
        .route("/live.js", get(script))
        .fallback(async || Nothing)
        .with_state(Console { reader, writer, give_up_after: config.jobs.give_up_after })
        .merge(sessions)
        .layer(middleware::from_fn_with_state(access, access::pass));
    (pages, Some(part))
}

fn password(config: &Config) -> Result<Arc<Secret>, ConfigError> {
    let password = config.console_password.as_ref().map(|password| Arc::new(Secret::of(password, None)));
    password.ok_or_else(|| ConfigError::new("CONSOLE_PASSWORD is not set"))
}

async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("../../templates/console/style.css"))
}

async fn script() -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "text/javascript; charset=utf-8")],
        include_str!("../../templates/console/live.js"),
    )
}
