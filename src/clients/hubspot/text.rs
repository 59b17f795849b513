//! What people read at HubSpot. ★ Its wording stands in `templates/hubspot`.

use std::borrow::Cow;

use askama::Template;

use engine::{
    call::{Call, Direction},
    vendor::cut,
};

/// In a body: with every line at its longest it is still no longer than a property may be.
const LONGEST_NOTES: usize = 60_000;
const LONGEST_LINE: usize = 1_000;

#[derive(Template)]
#[template(path = "hubspot/call_title.txt")]
struct CallTitle<'a> {
    status: &'a str,
    way: &'static str,
}

/// In the contact's timeline, as HTML; the template escapes what callers and agents wrote.
#[derive(Template)]
#[template(path = "hubspot/call.html")]
struct CallBody<'a> {
    call: &'a Call,
}

#[derive(Template)]
#[template(path = "hubspot/task_title.txt")]
struct TaskTitle<'a> {
    who: Option<&'a str>,
}

/// As HTML; the template escapes what callers and agents wrote.
#[derive(Template)]
#[template(path = "hubspot/task.html")]
struct TaskBody<'a> {
    call: &'a Call,
    title: String,
}

pub(super) fn call_title(call: &Call) -> String {
    let way = match call.direction {
        Some(Direction::Inbound) => "inbound ",
        Some(Direction::Outbound) => "outbound ",
        Some(Direction::Other(_)) | None => "",
    };
    rendered(&CallTitle { status: call.status.as_ref().map_or("", AsRef::as_ref), way })
}

pub(super) fn call_body(call: &Call) -> String {
    rendered(&CallBody { call })
}

/// For a task to call this number back.
pub(super) fn task_title(who: Option<&str>) -> String {
    line(&rendered(&TaskTitle { who })).into_owned()
}

pub(super) fn task_body(call: &Call) -> String {
    rendered(&TaskBody { call, title: call_title(call) })
}

/// Writing to a String can't fail.
fn rendered(template: &impl Template) -> String {
    template.render().unwrap_or_default()
}

/// What is too long is cut before it is escaped, so never within a tag or an entity.
fn line(text: &str) -> Cow<'_, str> {
    cut(text, LONGEST_LINE, in_html)
}

fn notes(text: &str) -> Cow<'_, str> {
    cut(text, LONGEST_NOTES, in_html)
}

/// The characters that one becomes in the template, in Java's way of counting.
fn in_html(character: char) -> usize {
    match character {
        '&' | '<' | '>' | '"' | '\'' => "&#38;".len(),
        other => other.len_utf16(),
    }
}
