//! What the engine must know of a telephone platform: how it delivers, and how its bytes become a [`Call`].

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::{
    call::Call,
    config::{Config, ConfigError, Secret},
    fields::Malformed,
    vendor::ClientError,
};

/// An `event_id` of more bytes than this is no usable key.
const LONGEST_EVENT_ID: usize = 255;

/// A telephone platform.
pub struct Platform {
    /// Its name, which stands in each of its calls and events.
    pub name: &'static str,
    /// Reads a call from the body of one of its events, but for what is ours to say of it: `platform`, `received_at`, an
    /// `event_id` where the platform sent none, and a `call_id` for an event of no call. It is run again on stored bodies, so a later one must read what an earlier one did.
    pub parse: fn(&[u8]) -> Result<Call, Malformed>,
    /// A call of its form that ended so: `sample("missed", "inbound")`.
    pub sample: fn(&str, &str) -> Value,
    /// Puts what is said of a call into an event of its form.
    pub write: fn(&mut Map<String, Value>, &Said),
    /// What its documentation says of the engine's settings, by their variables: `WEBHOOK_PATH`.
    pub defaults: &'static [(&'static str, &'static str)],
    /// What to paste into its form of webhooks, for `init`.
    pub form: fn(&Form) -> String,
    /// The header that carries the credential when a recording is fetched from it.
    pub recording_header: &'static str,
}

/// What is awaited.
pub type Doing<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Has a platform deliver under this secret from now on. It is safe to repeat.
pub type SetSecret = Box<dyn Fn(Secret) -> Doing<Result<(), ClientError>>>;

/// What a platform has of a webhook.
pub struct Shown {
    /// Lines for people.
    pub lines: Vec<String>,
    /// Whether it is what the settings describe.
    pub as_set: bool,
}

/// The API by which a platform's webhook is made and changed, for one that has it: what the command `platform` goes by. The
/// lines that it returns are for people, and no secret is in them.
pub struct Api {
    /// Makes the webhook that these settings describe, unless it is there, and says what there is and what to set.
    pub create: fn(Config) -> Doing<anyhow::Result<Vec<String>>>,
    /// Says what the platform has, and whether that is what these settings describe.
    pub show: fn(Config) -> Doing<anyhow::Result<Shown>>,
    /// What changes the secret of the webhook that these settings name.
    pub set_secret: fn(&Config) -> Result<SetSecret, ConfigError>,
}

/// What `send` is told of the call that it sends.
#[derive(Debug, Default, PartialEq)]
pub struct Said {
    /// How it ended.
    pub status: Option<String>,
    /// Who called whom.
    pub direction: Option<String>,
    /// The caller's number.
    pub from: Option<String>,
    /// The called number.
    pub to: Option<String>,
    /// Where the recording is.
    pub recording_url: Option<String>,
    /// The call's own id.
    pub call_id: Option<String>,
    /// The event's id.
    pub event_id: Option<String>,
    /// Custom fields.
    pub custom_fields: Map<String, Value>,
    /// The platform's token, for one that carries it in the body.
    pub token: Option<String>,
}

/// What goes into the platform's form.
pub struct Form {
    /// The webhook's URL.
    pub webhook: String,
    /// The header that carries the secret.
    pub header: String,
    /// The secret.
    pub token: String,
}

impl Platform {
    /// A call of a delivery that came at this time.
    ///
    /// # Errors
    ///
    /// [`Malformed`] when the body is no event; it says what and where.
    pub fn read(&self, body: &[u8], received_at: DateTime<Utc>) -> Result<Call, Malformed> {
        // A fault of the parser costs this delivery, and neither the connection nor the queue that met it.
        let call = catch_unwind(AssertUnwindSafe(|| (self.parse)(body)));
        let mut call = call.unwrap_or(Err(Malformed::Panicked))?;
        self.name.clone_into(&mut call.platform);
        call.received_at = received_at;
        let id = &call.event_id;
        // A retry repeats the body, so where the platform sent no usable id, the body's hash is one.
        if id.is_empty() || id.len() > LONGEST_EVENT_ID || id.contains('\0') {
            call.event_id = format!("sha256:{}", hex::encode(Sha256::digest(body)));
        }
        call.make_storable();
        // Of no call: it stands for itself, and not beside others of no call.
        if call.call_id.is_empty() {
            call.call_id.clone_from(&call.event_id);
        }
        Ok(call)
    }

    /// What the setting is where nobody sets it.
    #[must_use]
    pub fn default(&self, name: &str) -> Option<&'static str> {
        self.defaults.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }
}
