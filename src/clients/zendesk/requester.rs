//! The user who asks for a call's ticket: the caller, found by his number or made once. (Zendesk's documentation, "Users".)

use phonenumber::PhoneNumber;

use engine::{call::Call, vendor::ClientError};
use zendesk_api::{NewUser, User};

use super::{Zendesk, settings::ZendeskRequester};
use crate::clients::caller;

impl Zendesk {
    /// The caller's id; nothing where tickets are the account's, or there is no number. Safe to repeat.
    pub(super) async fn requester(&self, call: &Call) -> Result<Option<u64>, ClientError> {
        if self.requester == ZendeskRequester::Account {
            return Ok(None);
        }
        let Some(number) = caller::number(call, self.region) else { return Ok(None) };
        let e164 = caller::e164(&number);
        let same = |user: &User| {
            let own = user.phone.as_deref().and_then(|own| phonenumber::parse(self.region, own).ok());
            own.is_some_and(|own| own.code() == number.code() && own.national() == number.national())
        };
        let found = self.api.users_with_phone(&e164).await?;
        // The one that was made first.
        if let Some(user) = found.iter().filter(|user| same(user)).map(|user| user.id).min() {
            return Ok(Some(user));
        }
        // What was just made is found by its id alone: searches lag behind.
        let ours = format!("caller:{e164}");
        if let Some(user) = self.api.user_of(&ours).await? {
            return Ok(Some(user));
        }
        // An extension, or what a platform writes for a withheld number, is nobody's.
        if phonenumber::is_valid(&number) { self.make_user(&number, &ours).await } else { Ok(None) }
    }

    /// Who asked for the closed ticket that a new one follows up on.
    pub(super) async fn requester_of(&self, ticket: u64) -> Result<Option<u64>, ClientError> {
        match self.requester {
            ZendeskRequester::Account => Ok(None),
            ZendeskRequester::Caller => Ok(self.api.ticket(ticket).await?.requester_id),
        }
    }

    /// A number that Zendesk does not take keeps no call from its ticket.
    async fn make_user(&self, number: &PhoneNumber, id: &str) -> Result<Option<u64>, ClientError> {
        let (name, phone) = (format!("Caller {}", caller::readable(number)), caller::e164(number));
        let user = NewUser { name: &name, phone: &phone, role: "end-user", external_id: id };
        self.api.make_user(&user).await
    }
}
