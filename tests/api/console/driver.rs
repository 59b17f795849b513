//! A browser, as a person uses it: Chromium, driven by chromedriver.

use std::{path::Path, process::Stdio};

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use super::PASSWORD;
use crate::helpers::{App, DEADLINE};

/// A browser with one window, by the few words of the W3C's `WebDriver` that are needed here.
pub(crate) struct Browser {
    http: reqwest::Client,
    session: String,
    driver: Child,
    _files: TempDir,
}

impl Browser {
    /// Starts it, and logs in as a person does who knows the password.
    pub(crate) async fn start(app: &App) -> Self {
        let files = tempfile::tempdir().unwrap();
        // It takes a free port of IPv4, and ends where the same one of IPv6 is somebody else's.
        let mut started = None;
        for _ in 0..10 {
            if started.is_none() {
                started = Self::driver(files.path()).await;
            }
        }
        let (driver, port) = started.expect("chromedriver ends at once");
        let sessions = format!("http://127.0.0.1:{port}/session");
        let http = reqwest::Client::builder().timeout(DEADLINE).build().unwrap();
        let mut browser = Self { http, session: sessions, driver, _files: files };
        // As root it has no sandbox, and a container has little shared memory. A browser that looks for updates and the
        // like is no part of what is tested.
        let flags = [
            "--headless",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ];
        let wanted = json!({ "browserName": "chrome", "goog:chromeOptions": { "args": flags } });
        let made = browser.tell("", json!({ "capabilities": { "alwaysMatch": wanted } })).await;
        browser.session = format!("{}/{}", browser.session, made["sessionId"].as_str().unwrap());
        browser.open(app, "/calls").await;
        let field = browser.element("#password").await;
        browser.tell(&format!("/element/{field}/value"), json!({ "text": PASSWORD })).await;
        browser.press("Log in").await;
        browser
    }

    /// The driver and its port; none where it has ended.
    async fn driver(files: &Path) -> Option<(Child, String)> {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .env("TMPDIR", files)
            .stdout(Stdio::piped())
            // A group of its own, so that the browser, which it starts, can be ended with it.
            .process_group(0)
            .spawn()
            .expect("chromedriver is needed: apt-get install chromium-driver");
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        while let Some(line) = lines.next_line().await.unwrap() {
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                let port = port.trim_end_matches('.').to_owned();
                return Some((driver, port));
            }
        }
        None
    }

    async fn tell(&self, command: &str, parameters: Value) -> Value {
        let value = self.answer(command, parameters).await;
        assert!(value["error"].is_null(), "{command}: {value}");
        value
    }

    async fn answer(&self, command: &str, parameters: Value) -> Value {
        let answer = self.http.post(format!("{}{command}", self.session)).json(&parameters).send();
        let mut answer: Value = answer.await.unwrap().json().await.unwrap();
        answer["value"].take()
    }

    /// Opens a page.
    pub(crate) async fn open(&self, app: &App, path: &str) {
        self.tell("/url", json!({ "url": app.process.admin_url(path) })).await;
    }

    /// What a script of ours, not of the page's, finds there.
    pub(crate) async fn finds(&self, script: &str) -> Value {
        self.tell("/execute/sync", json!({ "script": script, "args": [] })).await
    }

    /// What a person reads.
    pub(crate) async fn text(&self) -> String {
        self.finds("return document.body.innerText").await.as_str().unwrap().to_owned()
    }

    /// Follows a link.
    pub(crate) async fn click(&self, href: &str) {
        self.press_what(json!({ "using": "css selector", "value": format!("a[href='{href}']") })).await;
    }

    /// Presses the button with this text, or opens what is folded under it.
    pub(crate) async fn press(&self, text: &str) {
        let path = format!("//button[normalize-space()='{text}'] | //summary[normalize-space()='{text}']");
        self.press_what(json!({ "using": "xpath", "value": path })).await;
    }

    /// Looks for it again where news have just taken its place.
    async fn press_what(&self, what: Value) {
        loop {
            let element = self.found(what.clone()).await;
            let pressed = self.answer(&format!("/element/{element}/click"), json!({})).await;
            if pressed["error"] != "stale element reference" {
                assert!(pressed["error"].is_null(), "{pressed}");
                return;
            }
        }
    }

    async fn element(&self, selector: &str) -> String {
        self.found(json!({ "using": "css selector", "value": selector })).await
    }

    async fn found(&self, what: Value) -> String {
        let element = self.tell("/element", what).await;
        element.as_object().and_then(|found| found.values().next()?.as_str()).unwrap().to_owned()
    }

    /// What Chromium alone understands: another screen, another taste.
    pub(crate) async fn emulate(&self, what: &str, parameters: Value) {
        let command = json!({ "cmd": format!("Emulation.{what}"), "params": parameters });
        self.tell("/goog/cdp/execute", command).await;
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if let Some(group) = self.driver.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
            kill_process_group(group, Signal::KILL).unwrap();
        }
    }
}
