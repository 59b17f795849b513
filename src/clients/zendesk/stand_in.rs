//! What `cargo run` sets where Zendesk is not configured: a stand-in plays it.

use reqwest::Url;

use crate::{
    dev::{Played, needed},
    job::Job,
    jobs::attach_recording::AttachRecording,
};

/// The stand-in's Zendesk.
pub const PLAYED: Played = Played {
    name: "Zendesk",
    listing: "tickets",
    own: "ZENDESK_BASE_URL, _CLIENT_ID and _CLIENT_SECRET set your own",
    wanted: |config| {
        let zendesk = &config.zendesk;
        let configured =
            zendesk.base_url.is_some() || zendesk.client_id.is_some() || zendesk.client_secret.is_some();
        needed(config, AttachRecording::NAME) && !configured
    },
    configure: |config, stand_in| {
        let accepts = stand_in::Options::default().zendesk;
        let zendesk = &mut config.zendesk;
        // Under another name of this machine: a vendor is told by its origin, and HubSpot has one of its own.
        zendesk.base_url = Some(Url::parse(&stand_in.url().replace("127.0.0.1", "localhost"))?);
        zendesk.client_id = Some(accepts.client_id);
        zendesk.client_secret = Some(accepts.client_secret.into());
        Ok(())
    },
};
