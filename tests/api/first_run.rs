//! What `cargo run` brings: a private Postgres and a secret, which the next run finds again.

use std::path::{Path, PathBuf};

use stand_in::{Options, StandIn};

use crate::helpers::{
    self, REPORTS, eventually,
    run::{Run, paste},
};

/// The console's password is kept too; without one, because the console was removed, there is nothing to look at.
async fn shows_the_call(run: &Run, password: Option<&str>) {
    if let Some(password) = password {
        assert!(run.console(password).await.contains("+14085551234"), "the console shows it");
    }
}

/// `cargo run -- send` beside it, without any setting of its own.
async fn send(name: &str, home: &Path, webhook: &str) -> String {
    let beside = [("DEV_NAME", name), ("XDG_DATA_HOME", home.to_str().unwrap())];
    let beside = beside.map(|(name, value)| (name.to_owned(), value.to_owned()));
    helpers::run(&["send", "--url", webhook], &beside, "").await.out
}

/// With a job that knows no vendor; what the shipped vendors add is tested beside them.
#[tokio::test]
async fn a_bare_machine_stores_the_pasted_call_does_its_job_and_knows_it_at_the_next_run() {
    let vendor = StandIn::start(Options::default()).await.unwrap();
    let reports = format!("{}{REPORTS}", vendor.url());
    let settings = [("JOBS", "report-call"), ("REPORT_URL", reports.as_str())];
    let name = format!("{}-test-{}", env!("CARGO_PKG_NAME"), std::process::id());
    let home = tempfile::tempdir().unwrap();
    let run = Run::start(&name, home.path(), &settings).await;
    let directory = PathBuf::from(run.labelled("a private one in")).parent().unwrap().to_owned();
    let secret = run.labelled("Secret").to_owned();
    let password = cfg!(feature = "console").then(|| run.labelled("with the password").to_owned());

    assert_eq!(paste(run.curl()).await["status"], "stored");
    eventually("its job is done", async || vendor.sink().distinct_keys() == 1).await;
    assert_eq!(vendor.sink().deliveries()[0].body["data"]["duration_seconds"], 271);
    shows_the_call(&run, password.as_deref()).await;

    let sent = send(&name, home.path(), run.labelled("Webhook")).await;
    assert!(sent.contains("<-- 200 stored"), "the secret that was made is found: {sent}");
    eventually("its job is done too", async || vendor.sink().distinct_keys() == 2).await;
    assert_eq!(paste(run.curl()).await["status"], "duplicate");
    let old_line = run.curl().to_owned();
    let old_webhook = run.labelled("Webhook").to_owned();
    run.interrupt().await;

    let run = Run::start(&name, home.path(), &settings).await;
    assert_eq!(run.labelled("Secret"), secret, "the secret is kept");
    shows_the_call(&run, password.as_deref()).await;
    let old_call = old_line.replace(&old_webhook, run.labelled("Webhook"));
    assert_eq!(paste(&old_call).await["status"], "duplicate", "the event is known");
    run.interrupt().await;
    assert_eq!(vendor.sink().deliveries().len(), 2, "and each job was done once");
    std::fs::remove_dir_all(directory).unwrap();
}
