//! Tickets: read, changed where they are as they were seen, made once. (Zendesk's documentation, "Tickets".)

use std::cmp::Reverse;

use engine::vendor::{ClientError, OwnTurn};
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    api::Api,
    error::{decode, pause_of_the_ticket, success},
};

/// A ticket, as far as it is read.
#[derive(Deserialize)]
pub struct Ticket {
    /// Its number.
    pub id: u64,
    /// `new`, `open`, `pending`, `hold`, `solved`, `closed`.
    #[serde(default)]
    pub status: String,
    /// Who asked for it.
    pub requester_id: Option<u64>,
    external_id: Option<String>,
    /// When it was last changed, as it came: sent back, so that Zendesk can tell whether the ticket has changed since.
    #[serde(default)]
    pub updated_at: String,
}

#[derive(Deserialize)]
struct Tickets {
    tickets: Vec<Ticket>,
}

/// The answer to a read, a write, and a create.
#[derive(Deserialize)]
struct Answered {
    ticket: Option<Ticket>,
    audit: Option<Audit>,
}

#[derive(Deserialize)]
struct Audit {
    #[serde(default)]
    events: Vec<Event>,
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
}

impl Answered {
    fn ticket(self) -> Result<Ticket, ClientError> {
        self.ticket.ok_or_else(|| ClientError::retry("Zendesk answered without the ticket"))
    }

    /// Whether the write made a comment.
    fn has_comment(&self) -> bool {
        let events = self.audit.as_ref().map(|audit| audit.events.as_slice()).unwrap_or_default();
        events.iter().any(|event| ["Comment", "VoiceComment"].contains(&event.kind.as_str()))
    }
}

impl Api {
    /// The ticket of this number.
    ///
    /// # Errors
    ///
    /// There is none; Zendesk refused, or can't be reached.
    pub async fn ticket(&self, id: u64) -> Result<Ticket, ClientError> {
        let answer = self.ask(self.request(Method::GET, self.url(&["tickets", &id.to_string()]))).await?;
        decode::<Answered>(&answer)?.ticket()
    }

    /// The numbers of the tickets with this `external_id`, the newest first.
    ///
    /// # Errors
    ///
    /// Zendesk refused, or can't be reached.
    pub async fn tickets_of(&self, external_id: &str) -> Result<Vec<u64>, ClientError> {
        let mut url = self.url(&["tickets"]);
        url.query_pairs_mut().append_pair("external_id", external_id);
        let Tickets { tickets } = decode(&self.ask(self.request(Method::GET, url)).await?)?;
        let of_it = tickets.iter().filter(|ticket| ticket.external_id.as_deref() == Some(external_id));
        let mut numbers: Vec<u64> = of_it.map(|ticket| ticket.id).collect();
        numbers.sort_by_key(|&number| Reverse(number));
        Ok(numbers)
    }

    /// Adds a comment by these fields if the ticket is still as it was seen; false when it isn't.
    ///
    /// # Errors
    ///
    /// Zendesk refused, or can't be reached; [`ClientError::Limited`] where this ticket alone takes no more for now.
    pub async fn comment(
        &self,
        ticket: &Ticket,
        mut fields: Value,
        turn: &mut OwnTurn,
    ) -> Result<bool, ClientError> {
        fields["safe_update"] = json!(true);
        fields["updated_stamp"] = json!(ticket.updated_at);
        let url = self.url(&["tickets", &ticket.id.to_string()]);
        let answer = self.send(self.request(Method::PUT, url).json(&json!({ "ticket": fields }))).await?;
        match answer.status {
            StatusCode::CONFLICT => return Ok(false),
            StatusCode::TOO_MANY_REQUESTS => {
                match pause_of_the_ticket(&answer).map(|after| turn.pause(after)) {
                    Some(of_this_ticket) => return Err(of_this_ticket),
                    None => self.vendor.heed(&answer),
                }
            }
            _ => {}
        }
        let updated: Answered = decode(&success(answer)?)?;
        // A body that is not what Zendesk expects is answered 200, and changes nothing.
        if updated.has_comment() {
            Ok(true)
        } else {
            Err(ClientError::Stop("Zendesk answered 200 and changed nothing".into()))
        }
    }

    /// Makes a ticket of these fields, once under this key for two hours, and returns its number.
    ///
    /// # Errors
    ///
    /// Zendesk refused, or can't be reached.
    pub async fn make_ticket(&self, fields: &Value, key: &str) -> Result<u64, ClientError> {
        let request = self.request(Method::POST, self.url(&["tickets"])).header("Idempotency-Key", key);
        let answer = self.ask(request.json(&json!({ "ticket": fields }))).await?;
        Ok(decode::<Answered>(&answer)?.ticket()?.id)
    }
}
