//! `cargo run` on a bare machine: no database, no variables, one line to paste.

use std::{path::PathBuf, process::Stdio, time::Duration};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::helpers::{eventually, run};

/// A run of the binary as `cargo run` starts it, under a name of its own so that it doesn't meet a developer's.
struct Run {
    child: Child,
    banner: String,
}

impl Run {
    async fn start(name: &str, home: &std::path::Path) -> Self {
        let mut child = Command::new(crate::helpers::binary())
            .env_clear()
            // No developer's `.env` is there.
            .current_dir("/")
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("XDG_DATA_HOME", home)
            .env("DEV_NAME", name)
            .env("LISTEN_ADDR", "127.0.0.1:0")
            .env("ADMIN_ADDR", "127.0.0.1:0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut banner = String::new();
        let reading = async {
            while let Some(line) = lines.next_line().await.unwrap() {
                banner.extend([line.as_str(), "\n"]);
                if line.starts_with("curl ") {
                    return;
                }
            }
            panic!("it ended: {banner}");
        };
        tokio::time::timeout(Duration::from_mins(2), reading).await.expect("no banner");
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { child, banner }
    }

    fn curl(&self) -> &str {
        self.banner.lines().find(|line| line.starts_with("curl ")).unwrap()
    }

    /// What stands behind a label of the banner.
    fn labelled(&self, label: &str) -> &str {
        self.banner.lines().find_map(|line| line.split_once(label)).unwrap().1.trim()
    }

    async fn calls(&self) -> Vec<Value> {
        let listing = self.labelled("which shows what arrived:");
        reqwest::get(listing).await.unwrap().json().await.unwrap()
    }

    /// The console's page of calls.
    async fn console(&self, password: &str) -> String {
        let url = self.labelled("Console").split(' ').next().unwrap();
        let request = reqwest::Client::new().get(url).basic_auth("me", Some(password));
        request.send().await.unwrap().text().await.unwrap()
    }

    async fn interrupt(mut self) {
        let pid = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().await.unwrap().success());
        let ended = tokio::time::timeout(Duration::from_mins(1), self.child.wait()).await;
        assert!(ended.expect("it does not end").unwrap().success());
    }
}

async fn paste(line: &str) -> Value {
    let output = Command::new("sh").args(["-c", line]).output().await.unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
}

/// `cargo run -- send` beside it, without any setting of its own.
async fn send(name: &str, home: &std::path::Path, webhook: &str) -> String {
    let beside = [("DEV_NAME", name), ("XDG_DATA_HOME", home.to_str().unwrap())];
    let beside = beside.map(|(name, value)| (name.to_owned(), value.to_owned()));
    run(&["send", "--url", webhook], &beside, "").await.out
}

#[tokio::test]
async fn a_bare_machine_stores_the_pasted_call_logs_it_and_knows_it_at_the_next_run() {
    let name = format!("aftercall-test-{}", std::process::id());
    let home = tempfile::tempdir().unwrap();
    let run = Run::start(&name, home.path()).await;
    let directory = PathBuf::from(run.labelled("a private one in")).parent().unwrap().to_owned();
    let secret = run.labelled("Secret").to_owned();
    let password = run.labelled("any user name and the password").to_owned();

    assert_eq!(paste(run.curl()).await["status"], "stored");
    eventually("the stand-in lists the call", async || run.calls().await.len() == 1).await;
    let call = || async { run.calls().await.remove(0) };
    assert_eq!(call().await["properties"]["hs_call_duration"], "271000");
    eventually("it is beside its contact", async || call().await.to_string().contains("Dana Whitfield"))
        .await;

    assert!(run.console(&password).await.contains("+14085551234"), "the console shows it");

    let sent = send(&name, home.path(), run.labelled("Webhook")).await;
    assert!(sent.contains("<-- 200 stored"), "the secret that was made is found: {sent}");
    eventually("the stand-in lists it too", async || run.calls().await.len() == 2).await;

    assert_eq!(paste(run.curl()).await["status"], "duplicate");
    assert_eq!(run.calls().await.len(), 2);
    let old_line = run.curl().to_owned();
    let old_webhook = run.labelled("Webhook").to_owned();
    run.interrupt().await;

    let run = Run::start(&name, home.path()).await;
    assert_eq!(run.labelled("Secret"), secret, "the secret is kept");
    assert!(run.console(&password).await.contains("+14085551234"), "and so is the console's password");
    let old_call = old_line.replace(&old_webhook, run.labelled("Webhook"));
    assert_eq!(paste(&old_call).await["status"], "duplicate", "the event is known");
    assert_eq!(run.calls().await.len(), 2, "and so is the call");
    run.interrupt().await;
    std::fs::remove_dir_all(directory).unwrap();
}
