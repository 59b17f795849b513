//! Settings that no process starts with: it says which, and what to do.

use super::{changed, program, settings};
use crate::helpers::{App, SAMPLE, TOKEN, database};

#[tokio::test]
async fn a_setting_that_would_do_harm_keeps_every_process_from_starting() {
    let usual = settings([
        ("DATABASE_URL", database::create().await),
        ("WEBHOOK_TOKEN", TOKEN.to_owned()),
        ("JOBS", String::new()),
        ("LISTEN_ADDR", "127.0.0.1:0".to_owned()),
        ("ADMIN_ADDR", "127.0.0.1:0".to_owned()),
    ]);
    for (name, value, to_do) in [
        ("JOB_CONCURRENCY", "0", "from 1 on"),
        ("JOB_TIMEOUT", "0s", "over 0s"),
        ("JOB_TIMEOUT", "31s", "no longer than 30s"),
        ("WEBHOOK_PATH", "", "such as /webhooks/after-call"),
        ("WEBHOOK_PATH", "/calls/{id}", "such as /webhooks/after-call"),
        ("WEBHOOK_PATH", "/health/ready", "another path"),
    ] {
        for command in ["receive", "work", "config", "doctor"] {
            let mut set = changed(&usual, name, value);
            if value.is_empty() {
                set.push((name.to_owned(), String::new()));
            }
            let ran = program(&[command], &set).await;
            assert_ne!(ran.code, 0, "{command} with {name}={value}: {ran:?}");
            assert!(ran.err.contains(name) && ran.err.contains(to_do), "{command}: {ran:?}");
        }
    }
}

#[tokio::test]
async fn a_job_that_is_named_twice_is_one() {
    let app = App::receiver(&[("JOBS", "report-call,report-call")]).await;
    app.deliver_text(SAMPLE).await;
    assert_eq!(app.count("select count(*) from apalis.jobs").await, 1);
}
