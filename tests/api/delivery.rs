//! Stored once, whatever comes at once.

use std::collections::BTreeSet;

use apalis::prelude::TaskBuilder;
use apalis_postgres::queries::push_tasks;
use serde_json::json;

use crate::helpers::{App, TOKEN, event, told};

#[tokio::test]
async fn two_hundred_concurrent_deliveries_of_twenty_events_to_two_receivers_are_twenty_rows_and_twenty_jobs()
{
    let app = App::receiver(&[]).await;
    let other = app.another("receive").await;
    let urls = [app.url(), other.url("/webhooks/after-call")];
    let deliveries = (0..200).map(|n| {
        let event = event(&format!("evt_{}", n % 20), &format!("cl_{}", n % 20)).to_string();
        let request = app.http.post(&urls[(n / 20) % 2]).header("X-Webhook-Token", TOKEN).body(event);
        tokio::spawn(async move {
            // As the platform does, it tries again where a busy machine answers 503.
            loop {
                let (status, word) = told(request.try_clone().unwrap()).await;
                if status != 503 {
                    return (status, word);
                }
            }
        })
    });
    let mut answers = Vec::new();
    for delivery in deliveries.collect::<Vec<_>>() {
        answers.push(delivery.await.unwrap());
    }
    assert!(answers.iter().all(|(status, _)| *status == 200), "{answers:?}");
    // What was told 503 may have been stored after all.
    assert!(answers.iter().filter(|(_, word)| word == "stored").count() <= 20, "{answers:?}");
    assert_eq!(app.count("select count(*) from call_event").await, 20);
    assert_eq!(app.count("select count(*) from apalis.jobs").await, 20);
    assert_eq!(app.count("select count(distinct idempotency_key) from apalis.jobs").await, 20);
}

#[tokio::test]
async fn a_job_is_enqueued_as_apalis_itself_would() {
    let app = App::receiver(&[]).await;
    let id = "evt_\" \\ \u{e9}";
    assert_eq!(told(app.post(event(id, "cl_1").to_string())).await, (200, "stored".to_owned()));
    let run_at = app.count("select extract(epoch from run_at)::bigint from apalis.jobs").await;
    let task = TaskBuilder::new(json!(id).to_string().into_bytes())
        .idempotency_key(id)
        .run_at_timestamp(run_at.unsigned_abs())
        .max_attempts(i32::MAX as usize)
        .build();
    push_tasks(&mut *app.db.acquire().await.unwrap(), "apalis", vec![task]).await.unwrap();
    let ours = "select (to_jsonb(jobs) - '{id, job_type}'::text[])::text from apalis.jobs where job_type <> 'apalis'";
    let its =
        "select (to_jsonb(jobs) - '{id, job_type}'::text[])::text from apalis.jobs where job_type = 'apalis'";
    assert_eq!(app.text(ours).await, app.text(its).await);
}

#[tokio::test]
async fn a_repeat_with_another_body_is_a_duplicate_and_the_log_warns() {
    let app = App::receiver(&[]).await;
    app.deliver(&event("evt_1", "cl_1")).await;
    let mut other = event("evt_1", "cl_1");
    other["notes"] = json!("something else");
    assert_eq!(app.deliver(&other).await["status"], "duplicate");
    assert_eq!(app.text("select notes from stored_event").await, "Callback scheduled");
    app.process.says("has another body").await;
}

#[tokio::test]
async fn a_duplicate_says_in_the_log_of_when_it_is_one() {
    let app = App::receiver(&[]).await;
    app.deliver(&event("evt_1", "cl_1")).await;
    app.deliver(&event("evt_1", "cl_1")).await;
    let received = app
        .text("select to_char(received_at at time zone 'utc', 'YYYY-MM-DD HH24:MI:SS') from call_event")
        .await;
    app.process.says(&format!("duplicate of {received} UTC")).await;
}

#[tokio::test]
async fn a_row_that_the_database_refuses_does_not_take_the_others_of_its_batch_along() {
    let app = App::receiver(&[]).await;
    sqlx::query("alter table call_event add check (status <> 'poison')").execute(&app.db).await.unwrap();
    let mut waiting: Vec<usize> = (0..40).collect();
    // As the platform does, each that a busy machine answers 503 comes again, and the poisoned one with it.
    for _ in 0..6 {
        let deliveries = waiting.iter().map(|n| {
            let mut event = event(&format!("evt_{n}"), &format!("cl_{n}"));
            if *n == 7 {
                event["status"] = json!("poison");
            }
            tokio::spawn(told(app.post(event.to_string())))
        });
        let mut refused = Vec::new();
        for (n, delivery) in waiting.iter().zip(deliveries.collect::<Vec<_>>()) {
            match delivery.await.unwrap().0 {
                200 => {}
                503 => refused.push(*n),
                other => panic!("{other}"),
            }
        }
        waiting = refused;
        if waiting == [7] {
            break;
        }
    }
    assert_eq!(waiting, [7]);
    assert_eq!(app.count("select count(*) from call_event").await, 39);
    assert!(!app.process.log().contains("4085551234"), "a database's message quotes the row");
}

#[tokio::test]
async fn a_receiver_that_is_killed_in_the_middle_of_a_burst_has_kept_all_that_it_answered_200() {
    let app = App::receiver(&[]).await;
    let mut deliveries = tokio::task::JoinSet::new();
    for n in 0..400 {
        let request = app.post(event(&format!("evt_{n}"), &format!("cl_{n}")).to_string());
        deliveries
            .spawn(async move { (n, request.send().await.is_ok_and(|response| response.status() == 200)) });
    }
    let mut answered = BTreeSet::new();
    let mut process = Some(app.process);
    while let Some(delivery) = deliveries.join_next().await {
        let (n, stored) = delivery.unwrap();
        if stored {
            answered.insert(format!("evt_{n}"));
        }
        if answered.len() == 100
            && let Some(process) = process.take()
        {
            process.kill().await;
        }
    }
    // In one statement: a commit may still be under way whose sender is dead.
    let both =
        "select array(select event_id from call_event), array(select idempotency_key from apalis.jobs)";
    let (stored, enqueued): (Vec<String>, Vec<String>) =
        sqlx::query_as(both).fetch_one(&app.db).await.unwrap();
    let (stored, enqueued): (BTreeSet<_>, BTreeSet<_>) =
        (stored.into_iter().collect(), enqueued.into_iter().collect());
    assert!(answered.is_subset(&stored), "answered 200 and not stored: {:?}", answered.difference(&stored));
    assert_eq!(stored, enqueued, "an event without its job, or a job without its event");
}
