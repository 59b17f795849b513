//! `cargo run` on a bare machine: no database, no variables, one line to paste.

use std::{path::Path, process::Stdio, time::Duration};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use super::binary;

/// A run of the binary as `cargo run` starts it, under a name of its own so that it doesn't meet a developer's.
pub(crate) struct Run {
    child: Child,
    banner: String,
}

impl Run {
    /// Starts it with these variables and no others, and reads its banner.
    pub(crate) async fn start(name: &str, home: &Path, settings: &[(&str, &str)]) -> Self {
        let mut child = Command::new(binary())
            .env_clear()
            // No developer's `.env` is there.
            .current_dir("/")
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("XDG_DATA_HOME", home)
            .env("DEV_NAME", name)
            .env("LISTEN_ADDR", "127.0.0.1:0")
            .env("ADMIN_ADDR", "127.0.0.1:0")
            .envs(settings.iter().copied())
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

    /// The line to paste.
    pub(crate) fn curl(&self) -> &str {
        self.banner.lines().find(|line| line.starts_with("curl ")).unwrap()
    }

    /// What stands behind a label of the banner.
    pub(crate) fn labelled(&self, label: &str) -> &str {
        self.banner.lines().find_map(|line| line.split_once(label)).unwrap().1.trim()
    }

    /// The console's page of calls.
    pub(crate) async fn console(&self, password: &str) -> String {
        let url = self.labelled("Console").split(' ').next().unwrap();
        let request = reqwest::Client::new().get(format!("{url}calls")).basic_auth("me", Some(password));
        request.send().await.unwrap().text().await.unwrap()
    }

    /// Ctrl-C; it ends by itself.
    pub(crate) async fn interrupt(mut self) {
        let pid = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().await.unwrap().success());
        let ended = tokio::time::timeout(Duration::from_mins(1), self.child.wait()).await;
        assert!(ended.expect("it does not end").unwrap().success());
    }
}

/// Runs a line in a shell, as who pastes it; returns what was answered.
pub(crate) async fn paste(line: &str) -> Value {
    let output = Command::new("sh").args(["-c", line]).output().await.unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
}
