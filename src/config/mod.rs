//! Every setting: its variable, its default, its meaning.
//!
//! A setting is an environment variable, and a flag of the same name for trying it out. Secrets and `DATABASE_URL`
//! come from the environment or from a file named by `NAME_FILE` alone: a flag would show in the process list. A file
//! `.env` in the working directory is part of the environment ([`dotenv`]).

mod checks;
pub mod dotenv;
mod hubspot;
mod ranges;
mod read;
mod secrets;
mod values;
mod webhooks;
mod zendesk;

use std::{net::SocketAddr, time::Duration};

use axum::http::HeaderName;
use clap::{ArgAction, Args, ValueEnum, builder::BoolishValueParser};
use reqwest::Url;
use secrecy::SecretString;

pub use hubspot::HubSpotConfig;
pub use secrets::{new_secret, secret};
pub use values::{AllowedAddresses, ConfigError, Names, Networks, Pairs, Region, is_private};
pub use webhooks::{AlertConfig, ReportConfig, ReviewConfig};
pub use zendesk::ZendeskConfig;

/// The webhook's path where none is configured. (Documentation, "cURL mock".)
pub const DEFAULT_PATH: &str = "/webhooks/after-call";

/// The header of the token where none is configured. (Documentation, "Security & authentication".)
pub const DEFAULT_TOKEN_HEADER: &str = "X-Webhook-Token";

/// The settings of one process.
#[derive(Debug, Clone, Args)]
pub struct Config {
    /// The Postgres that holds events and jobs (`DATABASE_URL`).
    #[arg(skip)]
    pub database_url: Option<SecretString>,

    /// The password for a `DATABASE_URL` that has none (`POSTGRES_PASSWORD`, as Postgres' own image calls it).
    #[arg(skip)]
    pub postgres_password: Option<SecretString>,

    /// Where the webhook is served.
    #[arg(long, env, default_value = "127.0.0.1:8080")]
    pub listen_addr: SocketAddr,

    /// Where the console and the probes are served.
    #[arg(long, env, default_value = "127.0.0.1:8081")]
    pub admin_addr: SocketAddr,

    /// This server as the platform sees it, `https://calls.example.com`: what `aftercall doctor` looks at from outside.
    #[arg(long, env)]
    pub public_url: Option<Url>,

    /// The console's password, under any user name (`CONSOLE_PASSWORD`); without it there is no console.
    #[arg(skip)]
    pub console_password: Option<SecretString>,

    /// Names with a dot under which people open the console, comma separated; addresses and other names need none.
    #[arg(long, env, default_value = "")]
    pub console_hosts: Names,

    /// How log lines look [default: pretty on a terminal, else json].
    #[arg(long, env, value_enum)]
    pub log_format: Option<LogFormat>,

    /// The custom field that names the call's support ticket.
    #[arg(long, env, default_value = "ticket_id")]
    pub ticket_field: String,

    /// Where a number without a `+` is from, as ISO 3166 writes it: `IN`, `US` [default: such a number finds no contact].
    #[arg(long, env)]
    pub default_region: Option<Region>,

    /// Who may deliver events, and how.
    #[command(flatten)]
    pub webhook: WebhookConfig,

    /// Which jobs run, and how hard they try.
    #[command(flatten)]
    pub jobs: JobsConfig,

    /// The CRM of `update-crm`.
    #[command(flatten)]
    pub hubspot: HubSpotConfig,

    /// The tickets of `attach-recording`.
    #[command(flatten)]
    pub zendesk: ZendeskConfig,

    /// The receiver of `review-call`.
    #[command(flatten)]
    pub review: ReviewConfig,

    /// The receiver of `report-call`.
    #[command(flatten)]
    pub report: ReportConfig,

    /// Who is told of trouble.
    #[command(flatten)]
    pub alerts: AlertConfig,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// One JSON object a line.
    Json,
}

/// Who may deliver events, and how.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Webhook")]
pub struct WebhookConfig {
    /// The path of the webhook, with or without a slash at its end.
    #[arg(long = "webhook-path", env = "WEBHOOK_PATH", default_value = DEFAULT_PATH, value_parser = ranges::webhook_path)]
    pub path: String,

    /// The secret in the platform's custom header (`WEBHOOK_TOKEN`).
    #[arg(skip)]
    pub token: Option<SecretString>,

    /// The secret before the last rotation, admitted too (`WEBHOOK_TOKEN_PREVIOUS`).
    #[arg(skip)]
    pub token_previous: Option<SecretString>,

    /// The header that carries the token.
    #[arg(long = "webhook-token-header", env = "WEBHOOK_TOKEN_HEADER", default_value = DEFAULT_TOKEN_HEADER)]
    pub token_header: HeaderName,

