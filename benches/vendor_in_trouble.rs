//! What calls go through when HubSpot is slow or down, and that Zendesk's don't notice.
//!
//! `cargo bench --bench vendor_in_trouble` takes some four minutes. First 500 calls at once with a HubSpot that admits 100
//! requests in 10 s, and two processes that share it: how many jobs of each vendor were done when. Then a HubSpot that
//! is down for a minute: what was sent to it meanwhile, and how long after its return everything was done.

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
use stand_in::{Fault, Options, RateLimit, StandIn, hubspot, zendesk::Status};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const SAMPLE: &str = include_str!("../tests/fixtures/sample.json");
const TOKEN: &str = "token-of-the-benchmark";
const OUTAGE: Duration = Duration::from_mins(1);

/// Two processes that receive and work, over a database and vendors of their own.
struct Deployment {
    _postgres: LocalPostgres,
    pool: PgPool,
    vendors: StandIn,
    processes: Vec<Child>,
    address: String,
}

impl Deployment {
    async fn start(rate_limit: Option<RateLimit>) -> Result<Self> {
        let postgres = LocalPostgres::start_throwaway()?;
        let url = postgres.url("postgres");
        let options =
            Options { hubspot: hubspot::Options { rate_limit, ..Default::default() }, ..Options::default() };
        let accepts = options.clone();
        let vendors = StandIn::start(options).await?;
        let zendesk = vendors.url().replace("127.0.0.1", "localhost");
        let settings = [
            ("DATABASE_URL", url.as_str()),
            ("WEBHOOK_TOKEN", TOKEN),
            ("LISTEN_ADDR", "127.0.0.1:0"),
            ("ADMIN_ADDR", "127.0.0.1:0"),
            ("LOG_FORMAT", "json"),
            ("HUBSPOT_BASE_URL", &vendors.url()),
            ("HUBSPOT_TOKEN", &accepts.hubspot.token),
            ("HUBSPOT_CONTACT_ID_PROPERTY", "acme_id"),
            ("ZENDESK_BASE_URL", &zendesk),
            ("ZENDESK_CLIENT_ID", &accepts.zendesk.client_id),
            ("ZENDESK_CLIENT_SECRET", &accepts.zendesk.client_secret),
        ];
        let (mut processes, mut address) = (Vec::new(), String::new());
        for _ in 0..2 {
            let mut process = Command::new(env!("CARGO_BIN_EXE_aftercall"))
                .env_clear()
                .envs(settings)
                .stdout(Stdio::piped())
                .spawn()?;
            let mut lines = BufReader::new(process.stdout.take().ok_or("no output")?).lines();
            address = lines.find_map(|line| listening(&line.ok()?)).ok_or("a process did not start")?;
            std::thread::spawn(move || lines.for_each(drop));
            processes.push(process);
        }
        let pool = PgPool::connect(&url).await?;
        Ok(Self { _postgres: postgres, pool, vendors, processes, address })
    }

    /// Delivers calls, each beside a ticket of its own.
    async fn deliver(&self, calls: u32) -> Result<()> {
        let http = reqwest::Client::new();
        let url = format!("http://{}/webhooks/after-call", self.address);
        for n in 0..calls {
            let mut event: Value = serde_json::from_str(SAMPLE)?;
            event["event_id"] = json!(format!("evt_{n}"));
            event["call_id"] = json!(format!("cl_{n}"));
            event["custom_fields"]["ticket_id"] = json!(self.vendors.zendesk().add_ticket(Status::Open));
            let request = http.post(&url).header("X-Webhook-Token", TOKEN).json(&event);
            request.send().await?.error_for_status()?;
        }
        Ok(())
    }

    async fn count(&self, query: &'static str) -> Result<i64> {
        Ok(sqlx::query_scalar(query).fetch_one(&self.pool).await?)
    }

    async fn all_done(&self, calls: u32) -> Result<()> {
        while self.count("select count(*) from receipt").await? < i64::from(calls) * 2 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    /// Attempts that were burned, and jobs that were given up; prints why.
    async fn failures(&self) -> Result<(i64, i64)> {
        let reasons: Vec<(String, i64)> = sqlx::query_as(
            "select job || ': ' || reason, count(*) from attempt where result in ('retry', 'given_up') group by 1",
        )
        .fetch_all(&self.pool)
        .await?;
        for (reason, times) in reasons {
            println!("{times} times {reason}");
        }
        let retried = self.count("select count(*) from attempt where result = 'retry'").await?;
        Ok((retried, self.count("select count(*) from attempt where result = 'given_up'").await?))
    }
}

impl Drop for Deployment {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _gone = process.kill();
            let _gone = process.wait();
        }
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    println!("{}\n", machine());
    slow().await?;
    down().await
}

async fn slow() -> Result<()> {
    const CALLS: u32 = 500;
    println!("{CALLS} calls at once; HubSpot admits 100 requests in 10 s");
    let deployment = Deployment::start(Some(hubspot::RATE_LIMIT)).await?;
    let begun = Instant::now();
    deployment.deliver(CALLS).await?;
    println!("all stored after {:.1} s; done since then:", begun.elapsed().as_secs_f64());
    println!("{:>6}  {:>10}  {:>16}", "second", "update-crm", "attach-recording");
    let mut second = 0;
    loop {
        let crm = deployment.count("select count(*) from receipt where job = 'update-crm'").await?;
        let tickets = deployment.count("select count(*) from receipt where job = 'attach-recording'").await?;
        println!("{second:>6}  {crm:>10}  {tickets:>16}");
        if crm + tickets == i64::from(CALLS) * 2 {
            break;
        }
        tokio::time::sleep(Duration::from_secs(10)).await;
        second += 10;
    }
    let refused = deployment.vendors.received().iter().filter(|request| request.status == Some(429)).count();
    let (retried, given_up) = deployment.failures().await?;
    println!("HubSpot answered 429 {refused} times; {retried} attempts burned, {given_up} jobs given up\n");
    Ok(())
}

async fn down() -> Result<()> {
    const CALLS: u32 = 50;
    println!("{CALLS} calls; HubSpot answers 503 for {} s", OUTAGE.as_secs());
    let deployment = Deployment::start(None).await?;
    deployment.vendors.fail(Fault::status(503).on("/crm/").endless());
    deployment.deliver(CALLS).await?;
    tokio::time::sleep(OUTAGE).await;
    let to_hubspot = |request: &&stand_in::Received| request.path.starts_with("/crm/");
    let sent = deployment.vendors.received().iter().filter(to_hubspot).count();
    let tickets = deployment.count("select count(*) from receipt where job = 'attach-recording'").await?;
    deployment.vendors.clear_faults();
    let back = Instant::now();
    deployment.all_done(CALLS).await?;
    let (retried, given_up) = deployment.failures().await?;
    println!("during it {sent} requests to HubSpot, and {tickets} recordings attached");
    println!(
        "all done {:.1} s after its return; {retried} attempts burned, {given_up} jobs given up",
        back.elapsed().as_secs_f64()
    );
    Ok(())
}

fn listening(line: &str) -> Option<String> {
    let line: Value = serde_json::from_str(line).ok()?;
    (line["message"] == "listening").then(|| line["address"].as_str().map(str::to_owned))?
}

fn machine() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{cores} cores of {}", model.map_or("an unknown processor", |(_, model)| model))
}
