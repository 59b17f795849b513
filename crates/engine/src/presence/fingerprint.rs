//! A name for a secret that can be told, and when each last admitted a delivery.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// What the secret signs for its fingerprint.
const LABEL: &[u8] = b"the fingerprint of a webhook's secret";

/// Half of an HMAC, so that it is never a signature by which anything is admitted.
const BYTES: usize = 16;

/// A name for a secret: always the same, and nobody finds the secret by it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fingerprint(String);

impl Fingerprint {
    pub(crate) fn of(secret: &SecretString) -> Self {
        let key = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes());
        let signed = key.expect("HMAC takes keys of any length").chain_update(LABEL).finalize().into_bytes();
        Self(hex::encode(&signed[..BYTES]))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// As the database has it.
impl From<String> for Fingerprint {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// When each secret last admitted a delivery.
pub(super) type Used = BTreeMap<Fingerprint, Instant>;

/// What is to be written down of it.
#[derive(Default)]
pub(crate) struct Uses(Mutex<Used>);

impl Uses {
    /// It has just admitted one.
    pub(crate) fn note(&self, secret: &Fingerprint) {
        let mut used = self.used();
        match used.get_mut(secret) {
            Some(last) => *last = Instant::now(),
            None => drop(used.insert(secret.clone(), Instant::now())),
        }
    }

    pub(super) fn take(&self) -> Used {
        std::mem::take(&mut *self.used())
    }

    /// What could not be written down, behind what has come since.
    pub(super) fn give_back(&self, earlier: Used) {
        let mut used = self.used();
        for (secret, last) in earlier {
            used.entry(secret).or_insert(last);
        }
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
