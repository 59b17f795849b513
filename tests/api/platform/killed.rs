//! `platform rotate`, killed at each of its steps, or stopped for a while, and run again.

use super::Deployment;

/// Kills it as soon as it says this, under calls, and runs it again.
async fn killed_at(step: &str) {
    let deployment = Deployment::start().await;
    let calls = deployment.calls();
    let mut rotating = deployment.rotating();
    rotating.says(step).await;
    rotating.kill().await;
    let ran = deployment.rotate().await;
    assert!(ran.code == 0 && ran.out.contains("Done:"), "{ran:?}");
    deployment.has_rotated().await;
    deployment.none_was_refused_or_lost(calls).await;
}

#[tokio::test]
async fn killed_before_anything_is_changed() {
    killed_at("1 of 5").await;
}

#[tokio::test]
async fn killed_while_receivers_take_the_new_secret_up() {
    killed_at("2 of 5").await;
}

#[tokio::test]
async fn killed_while_the_platform_is_told() {
    killed_at("3 of 5").await;
}

#[tokio::test]
async fn killed_while_it_waits_for_a_call() {
    killed_at("4 of 5").await;
}

#[tokio::test]
async fn killed_while_the_old_secret_goes() {
    killed_at("5 of 5").await;
}

#[tokio::test]
async fn a_rotation_that_was_stopped_and_one_beside_it_keep_out_of_each_others_way() {
    let deployment = Deployment::start().await;
    let calls = deployment.calls();
    let mut rotating = deployment.rotating();
    rotating.says("2 of 5").await;
    rotating.signal("STOP");
    let second = deployment.rotate().await;
    assert!(second.code == 1 && second.err.contains("another rotation is under way"), "{second:?}");
    assert_eq!(deployment.patches(), 0);
    // Its lock is gone with its connection: another one ends what it began.
    let cut = "select count(pg_terminate_backend(pid)) from pg_locks where locktype = 'advisory'
        and database = (select oid from pg_database where datname = current_database())";
    assert_eq!(deployment.app.count(cut).await, 1);
    let third = deployment.rotate().await;
    assert!(third.code == 0 && third.out.contains("A rotation is under way"), "{third:?}");
    deployment.has_rotated().await;
    rotating.signal("CONT");
    let (status, said) = rotating.ends().await;
    assert!(status == 1 && said.contains("changed by somebody else"), "{said}");
    assert_eq!(deployment.patches(), 1);
    deployment.has_rotated().await;
    deployment.none_was_refused_or_lost(calls).await;
}
