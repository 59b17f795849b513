//! Whoever reads the log may stall; the server doesn't.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    sync::mpsc,
};

use crate::helpers::{DEADLINE, TOKEN, binary, database, event, eventually};

/// With `RUST_LOG=trace` each has several lines: together far more than can wait.
const SENDERS: usize = 8;
const EVENTS_EACH: usize = 400;

#[tokio::test]
async fn a_reader_of_the_log_that_stalls_stops_nothing_and_what_it_missed_is_counted() {
    let mut child = Command::new(binary())
        .arg("receive")
        .env_clear()
        .current_dir("/")
        .env("DATABASE_URL", database::create().await)
        .envs([("WEBHOOK_TOKEN", TOKEN), ("LISTEN_ADDR", "127.0.0.1:0"), ("ADMIN_ADDR", "127.0.0.1:0")])
        .envs([("LOG_FORMAT", "json"), ("RUST_LOG", "trace")])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let listening = lines.find(|line| line.contains(r#""message":"listening""#)).unwrap();
    let listening: serde_json::Value = serde_json::from_str(&listening).unwrap();
    let url = format!("http://{}/webhooks/after-call", listening["address"].as_str().unwrap());

    // From here on nobody reads.
    let http = reqwest::Client::builder().timeout(DEADLINE).build().unwrap();
    let senders = (0..SENDERS).map(|sender| {
        let (http, url) = (http.clone(), url.clone());
        tokio::spawn(async move {
            for n in 0..EVENTS_EACH {
                let event = event(&format!("evt_{sender}_{n}"), "cl_1");
                let request = http.post(&url).header("X-Webhook-Token", TOKEN).json(&event);
                let status = request.send().await.expect("an answer").status();
                assert!([200, 503].contains(&status.as_u16()), "{status}");
            }
        })
    });
    let mut answered = true;
    for sender in senders.collect::<Vec<_>>() {
        answered &= sender.await.is_ok();
    }

    let (told, tells) = mpsc::channel();
    std::thread::spawn(move || {
        lines.filter(|line| line.contains("log lines were dropped")).try_for_each(|line| told.send(line))
    });
    if answered {
        eventually("it is said", async || tells.try_recv().is_ok()).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(answered, "a delivery had no answer");
}
