//! Pages for people: what came in, what became of it, and why.
//!
//! They read the views `call` and `call_job`, and they only read. Who may: `access`. A page is a file here with its query,
//! and a template of the same name in `templates/console/`. To leave the console out, build without the cargo feature
//! `console`.

mod access;
mod call;
mod calls;
mod find;
mod hosts;
mod job;
mod page;

use std::sync::Arc;

use axum::{
    Router,
    http::{StatusCode, header},
    middleware,
    response::IntoResponse,
    routing::get,
};
use sqlx::PgPool;

use crate::{
    config::{Config, ConfigError},
    guard::credential::Secret,
    rotation::{Live, Part},
};
use access::Access;
use hosts::Hosts;
use page::Nothing;

/// Every page, and what goes by the password. Without a password there are none.
pub fn routes(config: &Config, pool: PgPool) -> (Router, Option<Part>) {
    let Ok(password) = password(config) else {
        let off = "The console is off: CONSOLE_PASSWORD, or CONSOLE_PASSWORD_FILE, turns it on.\n";
        return (Router::new().fallback(async move || (StatusCode::NOT_FOUND, off)), None);
    };
    let password = Live::new(password);
    let part = password.part(self::password);
    let access = Arc::new(Access::new(password, Hosts::new(&config.console_hosts)));
    let pages = Router::new()
        .route("/", get(calls::page))
        .route("/calls/{event_id}", get(call::page))
        .route("/style.css", get(style))
        .fallback(async || Nothing)
        .layer(middleware::from_fn_with_state(access, access::pass))
        .with_state(pool);
    (pages, Some(part))
}

fn password(config: &Config) -> Result<Arc<Secret>, ConfigError> {
    let password = config.console_password.as_ref().map(|password| Arc::new(Secret::of(password, None)));
    password.ok_or_else(|| ConfigError::new("CONSOLE_PASSWORD is not set"))
}

async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("../../templates/console/style.css"))
}
