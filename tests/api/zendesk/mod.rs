//! What is Zendesk's own. These tests go with it: this folder, and its line in `main.rs`.

mod doctor;
mod tickets;

use stand_in::{Options, StandIn};

use crate::helpers::App;

/// Receives, and puts calls on the stand-in's tickets.
async fn start() -> App {
    with(&[]).await
}

/// The same with these settings.
async fn with(settings: &[(&str, &str)]) -> App {
    let options = Options::default();
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
