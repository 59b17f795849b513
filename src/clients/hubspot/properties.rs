//! From our event to HubSpot's properties of a call. (HubSpot's documentation, "Calls": every value is a string,
//! durations are milliseconds.)

use std::collections::BTreeMap;

use chrono::SecondsFormat;
use reqwest::Url;

use engine::{
    call::{Call, Direction},
    recording,
    vendor::cut,
};

use super::{HubSpot, recording::RECORDING, setup::CALL_ID, text};

/// The most characters that HubSpot takes as a property's value; over a longer one it refuses the whole call.
const LONGEST: usize = 65_536;

impl HubSpot {
    /// The owner whom the call's agent is.
    pub(super) fn owner(&self, call: &Call) -> Option<&String> {
        call.agent.id.as_ref().and_then(|agent| self.owners.0.get(agent))
    }

    pub(super) fn properties_of(&self, call: &Call) -> BTreeMap<String, String> {
        let time = call.started_at.or(call.ended_at).or(call.occurred_at).unwrap_or(call.received_at);
        let (status, disposition) =
            call.status.as_ref().map_or((None, None), |status| self.outcomes.of(status));
        let known = [
            (CALL_ID, Some(call.call_id.clone())),
            ("hs_timestamp", Some(time.to_rfc3339_opts(SecondsFormat::Millis, true))),
            ("hs_call_title", Some(text::call_title(call))),
            ("hs_call_body", Some(text::call_body(call))),
            ("hs_call_direction", call.direction.as_ref().and_then(direction).map(str::to_owned)),
            ("hs_call_status", status.map(str::to_owned)),
            ("hs_call_disposition", disposition.map(str::to_owned)),
            (
                "hs_call_duration",
                call.duration_seconds.map(|seconds| (u64::from(seconds) * 1000).to_string()),
            ),
            ("hs_call_from_number", call.from.clone()),
            ("hs_call_to_number", call.to.clone()),
            // "Must be https": HubSpot refuses the whole call over any other.
            (RECORDING, call.recording().and_then(https)),
            ("hubspot_owner_id", self.owner(call).cloned()),
        ];
        let known = known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        let custom = self
            .properties
            .0
            .iter()
            .filter_map(|(field, name)| Some((name.clone(), call.custom_field(field)?)));
        let fitting =
            |(name, value): (String, String)| (name, cut(&value, LONGEST, char::len_utf16).into_owned());
        known.chain(custom).map(fitting).collect()
    }
}

/// The link as it is written on the wire.
fn https(url: &str) -> Option<String> {
    let url = Url::parse(url).ok().filter(|url| url.scheme() == "https")?;
    // A link that was cut would lead nowhere.
    Some(recording::uri(&url)).filter(|url| url.len() <= LONGEST)
}

fn direction(direction: &Direction) -> Option<&'static str> {
    match direction {
        Direction::Inbound => Some("INBOUND"),
        Direction::Outbound => Some("OUTBOUND"),
        Direction::Other(_) => None,
    }
}
