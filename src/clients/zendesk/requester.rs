//! The user who asks for a call's ticket: the caller, found by his number or made once. (Zendesk's documentation, "Users".)

use phonenumber::PhoneNumber;
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::{
    api::Zendesk,
    refusal::{FOUND_AGAIN, decode, refused},
    wire::{Made, Users},
};
use crate::{clients::caller, settings::ZendeskRequester};
use engine::{call::Call, vendor::ClientError};

impl Zendesk {
    /// The caller's id; nothing where tickets are the account's, or there is no number. Safe to repeat.
    pub(super) async fn requester(&self, call: &Call) -> Result<Option<u64>, ClientError> {
        if self.requester == ZendeskRequester::Account {
            return Ok(None);
        }
        let Some(number) = caller::number(call, self.region) else { return Ok(None) };
        let e164 = caller::e164(&number);
        let found = self.users(("query", &format!("phone:{e164}"))).await?.with(&number, self.region);
        if found.is_some() {
            return Ok(found);
        }
        // What was just made is found by its id alone: searches lag behind.
        let ours = format!("caller:{e164}");
        if let Some(user) = self.users(("external_id", &ours)).await?.first() {
            return Ok(Some(user));
        }
        // An extension, or what a platform writes for a withheld number, is nobody's.
        if phonenumber::is_valid(&number) { self.make_user(&number, &ours).await } else { Ok(None) }
    }

    /// Who asked for the closed ticket that a new one follows up on.
    pub(super) async fn requester_of(&self, ticket: u64) -> Result<Option<u64>, ClientError> {
        match self.requester {
            ZendeskRequester::Account => Ok(None),
            ZendeskRequester::Caller => Ok(self.ticket(ticket).await?.requester_id),
        }
    }

    async fn users(&self, by: (&str, &str)) -> Result<Users, ClientError> {
        let mut url = self.url(&["users", "search"]);
        url.query_pairs_mut().append_pair(by.0, by.1);
        decode(&self.ask(self.request(Method::GET, url)).await?)
    }

    /// No two users have one `external_id`, so of two calls that make one at once, one is refused, and finds the other's.
    async fn make_user(&self, number: &PhoneNumber, id: &str) -> Result<Option<u64>, ClientError> {
        let user = json!({
            "name": format!("Caller {}", caller::readable(number)),
            "phone": caller::e164(number),
            "role": "end-user",
            "external_id": id,
        });
        let request = self.request(Method::POST, self.url(&["users"])).json(&json!({ "user": user }));
        let answer = self.send(request).await?;
        self.vendor.heed(&answer);
        match answer.status {
            status if status.is_success() => {
                let Made { user } = decode(&answer)?;
                Ok(Some(user.id))
            }
            StatusCode::UNPROCESSABLE_ENTITY => {
                let there = self.users(("external_id", id)).await?.first();
                let refusal = refused(&answer);
                match there {
                    // Another's, who is not found yet.
                    None if refusal.to_string().contains("external_id") => {
                        Err(ClientError::Retry { reason: refusal.to_string(), after: Some(FOUND_AGAIN) })
                    }
                    // A number that Zendesk does not take keeps no call from its ticket.
                    there => Ok(there),
                }
            }
            // What the client may not do is for a person to mend: until then the calls wait.
            StatusCode::FORBIDDEN => Err(ClientError::Unauthorized(format!(
                "{} (has the client the scopes users:read and users:write?)",
                refused(&answer)
            ))),
            _ => Err(refused(&answer)),
        }
    }
}
