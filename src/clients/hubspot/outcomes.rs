//! What a call's status is at HubSpot: its call status, and the outcome (disposition) that people read.

use std::collections::BTreeMap;

use engine::{
    call::Status,
    config::{ConfigError, Pairs},
};

/// (HubSpot's documentation, "Calls".)
const STATUSES: [&str; 10] = [
    "BUSY",
    "CALLING_CRM_USER",
    "CANCELED",
    "COMPLETED",
    "CONNECTING",
    "FAILED",
    "IN_PROGRESS",
    "NO_ANSWER",
    "QUEUED",
    "RINGING",
];

/// The usual: the outcomes are of HubSpot's own list, Connected, No answer, Left voicemail.
const USUAL: &str = "answered=COMPLETED:f240bbac-87c9-4f6e-bf70-924b57d47db7,missed=NO_ANSWER:73a0d17f-1163-4015-bdd5-ec830791da20,\
                     voicemail=NO_ANSWER:b2cf5968-551e-4856-9783-52b3da59a7d0,abandoned=CANCELED";

/// The outcomes of the platform's statuses.
pub struct Outcomes(BTreeMap<String, Outcome>);

struct Outcome {
    status: String,
    /// The id of an account's outcome: a UUID.
    disposition: Option<String>,
}

impl Outcomes {
    /// The usual ones, but for those that are set: `STATUS` or `STATUS:outcome`.
    pub(super) fn parse(set: &Pairs) -> Result<Self, ConfigError> {
        let usual: Pairs = USUAL.parse().expect("it is a list of pairs");
        let all = usual.0.into_iter().chain(set.0.clone());
        let all = all.map(|(status, outcome)| Ok((status, Outcome::parse(&outcome)?)));
        all.collect::<Result<_, _>>().map(Self)
    }

    /// The call status and the outcome.
    pub(super) fn of(&self, status: &Status) -> (Option<&str>, Option<&str>) {
        let outcome = self.0.get(status.as_ref());
        (
            outcome.map(|outcome| outcome.status.as_str()),
            outcome.and_then(|outcome| outcome.disposition.as_deref()),
        )
    }
}

impl Outcome {
    fn parse(text: &str) -> Result<Self, ConfigError> {
        let (status, disposition) =
            text.split_once(':').map_or((text, None), |(status, id)| (status, Some(id)));
        let is_id = |id: &str| id.len() == 36 && id.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
        if !STATUSES.contains(&status) {
            let all = STATUSES.join(", ");
            return Err(ConfigError::new(format!(
                "HUBSPOT_OUTCOMES: `{text}` begins with no call status: {all}"
            )));
        }
        if disposition.is_some_and(|id| !is_id(id)) {
            return Err(ConfigError::new(format!(
                "HUBSPOT_OUTCOMES: `{text}` ends with no id of an outcome, such as f240bbac-87c9-4f6e-bf70-924b57d47db7"
            )));
        }
        Ok(Self { status: status.to_owned(), disposition: disposition.map(str::to_owned) })
    }
}
