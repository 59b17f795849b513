//! What is Zendesk's own. These tests go with it: this folder, and its line in `main.rs`.

mod callers;
mod doctor;
mod limits;
#[cfg(feature = "dev")]
mod recordings;
mod repeats;
mod texts;
mod tickets;

use serde_json::{Value, json};
use stand_in::{
    Options, StandIn,
    zendesk::{self, Comment, Ticket},
};

use crate::helpers::{App, event};

/// The tickets that the stand-in has open and closed.
const OPEN: u64 = 35436;
const CLOSED: u64 = 35400;

/// Receives, and puts calls on the stand-in's tickets.
async fn start() -> App {
    with(&[]).await
}

/// The same with these settings.
async fn with(settings: &[(&str, &str)]) -> App {
    beside(zendesk::Options::default(), settings).await
}

/// The same with another Zendesk.
async fn beside(zendesk: zendesk::Options, settings: &[(&str, &str)]) -> App {
    let options = Options { zendesk, ..Options::default() };
    let client = options.zendesk.clone();
    let stand_in = StandIn::start(options).await.unwrap();
    let url = stand_in.url();
    let usual = [
        ("JOBS", "attach-recording"),
        ("ZENDESK_BASE_URL", url.as_str()),
        ("ZENDESK_CLIENT_ID", &client.client_id),
        ("ZENDESK_CLIENT_SECRET", &client.client_secret),
        ("ZENDESK_AGENTS", "ag_102=28"),
    ];
    let all: Vec<_> = usual.into_iter().chain(settings.iter().copied()).collect();
    App::beside(stand_in, None, &all).await
}

fn ticket(app: &App, id: u64) -> Ticket {
    app.stand_in.zendesk().ticket(id).unwrap()
}

/// The comments of a ticket that have a recording.
fn voices(app: &App, id: u64) -> Vec<Comment> {
    ticket(app, id).comments.into_iter().filter(|comment| comment.data.is_some()).collect()
}

/// A call on this ticket, with this status, with or without its recording.
fn call(id: &str, ticket: Value, status: &str, recording: bool) -> Value {
    let mut call = event(&format!("evt_{id}"), &format!("cl_{id}"));
    call["custom_fields"]["ticket_id"] = ticket;
    call["status"] = json!(status);
    if !recording {
        call["recording_url"] = json!(null);
    }
    call
}

/// A newer event of the same call, which has the recording.
fn recorded_later(call: &Value) -> Value {
    let mut later = call.clone();
    later["event_id"] = json!(format!("{}_later", call["event_id"].as_str().unwrap()));
    later["occurred_at"] = json!("2025-08-21T11:05:00Z");
    later["recording_url"] = json!("https://recordings.example/late.mp3");
    later
}

async fn run(app: &App, call: &Value) {
    app.deliver(call).await;
    app.all_done().await;
}
