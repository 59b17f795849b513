//! `aftercall platform`: the webhook at the platform, which the stand-in plays, and the rotation of its secret.

mod doctor;
mod killed;
mod rotate;
mod setup;
mod trouble;

use std::{
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use stand_in::{Options, StandIn, platform};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines, copy_bidirectional},
    net::{TcpListener, TcpStream},
    process::{Child, ChildStdout, Command},
    task::{JoinHandle, JoinSet},
    time::sleep,
};
use tokio_util::task::AbortOnDropHandle;

use crate::helpers::{App, DEADLINE, Process, Ran, binary, event, files::Files, run, told};

const OLD: &str = "the-secret-that-is-in-force-at-first";
const KEY: &str = "stand-in-key";

/// Three receivers with the same two files, behind one address, and the platform that delivers there.
struct Deployment {
    app: App,
    others: Vec<Process>,
    files: Files,
    settings: Vec<(String, String)>,
    balancer: Balancer,
}

impl Deployment {
    /// With the webhook made, by the command.
    async fn start() -> Self {
        let mut deployment = Self::without_webhook().await;
        let ran = deployment.platform(&["create"]).await;
        assert_eq!(ran.code, 0, "{ran:?}");
        let id = deployment.app.stand_in.platform().webhooks()[0].id.clone();
        deployment.set("PLATFORM_WEBHOOK_ID", &id);
        deployment
    }

    async fn without_webhook() -> Self {
        let files = Files::new();
        files.write("token", OLD);
        files.write("previous", OLD);
        let (token, previous) = (files.setting("token"), files.setting("previous"));
        let platform =
            platform::Options { retry_first: Duration::from_millis(200), ..platform::Options::default() };
        let stand_in = StandIn::start(Options { platform, ..Options::default() }).await.unwrap();
        let of_files = [
            ("WEBHOOK_TOKEN", ""),
            ("WEBHOOK_TOKEN_FILE", token.as_str()),
            ("WEBHOOK_TOKEN_PREVIOUS_FILE", &previous),
            ("WEBHOOK_FAILED_AUTH_LIMIT", "0"),
        ];
        let app = App::beside(stand_in, Some("receive"), &of_files).await;
        let others = vec![app.another("receive").await, app.another("receive").await];
        let behind = [&app.process, &others[0], &others[1]].map(|process| process.address().to_owned());
        let balancer = Balancer::before(behind.into()).await;
        let settings = [
            ("DATABASE_URL", app.setting("DATABASE_URL")),
            ("PUBLIC_URL", &balancer.url),
            ("WEBHOOK_TOKEN_FILE", &token),
            ("WEBHOOK_TOKEN_PREVIOUS_FILE", &previous),
            ("PLATFORM_API_URL", &app.stand_in.url()),
            ("PLATFORM_API_KEY", KEY),
        ];
        let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        Self { app, others, files, settings, balancer }
    }

    fn set(&mut self, name: &str, value: &str) {
        self.settings.retain(|(set, _)| set != name);
        if !value.is_empty() {
            self.settings.push((name.to_owned(), value.to_owned()));
        }
    }

    /// A command of the platform's, to its end.
    async fn platform(&self, arguments: &[&str]) -> Ran {
        run(&[&["platform"], arguments].concat(), &self.settings, "").await
    }

    /// A rotation that does not wait for long.
    async fn rotate(&self) -> Ran {
        self.platform(&["rotate", "--quiet", "1s", "--wait", "50s"]).await
    }

    /// A rotation under way.
    fn rotating(&self) -> Rotating {
        Rotating::begin(&self.settings)
    }

    fn receivers(&self) -> impl Iterator<Item = &Process> {
        std::iter::once(&self.app.process).chain(&self.others)
    }

    /// The secret that the platform delivers under.
    fn secret(&self) -> String {
        self.app.stand_in.platform().webhooks()[0].auth.secret.clone()
    }

