//! One process of the real binary, with nothing of the developer's environment.

use std::{
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader},
    process::{Child, Command},
    task::JoinHandle,
};

use super::{DEADLINE, eventually};

/// The binary under test; `AFTERCALL_BINARY` names a copy, for a user who can't reach the folder that it was built in.
pub(crate) fn binary() -> String {
    std::env::var("AFTERCALL_BINARY").unwrap_or_else(|_| env!("CARGO_BIN_EXE_aftercall").to_owned())
}

/// What a process prints, line by line, as it comes.
pub(crate) type Log = Arc<Mutex<Vec<String>>>;

pub(crate) struct Process {
    child: Child,
    lines: Log,
    readers: [JoinHandle<()>; 2],
    address: String,
    admin: String,
}

/// How a command ended, and what it printed.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs a command to its end, with this on its standard input.
pub(crate) async fn run(arguments: &[&str], settings: &[(String, String)], input: &str) -> Ran {
    let mut child = program(settings)
        .args(arguments)
        .env_clear()
        .envs(settings.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A command that reads none of it may have ended before.
    let _closed = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    let output =
        tokio::time::timeout(DEADLINE, child.wait_with_output()).await.expect("it does not end").unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

impl Process {
    /// Starts it and waits until it does its work.
    pub(crate) async fn start(command: Option<&str>, settings: &[(String, String)]) -> Self {
        let mut process = Self::spawn(command, settings);
        let sign = if command == Some("work") { "working" } else { "listening" };
        let mut started = None;
        eventually("the process has started", async || {
            assert!(process.child.try_wait().unwrap().is_none(), "it ended: {}", process.log());
            started = process.log().lines().find(|line| line.contains(sign)).map(str::to_owned);
            started.is_some()
        })
        .await;
        process.address = address(&started.unwrap());
        process.admin = process.log().lines().find(|line| line.contains("probes")).map(address).unwrap();
        process
    }

    /// It does not start by these settings, and says this. Its database is nowhere, unless they name one.
    pub(crate) async fn refuses(command: &str, settings: &[(&str, &str)], says: &str) -> String {
        let nowhere = [("DATABASE_URL", "postgres://127.0.0.1:1/none")];
        let all = nowhere.iter().chain(settings);
        let all: Vec<_> = all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut process = Self::spawn(Some(command), &all);
        assert!(!process.end().await.success(), "{settings:?}");
        eventually(says, async || process.log().contains(says)).await;
        process.log()
    }

    /// Starts it, whatever becomes of it.
    pub(crate) fn spawn(command: Option<&str>, settings: &[(String, String)]) -> Self {
        let mut child = program(settings)
            .args(command)
            .env_clear()
            .env("LISTEN_ADDR", "127.0.0.1:0")
            .env("ADMIN_ADDR", "127.0.0.1:0")
            .env("LOG_FORMAT", "json")
            .envs(std::env::var_os("HOME").map(|home| ("HOME", home)))
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = Arc::default();
        let readers =
            [collect(child.stdout.take().unwrap(), &lines), collect(child.stderr.take().unwrap(), &lines)];
        Self { child, lines, readers, address: String::new(), admin: String::new() }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The most memory that it has had, in kB.
    pub(crate) fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id().unwrap())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches("kB").trim().parse().unwrap()
    }

    /// Of the second listener.
    pub(crate) fn admin_url(&self, path: &str) -> String {
        format!("http://{}{path}", self.admin)
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The first log line with this message.
    pub(crate) fn logged(&self, message: &str) -> Option<Value> {
        let lines = self.lines.lock().unwrap();
        let mut lines = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.find(|line| line["message"].as_str().is_some_and(|text| text.contains(message)))
    }

    /// Waits for a log line with this message; it may come after what it tells of.
    pub(crate) async fn says(&self, message: &str) -> Value {
        let mut line = None;
        eventually(message, async || {
            line = self.logged(message);
            line.is_some()
        })
        .await;
        line.unwrap()
    }

    /// What it prints, also when it has ended.
    pub(crate) fn shared_log(&self) -> Log {
        Arc::clone(&self.lines)
    }

    /// All that it has printed.
    pub(crate) fn log(&self) -> String {
        self.lines.lock().unwrap().join("\n")
    }

    /// kill -9.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// SIGTERM; it ends by itself. Returns all that it has printed.
    pub(crate) async fn terminate(mut self) -> (ExitStatus, String) {
        self.signal("TERM");
        let status = self.end().await;
        for reader in &mut self.readers {
            reader.await.unwrap();
        }
        (status, self.log())
    }

    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.child.id().unwrap().to_string();
        let sent = std::process::Command::new("kill").args([&format!("-{signal}"), &pid]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits until it has ended.
    pub(crate) async fn end(&mut self) -> ExitStatus {
        tokio::time::timeout(Duration::from_mins(1), self.child.wait())
            .await
            .expect("it does not end")
            .unwrap()
    }
}

/// The binary. Two of these are no settings of its own: `MOST_FILES` is the limit of open files that it is started under,
/// `FOLDER` its working directory, else one that holds no developer's `.env`.
fn program(settings: &[(String, String)]) -> Command {
    let given =
        |name: &str| settings.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str());
    let mut command = match given("MOST_FILES") {
        None => Command::new(binary()),
        Some(files) => {
            let mut shell = Command::new("/bin/sh");
            shell.args(["-c", "ulimit -n \"$0\" && exec \"$@\"", files, &binary()]);
            shell
        }
    };
    command.current_dir(given("FOLDER").unwrap_or("/"));
    command
}

/// What stands behind the word "address" in a line of either format.
fn address(line: &str) -> String {
    let behind = line.split_once("address").map_or("", |(_, behind)| behind);
    let address = behind.trim_start_matches(|letter: char| !letter.is_ascii_digit());
    address.chars().take_while(|letter| letter.is_ascii_digit() || ".:".contains(*letter)).collect()
}

fn collect(pipe: impl AsyncRead + Unpin + Send + 'static, lines: &Log) -> JoinHandle<()> {
    let lines = Arc::clone(lines);
    tokio::spawn(async move {
        let mut pipe = BufReader::new(pipe).lines();
        while let Ok(Some(line)) = pipe.next_line().await {
            lines.lock().unwrap().push(line);
        }
    })
}
