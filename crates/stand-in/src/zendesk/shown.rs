//! A ticket and an audit as the API shows them (tickets and audits reference).

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::account::{Account, Audit, INTEGRATION};
use super::attributes::WRITABLE;
use super::ticket::Ticket;

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

impl Ticket {
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
            "generated_timestamp": self.updated_at.timestamp(),
            "raw_subject": self.subject,
            "description": self.comments.first().map(|first| &first.body),
            "is_public": self.comments.iter().any(|comment| comment.public),
            "has_incidents": false,
            "followup_ids": followups.map(|other| other.id).collect::<Vec<_>>(),
            "collaborator_ids": [],
            "follower_ids": [],
            "email_cc_ids": [],
            "sharing_agreement_ids": [],
            "allow_attachments": true,
            "allow_channelback": false,
            "from_messaging_channel": false,
        });
        // Null when it was never written.
        let mut own = json!(self);
        for (name, _) in WRITABLE {
            shown[name] = own[name].take();
        }
        if shown["custom_fields"].is_null() {
            shown["custom_fields"] = json!([]);
        }
        shown["fields"] = shown["custom_fields"].clone();
        shown
    }
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
