//! Many calls from a file: what the platform gave up on, as it exports it.

use std::{
    io::{IsTerminal, Write as _, stderr},
    sync::Arc,
    time::Duration,
};

use anyhow::{anyhow, bail};
use axum::body::Bytes;
use tokio::{task::JoinSet, time::sleep};

use super::{
    hint,
    sender::{Answered, Sender},
};
use crate::telemetry::Safe;

/// How many are on the way at once.
const AT_ONCE: usize = 16;

/// How often one is sent that the receiver can't take now, as the platform does. (Documentation, "Retries".)
const TRIES: u32 = 6;

/// The wait after the first of those; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// After how many there is word of how far it is.
const STEP: usize = 100;

/// What became of calls.
#[derive(Default)]
struct Counts {
    stored: usize,
    duplicate: usize,
    refused: usize,
}

/// What became of one.
enum Outcome {
    Stored,
    Duplicate,
    Refused(String),
}

/// Sends them all, and says what became of them. Each has its place in the file.
///
/// # Errors
///
/// The receiver takes none of them, or not all.
pub(super) async fn send(sender: Sender, calls: Vec<(String, Bytes)>) -> anyhow::Result<()> {
    let (sender, all) = (Arc::new(sender), calls.len());
    let mut counts = Counts::default();
    let ended = tokio::select! {
        ended = send_all(sender, calls, &mut counts) => ended,
        _ = tokio::signal::ctrl_c() => Err(anyhow!("interrupted")),
    };
    let Counts { stored, duplicate, refused } = counts;
    clear();
    println!("{all} calls: {stored} stored, {duplicate} duplicate, {refused} refused");
    ended.map_err(|error| anyhow!("{error}. What was stored stays so: send the file again for the rest"))?;
    if refused > 0 {
        bail!("{refused} calls were refused: the reasons are above");
    }
    Ok(())
}

async fn send_all(
    sender: Arc<Sender>,
    calls: Vec<(String, Bytes)>,
    counts: &mut Counts,
) -> anyhow::Result<()> {
    let (all, mut on_the_way) = (calls.len(), JoinSet::new());
    let mut calls = calls.into_iter();
    loop {
        while on_the_way.len() < AT_ONCE
            && let Some((place, body)) = calls.next()
        {
            let sender = Arc::clone(&sender);
            on_the_way.spawn(async move { (send_one(&sender, body).await, place) });
        }
        let Some(sent) = on_the_way.join_next().await else { return Ok(()) };
        let (outcome, place) = sent?;
        match outcome.map_err(|error| anyhow!("{place}: {error}"))? {
            Outcome::Stored => counts.stored += 1,
            Outcome::Duplicate => counts.duplicate += 1,
            Outcome::Refused(why) => {
                counts.refused += 1;
                clear();
                println!("{place} refused: {}", Safe(&why));
            }
        }
        let done = counts.stored + counts.duplicate + counts.refused;
        if done.is_multiple_of(STEP) && stderr().is_terminal() {
            eprint!("\r{done} of {all}");
        }
    }
}

/// Sends one until the receiver has it, or says that it never will.
async fn send_one(sender: &Sender, body: Bytes) -> anyhow::Result<Outcome> {
    let (mut tries, mut wait) = (1, FIRST_WAIT);
    loop {
        let why = match sender.send(body.clone()).await {
            Ok(Answered { status: 200, said }) => {
                return match said.status.as_deref() {
                    Some("stored") => Ok(Outcome::Stored),
                    Some("duplicate") => Ok(Outcome::Duplicate),
                    _ => bail!("200, but not the answer of a receiver: does --url name it?"),
                };
            }
            Ok(Answered { status: status @ (400 | 413), said }) => {
                return Ok(Outcome::Refused(format!("{status} {}", said.error.unwrap_or_default())));
            }
            Ok(Answered { status, .. }) if status != 408 && status != 429 && status < 500 => {
                bail!("{status}: {}", hint::refused(status));
            }
            Ok(Answered { status, .. }) => format!("{status}: {}", hint::refused(status)),
            Err(error) => {
                let error = error.to_string();
                format!("{} → {}", Safe(&error), hint::unreachable(&error))
            }
        };
        if tries == TRIES {
            bail!("{why}");
        }
        sleep(wait).await;
        (tries, wait) = (tries + 1, wait * 2);
    }
}

/// Takes away how far it was.
fn clear() {
    if stderr().is_terminal() {
        eprint!("\r\x1b[K");
        // A terminal that is gone reads nothing.
        let _gone = stderr().flush();
    }
}
