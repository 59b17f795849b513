//! What is HubSpot's own. These tests go with it: this folder, and its line in `main.rs`.

#[cfg(feature = "console")]
mod browser;
mod calls;
mod contacts;
mod doctor;
#[cfg(feature = "dev")]
mod first_run;
mod limits;
#[cfg(feature = "dev")]
mod recordings;
mod setup;
mod tasks;
mod trouble;

use stand_in::{
    StandIn,
    hubspot::{Options, Record},
};

use crate::helpers::{App, run};

/// Receives, and logs calls in the stand-in's HubSpot.
async fn start() -> App {
    with(&[]).await
}

/// The same with these settings; an empty one takes a setting away.
async fn with(settings: &[(&str, &str)]) -> App {
    beside(Options::default(), settings).await
}

/// The same with another HubSpot.
async fn beside(options: Options, settings: &[(&str, &str)]) -> App {
    let token = options.token.clone();
    let options = stand_in::Options { hubspot: options, ..Default::default() };
    let stand_in = StandIn::start(options).await.unwrap();
    let url = stand_in.url();
    let usual = [
        ("JOBS", "update-crm"),
        ("HUBSPOT_BASE_URL", url.as_str()),
        ("HUBSPOT_TOKEN", &token),
        ("HUBSPOT_CONTACT_ID_PROPERTY", "acme_id"),
    ];
    let all: Vec<_> = usual.into_iter().chain(settings.iter().copied()).collect();
    App::beside(stand_in, None, &all).await
}

/// The one call that HubSpot holds.
fn the_call(app: &App) -> Record {
    let calls = app.stand_in.hubspot().calls();
    assert_eq!(calls.len(), 1, "{calls:?}");
    calls[0].clone()
}

/// `aftercall setup` with the app's settings; what it printed.
async fn set_up(app: &App) -> String {
    let named = ["HUBSPOT_BASE_URL", "HUBSPOT_TOKEN", "HUBSPOT_UNKNOWN_CALLER", "JOBS"];
    let settings: Vec<_> =
        named.into_iter().filter_map(|name| Some((name.to_owned(), app.has(name)?.to_owned()))).collect();
    let ran = run(&["setup"], &settings, "").await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    ran.out
}