    /// The user of the platform's Basic Auth; either scheme admits when both are set.
    #[arg(long = "webhook-basic-user", env = "WEBHOOK_BASIC_USER")]
    pub basic_user: Option<String>,

    /// The password of the platform's Basic Auth (`WEBHOOK_BASIC_PASSWORD`).
    #[arg(skip)]
    pub basic_password: Option<SecretString>,

    /// The user before the last rotation [default: the same].
    #[arg(long = "webhook-basic-user-previous", env = "WEBHOOK_BASIC_USER_PREVIOUS")]
    pub basic_user_previous: Option<String>,

    /// The password before the last rotation, admitted too (`WEBHOOK_BASIC_PASSWORD_PREVIOUS`).
    #[arg(skip)]
    pub basic_password_previous: Option<SecretString>,

    /// Admit requests without any credential.
    #[arg(long = "webhook-allow-unauthenticated", env = "WEBHOOK_ALLOW_UNAUTHENTICATED",
          default_value = "false", action = ArgAction::Set, value_parser = BoolishValueParser::new())]
    pub allow_unauthenticated: bool,

    /// The key of the HMAC signature (`WEBHOOK_SIGNING_SECRET`); without it, the token.
    #[arg(skip)]
    pub signing_secret: Option<SecretString>,

    /// The key before the last rotation (`WEBHOOK_SIGNING_SECRET_PREVIOUS`); without it, the previous token.
    #[arg(skip)]
    pub signing_secret_previous: Option<SecretString>,

    /// Whether the signature is looked at [default: required where `WEBHOOK_SIGNING_SECRET` is set, else optional].
    #[arg(long = "webhook-signature", env = "WEBHOOK_SIGNATURE", value_enum)]
    pub signature: Option<SignaturePolicy>,

    /// The header that carries the HMAC-SHA256 of the body, in hex or base64.
    #[arg(
        long = "webhook-signature-header",
        env = "WEBHOOK_SIGNATURE_HEADER",
        default_value = "X-Webhook-Signature"
    )]
    pub signature_header: HeaderName,

    /// Addresses that may deliver: networks, comma separated, or `loopback`, or `any`.
    #[arg(long = "webhook-allowed-ips", env = "WEBHOOK_ALLOWED_IPS", default_value = "loopback")]
    pub allowed_ips: AllowedAddresses,

    /// Proxies whose X-Forwarded-For is believed: networks, comma separated.
    #[arg(long, env, default_value = "")]
    pub trusted_proxies: Networks,

    /// The largest body, in bytes.
    #[arg(long = "webhook-max-body", env = "WEBHOOK_MAX_BODY", default_value_t = 65_536)]
    pub max_body: usize,

    /// Failed credentials a second from one address before it gets 429; 0 switches this off.
    #[arg(long = "webhook-failed-auth-limit", env = "WEBHOOK_FAILED_AUTH_LIMIT", default_value_t = 10)]
    pub failed_auth_limit: u32,

    /// Answer 410 to every delivery: the platform should stop sending.
    #[arg(long = "webhook-gone", env = "WEBHOOK_GONE",
          default_value = "false", action = ArgAction::Set, value_parser = BoolishValueParser::new())]
    pub gone: bool,
}

/// Whether a delivery's signature is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SignaturePolicy {
    /// A delivery without a signature is refused.
    Required,
    /// A signature is verified when there is one.
    Optional,
    /// The header is not looked at.
    Off,
}

/// Which jobs run, and how hard they try.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Jobs")]
pub struct JobsConfig {
    /// The jobs of this deployment, comma separated; the same for receivers and workers.
    #[arg(long = "jobs", env = "JOBS", default_value = "update-crm,attach-recording")]
    pub enabled: Names,

    /// How long one run of a job may take, 30s at the most: a worker that is silent for a minute counts as dead.
    #[arg(long = "job-timeout", env = "JOB_TIMEOUT", default_value = "20s", value_parser = ranges::job_timeout)]
    pub timeout: Duration,

    /// The wait after the first failure; each further one doubles it.
    #[arg(long = "job-retry-first", env = "JOB_RETRY_FIRST", default_value = "5s", value_parser = humantime::parse_duration)]
    pub retry_first: Duration,

    /// The longest wait between two tries.
    #[arg(long = "job-retry-max", env = "JOB_RETRY_MAX", default_value = "3h", value_parser = humantime::parse_duration)]
    pub retry_max: Duration,

    /// How long after its first try a failing job is given up.
    #[arg(long = "job-give-up-after", env = "JOB_GIVE_UP_AFTER", default_value = "72h", value_parser = humantime::parse_duration)]
    pub give_up_after: Duration,

    /// How many jobs of one kind a process runs at a time; more of them only wait for the vendor's limit.
    #[arg(long = "job-concurrency", env = "JOB_CONCURRENCY", default_value = "8", value_parser = ranges::concurrency)]
    pub concurrency: usize,
}
