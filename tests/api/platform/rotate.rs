//! `platform rotate`, where all goes well.

use super::{Deployment, OLD};
use crate::helpers::{database, eventually};

#[tokio::test]
async fn under_twenty_calls_a_second_and_three_receivers_none_is_refused_and_none_lost() {
    let deployment = Deployment::start().await;
    let calls = deployment.calls();
    let ran = deployment.rotate().await;
    assert!(ran.code == 0 && ran.out.contains("Done:"), "{ran:?}");
    deployment.has_rotated().await;
    deployment.none_was_refused_or_lost(calls).await;
    assert_eq!(deployment.patches(), 1);

    let mut said = format!("{ran:?}{}", database::dump(deployment.app.setting("DATABASE_URL")).await);
    said.extend(deployment.receivers().map(crate::helpers::Process::log));
    for secret in [OLD, &deployment.secret(), super::KEY] {
        assert!(!said.contains(secret), "a secret is told");
    }
}

#[tokio::test]
async fn a_receiver_that_starts_in_the_middle_admits_both_and_is_waited_for() {
    let deployment = Deployment::start().await;
    let mut rotating = deployment.rotating();
    rotating.says("4 of 5").await;
    let late = deployment.app.another("receive").await;
    let status = async |secret: &str| {
        let request = deployment.app.http.post(late.url("/webhooks/after-call"));
        let body = crate::helpers::event("evt_asked", "cl_asked").to_string();
        crate::helpers::told(request.header("X-Webhook-Token", secret).body(body)).await.0
    };
    assert_eq!((status(OLD).await, status(&deployment.secret()).await), (200, 200));
    rotating.says("Done").await;
    assert_eq!((status(OLD).await, status(&deployment.secret()).await), (401, 200));
}

#[tokio::test]
async fn a_receiver_says_that_it_is_there_until_it_ends_and_one_that_was_killed_is_taken_for_dead() {
    let mut deployment = Deployment::start().await;
    let rows = "select count(*) from receiver";
    assert_eq!(deployment.app.count(rows).await, 3);
    let (status, _) = deployment.others.pop().unwrap().terminate().await;
    assert!(status.success());
    assert_eq!(deployment.app.count(rows).await, 2);

    deployment.others.pop().unwrap().kill().await;
    let killed = "update receiver set seen_at = now() - interval '61 s', host = 'gone'
        where process = (select max(process) from receiver)";
    sqlx::query(killed).execute(&deployment.app.db).await.unwrap();
    let mut rotating = deployment.rotating();
    rotating.says("on gone has not been seen for 6").await;
    rotating.says("3 of 5").await;
    eventually("its row is gone", async || deployment.app.count(rows).await == 1).await;
}
