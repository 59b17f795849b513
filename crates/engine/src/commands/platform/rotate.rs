//! `platform rotate`: a new secret, without a call that is refused.
//!
//! The platform sends one secret, and changes it at a moment of its own. So every receiver admits both before it is told, and
//! the old one goes once it is not sent any more. How far it has come stands in the two files alone: where they hold the same,
//! none is under way; where they differ, one is, and `WEBHOOK_TOKEN` is the new secret.

use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use secrecy::SecretString;
use tokio::time::{Instant, sleep};

use super::{files::Files, watch::Watch};
use crate::{
    config::{Source, new_secret, parse_duration},
    platform::{Api, SetSecret},
    presence::{Fingerprint, InForce},
    vendor::ClientError,
};

/// The waits between two tries to tell the platform: each is twice the one before.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// What both secrets are admitted for.
const BOTH: &str = "Both secrets stay admitted, so no call is refused";

/// How long each step may take.
#[derive(Debug, Args)]
pub struct RotateArgs {
    /// How long the old secret must not have been sent, before it is taken away. A delivery that the platform repeats may still
    /// have it, so this is longer than the platform's repeats go on.
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = parse_duration)]
    quiet: Duration,

    /// How long to wait for the platform, and for a call that it tells of under the new secret.
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = parse_duration)]
    wait: Duration,

    /// How long a receiver may take to admit a secret. One that has not been seen for a minute is taken for dead.
    #[arg(long, value_name = "DURATION", default_value = "90s", value_parser = parse_duration)]
    take_up: Duration,
}

/// A rotation under way.
struct Rotation<'a> {
    args: &'a RotateArgs,
    files: Files,
    watch: Watch,
}

/// Rotates, or goes on with a rotation that was broken off; prints each step as it goes.
///
/// # Errors
///
/// Something keeps it from going on; it says what, and what to do. Then it can be run again.
pub async fn run(args: &RotateArgs, source: &Source, api: &Api) -> anyhow::Result<()> {
    let config = source.config()?;
    // All that can be looked at before anything is changed.
    let files = Files::of(source, &config)?;
    let tell = (api.set_secret)(&config)?;
    let watch = Watch::begin(config.database()?).await?;
    Rotation { args, files, watch }.go(&tell).await
}

impl Rotation<'_> {
    async fn go(mut self, tell: &SetSecret) -> anyhow::Result<()> {
        let held = self.files.read()?;
        let (old, new) = if held.is_at_rest() {
            println!("1 of 5: waiting until every receiver has the secret in force in both files.");
            self.take_up(&held.token, &held.token).await?;
            let (old, new) = (held.token, new_secret()?);
            self.unchanged(&old, &old).await?;
            self.files.write_token(&new)?;
            (old, new)
        } else {
            println!("A rotation is under way, which this goes on with: both secrets are in the files.");
            (held.previous, held.token)
        };
        println!("2 of 5: a new secret is in its file; waiting until every receiver admits both.");
        self.take_up(&new, &old).await?;
        println!("3 of 5: every receiver admits both; telling the platform.");
        self.tell(tell, &new, &old).await?;
        let quiet = humantime::format_duration(self.args.quiet);
        println!(
            "4 of 5: the platform has it; waiting for a call under it, and for {quiet} without the old one."
        );
        self.until_used(&new, &old).await?;
        println!("5 of 5: taking the old secret away, and waiting until no receiver admits it.");
        self.unchanged(&new, &old).await?;
        self.files.write_previous(&new)?;
        self.take_up(&new, &new).await?;
        println!("Done: the new secret is in force, and the old one is admitted nowhere.");
        Ok(())
    }

    /// Makes sure, before something is changed, that nobody else has changed it meanwhile.
    async fn unchanged(&mut self, token: &SecretString, previous: &SecretString) -> anyhow::Result<()> {
        self.watch.still_alone().await?;
        self.files.still_hold(token, previous)
    }

    async fn take_up(&mut self, token: &SecretString, previous: &SecretString) -> anyhow::Result<()> {
        let still = || self.files.still_hold(token, previous);
        self.watch.until(&in_force(token, previous), still, self.args.take_up).await
    }

    /// Tells the platform, again and again where it may yet take it: to set a secret twice is to set it once.
    async fn tell(&mut self, tell: &SetSecret, new: &SecretString, old: &SecretString) -> anyhow::Result<()> {
        let (begun, mut wait) = (Instant::now(), FIRST_WAIT);
        loop {
            // Each time: a process that was stopped meanwhile must not tell a secret that another rotation took away.
            self.unchanged(new, old).await?;
            let after = match tell(new.clone()).await {
                Ok(()) => return Ok(()),
                Err(error @ (ClientError::Stop(_) | ClientError::Unauthorized(_))) => {
                    return Err(error).with_context(|| {
                        format!("the platform refused the new secret. {BOTH}; then run this again")
                    });
                }
                Err(error) if begun.elapsed() > self.args.wait => {
                    return Err(error)
                        .with_context(|| format!("the platform could not be told. {BOTH}; run this again"));
                }
                Err(error) => {
                    println!("  {error}: it is told again.");
                    match error {
                        ClientError::Busy { after, .. } | ClientError::Limited { after, .. } => Some(after),
                        ClientError::Retry { after, .. } => after,
                        _ => None,
                    }
                }
            };
            sleep(after.unwrap_or(wait).min(self.args.wait)).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    /// Waits for a delivery under the new secret, and until there was none under the old for a while.
    async fn until_used(&mut self, new: &SecretString, old: &SecretString) -> anyhow::Result<()> {
        let wanted = in_force(new, old);
        let (told, mut said) = (Instant::now(), false);
        loop {
            let receivers = self.watch.receivers().await?;
            self.files.still_hold(new, old)?;
            let used = self.watch.used(&Fingerprint::of(new)).await?;
            let before = self.watch.used(&Fingerprint::of(old)).await?;
            // A receiver writes down some seconds late what it admitted: as quiet counts what all have reported on.
            let late = receivers.iter().map(|receiver| receiver.silent).max();
            let quiet = before.unwrap_or(Duration::MAX).min(told.elapsed());
            let reported = late.map_or(Duration::ZERO, |late| quiet.saturating_sub(late));
            if used.is_some() && reported >= self.args.quiet && late.is_some() {
                return Ok(());
            }
            if let Some(other) = receivers.iter().find(|receiver| receiver.in_force != wanted)
                && !said
            {
                println!("  {other} has not both secrets in force: has it the same two files?");
                said = true;
            }
            if told.elapsed() > self.args.wait {
                let found = match used {
                    None => "no call came under the new secret: place one, or press Send Test",
                    Some(_) => "the platform still sends the old secret",
                };
                bail!("{found}. {BOTH}; run this again");
            }
            self.watch.pause().await;
        }
    }
}

fn in_force(token: &SecretString, previous: &SecretString) -> InForce {
    InForce { token: Some(Fingerprint::of(token)), previous: Some(Fingerprint::of(previous)) }
}
