//! A job's test: no process, no database, and a vendor that says what the test has it say.
//!
//! ```no_run
//! # use engine::{call::Call, job::Job, testing::run};
//! # fn test<TellChat: Job<Settings: clap::Args>>(call: Call) {
//! let ran = run::<TellChat>(&["CHAT_URL={vendor}/hook"], &call);
//! assert_eq!(ran.outcome.expect("it is done").to_string(), "message cl_1");
//! assert_eq!(ran.received[0].body["text"], "Missed call cl_1");
//! # }
//! ```

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    Json, Router,
    body::{Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode},
};
use chrono::Utc;
use clap::{Args, Command};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{
    call::Call,
    config::{Declared, Values, declared::variable},
    job::{Job, JobError, Outcome},
    platform::Platform,
};

/// A request that the vendor had.
#[derive(Debug, Clone)]
pub struct Received {
    /// Its method.
    pub method: Method,
    /// Its path and query.
    pub path: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body; null where that is no JSON.
    pub body: Value,
}

/// What came of a run.
pub struct Ran {
    /// How the job ended.
    pub outcome: Result<Outcome, JobError>,
    /// Whether receivers would have enqueued it.
    pub wanted: bool,
    /// What the vendor had, in order.
    pub received: Vec<Received>,
}

/// What a vendor says to a request: a status and a body of JSON.
type Answer = Arc<dyn Fn(&Received) -> (u16, Value) + Send + Sync>;

/// Runs the job for the call, over these settings and no others (`NAME=value`, where `{vendor}` is the vendor's origin). The
/// vendor says `{"id": "1"}` to everything.
///
/// # Panics
///
/// One of the settings is none, or the job can't be made of them.
#[must_use]
pub fn run<J: Job<Settings: Args>>(settings: &[&str], call: &Call) -> Ran {
    run_beside::<J>(settings, call, |_| (200, json!({ "id": "1" })))
}

/// The same beside a vendor that answers so.
///
/// # Panics
///
/// Those of [`run`].
#[must_use]
pub fn run_beside<J: Job<Settings: Args>>(
    settings: &[&str],
    call: &Call,
    answer: impl Fn(&Received) -> (u16, Value) + Send + Sync + 'static,
) -> Ran {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let vendor = Vendor { answer: Arc::new(answer), received: Arc::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let origin = format!("http://{}", listener.local_addr().expect("it has an address"));
        let router = Router::new().fallback(take).with_state(vendor.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let config = Declared::with::<J::Settings>().of_values(&values(settings, &origin));
        let settings = config.get::<J::Settings>();
        let job = J::new(settings).unwrap_or_else(|error| panic!("{error}"));
        let (wanted, outcome) = (J::wants(call, settings), job.run(call).await);
        Ran { outcome, wanted, received: vendor.all().clone() }
    })
}

/// A call that ended so, as the platform tells of it: `call(&PLATFORM, "missed")`.
///
/// # Panics
///
/// The platform can't read its own sample.
#[must_use]
pub fn call(platform: &Platform, status: &str) -> Call {
    let sample = (platform.sample)(status, "inbound").to_string();
    platform.read(sample.as_bytes(), Utc::now()).unwrap_or_else(|error| panic!("{error}"))
}

fn values(settings: &[&str], origin: &str) -> Values {
    let value = |setting: &&str| {
        let (name, value) = setting.split_once('=').unwrap_or_else(|| panic!("{setting} is no NAME=value"));
        (name.to_owned(), value.replace("{vendor}", origin))
    };
    settings.iter().map(value).collect()
}

impl Declared {
    /// The fork's settings under these variables and no others.
    fn of_values(self, values: &Values) -> crate::config::Fork {
        for name in values.keys() {
            let known = self.arguments().iter().any(|(argument, _)| variable(argument) == Some(name));
            assert!(known, "{name} is no setting");
        }
        let command = self.add_to(Command::new("settings").no_binary_name(true), values);
        let matches = command.mut_args(|argument| argument.env(None)).try_get_matches_from([""; 0]);
        let config = matches.and_then(|matches| self.read(&matches));
        config.unwrap_or_else(|error| panic!("{error}")).fork
    }
}

#[derive(Clone)]
struct Vendor {
    answer: Answer,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Vendor {
    fn all(&self) -> std::sync::MutexGuard<'_, Vec<Received>> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn take(State(vendor): State<Vendor>, request: Request) -> (StatusCode, Json<Value>) {
    let (parts, body) = request.into_parts();
    let body: Bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let received = Received {
        method: parts.method,
        path: parts.uri.to_string(),
        headers: parts.headers,
        body: serde_json::from_slice(&body).unwrap_or_default(),
    };
    let (status, answer) = (vendor.answer)(&received);
    vendor.all().push(received);
    (StatusCode::from_u16(status).expect("a status"), Json(answer))
}
