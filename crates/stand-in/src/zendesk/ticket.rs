//! A ticket and what was done to it, as the account has them and as the API shows them (tickets and audits reference).

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, SubsecRound, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::account::{Account, INTEGRATION};
use super::comments::Comment;

/// What is shown of a ticket as it was written (tickets reference).
const SHOWN: &str = "subject status priority type external_id tags custom_fields due_at recipient requester_id submitter_id \
     assignee_id organization_id group_id brand_id problem_id ticket_form_id custom_status_id";

/// Where a ticket stands.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Nobody has looked at it.
    #[default]
    New,
    /// Someone works on it.
    Open,
    /// It waits for the requester.
    Pending,
    /// It waits for someone else.
    Hold,
    /// It is done, and can be opened again.
    Solved,
    /// It is done for good.
    Closed,
}

/// A ticket.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Ticket {
    /// The vendor's id.
    pub id: u64,
    /// Its subject; empty where it has none.
    pub subject: String,
    /// Where it stands.
    pub status: Status,
    /// The caller's own id for it.
    pub external_id: Option<String>,
    /// The closed ticket that it follows up.
    pub via_followup_source_id: Option<u64>,
    /// `urgent`, `high`, `normal` or `low`.
    pub priority: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// What else was written: the requester, the assignee, custom fields and so on.
    #[serde(flatten)]
    pub properties: BTreeMap<String, Value>,
    /// The comments, the oldest first; the first is the ticket's description.
    pub comments: Vec<Comment>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it last changed: ahead of the time where it changed more than once in a second.
    pub updated_at: DateTime<Utc>,
}

impl Ticket {
    /// Moves `updated_at` on: to now, and by a second at least.
    ///
    /// The format has whole seconds, and a stamp is compared as it was sent: in the vendor's account two
    /// changes within a second look like one, so that the second goes unseen. Here no two changes have the
    /// same stamp, or a test of a race would depend on the clock. Where a ticket changes faster than once a
    /// second, its `updated_at` runs ahead of the time.
    pub(super) fn touch(&mut self, now: DateTime<Utc>) {
        self.updated_at = now.trunc_subsecs(0).max(self.updated_at + TimeDelta::seconds(1));
    }

    /// A property by its name, as the API names it.
    pub(super) fn field(&self, name: &str) -> Value {
        json!(self)[name].take()
    }

    /// Sets a property to a value of its type.
    pub(super) fn set(&mut self, name: &str, value: Value) {
        let mut ticket = json!(self);
        ticket[name] = value;
        *self = serde_json::from_value(ticket).expect("the schema sees to the types");
    }

    /// With this as the API's own address.
    pub(super) fn shown(&self, account: &Account, base: &str) -> Value {
        let source = self.via_followup_source_id.and_then(|id| account.tickets.get(&id));
        let followups =
            account.tickets.values().filter(|other| other.via_followup_source_id == Some(self.id));
        let mut shown = json!({
            "url": format!("{base}/api/v2/tickets/{}.json", self.id),
            "id": self.id,
            "via": via(source),
            "created_at": iso(self.created_at),
            "updated_at": iso(self.updated_at),
            "description": self.comments.first().map(|first| &first.body),
            "is_public": self.comments.iter().any(|comment| comment.public),
            "followup_ids": followups.map(|other| other.id).collect::<Vec<_>>(),
        });
        // Null when it was never written.
        let mut own = json!(self);
        for name in SHOWN.split(' ') {
            shown[name] = own[name].take();
        }
        if shown["custom_fields"].is_null() {
            shown["custom_fields"] = json!([]);
        }
        shown["fields"] = shown["custom_fields"].clone();
        shown
    }
}

/// What a request did to a ticket: its id, the time and the events.
pub(super) struct Audit {
    pub(super) id: u64,
    pub(super) at: DateTime<Utc>,
    pub(super) events: Vec<Value>,
}

impl Audit {
    pub(super) fn shown(self, ticket: u64) -> Value {
        json!({
            "id": self.id,
            "ticket_id": ticket,
            "created_at": iso(self.at),
            "author_id": INTEGRATION,
            "metadata": { "system": {}, "custom": {} },
            "events": self.events,
            "via": via(None),
        })
    }
}

/// A time as the vendor writes it: in whole seconds.
pub(super) fn iso(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// How something was created: through the API, or as the follow-up of this ticket.
pub(super) fn via(source: Option<&Ticket>) -> Value {
    let source = match source {
        None => json!({ "from": {}, "to": {}, "rel": null }),
        Some(source) => json!({
            "from": { "ticket_id": source.id, "subject": source.subject },
            "to": {},
            "rel": "follow_up",
        }),
    };
    json!({ "channel": "api", "source": source })
}
