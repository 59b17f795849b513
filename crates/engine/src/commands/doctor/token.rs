//! The platform's token: how long it has been in force, and whether its last rotation has ended.

use std::time::Duration;

use secrecy::ExposeSecret;
use sqlx::PgConnection;

use super::report::Report;
use crate::{
    config::WebhookConfig,
    presence::{self, Fingerprint},
};

const DAY: Duration = Duration::from_hours(24);

/// A quarter. (Documentation, "Security & authentication": "rotate at least quarterly".)
const OLDEST: Duration = Duration::from_hours(92 * 24);

const HOW: &str = "docs/go-live.md, \"To change the secret\"";

pub(super) async fn check(
    connection: &mut PgConnection,
    webhook: &WebhookConfig,
    report: &mut Report,
) -> sqlx::Result<()> {
    let Some(token) = &webhook.token else {
        report.dash("token", "WEBHOOK_TOKEN is not set");
        return Ok(());
    };
    let previous = webhook.token_previous.as_ref().map(ExposeSecret::expose_secret);
    if previous.is_some_and(|previous| previous != token.expose_secret()) {
        report.tick(
            "token",
            &format!(
                "warning: a rotation is unfinished, and the previous token still admits; end it ({HOW})"
            ),
        );
        return Ok(());
    }
    let absent = sqlx::query_scalar!(r#"select to_regclass('webhook_secret') is null as "absent!""#);
    if absent.fetch_one(&mut *connection).await? {
        report.dash("token", "its age is not known before the first start");
        return Ok(());
    }
    match presence::ages(connection, &Fingerprint::of(token)).await? {
        None => report.tick("token", "its age is unknown: no receiver has had it yet"),
        Some((age, _)) => {
            let days = age.as_secs() / DAY.as_secs();
            let found = match age {
                age if age > OLDEST => {
                    format!(
                        "warning: in force for {days} days at least, and it is to change at least quarterly ({HOW})"
                    )
                }
                age if age < DAY => "seen for the first time within a day".to_owned(),
                _ => format!("in force for {days} days at least"),
            };
            report.tick("token", &found);
        }
    }
    Ok(())
}
