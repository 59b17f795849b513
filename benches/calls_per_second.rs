//! How many calls a second one receiver stores, with Postgres, receiver and sender on this machine.
//!
//! `cargo bench --bench calls_per_second` prints a line for each number of connections, and the machine. Postgres is
//! durable here (fsync on), and each call starts the two usual jobs. Each request is an event of its own on a connection that is kept open; an answer other than
//! 200 ends the run.

#![expect(clippy::cast_precision_loss, reason = "counts of calls are far below 2^52")]

use std::{
    error::Error,
    fs,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use local_postgres::LocalPostgres;
use sqlx::PgPool;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

const SAMPLE: &str = include_str!("../tests/fixtures/sample.json");
const TOKEN: &str = "token-of-the-benchmark";
const WARM_UP: Duration = Duration::from_secs(2);
const MEASURED: Duration = Duration::from_secs(8);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let postgres = LocalPostgres::start_throwaway()?;
    let url = postgres.url("postgres");
    let pool = PgPool::connect(&url).await?;
    for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
        sqlx::query(sqlx::AssertSqlSafe(format!("alter system set {setting} = on"))).execute(&pool).await?;
    }
    sqlx::query("select pg_reload_conf()").execute(&pool).await?;

    println!("{}", machine());
    for connections in [1, 16, 64] {
        // No page of an earlier run is in the way of this one.
        sqlx::query("drop schema if exists apalis cascade").execute(&pool).await?;
        sqlx::query("drop schema public cascade").execute(&pool).await?;
        sqlx::query("create schema public").execute(&pool).await?;
        let mut receiver = Command::new(env!("CARGO_BIN_EXE_aftercall"))
            .arg("receive")
            .env_clear()
            // No developer's `.env` is there.
            .current_dir("/")
            .envs([
                ("DATABASE_URL", url.as_str()),
                ("WEBHOOK_TOKEN", TOKEN),
                ("LISTEN_ADDR", "127.0.0.1:0"),
                ("ADMIN_ADDR", "127.0.0.1:0"),
                ("LOG_FORMAT", "json"),
            ])
            .stdout(Stdio::piped())
            .spawn()?;
        let mut lines = BufReader::new(receiver.stdout.take().ok_or("no output")?).lines();
        let address = lines.find_map(|line| address(&line.ok()?)).ok_or("the receiver did not start")?;
        std::thread::spawn(move || lines.for_each(drop));
        let measured = measure(&address, connections).await;
        receiver.kill()?;
        receiver.wait()?;
        let (calls, seconds, slowest) = measured?;
        let stored: i64 = sqlx::query_scalar("select count(*) from call_event").fetch_one(&pool).await?;
        let jobs: i64 = sqlx::query_scalar("select count(distinct idempotency_key) from apalis.jobs")
            .fetch_one(&pool)
            .await?;
        assert_eq!(stored, jobs, "an event without its job");
        println!(
            "{connections:>3} connections: {:>6.0} calls stored a second, slowest answer {slowest:?}",
            calls as f64 / seconds
        );
    }
    Ok(())
}

fn address(line: &str) -> Option<String> {
    let line: serde_json::Value = serde_json::from_str(line).ok()?;
    (line["message"] == "listening").then(|| line["address"].as_str().map(str::to_owned))?
}

/// Calls stored in the measured time, that time in seconds, and the slowest answer.
async fn measure(address: &str, connections: u64) -> Result<(u64, f64, Duration), Box<dyn Error>> {
    let (stored, slowest) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let end = Instant::now() + WARM_UP + MEASURED;
    let mut senders = JoinSet::new();
    for connection in 0..connections {
        let (stored, slowest) = (Arc::clone(&stored), Arc::clone(&slowest));
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        senders.spawn(async move {
            let mut answer = vec![0; 4096];
            for n in 0.. {
                if Instant::now() > end {
                    break;
                }
                let body = SAMPLE.replace("evt_5z7h3c", &format!("evt_{connection}_{n}"));
                let length = body.len();
                let request = format!(
                    "POST /webhooks/after-call HTTP/1.1\r\nhost: x\r\nx-webhook-token: {TOKEN}\r\ncontent-length: {length}\r\n\r\n{body}"
                );
                let sent = Instant::now();
                stream.write_all(request.as_bytes()).await?;
                let read = stream.read(&mut answer).await?;
                if !answer[..read].starts_with(b"HTTP/1.1 200 ") {
                    return Err(std::io::Error::other(String::from_utf8_lossy(&answer[..read]).into_owned()));
                }
                stored.fetch_add(1, Ordering::Relaxed);
                slowest.fetch_max(u64::try_from(sent.elapsed().as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
            }
            Ok(())
        });
    }
    tokio::time::sleep(WARM_UP).await;
    let (begun, before) = (Instant::now(), stored.load(Ordering::Relaxed));
    slowest.store(0, Ordering::Relaxed);
    tokio::time::sleep(MEASURED).await;
    let (calls, seconds) = (stored.load(Ordering::Relaxed) - before, begun.elapsed().as_secs_f64());
    while let Some(sender) = senders.join_next().await {
        sender??;
    }
    Ok((calls, seconds, Duration::from_micros(slowest.load(Ordering::Relaxed))))
}

fn machine() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{cores} cores of {}", model.map_or("an unknown processor", |(_, model)| model))
}
