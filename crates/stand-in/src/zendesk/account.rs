//! The account: tickets, users, and the idempotency keys of late; and what changes them.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::attributes::Attributes;
use super::comments::{Comment, NewComment};
use super::refusal;
use super::ticket::{Audit, Status, Ticket};
use super::users::User;
use crate::refusal::Refusal;

/// The user in whose name the API's callers act.
pub(super) const INTEGRATION: u64 = 29;

/// The agent who works on the tickets meanwhile.
pub(super) const AGENT: u64 = 28;

/// The customer who asks for the tickets to begin with.
const CUSTOMER: u64 = 20_978_392;

/// The groups of agents: Support, and Sales.
const GROUPS: [u64; 2] = [25, 26];

#[derive(Deserialize, Serialize)]
pub(super) struct Account {
    next_ticket: u64,
    /// Comments, audits and the events in them are numbered together.
    next_event: u64,
    pub(super) tickets: BTreeMap<u64, Ticket>,
    /// Names by ids.
    pub(super) users: BTreeMap<u64, String>,
    /// Those who were created, or have a number.
    #[serde(default)]
    pub(super) callers: BTreeMap<u64, User>,
    keys: BTreeMap<String, Answered>,
}

/// What was answered to a request that had an idempotency key.
#[derive(Deserialize, Serialize)]
pub(super) struct Answered {
    at: DateTime<Utc>,
    request: Value,
    answer: Value,
}

impl Account {
    /// Tickets to attach to, and to fail to attach to: one is closed.
    pub(super) fn sample() -> Self {
        let mut account = Self {
            next_ticket: 1,
            next_event: 2_127_301_143,
            tickets: BTreeMap::new(),
            users: BTreeMap::from([
                (AGENT, "Jordan Ellis".into()),
                (INTEGRATION, "Integration".into()),
                (CUSTOMER, "Dana Whitfield".into()),
            ]),
            callers: BTreeMap::new(),
            keys: BTreeMap::new(),
        };
        for (id, status, subject) in [
            (35_400, Status::Closed, "My printer is out of paper"),
            (35_420, Status::Solved, "My printer is too loud"),
            (35_436, Status::Open, "My printer is on fire"),
        ] {
            account.next_ticket = id;
            account.add(status, subject);
        }
        account
    }

    pub(super) fn ticket(&self, id: u64) -> Result<&Ticket, Refusal> {
        self.tickets.get(&id).ok_or_else(refusal::not_found)
    }

    /// Adds a ticket that a customer wrote.
    pub(super) fn add(&mut self, status: Status, subject: &str) -> u64 {
        let fields = [
            ("subject", json!(subject)),
            ("status", json!(status)),
            ("requester_id", json!(CUSTOMER)),
            ("submitter_id", json!(CUSTOMER)),
            ("assignee_id", json!(AGENT)),
        ];
        let fields = fields.map(|(name, value)| (name.to_owned(), value)).into();
        let body = format!("{subject}.");
        let comment = Some(NewComment { public: Some(true), ..NewComment::internal(body) });
        self.insert(CUSTOMER, Attributes { fields, comment, ..Attributes::default() }).0
    }

    /// Creates a ticket as a request asks for it.
    ///
    /// "The parameter only works with closed tickets. It has no effect with other tickets" (follow-up
    /// guide): here a source that can't be followed up is refused, so that nobody relies on having one.
    pub(super) fn create(&mut self, mut given: Attributes) -> Result<(u64, Audit), Refusal> {
        if given.comment.is_none() {
            return Err(refusal::blank_description());
        }
        if let Some(source) = given.followup_of {
            match self.tickets.get(&source) {
                Some(source) if source.status == Status::Closed => {
                    // Inherited unless the request has its own (follow-up guide).
                    given.fields.entry("tags".into()).or_insert_with(|| json!(source.tags));
                }
                _ => {
                    let description = format!("Ticket {source} is not there, or not closed");
                    return Err(refusal::invalid("via_followup_source_id", &description));
                }
            }
        }
        let number = |name: &str| given.fields.get(name).and_then(Value::as_u64);
        if number("requester_id").is_some_and(|requester| !self.users.contains_key(&requester)) {
            return Err(refusal::invalid("requester_id", "Requester: is not a user"));
        }
        if number("group_id").is_some_and(|group| !GROUPS.contains(&group)) {
            return Err(refusal::invalid("group_id", "Group: is invalid"));
        }
        // "Defaults to the authenticated user" (tickets reference), both of them.
        for name in ["requester_id", "submitter_id"] {
            given.fields.entry(name.into()).or_insert_with(|| json!(INTEGRATION));
        }
        Ok(self.insert(INTEGRATION, given))
    }

