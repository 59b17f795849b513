//! A page, and what stands in its place where there is none.

use std::fmt::Write as _;

use askama::Template;
use axum::{
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};

use crate::telemetry::misleads;

/// A template as a page.
pub(super) fn render(template: &impl Template) -> Result<Html<String>, Broken> {
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
pub(super) struct Nothing;

impl IntoResponse for Nothing {
    fn into_response(self) -> Response {
        message(StatusCode::NOT_FOUND, "Nothing here", "There is no such page, or no such call.")
    }
}

/// A page that can't be shown now; the log says why, the page doesn't.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
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

pub(super) fn message(status: StatusCode, title: &'static str, text: &'static str) -> Response {
    (status, render(&Message { title, text }).map_err(|_| text)).into_response()
}