    /// How often the platform was asked to change the webhook.
    fn patches(&self) -> usize {
        self.app.stand_in.received().iter().filter(|request| request.method == "PATCH").count()
    }

    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.files.setting(name)).unwrap().trim().to_owned()
    }

    /// What each receiver answers to a delivery under this secret.
    async fn statuses(&self, secret: &str) -> Vec<u16> {
        let mut statuses = Vec::new();
        for receiver in self.receivers() {
            let request = self.app.http.post(receiver.url("/webhooks/after-call"));
            let body = event("evt_asked", "cl_asked").to_string();
            statuses.push(told(request.header("X-Webhook-Token", secret).body(body)).await.0);
        }
        statuses
    }

    /// The rotation has ended: one secret, and another than at first, which everybody goes by.
    async fn has_rotated(&self) {
        let secret = self.secret();
        assert_ne!(secret, OLD);
        assert_eq!((self.file("token"), self.file("previous")), (secret.clone(), secret.clone()));
        assert_eq!(self.statuses(OLD).await, [401; 3]);
        assert_eq!(self.statuses(&secret).await, [200; 3]);
    }

    /// Some twenty calls a second, until they are to stop.
    fn calls(&self) -> Calls {
        let (stop, platform) = (Arc::new(AtomicBool::new(false)), self.app.stand_in.platform().clone());
        let stopped = Arc::clone(&stop);
        let placing = tokio::spawn(async move {
            let (mut placed, mut calls) = (0, JoinSet::new());
            while !stopped.load(Ordering::Relaxed) {
                let (id, platform) = (format!("evt_{placed}"), platform.clone());
                calls.spawn(async move { platform.place_call(&event(&id, &id)).await });
                placed += 1;
                sleep(Duration::from_millis(50)).await;
            }
            calls.join_all().await;
            placed
        });
        Calls { stop, placing }
    }

    /// Ends the calls: none was refused, none is lost.
    async fn none_was_refused_or_lost(&self, calls: Calls) {
        calls.stop.store(true, Ordering::Relaxed);
        let placed: i64 = calls.placing.await.unwrap();
        let tries = self.app.stand_in.platform().deliveries();
        // A busy machine may answer 503 or late, and is asked again; whoever doesn't know the secret says 401.
        let refused: Vec<_> = tries.iter().filter(|tried| matches!(tried.status, Some(400..=499))).collect();
        assert!(refused.is_empty(), "{refused:?}");
        let rows = "select count(*) from call_event where event_id <> 'evt_asked'";
        assert!(placed > 20, "{placed}");
        assert_eq!(self.app.count(rows).await, placed);
        let again = tries.iter().filter(|tried| tried.status != Some(200)).count();
        println!("{placed} calls, {} deliveries, {again} of them not answered 200", tries.len());
    }
}

struct Calls {
    stop: Arc<AtomicBool>,
    placing: JoinHandle<i64>,
}

/// `platform rotate`, line by line.
struct Rotating {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    out: String,
}

impl Rotating {
    fn begin(settings: &[(String, String)]) -> Self {
        let mut child = Command::new(binary())
            .args(["platform", "rotate", "--quiet", "1s", "--wait", "50s"])
            .current_dir("/")
            .env_clear()
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines, out: String::new() }
    }

    /// Waits until it prints this.
    async fn says(&mut self, text: &str) {
        let said = async {
            loop {
                let line = self.lines.next_line().await.unwrap();
                let line = line.unwrap_or_else(|| panic!("it ended without `{text}`: {}", self.out));
                self.out.extend([line.as_str(), "\n"]);
                if line.contains(text) {
                    return;
                }
            }
        };
        tokio::time::timeout(DEADLINE, said).await.unwrap_or_else(|_| panic!("in vain: {text}"));
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.id().unwrap().to_string();
        let sent = std::process::Command::new("kill").args([&format!("-{signal}"), &pid]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for its end; returns its status and what it has printed since.
    async fn ends(self) -> (i32, String) {
        let ended = tokio::time::timeout(DEADLINE, self.child.wait_with_output()).await;
        let output = ended.expect("it does not end").unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    }

    /// kill -9.
    async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}

/// Spreads connections over the receivers, one after the other.
struct Balancer {
    url: String,
    _serving: AbortOnDropHandle<()>,
}

impl Balancer {
    async fn before(addresses: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move {
            let (mut connections, mut next) = (JoinSet::new(), addresses.iter().cycle());
            loop {
                let (mut client, _) = listener.accept().await.unwrap();
                let address = next.next().unwrap().clone();
                connections.spawn(async move {
                    let mut server = TcpStream::connect(address).await?;
                    copy_bidirectional(&mut client, &mut server).await
                });
            }
        });
        Self { url, _serving: AbortOnDropHandle::new(serving) }
    }
}