    fn insert(&mut self, author: u64, given: Attributes) -> (u64, Audit) {
        let id = self.next_ticket;
        self.next_ticket += 1;
        let now = Utc::now().trunc_subsecs(0);
        let via_followup_source_id = given.followup_of;
        let ticket =
            Ticket { id, via_followup_source_id, created_at: now, updated_at: now, ..Ticket::default() };
        (id, self.apply(ticket, author, given, now))
    }

    /// Changes a ticket as a request asks for it; without anything to change it stays as it is, and so does
    /// its `updated_at`, which moves with the events only (tickets reference).
    ///
    /// Whether the stamp or the closed ticket is looked at first is not documented.
    pub(super) fn update(&mut self, id: u64, author: u64, given: Attributes) -> Result<Audit, Refusal> {
        let ticket = self.ticket(id)?;
        if given.safe_update.is_some_and(|stamp| ticket.updated_at > stamp) {
            return Err(refusal::conflict());
        }
        let is_change =
            given.comment.is_some() || given.fields.iter().any(|(name, value)| ticket.field(name) != *value);
        if ticket.status == Status::Closed && is_change {
            return Err(refusal::invalid("status", "Status: closed prevents ticket update"));
        }
        let ticket = ticket.clone();
        Ok(self.apply(ticket, author, given, Utc::now()))
    }

    /// Does to a ticket what is asked for, and says what has become of it.
    fn apply(&mut self, mut ticket: Ticket, author: u64, given: Attributes, at: DateTime<Utc>) -> Audit {
        let is_new = ticket.comments.is_empty();
        let mut audit = Audit { id: self.take_event(), at, events: Vec::new() };
        if let Some(new) = given.comment {
            // "The initial value set on ticket creation persists … unless you change it" (comments reference).
            let public = || ticket.comments.first().is_none_or(|first| first.public);
            let comment = Comment {
                id: self.take_event(),
                author_id: author,
                body: new.body,
                public: new.public.unwrap_or_else(public),
                data: new.data,
                attachments: new.attachments,
                created_at: at,
                audit_id: audit.id,
            };
            audit.events.push(comment.shown(self));
            ticket.comments.push(comment);
        }
        for (name, value) in given.fields {
            let old = ticket.field(&name);
            if is_new || old != value {
                ticket.set(&name, value);
                let (id, kind) = (self.take_event(), if is_new { "Create" } else { "Change" });
                let value = text(ticket.field(&name));
                let mut event = json!({ "id": id, "type": kind, "field_name": name, "value": value });
                if !is_new {
                    event["previous_value"] = text(old);
                }
                audit.events.push(event);
            }
        }
        if !is_new && !audit.events.is_empty() {
            ticket.touch(at);
        }
        self.tickets.insert(ticket.id, ticket);
        audit
    }

    /// Forgets the keys that are older than this.
    pub(super) fn forget_keys(&mut self, lifetime: Duration) {
        let now = Utc::now();
        self.keys.retain(|_, answered| (now - answered.at).to_std().unwrap_or_default() < lifetime);
    }

    /// The answer that this key has got already.
    ///
    /// "If you repeat the same request using the same body and idempotency key", the answer is the same
    /// (idempotency section); only tickets that were created are remembered here: that a refusal is, is not
    /// documented.
    pub(super) fn answered(&self, key: &str, request: &Value) -> Result<Option<Value>, Refusal> {
        match self.keys.get(key) {
            None => Ok(None),
            Some(answered) if answered.request == *request => Ok(Some(answered.answer.clone())),
            Some(_) => Err(refusal::other_parameters()),
        }
    }

    pub(super) fn remember(&mut self, key: &str, request: Value, answer: Value) {
        self.keys.insert(key.into(), Answered { at: Utc::now(), request, answer });
    }

    pub(super) fn take_event(&mut self) -> u64 {
        self.next_event += 1;
        self.next_event - 1
    }
}

/// Values in an audit are text, but for the tags (audit events reference).
fn text(value: Value) -> Value {
    match value {
        Value::Number(number) => json!(number.to_string()),
        other => other,
    }
}
