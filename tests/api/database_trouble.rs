//! A database in trouble: what can't be stored is answered 503, and all is as before once the trouble is over.

use std::time::{Duration, Instant};

use crate::helpers::{App, REPORTS, SAMPLE, database, event, eventually, proxy::Proxy, told};

#[tokio::test]
async fn a_network_that_goes_silent_is_answered_503_and_forgotten_when_it_is_back() {
    let proxy = Proxy::before(&database::create().await).await;
    let app = App::behind(&proxy, Some("receive"), &[]).await;
    eventually("it stores", async || told(app.post(SAMPLE)).await.0 == 200).await;
    proxy.silence();
    assert_eq!(told(app.post(SAMPLE)).await.0, 503);
    proxy.heal();
    eventually("it stores again", async || told(app.post(SAMPLE)).await.0 == 200).await;
}

async fn is_ready(app: &App) -> bool {
    app.http.get(app.process.url("/health/ready")).send().await.unwrap().status() == 200
}

async fn run(app: &App, statement: &'static str) {
    sqlx::raw_sql(statement).execute(&app.db).await.unwrap();
}

#[tokio::test]
async fn a_commit_that_stalls_is_waited_for_on_one_connection() {
    let app = App::receiver(&[]).await;
    let held = "create table gate (open bool); insert into gate values (false);
        create function wait_for_the_gate() returns trigger language plpgsql as $$
        begin
            -- As a disk or a standby that doesn't answer: no time limit of the client's helps.
            perform set_config('lock_timeout', '0', false), set_config('statement_timeout', '0', false);
            while not (select open from gate) loop
                perform pg_sleep(0.05);
            end loop;
            return null;
        end $$;
        create constraint trigger stall after insert on call_event deferrable initially deferred
            for each row execute function wait_for_the_gate()";
    run(&app, held).await;
    for n in 0..15 {
        assert_eq!(told(app.post(event(&format!("evt_{n}"), "cl_1").to_string())).await.0, 503);
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let writers = "select count(*) from pg_stat_activity where datname = current_database()
        and query like '%insert into call_event%' and state = 'active' and pid <> pg_backend_pid()";
    assert_eq!(app.count(writers).await, 1);
    assert!(!is_ready(&app).await);

    run(&app, "update gate set open = true").await;
    eventually("it stores again", async || told(app.post(SAMPLE)).await.0 == 200).await;
    eventually("it is ready", async || is_ready(&app).await).await;
}

#[tokio::test]
async fn a_connection_that_falls_silent_within_a_transaction_is_given_up() {
    let proxy = Proxy::before(&database::create().await).await;
    let app = App::behind(&proxy, Some("receive"), &[]).await;
    let slow = "create function slow() returns trigger language plpgsql as
        $$ begin perform pg_sleep(0.5); return new; end $$;
        create trigger slow before insert on call_event for each row execute function slow()";
    run(&app, slow).await;
    let inserting = "select count(*) from pg_stat_activity where datname = current_database()
        and query like '%insert into call_event%' and wait_event = 'PgSleep'";
    let (answer, ()) = tokio::join!(told(app.post(SAMPLE)), async {
        eventually("it is in the middle of it", async || app.count(inserting).await == 1).await;
        proxy.silence();
    });
    assert_eq!(answer.0, 503);
    proxy.heal();
    run(&app, "drop trigger slow on call_event").await;
    eventually("it stores again", async || told(app.post(SAMPLE)).await.0 == 200).await;
    eventually("it is ready", async || is_ready(&app).await).await;
}

#[tokio::test]
async fn a_database_that_takes_no_writes_is_not_ready_and_is_written_to_as_soon_as_it_does_again() {
    let app = App::receiver(&[]).await;
    assert!(is_ready(&app).await);
    let name = app.text("select current_database()").await;
    // As at a failover: the connections are cut, and new ones meet a server that is read only.
    database::run(&format!("alter database {name} set default_transaction_read_only = on")).await;
    database::run(&format!(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'"
    ))
    .await;
    eventually("it can't be stored", async || told(app.post(SAMPLE)).await.0 == 503).await;
    eventually("it is not ready", async || !is_ready(&app).await).await;
    database::run(&format!("alter database {name} reset default_transaction_read_only")).await;
    eventually("it is ready", async || is_ready(&app).await).await;
    app.deliver_text(SAMPLE).await;
}

#[tokio::test]
async fn what_only_a_real_write_meets_is_not_ready_until_one_would_succeed() {
    let app = App::receiver(&[]).await;
    let full = "create function refuse() returns trigger language plpgsql as
        $$ begin raise sqlstate '53100' using message = 'no space left on device'; end $$;
        create trigger full_disk before insert on call_event for each row execute function refuse()";
    run(&app, full).await;
    assert_eq!(told(app.post(SAMPLE)).await.0, 503);
    assert!(!is_ready(&app).await);
    run(&app, "drop trigger full_disk on call_event").await;
    eventually("it is ready without another call", async || is_ready(&app).await).await;
    assert_eq!(app.count("select count(*) from call_event").await, 0);
    assert_eq!(app.count("select count(*) from apalis.jobs").await, 0, "it has left nothing");
}

#[tokio::test]
async fn the_probe_asks_the_database_once_a_second_however_often_it_is_asked() {
    let app = App::receiver(&[]).await;
    let begun = Instant::now();
    let asked = "select xact_commit from pg_stat_database where datname = current_database()";
    let before = app.count(asked).await;
    for _ in 0..500 {
        assert!(is_ready(&app).await);
    }
    // The statistics come within a second or so, and the test's own count too.
    let per_second = begun.elapsed().as_secs() + 1;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let during = app.count(asked).await - before;
    assert!(during < 100 + 10 * i64::try_from(per_second).unwrap(), "{during} transactions");
}

#[tokio::test]
async fn a_job_that_a_full_disk_keeps_from_being_written_down_is_done_once_and_not_given_up() {
    let app = App::start().await;
    run(
        &app,
        "create function refuse() returns trigger language plpgsql as
            $$ begin raise sqlstate '53100' using message = 'no space left on device'; end $$;
        create trigger full_disk before insert on receipt for each row execute function refuse()",
    )
    .await;
    app.deliver(&event("evt_1", "cl_1")).await;
    let line = app.process.says("how an attempt ended can't be written yet").await;
    assert_eq!(line["job"], "report-call");
    // Longer than the five runs after which a job counts as one that kills its process.
    let begun = Instant::now();
    eventually("the disk is full for a while", async || begun.elapsed() > Duration::from_secs(8)).await;
    run(&app, "drop trigger full_disk on receipt").await;
    app.all_done().await;
    assert_eq!(app.heard(REPORTS), 1);
    assert_eq!(app.count("select count(*) from receipt").await, 1);
    assert_eq!(app.count("select count(*) from attempt where result = 'done'").await, 1);
    assert_eq!(app.count("select count(*) from attempt").await, 1);
}

#[tokio::test]
async fn a_job_whose_call_can_not_be_read_for_a_while_is_no_suspect_and_is_done_afterwards() {
    let app = App::receiver(&[]).await;
    app.deliver(&event("evt_1", "cl_1")).await;
    // What a job reads of its call, and neither needs to begin nor to end.
    let away = "alter table call_event rename column custom_fields to away";
    sqlx::query(away).execute(&app.db).await.unwrap();
    let _worker = app.another("work").await;
    // More often than a job may die with its process.
    eventually("it was tried often", async || {
        app.count("select count(*) from attempt where ended_at is not null").await > 6
    })
    .await;
    let back = "alter table call_event rename column away to custom_fields";
    sqlx::query(back).execute(&app.db).await.unwrap();
    app.all_done().await;
    let row = "select concat_ws(' ', state, crashes) from call_job";
    assert_eq!(app.text(row).await, "done 0");
}
