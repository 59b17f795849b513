//! What is in the account: calls, contacts and properties; and the file in which it outlives a restart.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use super::properties::{ObjectType, Property};

/// The values of a record by the names of its properties; all of them are text.
pub(super) type Values = BTreeMap<String, String>;

/// A logged call.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Call {
    /// The vendor's id.
    pub id: String,
    /// What was written, as it was written.
    pub properties: BTreeMap<String, String>,
    /// The contacts that it is associated with: their names by their ids.
    pub contacts: BTreeMap<String, String>,
    /// When it was first upserted.
    pub created_at: DateTime<Utc>,
    /// When it was last upserted.
    pub updated_at: DateTime<Utc>,
}

/// A contact.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Contact {
    /// The vendor's id.
    pub id: String,
    /// What is known of it.
    pub properties: BTreeMap<String, String>,
    /// When it was added.
    pub created_at: DateTime<Utc>,
}

#[derive(Deserialize, Serialize)]
pub(super) struct Account {
    next_id: u64,
    pub(super) calls: BTreeMap<u64, Call>,
    pub(super) contacts: BTreeMap<u64, Contact>,
    /// Those that were created; HubSpot's own are in the `properties` module.
    call_properties: BTreeMap<String, Property>,
    contact_properties: BTreeMap<String, Property>,
    /// Calls by the values of their unique properties: the key by which an upsert finds one.
    #[serde(skip)]
    call_ids: HashMap<(String, String), u64>,
}

impl Account {
    /// Contacts to find, and to fail to find: two of them share a number.
    pub(super) fn sample() -> Self {
        let mut account = Self {
            next_id: 101,
            calls: BTreeMap::new(),
            contacts: BTreeMap::new(),
            call_properties: BTreeMap::new(),
            contact_properties: BTreeMap::new(),
            call_ids: HashMap::new(),
        };
        account.add_property(
            ObjectType::Contacts,
            Property::unique("acme_id", "ACME customer", "contactinformation"),
        );
        for properties in [
            [
                ("firstname", "Dana"),
                ("lastname", "Whitfield"),
                ("phone", "+14085551234"),
                ("acme_id", "ACME-4451"),
            ],
            [
                ("firstname", "Amir"),
                ("lastname", "Haddad"),
                ("mobilephone", "+442079460958"),
                ("acme_id", "ACME-4452"),
            ],
            [
                ("firstname", "Lena"),
                ("lastname", "Brandt"),
                ("phone", "+4930901820"),
                ("email", "lena@example.com"),
            ],
            [
                ("firstname", "Jonas"),
                ("lastname", "Brandt"),
                ("phone", "+4930901820"),
                ("email", "jonas@example.com"),
            ],
        ] {
            account.add_contact(properties.map(|(name, value)| (name.into(), value.into())).into());
        }
        // Calls are told from contacts at a glance.
        account.next_id = 501;
        account
    }

    /// The unique property by which Aftercall upserts; it stays as it is where it exists already.
    pub(super) fn add_external_call_id(&mut self) {
        if self.property(ObjectType::Calls, "external_call_id").is_none() {
            self.add_property(
                ObjectType::Calls,
                Property::unique("external_call_id", "External call ID", "call"),
            );
        }
    }

    pub(super) fn property(&self, of: ObjectType, name: &str) -> Option<Property> {
        let created = match of {
            ObjectType::Calls => &self.call_properties,
            ObjectType::Contacts => &self.contact_properties,
        };
        created.get(name).cloned().or_else(|| of.standard_property(name))
    }

    pub(super) fn add_property(&mut self, of: ObjectType, property: Property) {
        let created = match of {
            ObjectType::Calls => &mut self.call_properties,
            ObjectType::Contacts => &mut self.contact_properties,
        };
        created.insert(property.name.clone(), property);
    }

    pub(super) fn add_contact(&mut self, properties: Values) -> String {
        for name in properties.keys() {
            if self.property(ObjectType::Contacts, name).is_none() {
                self.add_property(ObjectType::Contacts, Property::text(name, name, "contactinformation"));
            }
        }
        let number = self.take_id();
        let id = number.to_string();
        self.contacts.insert(number, Contact { id: id.clone(), properties, created_at: Utc::now() });
        id
    }

    /// The call whose unique property has this value.
    pub(super) fn call_id(&self, property: &str, value: &str) -> Option<u64> {
        self.call_ids.get(&(property.into(), value.into())).copied()
    }

    /// Creates the call that this key names, or changes it, and says whether it is new.
    ///
    /// Properties that are not given stay; an empty value clears (calls guide).
    pub(super) fn upsert_call(&mut self, key: (&str, &str), properties: Values) -> (bool, &Call) {
        let known = self.call_id(key.0, key.1);
        let number = known.unwrap_or_else(|| self.take_id());
        let now = Utc::now();
        let unique = unique(&self.call_properties);

        let call = self.calls.entry(number).or_insert_with(|| Call {
            id: number.to_string(),
            properties: Values::from([(key.0.into(), key.1.into())]),
            contacts: BTreeMap::new(),
            created_at: now,
            updated_at: now,
        });
        call.updated_at = now;
        for (name, value) in properties {
            if let Some(old) = call.properties.remove(&name) {
                self.call_ids.remove(&(name.clone(), old));
            }
            if !value.is_empty() {
                call.properties.insert(name, value);
            }
        }
        self.call_ids.extend(keys(call, &unique, number));
        (known.is_none(), call)
    }

    fn take_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id - 1
    }

    /// Finds out by which keys the calls are found, for an account that was kept.
    pub(super) fn index(&mut self) {
        let unique = unique(&self.call_properties);
        self.call_ids = self.calls.iter().flat_map(|(&number, call)| keys(call, &unique, number)).collect();
    }
}

/// The names of those properties that no two calls have the same value for.
fn unique(properties: &BTreeMap<String, Property>) -> Vec<&String> {
    properties.values().filter(|property| property.has_unique_value).map(|property| &property.name).collect()
}

/// The keys by which a call is found.
fn keys(call: &Call, unique: &[&String], number: u64) -> Vec<((String, String), u64)> {
    let value = |name: &&String| Some(((*name).clone(), call.properties.get(*name)?.clone()));
    unique.iter().filter_map(value).map(|key| (key, number)).collect()
}

/// As the vendor writes times.
pub(super) fn iso(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}
