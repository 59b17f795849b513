//! A stop loses nothing and leaves nothing half done.

use std::time::{Duration, Instant};

use stand_in::Fault;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::helpers::{App, REPORTS, TOKEN, event, eventually};

#[tokio::test]
async fn a_stop_lets_a_request_in_hand_end_and_its_event_is_stored() {
    let app = App::receiver(&[]).await;
    let body = event("evt_1", "cl_1").to_string();
    let mut stream = TcpStream::connect(app.process.address()).await.unwrap();
    let head = format!(
        "POST /webhooks/after-call HTTP/1.1\r\nhost: x\r\nx-webhook-token: {TOKEN}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // Once another request on it is answered, the server has read this far.
    app.deliver(&event("evt_0", "cl_0")).await;
    app.process.signal("TERM");
    app.process.says("stopping").await;
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(app.count("select count(*) from call_event where event_id = 'evt_1'").await, 1);
    assert!(TcpStream::connect(app.process.address()).await.is_err(), "it takes no new connections");
}

#[tokio::test]
async fn a_stop_lets_a_job_in_hand_end() {
    let app = App::start().await;
    app.stand_in.fail(Fault::slow(Duration::from_secs(2)).on(REPORTS));
    app.deliver(&event("evt_1", "cl_1")).await;
    eventually("it is at the vendor", async || app.heard(REPORTS) == 1).await;
    let (status, log) = app.process.terminate().await;
    assert!(status.success(), "{log}");
    assert_eq!(
        sqlx::query_scalar::<_, String>("select status from apalis.jobs").fetch_one(&app.db).await.unwrap(),
        "Done"
    );
    assert!(log.contains("report-call done"), "{log}");
}

#[tokio::test]
async fn an_idle_process_stops_at_once() {
    let app = App::start().await;
    app.deliver(&event("evt_1", "cl_1")).await;
    app.all_done().await;
    let asked = Instant::now();
    let (status, log) = app.process.terminate().await;
    assert!(status.success(), "{log}");
    // One that waits for what is not there would use up its patience of 25 s.
    assert!(asked.elapsed() < Duration::from_secs(15), "{:?}\n{log}", asked.elapsed());
}
