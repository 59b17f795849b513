//! What is in the account: calls, contacts and properties.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::files::File;
use super::form::Upload;
use super::properties::{self, ObjectType, Property};
use super::refusal;
use crate::refusal::Refusal;

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
    /// The file that its recording's URL leads to, whatever follows a `#`; no field of the vendor's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recording: Option<File>,
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

#[derive(Default, Deserialize, Serialize)]
pub(super) struct Account {
    next_id: u64,
    pub(super) calls: BTreeMap<u64, Call>,
    pub(super) contacts: BTreeMap<u64, Contact>,
    #[serde(default)]
    pub(super) files: BTreeMap<u64, File>,
    /// Those that were created; the vendor's own are in `properties`.
    properties: BTreeMap<ObjectType, BTreeMap<String, Property>>,
    /// Calls by their unique properties and the values of these: the key by which an upsert finds one.
    call_ids: BTreeMap<String, BTreeMap<String, u64>>,
}

impl Account {
    /// Contacts to find, and to fail to find: two of them share a number.
    pub(super) fn sample() -> Self {
        let mut account = Self { next_id: 101, ..Self::default() };
        account.add_property(ObjectType::Contacts, Property::unique("acme_id", "ACME customer"));
        for (first, last, number, key) in [
            ("Dana", "Whitfield", ("phone", "+14085551234"), ("acme_id", "ACME-4451")),
            ("Amir", "Haddad", ("mobilephone", "+442079460958"), ("acme_id", "ACME-4452")),
            ("Lena", "Brandt", ("phone", "+4930901820"), ("email", "lena@example.com")),
            ("Jonas", "Brandt", ("phone", "+4930901820"), ("email", "jonas@example.com")),
        ] {
            let properties = [("firstname", first), ("lastname", last), number, key];
            account.add_contact(properties.map(|(name, value)| (name.into(), value.into())).into());
        }
        // Calls are told from contacts at a glance.
        account.next_id = 501;
        account
    }

    /// The unique property by which calls are upserted; it stays as it is where it exists already.
    pub(super) fn add_external_call_id(&mut self) {
        if self.property(ObjectType::Calls, "external_call_id").is_none() {
            self.add_property(ObjectType::Calls, Property::unique("external_call_id", "External call ID"));
        }
    }

    pub(super) fn property(&self, of: ObjectType, name: &str) -> Option<Property> {
        let created = self.properties.get(&of).and_then(|created| created.get(name));
        created.cloned().or_else(|| properties::standard(of, name))
    }

    pub(super) fn add_property(&mut self, of: ObjectType, mut property: Property) {
        property.group_name = of.group().into();
        if matches!(of, ObjectType::Calls) && property.has_unique_value {
            self.call_ids.insert(property.name.clone(), BTreeMap::new());
        }
        self.properties.entry(of).or_default().insert(property.name.clone(), property);
    }

    pub(super) fn add_contact(&mut self, properties: Values) -> String {
        for name in properties.keys() {
            if self.property(ObjectType::Contacts, name).is_none() {
                self.add_property(ObjectType::Contacts, Property::text(name, name));
            }
        }
        let number = self.take_id();
        let id = number.to_string();
        self.contacts.insert(number, Contact { id: id.clone(), properties, created_at: Utc::now() });
        id
    }

    /// The contact with this id.
    pub(super) fn contact(&self, id: &str) -> Result<&Contact, Refusal> {
        self.contacts.get(&number(id)?).ok_or_else(|| refusal::not_found(id))
    }

    /// The call with this id.
    pub(super) fn call(&mut self, id: &str) -> Result<&mut Call, Refusal> {
        self.calls.get_mut(&number(id)?).ok_or_else(|| refusal::not_found(id))
    }

    /// The call whose unique property has this value.
    pub(super) fn call_id(&self, property: &str, value: &str) -> Option<u64> {
        self.call_ids.get(property)?.get(value).copied()
    }

    /// Creates the call that this key names, or changes it, and says whether it is new.
    ///
    /// Properties that are not given stay; an empty value clears (calls guide).
    pub(super) fn upsert_call(&mut self, key: (String, String), mut properties: Values) -> (bool, &Call) {
        let known = self.call_id(&key.0, &key.1);
        let number = known.unwrap_or_else(|| self.take_id());
        properties.entry(key.0).or_insert(key.1);
        let now = Utc::now();
        let call = self.calls.entry(number).or_insert_with(|| Call {
            id: number.to_string(),
            properties: Values::new(),
            contacts: BTreeMap::new(),
            recording: None,
            created_at: now,
            updated_at: now,
        });
        call.updated_at = now;
        for (name, value) in properties {
            let ids = self.call_ids.get_mut(&name);
            if let (Some(ids), Some(old)) = (ids, call.properties.remove(&name)) {
                ids.remove(&old);
            }
            if !value.is_empty() {
                if let Some(ids) = self.call_ids.get_mut(&name) {
                    ids.insert(value.clone(), number);
                }
                call.properties.insert(name, value);
            }
        }
        (known.is_none(), call)
    }

    pub(super) fn delete_call(&mut self, id: &str) -> Result<(), Refusal> {
        let number = number(id)?;
        self.calls.remove(&number).ok_or_else(|| refusal::not_found(id))?;
        self.call_ids.values_mut().for_each(|ids| ids.retain(|_, of| *of != number));
        Ok(())
    }

    pub(super) fn delete_contact(&mut self, id: &str) -> Result<(), Refusal> {
        self.contacts.remove(&number(id)?).map(drop).ok_or_else(|| refusal::not_found(id))
    }

    /// The calls with the files that are their recordings.
    pub(super) fn calls_with_files(&self) -> Vec<Call> {
        let at = |url: &String| {
            let url = url.split('#').next();
            self.files.values().find(|file| Some(file.url.as_str()) == url).cloned()
        };
        let recording = |call: &Call| call.properties.get("hs_call_recording_url").and_then(at);
        self.calls.values().map(|call| Call { recording: recording(call), ..call.clone() }).collect()
    }

    /// Adds a file, unless the folder has its duplicate. What one is isn't documented: here a file of the same name with the
    /// same bytes, which is one by any reading. Another of its name gets a number (published description).
    pub(super) fn add_file(&mut self, upload: Upload, folder: &str, name: &str, access: &str) -> &File {
        let beside = |file: &&File| file.folder == folder && file.name == name;
        let duplicate = |(_, file): &(&u64, &File)| beside(file) && file.sha256 == upload.sha256;
        let known = self.files.iter().find(duplicate).map(|(number, _)| *number);
        let number = known.unwrap_or_else(|| self.take_id());
        let taken = self.files.values().filter(beside).count();
        self.files.entry(number).or_insert_with(|| {
            let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
            let name = if taken == 0 { name.to_owned() } else { format!("{stem}-{taken}.{extension}") };
            File::new(&number.to_string(), upload, folder, &name, access)
        })
    }

    fn take_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id - 1
    }
}

fn number(id: &str) -> Result<u64, Refusal> {
    id.parse().map_err(|_| refusal::not_numeric(id))
}

/// As the vendor writes times.
pub(super) fn iso(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// The published description's `SimplePublicObject`.
pub(super) fn object(id: &str, properties: &Value, created: DateTime<Utc>, updated: DateTime<Utc>) -> Value {
    let (created, updated) = (iso(created), iso(updated));
    json!({ "id": id, "properties": properties, "createdAt": created, "updatedAt": updated, "archived": false })
}
