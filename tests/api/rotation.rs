//! Secrets in files change while the process runs, each of them.

use crate::helpers::{App, SAMPLE, TOKEN, database, event, eventually, files::Files, told};

#[tokio::test]
async fn a_token_that_changes_in_its_file_is_in_force_without_a_restart() {
    let files = Files::new();
    let (first, second) = ("the-first-long-secret", "the-second-long-secret");
    files.write("token", first);
    files.write("previous", first);
    let (token, previous) = (files.setting("token"), files.setting("previous"));
    let settings = [
        ("WEBHOOK_TOKEN", ""),
        ("WEBHOOK_TOKEN_FILE", &token),
        ("WEBHOOK_TOKEN_PREVIOUS_FILE", &previous),
        ("WEBHOOK_FAILED_AUTH_LIMIT", "0"),
    ];
    let app = App::receiver(&settings).await;
    let status = async |token: &str| told(app.bare(SAMPLE).header("X-Webhook-Token", token)).await.0;
    assert_eq!((status(first).await, status(second).await), (200, 401));

    files.write("token", second);
    eventually("the new token is admitted", async || status(second).await == 200).await;
    assert_eq!(status(first).await, 200, "the one before it, too");
    app.process.says("still sends the secret of WEBHOOK_TOKEN_PREVIOUS").await;

    files.write("previous", second);
    app.process.signal("HUP");
    eventually("the old token is refused", async || status(first).await == 401).await;
    assert_eq!(status(second).await, 200);
}

#[tokio::test]
async fn a_file_that_is_suddenly_of_no_use_leaves_its_secret_in_force() {
    let files = Files::new();
    files.write("token", TOKEN);
    let token = files.setting("token");
    let settings =
        [("WEBHOOK_TOKEN", ""), ("WEBHOOK_TOKEN_FILE", &token), ("WEBHOOK_FAILED_AUTH_LIMIT", "0")];
    let app = App::receiver(&settings).await;
    let status = async |token: &str| told(app.bare(SAMPLE).header("X-Webhook-Token", token)).await.0;

    files.write("token", "");
    app.process.says("WEBHOOK_TOKEN_FILE is empty").await;
    assert_eq!(status(TOKEN).await, 200);
    std::fs::remove_file(&token).unwrap();
    app.process.says("which can't be read").await;
    assert_eq!(status(TOKEN).await, 200);

    files.write("token", "another-long-secret");
    eventually("the new token is admitted", async || status("another-long-secret").await == 200).await;
    assert_eq!(status(TOKEN).await, 401);
}

#[tokio::test]
async fn a_secret_of_a_job_that_changes_in_its_file_is_used_from_the_next_call_on_and_a_useless_one_is_not() {
    let files = Files::new();
    files.write("secret", "whsec_Zmlyc3Q=");
    let app = App::with(&[("REPORT_SECRET_FILE", &files.setting("secret"))]).await;
    let signatures = async |call: &str| {
        app.deliver(&event(call, call)).await;
        app.all_done().await;
        let deliveries = app.stand_in.sink().deliveries();
        let delivery = deliveries.last().unwrap();
        let sign = |key: &str| {
            let (id, at) = (&delivery.headers["webhook-id"], &delivery.headers["webhook-timestamp"]);
            let signer = standardwebhooks::Webhook::new(key).unwrap();
            signer.sign(id, at.parse().unwrap(), delivery.text.as_bytes()).unwrap()
        };
        let signature = &delivery.headers["webhook-signature"];
        ["whsec_Zmlyc3Q=", "whsec_c2Vjb25k"].map(|key| *signature == sign(key))
    };
    assert_eq!(signatures("first").await, [true, false]);
    files.write("secret", "no key of the scheme");
    app.process.says("must be whsec_ and base64").await;
    assert_eq!(signatures("second").await, [true, false]);
    files.write("secret", "whsec_c2Vjb25k");
    app.process.signal("HUP");
    app.process.says("REPORT_SECRET changed, and is in force").await;
    assert_eq!(signatures("third").await, [false, true]);
}

#[tokio::test]
async fn a_user_of_the_database_that_changes_is_that_of_the_next_connections_and_another_database_is_none() {
    let url = database::create().await;
    database::run("create role rotated superuser login password 'rotated'").await;
    let rotated = {
        let mut url: reqwest::Url = url.parse().unwrap();
        url.set_username("rotated").unwrap();
        url.set_password(Some("rotated")).unwrap();
        String::from(url)
    };
    let files = Files::new();
    files.write("url", &url);
    let app = App::over(&url, &[("DATABASE_URL", ""), ("DATABASE_URL_FILE", &files.setting("url"))]).await;
    app.deliver(&event("evt_1", "cl_1")).await;
    app.all_done().await;

    files.write("url", &database::create_empty().await);
    app.process.says("DATABASE_URL names another database now").await;
    files.write("url", &rotated);
    app.process.says("DATABASE_URL changed, and is in force").await;
    let cut = "select count(pg_terminate_backend(pid)) from pg_stat_activity
               where datname = current_database() and application_name <> 'test'";
    assert!(app.count(cut).await > 0);
    app.deliver(&event("evt_2", "cl_2")).await;
    app.all_done().await;
    let others = "select count(*) from pg_stat_activity
                  where datname = current_database() and application_name <> 'test' and usename <> 'rotated'";
    eventually("all are the new user's", async || app.count(others).await == 0).await;
}
