//! `platform rotate`, where something is in its way: what is told, and that no call is refused.

use std::{fs, os::unix::fs::PermissionsExt};

use stand_in::Fault;

use super::{Deployment, OLD};
use crate::{
    cli::{changed, program},
    helpers::{files::Files, proxy::Proxy},
};

#[tokio::test]
async fn a_receiver_with_another_file_is_named_and_the_platform_is_not_told() {
    let deployment = Deployment::start().await;
    let own = Files::new();
    own.write("token", OLD);
    let settings = [("WEBHOOK_TOKEN_FILE", own.setting("token"))];
    let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let _other = deployment.app.another_with("receive", &settings).await;
    let ran = deployment.platform(&["rotate", "--take-up", "12s"]).await;
    let process = deployment.app.text("select max(started_at)::text from receiver").await;
    let process = format!("select process::text from receiver where started_at = '{process}'");
    let process: String =
        sqlx::query_scalar(sqlx::AssertSqlSafe(process)).fetch_one(&deployment.app.db).await.unwrap();
    assert!(ran.code == 1 && ran.err.contains("1 of 4 receivers did not take it up"), "{ran:?}");
    assert!(ran.err.contains(&format!("process {process} on ")), "{ran:?}");
    assert_eq!((deployment.patches(), deployment.secret().as_str()), (0, OLD));
    assert_eq!(deployment.statuses(OLD).await, [200; 3]);
}

#[tokio::test]
async fn a_lost_answer_and_503s_are_told_again() {
    let deployment = Deployment::start().await;
    let calls = deployment.calls();
    let on = |fault: Fault| fault.method("PATCH").on("/v1/webhooks");
    deployment.app.stand_in.fail(on(Fault::lose_reply().times(2)));
    deployment.app.stand_in.fail(on(Fault::status(503).times(2)));
    deployment.app.stand_in.fail(on(Fault::rate_limited(Some(1))));
    let ran = deployment.rotate().await;
    assert!(ran.code == 0 && ran.out.contains("the platform answered 503: it is told again"), "{ran:?}");
    assert_eq!(deployment.patches(), 6);
    deployment.has_rotated().await;
    deployment.none_was_refused_or_lost(calls).await;
}

#[tokio::test]
async fn a_refusal_is_told_both_stay_admitted_and_the_next_run_ends_it() {
    let mut deployment = Deployment::start().await;
    deployment.set("PLATFORM_API_KEY", "stand-in-reader");
    let ran = deployment.rotate().await;
    assert!(ran.code == 1 && ran.err.contains("Both secrets stay admitted"), "{ran:?}");
    assert!(ran.err.contains("may the key of PLATFORM_API_KEY change webhooks"), "{ran:?}");
    let new = deployment.file("token");
    assert_eq!(
        (deployment.statuses(OLD).await, deployment.statuses(&new).await),
        (vec![200; 3], vec![200; 3])
    );

    deployment.set("PLATFORM_API_KEY", super::KEY);
    // Nobody calls.
    let ran = deployment.platform(&["rotate", "--wait", "1s"]).await;
    assert!(ran.code == 1 && ran.err.contains("no call came under the new secret"), "{ran:?}");
    assert_eq!(deployment.secret(), new);
    let calls = deployment.calls();
    assert_eq!(deployment.rotate().await.code, 0);
    deployment.has_rotated().await;
    assert_eq!(deployment.secret(), new);
    deployment.none_was_refused_or_lost(calls).await;
}

#[tokio::test]
async fn secrets_that_can_not_be_changed_in_place_are_told_with_what_to_do() {
    let deployment = Deployment::start().await;
    let in_the_environment = changed(&deployment.settings, "WEBHOOK_TOKEN_FILE", "");
    let in_the_environment = changed(&in_the_environment, "WEBHOOK_TOKEN", OLD);
    let one_file =
        changed(&deployment.settings, "WEBHOOK_TOKEN_PREVIOUS_FILE", &deployment.files.setting("token"));
    let without_id = changed(&deployment.settings, "PLATFORM_WEBHOOK_ID", "");
    let signed = changed(&deployment.settings, "WEBHOOK_SIGNING_SECRET", OLD);
    for (settings, part) in [
        (in_the_environment, "WEBHOOK_TOKEN_FILE is not set"),
        (
            changed(&deployment.settings, "WEBHOOK_TOKEN_PREVIOUS_FILE", ""),
            "WEBHOOK_TOKEN_PREVIOUS_FILE is not set",
        ),
        (one_file, "are one file"),
        (without_id, "PLATFORM_WEBHOOK_ID is not set"),
        (signed, "WEBHOOK_SIGNING_SECRET is the token"),
    ] {
        let ran = program(&["platform", "rotate"], &settings).await;
        assert!(ran.code == 1 && ran.err.contains(part), "{part}: {ran:?}");
        assert!(!ran.err.contains(OLD), "{ran:?}");
    }
    // Root may write everywhere.
    if !rustix::process::geteuid().is_root() {
        let path = deployment.files.setting("previous");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        let ran = deployment.rotate().await;
        assert!(ran.code == 1 && ran.err.contains("can't be written here"), "{ran:?}");
    }
    assert_eq!((deployment.file("token"), deployment.patches()), (OLD.to_owned(), 0));
}

#[tokio::test]
async fn a_database_that_goes_away_in_the_middle_is_waited_for() {
    let mut deployment = Deployment::start().await;
    let proxy = Proxy::before(deployment.app.setting("DATABASE_URL")).await;
    deployment.set("DATABASE_URL", &proxy.url());
    let calls = deployment.calls();
    let mut rotating = deployment.rotating();
    rotating.says("2 of 5").await;
    proxy.silence();
    rotating.says("waiting for it").await;
    // The server hears nothing of its client's end, and keeps its session with the lock.
    let cut = "select count(pg_terminate_backend(pid)) from pg_locks where locktype = 'advisory'
        and database = (select oid from pg_database where datname = current_database())";
    proxy.heal();
    deployment.app.count(cut).await;
    rotating.says("Done").await;
    deployment.has_rotated().await;
    deployment.none_was_refused_or_lost(calls).await;
}
