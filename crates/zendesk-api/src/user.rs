//! Users: found, or made once. (Zendesk's documentation, "Users".)

use engine::vendor::ClientError;
use reqwest::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    api::Api,
    error::{FOUND_AGAIN, decode, refused},
};

/// A user, as far as he is read.
#[derive(Deserialize)]
pub struct User {
    /// His number.
    pub id: u64,
    /// His telephone number, as somebody wrote it.
    pub phone: Option<String>,
}

/// A user to be made.
#[derive(Serialize)]
pub struct NewUser<'a> {
    /// His name.
    pub name: &'a str,
    /// His telephone number.
    pub phone: &'a str,
    /// `end-user`.
    pub role: &'static str,
    /// What no other user has.
    pub external_id: &'a str,
}

#[derive(Deserialize)]
struct Users {
    users: Vec<User>,
}

#[derive(Deserialize)]
struct Made {
    user: User,
}

impl Api {
    /// Users in whose telephone numbers this one stands; who was just made is not among them yet.
    ///
    /// # Errors
    ///
    /// Zendesk refused, or can't be reached.
    pub async fn users_with_phone(&self, phone: &str) -> Result<Vec<User>, ClientError> {
        self.users(("query", &format!("phone:{phone}"))).await
    }

    /// The user with this `external_id`.
    ///
    /// # Errors
    ///
    /// Zendesk refused, or can't be reached.
    pub async fn user_of(&self, external_id: &str) -> Result<Option<u64>, ClientError> {
        Ok(self.users(("external_id", external_id)).await?.first().map(|user| user.id))
    }

    async fn users(&self, by: (&str, &str)) -> Result<Vec<User>, ClientError> {
        let mut url = self.url(&["users", "search"]);
        url.query_pairs_mut().append_pair(by.0, by.1);
        Ok(decode::<Users>(&self.ask(self.request(Method::GET, url)).await?)?.users)
    }

    /// Makes him, and returns his number; nothing where Zendesk does not take him. No two users have one `external_id`, so of
    /// two that are made at once, one is refused, and the other's number returned.
    ///
    /// # Errors
    ///
    /// Zendesk refused for another reason, or can't be reached; [`ClientError::Unauthorized`] where the client may not.
    pub async fn make_user(&self, user: &NewUser<'_>) -> Result<Option<u64>, ClientError> {
        let request = self.request(Method::POST, self.url(&["users"])).json(&json!({ "user": user }));
        let answer = self.send(request).await?;
        self.vendor.heed(&answer);
        match answer.status {
            status if status.is_success() => Ok(Some(decode::<Made>(&answer)?.user.id)),
            StatusCode::UNPROCESSABLE_ENTITY => {
                let there = self.user_of(user.external_id).await?;
                let refusal = refused(&answer);
                match there {
                    // Another's, who is not found yet.
                    None if refusal.to_string().contains("external_id") => {
                        Err(ClientError::Retry { reason: refusal.to_string(), after: Some(FOUND_AGAIN) })
                    }
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
