//! What is in the account: calls, contacts, tasks, files and properties.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::files::{File, Upload};
use super::properties::{self, ObjectType, Property};
use super::refusal;
use crate::refusal::Refusal;

/// The values of a record by the names of its properties; all of them are text.
pub(super) type Values = BTreeMap<String, String>;

/// A call, a contact or a task.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Record {
    /// The vendor's id.
    pub id: String,
    /// What was written, as it was written.
    pub properties: BTreeMap<String, String>,
    /// The contacts that it is associated with: their names by their ids.
    #[serde(default)]
    pub contacts: BTreeMap<String, String>,
    /// The file that a call's recording's URL leads to, whatever follows a `#`; no field of the vendor's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recording: Option<File>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last written.
    #[serde(default)]
    pub updated_at: DateTime<Utc>,
}

/// Records by the unique properties of their type and the values of these: the key by which an upsert finds one.
type Keys = BTreeMap<(ObjectType, String), BTreeMap<String, u64>>;

#[derive(Default, Deserialize, Serialize)]
pub(super) struct Account {
    next_id: u64,
    #[serde(default)]
    pub(super) calls: BTreeMap<u64, Record>,
    #[serde(default)]
    pub(super) contacts: BTreeMap<u64, Record>,
    #[serde(default)]
    pub(super) tasks: BTreeMap<u64, Record>,
    #[serde(default)]
    pub(super) files: BTreeMap<u64, File>,
    /// Those that were created; the vendor's own are in `properties`.
    properties: BTreeMap<ObjectType, BTreeMap<String, Property>>,
    /// Of the records above.
    #[serde(skip)]
    keys: Keys,
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

    /// The unique properties by which calls and tasks are upserted; they stay as they are where they exist already.
    pub(super) fn add_external_call_ids(&mut self) {
        for of in [ObjectType::Calls, ObjectType::Tasks] {
            if self.property(of, "external_call_id").is_none() {
                self.add_property(of, Property::unique("external_call_id", "External call ID"));
            }
        }
    }

    /// As it was kept, with what is not kept of it.
    pub(super) fn indexed(mut self) -> Self {
        for of in [ObjectType::Calls, ObjectType::Contacts, ObjectType::Tasks] {
            let unique =
                |(&number, record): (&u64, &Record)| (number, self.unique_of(of, &record.properties));
            let unique: Vec<_> = self.records(of).iter().map(unique).collect();
            for (number, values) in unique {
                self.take_keys(of, number, values);
            }
        }
        self
    }

    fn take_keys(&mut self, of: ObjectType, number: u64, values: Values) {
        for (name, value) in values {
            self.keys.entry((of, name)).or_default().insert(key(of, &value), number);
        }
    }

