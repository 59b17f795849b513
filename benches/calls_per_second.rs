//! How many calls a second one receiver stores, and how soon it answers, with Postgres, receiver and sender on this machine.
//!
//! `cargo bench --bench calls_per_second` prints the machine, and a line for each load. `AFTERCALL_BINARY` names another
//! build, which is measured by turns with this one. Postgres is durable here (fsync on), and each call starts the two usual
//! jobs. Each request is an event of its own on a connection that is kept open; an answer other than 200 ends the run.

#![expect(clippy::cast_precision_loss, reason = "counts of calls are far below 2^52")]

use std::{
    error::Error,
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use local_postgres::LocalPostgres;
use sqlx::PgPool;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const SAMPLE: &str = include_str!("../tests/fixtures/sample.json");
const TOKEN: &str = "token-of-the-benchmark";
const WARM_UP: Duration = Duration::from_secs(2);
const MEASURED: Duration = Duration::from_secs(6);

/// How often each build meets each load; the middle one of its figures counts.
const ROUNDS: usize = 3;

/// The platform's peak. (Its documentation: "Design for bursts of 20 requests/sec".)
const PEAK: Duration = Duration::from_millis(50);

/// So many connections, each of which sends its next call when it has its answer, or one at the platform's peak.
#[derive(Clone, Copy)]
enum Load {
    Peak,
    Connections(u64),
}

/// What one round showed, calls a second or milliseconds.
struct Shown {
    calls: f64,
    median: f64,
    p99: f64,
}

#[tokio::main]
async fn main() -> Result<()> {
    let postgres = LocalPostgres::start_throwaway()?;
    let url = postgres.url("postgres");
    let pool = PgPool::connect(&url).await?;
    for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
        sqlx::query(sqlx::AssertSqlSafe(format!("alter system set {setting} = on"))).execute(&pool).await?;
    }
    sqlx::query("select pg_reload_conf()").execute(&pool).await?;

    println!("{}", machine());
    let mut builds = vec![env!("CARGO_BIN_EXE_aftercall").to_owned()];
    builds.extend(std::env::var("AFTERCALL_BINARY"));
    for load in [Load::Peak, Load::Connections(1), Load::Connections(16), Load::Connections(64)] {
        let mut rounds: Vec<Vec<Shown>> = builds.iter().map(|_| Vec::new()).collect();
        for _ in 0..ROUNDS {
            for (build, shown) in builds.iter().zip(&mut rounds) {
                shown.push(round(build, &url, &pool, load).await?);
            }
        }
        for (build, shown) in builds.iter().zip(&rounds) {
            let calls = middle(shown, |shown| shown.calls);
            let (median, p99) = (middle(shown, |shown| shown.median), middle(shown, |shown| shown.p99));
            let load = match load {
                Load::Peak => "20 calls a second".to_owned(),
                Load::Connections(many) => format!("{many} connections"),
            };
            println!(
                "{load:>18}: {calls:>6.0} stored a second, answers in {median:.1} ms, p99 {p99:.1} ms ({build})"
            );
        }
    }
    Ok(())
}

fn middle(shown: &[Shown], of: impl Fn(&Shown) -> f64) -> f64 {
    let mut figures: Vec<f64> = shown.iter().map(of).collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// A receiver of its own on an empty database.
async fn round(build: &str, url: &str, pool: &PgPool, load: Load) -> Result<Shown> {
    // No page of an earlier run is in the way of this one.
    sqlx::query("drop schema if exists apalis cascade").execute(pool).await?;
    sqlx::query("drop schema public cascade").execute(pool).await?;
    sqlx::query("create schema public").execute(pool).await?;
    let receiver = Receiver::start(build, url)?;
    let (connections, pace) = match load {
        Load::Peak => (1, Some(PEAK)),
        Load::Connections(many) => (many, None),
    };
    let mut senders = JoinSet::new();
    for connection in 0..connections {
        let stream = TcpStream::connect(&receiver.address).await?;
        senders.spawn(async move { send(stream, connection, pace).await.map_err(|error| error.to_string()) });
    }
    let mut answers = Vec::new();
    while let Some(sender) = senders.join_next().await {
        answers.extend(sender??);
    }
    let stored: i64 = sqlx::query_scalar("select count(*) from call_event").fetch_one(pool).await?;
    let jobs: i64 =
        sqlx::query_scalar("select count(distinct idempotency_key) from apalis.jobs").fetch_one(pool).await?;
    assert_eq!(stored, jobs, "an event without its job");
    answers.sort_unstable();
    let at =
        |share: usize| answers[(answers.len() * share / 100).min(answers.len() - 1)].as_secs_f64() * 1000.0;
    Ok(Shown { calls: answers.len() as f64 / MEASURED.as_secs_f64(), median: at(50), p99: at(99) })
}

/// Sends calls one after the other; returns how long the answers took that began in the measured time.
async fn send(mut stream: TcpStream, connection: u64, pace: Option<Duration>) -> Result<Vec<Duration>> {
    stream.set_nodelay(true)?;
    let begin = Instant::now() + WARM_UP;
    let mut tick = pace.map(interval);
    if let Some(tick) = &mut tick {
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    }
    let (mut answers, mut answer) = (Vec::new(), vec![0; 4096]);
    for n in 0.. {
        if let Some(tick) = &mut tick {
            tick.tick().await;
        }
        let sent = Instant::now();
        if sent > begin + MEASURED {
            break;
        }
        let body = SAMPLE.replace("evt_5z7h3c", &format!("evt_{connection}_{n}"));
        let length = body.len();
        let request = format!(
            "POST /webhooks/after-call HTTP/1.1\r\nhost: x\r\nx-webhook-token: {TOKEN}\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await?;
        let read = stream.read(&mut answer).await?;
        if !answer[..read].starts_with(b"HTTP/1.1 200 ") {
            return Err(String::from_utf8_lossy(&answer[..read]).into());
        }
        if sent >= begin {
            answers.push(sent.elapsed());
        }
    }
    Ok(answers)
}

struct Receiver {
    child: Child,
    address: String,
}

impl Receiver {
    fn start(build: &str, database: &str) -> Result<Self> {
        let mut child = Command::new(build)
            .arg("receive")
            .env_clear()
            // No developer's `.env` is there.
            .current_dir("/")
            .envs([
                ("DATABASE_URL", database),
                ("WEBHOOK_TOKEN", TOKEN),
                ("LISTEN_ADDR", "127.0.0.1:0"),
                ("ADMIN_ADDR", "127.0.0.1:0"),
                ("LOG_FORMAT", "json"),
            ])
            .stdout(Stdio::piped())
            .spawn()?;
        let mut lines = BufReader::new(child.stdout.take().ok_or("no output")?).lines();
        let address = lines.find_map(|line| address(&line.ok()?)).ok_or("the receiver did not start")?;
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Self { child, address })
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

fn address(line: &str) -> Option<String> {
    let line: serde_json::Value = serde_json::from_str(line).ok()?;
    (line["message"] == "listening").then(|| line["address"].as_str().map(str::to_owned))?
}

fn machine() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{cores} cores of {}", model.map_or("an unknown processor", |(_, model)| model))
}
