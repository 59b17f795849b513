//! Sessions: whoever has logged in may change something, until some time after the last request or the end of a day's work.
//!
//! They are this process's own, and end with it. A cookie is known by its digest alone, and no session outlives the
//! password that it began with.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::time::Instant;

use crate::{
    config::new_secret,
    guard::credential::{Match, Secret},
    rotation::Live,
};

/// A session ends when nobody has used it for so long.
const IDLE: Duration = Duration::from_mins(30);

/// A session ends so long after it began, however much it is used.
pub(super) const LONGEST: Duration = Duration::from_hours(12);

/// The most sessions at a time; after that the one that was used least lately ends.
const MOST: usize = 1000;

pub(super) struct Sessions {
    password: Live<Secret>,
    /// By the digest of the cookie.
    open: Mutex<HashMap<[u8; 32], Open>>,
}

struct Open {
    csrf: Csrf,
    password: Arc<Secret>,
    began: Instant,
    used: Instant,
}

/// What a session's own forms hold, and nobody else's can.
#[derive(Clone)]
pub(super) struct Csrf(Arc<str>);

impl Csrf {
    /// As a form holds it.
    pub(super) fn text(&self) -> &str {
        &self.0
    }

    /// Whether a form held it.
    pub(super) fn is(&self, sent: &str) -> bool {
        self.0.as_bytes().ct_eq(sent.as_bytes()).into()
    }
}

impl Sessions {
    pub(super) fn new(password: Live<Secret>) -> Self {
        Self { password, open: Mutex::default() }
    }

    /// Begins one for whoever knows the password; returns what the cookie holds.
    ///
    /// # Errors
    ///
    /// The system has no randomness.
    pub(super) fn begin(&self, password: &[u8]) -> Result<Option<String>, getrandom::Error> {
        let in_force = self.password.now();
        if !matches!(in_force.is(password), Match::Current) {
            return Ok(None);
        }
        let (cookie, csrf) = (new_secret()?, new_secret()?);
        let csrf = Csrf(csrf.expose_secret().into());
        let now = Instant::now();
        let mut open = self.open();
        open.retain(|_, session| session.lives(now));
        if open.len() >= MOST {
            let unused = open.iter().min_by_key(|(_, session)| session.used).map(|(digest, _)| *digest);
            unused.and_then(|digest| open.remove(&digest));
        }
        open.insert(digest(cookie.expose_secret()), Open { csrf, password: in_force, began: now, used: now });
        Ok(Some(cookie.expose_secret().to_owned()))
    }

    /// The session of this cookie; `used` by a person, it goes on.
    pub(super) fn of(&self, cookie: &str, used: bool) -> Option<Csrf> {
        let now = Instant::now();
        let mut open = self.open();
        let session = open.get_mut(&digest(cookie))?;
        if !session.lives(now) || session.password != self.password.now() {
            open.remove(&digest(cookie));
            return None;
        }
        if used {
            session.used = now;
        }
        Some(session.csrf.clone())
    }

    /// Ends the session of this cookie.
    pub(super) fn end(&self, cookie: &str) {
        self.open().remove(&digest(cookie));
    }

    fn open(&self) -> MutexGuard<'_, HashMap<[u8; 32], Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn lives(&self, now: Instant) -> bool {
        now - self.used < IDLE && now - self.began < LONGEST
    }
}

fn digest(cookie: &str) -> [u8; 32] {
    Sha256::digest(cookie).into()
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    fn sessions() -> Sessions {
        Sessions::new(Live::new(Arc::new(Secret::of(&"the password".into(), None))))
    }

    fn begun(sessions: &Sessions) -> String {
        sessions.begin(b"the password").unwrap().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_ends_unused_and_a_page_that_looks_again_by_itself_is_no_use() {
        let sessions = sessions();
        assert!(sessions.begin(b"another").unwrap().is_none());
        let (used, looked_at) = (begun(&sessions), begun(&sessions));
        advance(IDLE.checked_sub(Duration::from_secs(1)).unwrap()).await;
        assert!(sessions.of(&used, true).is_some() && sessions.of(&looked_at, false).is_some());
        advance(Duration::from_secs(1)).await;
        assert!(sessions.of(&used, true).is_some());
        assert!(sessions.of(&looked_at, true).is_none());
        assert!(sessions.of("", true).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_ends_after_the_longest_time_however_it_is_used() {
        let sessions = sessions();
        let cookie = begun(&sessions);
        let began = Instant::now();
        while began.elapsed() + IDLE / 2 < LONGEST {
            advance(IDLE / 2).await;
            assert!(sessions.of(&cookie, true).is_some());
        }
        advance(IDLE / 2).await;
        assert!(sessions.of(&cookie, true).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_ends_when_it_is_told_to_and_when_too_many_are_newer() {
        let sessions = sessions();
        let (first, ended) = (begun(&sessions), begun(&sessions));
        sessions.end(&ended);
        assert!(sessions.of(&ended, true).is_none());
        for _ in 0..MOST {
            advance(Duration::from_millis(1)).await;
            begun(&sessions);
        }
        assert!(sessions.of(&first, true).is_none());
        assert_eq!(sessions.open().len(), MOST);
    }
}
