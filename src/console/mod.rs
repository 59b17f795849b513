//! Pages for people: what came in, what became of it, and why.
//!
//! They read the views `call` and `call_job`, and they only read. Who may: `door`. A page is a file here with its query,
//! and a template of the same name in `templates/console/`. To leave the console out, build without the cargo feature
//! `console`.

mod call;
mod calls;
mod door;
mod hosts;
mod job;

use std::{fmt::Write as _, sync::Arc};

use askama::Template;
use axum::{
    Router,
    http::{StatusCode, header},
    middleware,
    response::{Html, IntoResponse, Response},
    routing::get,
};
use sqlx::PgPool;

use crate::{
    config::{Config, ConfigError},
    receive::guard::credential::Secret,
    rotation::{Live, Part},
    telemetry::misleads,
};
use door::Door;
use hosts::Hosts;

/// Every page, and what goes by the password. Without a password there are none.
pub fn routes(config: &Config, pool: PgPool) -> (Router, Option<Part>) {
    let Ok(password) = password(config) else {
        let off = "The console is off: CONSOLE_PASSWORD, or CONSOLE_PASSWORD_FILE, turns it on.\n";
        return (Router::new().fallback(async move || (StatusCode::NOT_FOUND, off)), None);
    };
    let password = Live::new(password);
    let part = password.part(self::password);
    let door = Arc::new(Door::new(password, Hosts::new(&config.console_hosts)));
    let pages = Router::new()
        .route("/", get(calls::page))
        .route("/calls/{event_id}", get(call::page))
        .route("/style.css", get(style))
        .fallback(async || Nothing)
        .layer(middleware::from_fn_with_state(door, door::pass))
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

/// A template as a page.
fn render(template: &impl Template) -> Result<Html<String>, Broken> {
    Ok(Html(disarm(&template.render()?)))
}

/// Makes visible what would turn the direction of writing, or hide: escaped as HTML, a name could still make its
/// neighbours read backwards. On the finished page, so that no template can forget it.
fn disarm(page: &str) -> String {
    let mut text = String::with_capacity(page.len());
    for character in page.chars() {
        if misleads(character) || character.is_control() && !matches!(character, '\n' | '\t') {
            // Writing to a String can't fail.
            let _infallible = write!(text, "{}", character.escape_unicode());
        } else {
            text.push(character);
        }
    }
    text
}

/// There is no such page, or no such call.
struct Nothing;

impl IntoResponse for Nothing {
    fn into_response(self) -> Response {
        message(StatusCode::NOT_FOUND, "Nothing here", "There is no such page, or no such call.")
    }
}

/// A page that can't be shown now; the log says why, the page doesn't.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Template(#[from] askama::Error),
}

impl IntoResponse for Broken {
    fn into_response(self) -> Response {
        tracing::error!(error = %self, "the console can't show a page");
        message(StatusCode::SERVICE_UNAVAILABLE, "Not now", "The database did not answer; the log says more.")
    }
}

#[derive(Template)]
#[template(path = "console/message.html")]
struct Message {
    title: &'static str,
    text: &'static str,
}

fn message(status: StatusCode, title: &'static str, text: &'static str) -> Response {
    (status, render(&Message { title, text }).map_err(|_| text)).into_response()
}
