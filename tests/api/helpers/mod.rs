//! A deployment for one test: its own database, its own processes, its own stand-in, all gone at its end.

pub(crate) mod database;
mod ending;
pub(crate) mod files;
mod process;
pub(crate) mod proxy;
pub(crate) mod quoting;
pub(crate) mod raw;
// This machine plays a host of recordings in development alone.
#[cfg(feature = "dev")]
pub(crate) mod recordings;
#[cfg(feature = "dev")]
pub(crate) mod run;

use std::{collections::BTreeSet, time::Duration};

use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use sqlx::PgPool;
use stand_in::{Options, StandIn};

use database::Lent;
use ending::Ending;
pub(crate) use process::{Process, Ran, binary, run};
use proxy::Proxy;

pub(crate) const SAMPLE: &str = include_str!("../../fixtures/sample.json");
pub(crate) const CURL_SAMPLE: &str = include_str!("../../fixtures/curl_sample.json");
pub(crate) const CURL_SAMPLE_AS_PASTED: &str = include_str!("../../fixtures/curl_sample_as_pasted.json");

pub(crate) const TOKEN: &str = "a-long-random-secret";

/// Where `report-call`, the job of most tests, delivers to; with `review-call` it is one of two vendors.
pub(crate) const REPORTS: &str = "/sink/reports";
pub(crate) const REVIEWS: &str = "/sink/reviews";

/// How long a test waits for what must come: long, since it only tells a late answer from none.
pub(crate) const DEADLINE: Duration = Duration::from_mins(1);

/// A deployment: one process that receives, works, or both.
pub(crate) struct App {
    // Before the processes, which are killed when they are dropped.
    ending: Ending,
    pub(crate) process: Process,
    pub(crate) db: PgPool,
    pub(crate) stand_in: StandIn,
    pub(crate) http: Client,
    settings: Vec<(String, String)>,
    joined: Vec<Process>,
    /// Its own database, if nobody lent it one.
    _lent: Option<Lent>,
}

impl App {
    /// Receives and works, with a token and a vendor that takes reports.
    pub(crate) async fn start() -> Self {
        Self::with(&[]).await
    }

    /// Receives only.
    pub(crate) async fn receiver(settings: &[(&str, &str)]) -> Self {
        Self::launch(Some("receive"), settings).await
    }

    /// Receives and works, with these settings; an empty one takes a setting away.
    pub(crate) async fn with(settings: &[(&str, &str)]) -> Self {
        Self::launch(None, settings).await
    }

    async fn launch(command: Option<&str>, settings: &[(&str, &str)]) -> Self {
        Self::beside(StandIn::start(Options::default()).await.unwrap(), command, settings).await
    }

    /// A deployment whose vendors are this stand-in; the settings say which of its systems.
    pub(crate) async fn beside(stand_in: StandIn, command: Option<&str>, settings: &[(&str, &str)]) -> Self {
        let lent = Lent::create().await;
        let app = Self::assemble(stand_in, (lent.url(), lent.url()), command, settings).await;
        Self { _lent: Some(lent), ..app }
    }

    /// A deployment whose processes reach their database through this proxy; the test itself reaches it directly.
    pub(crate) async fn behind(proxy: &Proxy, command: Option<&str>, settings: &[(&str, &str)]) -> Self {
        let stand_in = StandIn::start(Options::default()).await.unwrap();
        Self::assemble(stand_in, (proxy.behind(), &proxy.url()), command, settings).await
    }

    /// Receives and works over this database.
    pub(crate) async fn over(url: &str, settings: &[(&str, &str)]) -> Self {
        let stand_in = StandIn::start(Options::default()).await.unwrap();
        Self::assemble(stand_in, (url, url), None, settings).await
    }

