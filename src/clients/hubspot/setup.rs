//! What HubSpot must have once before calls can be logged: the unique properties by which records are found again.

use engine::vendor::ClientError;
use hubspot_api::Property;

use super::{HubSpot, settings::UnknownCaller};

/// The unique property of calls and tasks that holds the platform's `call_id`.
pub(super) const CALL_ID: &str = "external_call_id";

/// The unique property of contacts that holds the number of a caller for whom one was made.
pub(super) const NUMBER: &str = "external_caller_number";

/// All of them.
pub(super) const UNIQUE: &[&str] = &[CALL_ID, NUMBER];

const OF_CALLS: Property = Property { of: "calls", group: "call", name: CALL_ID, label: "External call ID" };
const OF_TASKS: Property = Property { of: "tasks", group: "task", name: CALL_ID, label: "External call ID" };
const OF_CONTACTS: Property =
    Property { of: "contacts", group: "contactinformation", name: NUMBER, label: "External caller number" };

/// A number that nobody has: those of 555-01xx are kept for fiction. (North American Numbering Plan.)
pub(super) const NOBODY: &str = "+12025550100";

impl HubSpot {
    /// Makes what calls need, and says whether it was there already.
    ///
    /// # Errors
    ///
    /// Those of [`hubspot_api::Api::make`].
    pub async fn set_up(&self) -> Result<String, ClientError> {
        self.make(OF_CALLS).await
    }

    /// The same for tasks.
    ///
    /// # Errors
    ///
    /// Those of [`Self::set_up`].
    pub async fn set_up_tasks(&self) -> Result<String, ClientError> {
        self.make(OF_TASKS).await
    }

    /// Looks whether calls could be logged, without writing: whether the key may find contacts, and whether the unique
    /// properties are there; returns what it found.
    ///
    /// # Errors
    ///
    /// HubSpot refused or can't be reached, or a property is missing or not unique.
    pub async fn check(&self) -> Result<String, ClientError> {
        self.look(OF_CALLS).await
    }

    /// The same for tasks.
    ///
    /// # Errors
    ///
    /// Those of [`Self::check`].
    pub async fn check_tasks(&self) -> Result<String, ClientError> {
        self.look(OF_TASKS).await
    }

    async fn make(&self, property: Property) -> Result<String, ClientError> {
        let mut made = Vec::new();
        for property in self.with_contacts(property) {
            made.push(self.api.make(&property).await?);
        }
        Ok(made.join(", "))
    }

    async fn look(&self, property: Property) -> Result<String, ClientError> {
        let nobody = phonenumber::parse(None, NOBODY).expect("it is a number");
        self.contacts_with(&nobody).await?;
        let mut found = "the key may find contacts".to_owned();
        for property in self.with_contacts(property) {
            found += ", and ";
            found += &self.api.look(&property).await?;
        }
        Ok(found)
    }

    /// It, and the contacts' own where contacts are made.
    fn with_contacts(&self, property: Property) -> impl Iterator<Item = Property> {
        let makes_contacts = self.unknown_caller == UnknownCaller::Create;
        [property].into_iter().chain(makes_contacts.then_some(OF_CONTACTS))
    }
}