    /// Those of the values that no two records of this type may have.
    fn unique_of(&self, of: ObjectType, values: &Values) -> Values {
        let unique = |name: &str| self.property(of, name).is_some_and(|property| property.has_unique_value);
        values
            .iter()
            .filter(|(name, _)| unique(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    fn records(&self, of: ObjectType) -> &BTreeMap<u64, Record> {
        match of {
            ObjectType::Calls => &self.calls,
            ObjectType::Contacts => &self.contacts,
            ObjectType::Tasks => &self.tasks,
        }
    }

    pub(super) fn records_mut(&mut self, of: ObjectType) -> &mut BTreeMap<u64, Record> {
        match of {
            ObjectType::Calls => &mut self.calls,
            ObjectType::Contacts => &mut self.contacts,
            ObjectType::Tasks => &mut self.tasks,
        }
    }

    pub(super) fn property(&self, of: ObjectType, name: &str) -> Option<Property> {
        let created = self.properties.get(&of).and_then(|created| created.get(name));
        created.cloned().or_else(|| properties::standard(of, name))
    }

    pub(super) fn add_property(&mut self, of: ObjectType, mut property: Property) {
        property.group_name = of.group().into();
        self.properties.entry(of).or_default().insert(property.name.clone(), property);
    }

    pub(super) fn add_contact(&mut self, properties: Values) -> String {
        for name in properties.keys() {
            if self.property(ObjectType::Contacts, name).is_none() {
                self.add_property(ObjectType::Contacts, Property::text(name, name));
            }
        }
        let id = self.write(ObjectType::Contacts, None, properties).id.clone();
        if let Ok(contact) = self.record(ObjectType::Contacts, &id) {
            // It was there before, so searches know it.
            contact.created_at -= TimeDelta::hours(1);
        }
        id
    }

    /// The record of this type with this id.
    pub(super) fn record(&mut self, of: ObjectType, id: &str) -> Result<&mut Record, Refusal> {
        self.records_mut(of).get_mut(&number(id)?).ok_or_else(|| refusal::not_found(id))
    }

    /// The contact with this id.
    pub(super) fn contact(&self, id: &str) -> Result<&Record, Refusal> {
        self.contacts.get(&number(id)?).ok_or_else(|| refusal::not_found(id))
    }

    /// The record with this id, or with this value of a unique property.
    pub(super) fn find(
        &self,
        of: ObjectType,
        id_property: Option<&str>,
        id: &str,
    ) -> Result<&Record, Refusal> {
        let number = match id_property {
            None => number(id)?,
            Some(property) => {
                if !self.property(of, property).is_some_and(|property| property.has_unique_value) {
                    // The words are those observed for an upsert; for reading none are documented.
                    let message = format!("Unable to read by non-unique {} property {property}", of.id());
                    return Err(refusal::validation(&message));
                }
                self.keyed(of, property, id).ok_or_else(|| refusal::not_found(id))?
            }
        };
        self.records(of).get(&number).ok_or_else(|| refusal::not_found(id))
    }

    /// The record whose unique property has this value; of a contact's, case is not looked at (observed).
    pub(super) fn keyed(&self, of: ObjectType, property: &str, value: &str) -> Option<u64> {
        self.keys.get(&(of, property.to_owned()))?.get(&key(of, value)).copied()
    }

    /// Changes the record of this number, or makes one.
    ///
    /// Properties that are not given stay; an empty value clears (calls guide).
    pub(super) fn write(&mut self, of: ObjectType, known: Option<u64>, properties: Values) -> &Record {
        let number = known.unwrap_or_else(|| self.take_id());
        let now = Utc::now();
        self.forget(of, number);
        let mut record = self.records_mut(of).remove(&number).unwrap_or_else(|| Record {
            id: number.to_string(),
            properties: Values::new(),
            contacts: BTreeMap::new(),
            recording: None,
            created_at: now,
            updated_at: now,
        });
        record.updated_at = now;
        record.properties.extend(properties);
        record.properties.retain(|_, value| !value.is_empty());
        self.take_keys(of, number, self.unique_of(of, &record.properties));
        self.records_mut(of).entry(number).or_insert(record)
    }

    /// Its unique values are free.
    fn forget(&mut self, of: ObjectType, number: u64) {
        let Some(record) = self.records(of).get(&number) else { return };
        for (name, value) in self.unique_of(of, &record.properties) {
            if let Some(values) = self.keys.get_mut(&(of, name)) {
                values.remove(&key(of, &value));
            }
        }
    }

    pub(super) fn delete(&mut self, of: ObjectType, id: &str) -> Result<(), Refusal> {
        let number = number(id)?;
        self.forget(of, number);
        self.records_mut(of).remove(&number).map(drop).ok_or_else(|| refusal::not_found(id))
    }

    /// The calls with the files that are their recordings.
    pub(super) fn calls_with_files(&self) -> Vec<Record> {
        let at = |url: &String| {
            let url = url.split('#').next();
            self.files.values().find(|file| Some(file.url.as_str()) == url).cloned()
        };
        let recording = |call: &Record| call.properties.get("hs_call_recording_url").and_then(at);
        self.calls.values().map(|call| Record { recording: recording(call), ..call.clone() }).collect()
    }

    /// Adds a file, unless the folder has its duplicate. What one is isn't documented: here a file of the same name with the
    /// same bytes, which is one by any reading. Another of its name gets a number (published description).
    pub(super) fn add_file(&mut self, upload: Upload, folder: &str, name: &str) -> &File {
        let beside = |file: &&File| file.folder == folder && file.name == name;
        let duplicate = |(_, file): &(&u64, &File)| beside(file) && file.sha256 == upload.sha256;
        let known = self.files.iter().find(duplicate).map(|(number, _)| *number);
        let number = known.unwrap_or_else(|| self.take_id());
        let taken = self.files.values().filter(beside).count();
        self.files.entry(number).or_insert_with(|| {
            let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
            let name = if taken == 0 { name.to_owned() } else { format!("{stem}-{taken}.{extension}") };
            File::new(&number.to_string(), upload, folder, &name)
        })
    }

    fn take_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id - 1
    }
}

fn key(of: ObjectType, value: &str) -> String {
    if matches!(of, ObjectType::Contacts) { value.to_lowercase() } else { value.to_owned() }
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