    /// The database is given as the test and as the processes reach it.
    async fn assemble(
        stand_in: StandIn,
        (direct, url): (&str, &str),
        command: Option<&str>,
        settings: &[(&str, &str)],
    ) -> Self {
        let usual = [
            ("DATABASE_URL", url),
            ("WEBHOOK_TOKEN", TOKEN),
            // A job that knows no vendor: what is tested here holds for every job and is to outlive those that a fork removes.
            ("JOBS", "report-call"),
            ("REPORT_URL", &format!("{}{REPORTS}", stand_in.url())),
            // Another origin, as in life: a vendor is told by its origin.
            ("REVIEW_URL", &format!("{}{REVIEWS}", stand_in.url().replace("127.0.0.1", "localhost"))),
            ("JOB_RETRY_FIRST", "1s"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut all: Vec<(String, String)> = usual.into();
        for (name, value) in settings {
            all.retain(|(usual, _)| usual != name);
            if !value.is_empty() {
                all.push(((*name).to_owned(), (*value).to_owned()));
            }
        }
        let process = Process::start(command, &all).await;
        let ending = Ending::of(direct);
        ending.watch(command, process.shared_log());
        let db = database::connect(direct).await;
        Self {
            ending,
            process,
            db,
            stand_in,
            http: Client::new(),
            settings: all,
            joined: Vec::new(),
            _lent: None,
        }
    }

    /// It ends with jobs undone, and is meant to.
    pub(crate) fn leaves_jobs(&self) {
        self.ending.leave_jobs();
    }

    /// What this deployment's setting is, where it has it.
    pub(crate) fn has(&self, name: &str) -> Option<&str> {
        self.settings.iter().find(|(setting, _)| setting == name).map(|(_, value)| value.as_str())
    }

    /// The same of one that it has.
    pub(crate) fn setting(&self, name: &str) -> &str {
        self.has(name).unwrap()
    }

    /// Another process of the same deployment.
    pub(crate) async fn another(&self, command: &str) -> Process {
        self.another_with(command, &[]).await
    }

    /// Another process of the same deployment, which has these settings too.
    pub(crate) async fn another_with(&self, command: &str, settings: &[(&str, &str)]) -> Process {
        let mut all = self.settings.clone();
        all.retain(|(usual, _)| settings.iter().all(|(name, _)| name != usual));
        all.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let process = Process::start(Some(command), &all).await;
        self.ending.watch(Some(command), process.shared_log());
        process
    }

    /// This deployment with such a process beside it, which ends with the app.
    pub(crate) async fn joined_by(mut self, command: &str, settings: &[(&str, &str)]) -> Self {
        self.joined.push(self.another_with(command, settings).await);
        self
    }

    /// This deployment with a receiver of other settings, which takes what is delivered from now on.
    pub(crate) async fn with_another_receiver(self, settings: &[(&str, &str)]) -> Self {
        let mut app = self.joined_by("receive", settings).await;
        std::mem::swap(&mut app.process, app.joined.last_mut().unwrap());
        app
    }

    pub(crate) fn url(&self) -> String {
        self.process.url("/webhooks/after-call")
    }

    /// A POST without any credential.
    pub(crate) fn bare(&self, body: impl Into<reqwest::Body>) -> RequestBuilder {
        self.http.post(self.url()).body(body)
    }

    /// A POST with the token.
    pub(crate) fn post(&self, body: impl Into<reqwest::Body>) -> RequestBuilder {
        self.bare(body).header("X-Webhook-Token", TOKEN)
    }

    /// Delivers an event that must be stored; returns the answer. As the platform does, it tries again where a busy machine
    /// answers 503; what was stored all the same is then a duplicate.
    pub(crate) async fn deliver(&self, event: &Value) -> Value {
        self.deliver_text(event.to_string()).await
    }

    /// The same of a body that need not be a documented one.
    pub(crate) async fn deliver_text(&self, body: impl Into<String>) -> Value {
        let body = body.into();
        for retry in 0..6 {
            let response = self.post(body.clone()).send().await.unwrap();
            if response.status() != StatusCode::SERVICE_UNAVAILABLE {
                assert_eq!(response.status(), StatusCode::OK, "{body:.200}");
                return response.json().await.unwrap();
            }
            tokio::time::sleep(Duration::from_secs(1 << retry)).await;
        }
        panic!("503 six times");
    }

    /// Waits until no job is left to be done.
    pub(crate) async fn all_done(&self) {
        eventually("all jobs are done", async || {
            let open = "select count(*) from apalis.jobs where status not in ('Done', 'Killed')";
            self.count(open).await == 0
        })
        .await;
    }

    pub(crate) async fn count(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query).fetch_one(&self.db).await.unwrap()
    }

    /// One text.
    pub(crate) async fn text(&self, query: &'static str) -> String {
        sqlx::query_scalar(query).fetch_one(&self.db).await.unwrap()
    }

    /// How many requests to a path have reached its vendor.
    pub(crate) fn heard(&self, path: &str) -> usize {
        self.stand_in.received().iter().filter(|request| request.path.contains(path)).count()
    }

    /// How many different calls the vendor of `report-call` holds: it takes a repeated key for a repeated delivery.
    pub(crate) fn reported(&self) -> usize {
        let deliveries = self.stand_in.sink().deliveries().into_iter();
        let keys = deliveries.filter(|delivery| delivery.path == REPORTS).map(|delivery| delivery.key);
        keys.collect::<BTreeSet<_>>().len()
    }
}

/// An event of this key and this call, otherwise the platform's sample.
pub(crate) fn event(event_id: &str, call_id: &str) -> Value {
    let mut event: Value = serde_json::from_str(SAMPLE).unwrap();
    event["event_id"] = json!(event_id);
    event["call_id"] = json!(call_id);
    event
}

/// The status and what the body says.
pub(crate) async fn told(request: RequestBuilder) -> (u16, String) {
    let response = request.send().await.unwrap();
    (response.status().as_u16(), reason(response).await)
}

async fn reason(response: Response) -> String {
    let body: Value = response.json().await.unwrap();
    body["error"].as_str().or(body["status"].as_str()).unwrap().to_owned()
}

/// Waits for a condition; says which one when it doesn't come.
pub(crate) async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(DEADLINE, waiting).await.unwrap_or_else(|_| panic!("in vain: {what}"));
}
