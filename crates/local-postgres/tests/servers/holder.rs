//! Another process that holds a server: this test binary, run again.

use std::{
    env,
    ffi::OsStr,
    io::{BufRead, BufReader, Write, stdin},
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, Command, Stdio, exit},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
};

use local_postgres::{Error, LocalPostgres};
use nix::sys::signal::Signal;

use crate::{LIMIT, send};

/// The name of a kept server, or nothing for a throw-away one.
const NAME: &str = "LOCAL_POSTGRES_TEST_NAME";

/// A process that holds a server, and what it has said so far.
pub(crate) struct Holder {
    pub(crate) child: Child,
    said: Receiver<String>,
    pub(crate) url: String,
    pub(crate) directory: PathBuf,
}

impl Holder {
    /// Starts the process and waits for its server, or for why there is none.
    pub(crate) fn start(name: &str, environment: &[(&str, &OsStr)]) -> Result<Self, String> {
        let mut holder = Self::launch(name, environment);
        let first = holder.says();
        let mut words = first.split('\t');
        match (words.next(), words.next(), words.next()) {
            (Some("started"), Some(url), Some(directory)) => {
                url.clone_into(&mut holder.url);
                holder.directory = directory.into();
                Ok(holder)
            }
            _ => Err(first),
        }
    }

    /// Starts the process and waits for nothing.
    pub(crate) fn launch(name: &str, environment: &[(&str, &OsStr)]) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "holder::holds_a_server", "--ignored", "--nocapture"])
            .env(NAME, name)
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // As a shell does it for a command in a terminal.
            .process_group(0)
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, said) = channel();
        thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { child, said, url: String::new(), directory: PathBuf::new() }
    }

    /// The next line that the process says.
    pub(crate) fn says(&self) -> String {
        self.said.recv_timeout(LIMIT).expect("the process said nothing")
    }

    /// Whether the process' output has ended: every process that had it open is gone.
    pub(crate) fn is_silent(&self) -> bool {
        self.said.recv_timeout(LIMIT) == Err(RecvTimeoutError::Disconnected)
    }

    /// The process that watches, as soon as it is there.
    pub(crate) fn watchdog(&self) -> Option<i32> {
        let output = Command::new("pgrep").args(["-P", &self.child.id().to_string()]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().lines().next()?.parse().ok()
    }

    /// The folder in which the watchdog works, which is the server's.
    #[cfg(target_os = "linux")]
    pub(crate) fn folder(&self) -> Option<PathBuf> {
        let folder = std::fs::read_link(format!("/proc/{}/cwd", self.watchdog()?)).ok()?;
        folder.join("log").exists().then_some(folder)
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Interrupts the process' group, as Ctrl-C in its terminal does.
    pub(crate) fn interrupt(&self) {
        send(Signal::SIGINT, -i32::try_from(self.child.id()).unwrap());
        assert_eq!(self.says(), "interrupted");
    }

    /// The process calls `stop`, says how that went, and ends.
    pub(crate) fn stop(&mut self) -> String {
        writeln!(self.child.stdin.take().unwrap(), "stop").unwrap();
        let said = self.says();
        self.child.wait().unwrap();
        said
    }

    /// The process ends without a word to its server, as from a static that nothing drops.
    pub(crate) fn exit(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
#[ignore = "what the process runs that other tests start"]
fn holds_a_server() {
    let Ok(name) = env::var(NAME) else { return };
    listen_for_interrupts();
    let started =
        if name.is_empty() { LocalPostgres::start_throwaway() } else { LocalPostgres::start_kept(&name) };
    // Not on standard output, where the test harness writes.
    let server = match started {
        Ok(server) => server,
        Err(error @ Error::InUse { .. }) => return eprintln!("in use: {error}"),
        Err(error) => return eprintln!("{}", error.to_string().replace('\n', " | ")),
    };
    eprintln!("started\t{}\t{}", server.url("postgres"), server.directory().display());
    if stdin().lines().next().is_none() {
        exit(0);
    }
    match server.stop() {
        Ok(()) => eprintln!("stopped"),
        Err(error) => eprintln!("{error}"),
    }
}

fn listen_for_interrupts() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut interrupts = {
        let _entered = runtime.enter();
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt()).unwrap()
    };
    thread::spawn(move || {
        runtime.block_on(async {
            while interrupts.recv().await.is_some() {
                eprintln!("interrupted");
            }
        });
    });
}
