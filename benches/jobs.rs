//! How soon a job starts, and how many jobs a second one worker gets done, with Postgres and the vendor on this machine.
//!
//! `cargo bench --bench jobs` prints both, and the machine. The job is one POST (`report-call`); the vendor answers at
//! once. `AFTERCALL_BINARY` names another build to compare with.

use std::{
    error::Error,
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use local_postgres::LocalPostgres;
use serde_json::{Value, json};
use sqlx::PgPool;
use stand_in::{Options, StandIn};
use tokio::time::{MissedTickBehavior, interval};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const SAMPLE: &str = include_str!("../tests/fixtures/sample.json");
const TOKEN: &str = "the-secret-of-a-benchmark";

/// The platform's peak. (Its documentation: "Design for bursts of 20 requests/sec".)
const PEAK: Duration = Duration::from_millis(50);

/// How many jobs wait when the worker starts.
const JOBS: u32 = 3000;

#[tokio::main]
async fn main() -> Result<()> {
    println!("{}", machine());
    let postgres = LocalPostgres::start_throwaway()?;
    let (url, vendor) = (postgres.url("postgres"), StandIn::start(Options::default()).await?);
    let pool = PgPool::connect(&url).await?;
    let start = |role| Process::start(role, &url, &vendor.url());
    let receiver = start("receive")?;

    let worker = start("work")?;
    let mut tick = interval(PEAK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for n in 0..200 {
        tick.tick().await;
        receiver.deliver(n).await?;
    }
    all_done(&pool).await?;
    let [p50, p95]: [f64; 2] = sqlx::query_scalar::<_, Vec<f64>>(
        "select percentile_cont(array[0.5, 0.95]) within group (order by extract(epoch from attempt.started_at - call_event.received_at))
         from attempt join call_event using (event_id)",
    )
    .fetch_one(&pool)
    .await?
    .try_into()
    .map_err(|_| "not two figures")?;
    println!(
        "20 calls a second: from a call's receipt to its job's start p50 {:.0} ms, p95 {:.0} ms",
        p50 * 1000.0,
        p95 * 1000.0
    );
    drop(worker);

    for n in 1000..1000 + JOBS {
        receiver.deliver(n).await?;
    }
    let _worker = start("work")?;
    let begun = Instant::now();
    all_done(&pool).await?;
    println!("{JOBS} jobs waiting: {:.0} done a second", f64::from(JOBS) / begun.elapsed().as_secs_f64());
    Ok(())
}

async fn all_done(pool: &PgPool) -> Result<()> {
    let open = "select exists (select from apalis.jobs where status not in ('Done', 'Killed'))";
    while sqlx::query_scalar::<_, bool>(open).fetch_one(pool).await? {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

struct Process {
    child: Child,
    address: String,
    http: reqwest::Client,
}

impl Process {
    fn start(role: &str, database: &str, vendor: &str) -> Result<Self> {
        let binary = std::env::var("AFTERCALL_BINARY");
        let mut child = Command::new(binary.unwrap_or_else(|_| env!("CARGO_BIN_EXE_aftercall").to_owned()))
            .arg(role)
            .env_clear()
            // No developer's `.env` is there.
            .current_dir("/")
            .envs([
                ("DATABASE_URL", database),
                ("WEBHOOK_TOKEN", TOKEN),
                ("LISTEN_ADDR", "127.0.0.1:0"),
                ("ADMIN_ADDR", "127.0.0.1:0"),
                ("LOG_FORMAT", "json"),
                ("JOBS", "report-call"),
                ("REPORT_URL", &format!("{vendor}/sink/reports")),
            ])
            .stdout(Stdio::piped())
            .spawn()?;
        let mut lines = BufReader::new(child.stdout.take().ok_or("no output")?).lines();
        let started = if role == "work" { "working" } else { "listening" };
        let line = lines.find_map(|line| {
            let line: Value = serde_json::from_str(&line.ok()?).ok()?;
            (line["message"] == started).then_some(line)
        });
        let line = line.ok_or("a process did not start")?;
        std::thread::spawn(move || lines.for_each(drop));
        let address = line["address"].as_str().unwrap_or_default().to_owned();
        Ok(Self { child, address, http: reqwest::Client::new() })
    }

    async fn deliver(&self, n: u32) -> Result<()> {
        let mut event: Value = serde_json::from_str(SAMPLE)?;
        event["event_id"] = json!(format!("evt_{n}"));
        event["call_id"] = json!(format!("cl_{n}"));
        let url = format!("http://{}/webhooks/after-call", self.address);
        let request = self.http.post(&url).header("X-Webhook-Token", TOKEN).json(&event);
        request.send().await?.error_for_status()?;
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

fn machine() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{cores} cores of {}", model.map_or("an unknown processor", |(_, model)| model))
}
