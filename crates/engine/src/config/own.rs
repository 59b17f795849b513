//! The engine's own settings: each a field, with its text.

use std::{net::SocketAddr, time::Duration};

use axum::http::HeaderName;
use clap::{ArgAction, Args, ValueEnum, builder::BoolishValueParser};
use reqwest::Url;
use secrecy::SecretString as Secret;

use super::{
    alerts::AlertConfig,
    fork::Fork,
    ranges,
    values::{AllowedAddresses, Names, Networks},
};

/// The settings of one process.
#[derive(Debug, Clone, Args)]
pub struct Config {
    /// The Postgres that holds events and jobs: `postgres://user:password@host:5432/database`. `cargo run` and docker-compose
    /// bring one.
    ///
    /// To a public host the connection must be encrypted, unless `?sslmode=` says otherwise; `sslmode=verify-full` also looks
    /// whose certificate it is.
    #[arg(long, env)]
    pub database_url: Option<Secret>,

    /// The password for a `DATABASE_URL` that has none, as Postgres' own image calls it.
    #[arg(long, env)]
    pub postgres_password: Option<Secret>,

    /// Where the webhook is served.
    #[arg(long, env, default_value = "127.0.0.1:8080")]
    pub listen_addr: SocketAddr,

    /// Where the console, the metrics and the probes are served.
    #[arg(long, env, default_value = "127.0.0.1:8081")]
    pub admin_addr: SocketAddr,

    /// This server as the platform sees it, `https://calls.example.com`: what `doctor` looks at from outside.
    #[arg(long, env)]
    pub public_url: Option<Url>,

    /// The password of the console; without it there is no console.
    #[arg(long, env)]
    pub console_password: Option<Secret>,

    /// Names with a dot under which people open the console, comma separated; addresses and other names need none.
    #[arg(long, env, default_value = "")]
    pub console_hosts: Names,

    /// How log lines look [default: pretty on a terminal, else json].
    #[arg(long, env, value_enum)]
    pub log_format: Option<LogFormat>,

    /// After how many days a call's data is deleted, when its jobs are done; 0 keeps it for ever.
    #[arg(long, env, default_value_t = 90)]
    pub retention_days: u16,

    /// Who may deliver events, and how.
    #[command(flatten)]
    pub webhook: WebhookConfig,

    /// Which jobs run, and how hard they try.
    #[command(flatten)]
    pub jobs: JobsConfig,

    /// Who is told of trouble.
    #[command(flatten)]
    pub alerts: AlertConfig,

    /// The settings of jobs and vendors.
    #[arg(skip)]
    pub fork: Fork,
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
    #[arg(id = "webhook_path", long = "webhook-path", env = "WEBHOOK_PATH", default_value = "/webhook", value_parser = ranges::webhook_path)]
    pub path: String,

    /// The secret in the platform's custom header.
    #[arg(id = "webhook_token", long = "webhook-token", env = "WEBHOOK_TOKEN")]
    pub token: Option<Secret>,

    /// The secret before the last rotation, admitted too.
    #[arg(id = "webhook_token_previous", long = "webhook-token-previous", env = "WEBHOOK_TOKEN_PREVIOUS")]
    pub token_previous: Option<Secret>,

    /// The header that carries the token.
    #[arg(
        id = "webhook_token_header",
        long = "webhook-token-header",
        env = "WEBHOOK_TOKEN_HEADER",
        default_value = "X-Webhook-Token"
    )]
    pub token_header: HeaderName,

    /// The user of the platform's Basic Auth; either scheme admits when both are set.
    #[arg(id = "webhook_basic_user", long = "webhook-basic-user", env = "WEBHOOK_BASIC_USER")]
    pub basic_user: Option<String>,

    /// The password of the platform's Basic Auth.
    #[arg(id = "webhook_basic_password", long = "webhook-basic-password", env = "WEBHOOK_BASIC_PASSWORD")]
    pub basic_password: Option<Secret>,

    /// The user before the last rotation [default: the same].
    #[arg(
        id = "webhook_basic_user_previous",
        long = "webhook-basic-user-previous",
        env = "WEBHOOK_BASIC_USER_PREVIOUS"
    )]
    pub basic_user_previous: Option<String>,

    /// The password before the last rotation, admitted too.
    #[arg(
        id = "webhook_basic_password_previous",
        long = "webhook-basic-password-previous",
        env = "WEBHOOK_BASIC_PASSWORD_PREVIOUS"
    )]
    pub basic_password_previous: Option<Secret>,

    /// Admit requests without any credential.
    #[arg(id = "webhook_allow_unauthenticated", long = "webhook-allow-unauthenticated", env = "WEBHOOK_ALLOW_UNAUTHENTICATED",
          default_value = "false", action = ArgAction::Set, value_parser = BoolishValueParser::new())]
    pub allow_unauthenticated: bool,

    /// The key of the HMAC signature; without it, the token.
    #[arg(id = "webhook_signing_secret", long = "webhook-signing-secret", env = "WEBHOOK_SIGNING_SECRET")]
    pub signing_secret: Option<Secret>,

    /// The key before the last rotation; without it, the previous token.
    #[arg(
        id = "webhook_signing_secret_previous",
        long = "webhook-signing-secret-previous",
        env = "WEBHOOK_SIGNING_SECRET_PREVIOUS"
    )]
    pub signing_secret_previous: Option<Secret>,

    /// Whether the signature is looked at: `required`, `optional` or `off` [default: required where `WEBHOOK_SIGNING_SECRET` is
    /// set, else optional].
    #[arg(id = "webhook_signature", long = "webhook-signature", env = "WEBHOOK_SIGNATURE", value_enum)]
    pub signature: Option<SignaturePolicy>,

    /// The header that carries the HMAC-SHA256 of the body, in hex or base64, each with or without `sha256=`.
    #[arg(
        id = "webhook_signature_header",
        long = "webhook-signature-header",
        env = "WEBHOOK_SIGNATURE_HEADER",
        default_value = "X-Webhook-Signature"
    )]
    pub signature_header: HeaderName,

    /// Addresses that may deliver: networks, comma separated, or `loopback`, or `any`. Needed beside `PUBLIC_URL`.
    #[arg(
        id = "webhook_allowed_ips",
        long = "webhook-allowed-ips",
        env = "WEBHOOK_ALLOWED_IPS",
        default_value = "loopback"
    )]
    pub allowed_ips: AllowedAddresses,

    /// Proxies whose X-Forwarded-For is believed: networks, comma separated.
    #[arg(long, env, default_value = "")]
    pub trusted_proxies: Networks,

    /// The largest body, in bytes.
    #[arg(
        id = "webhook_max_body",
        long = "webhook-max-body",
        env = "WEBHOOK_MAX_BODY",
        default_value_t = 65_536
    )]
    pub max_body: usize,

    /// Failed credentials a second from one address before it gets 429 in place of 401; 0 switches this off.
    ///
    /// The right one is always heard, since the platform may share its address: what keeps guesses out is the secret's length.
    #[arg(
        id = "webhook_failed_auth_limit",
        long = "webhook-failed-auth-limit",
        env = "WEBHOOK_FAILED_AUTH_LIMIT",
        default_value_t = 10
    )]
    pub failed_auth_limit: u32,

    /// Answer 410 to every delivery: the platform should stop sending.
    #[arg(id = "webhook_gone", long = "webhook-gone", env = "WEBHOOK_GONE",
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
    #[arg(id = "jobs", long = "jobs", env = "JOBS", default_value = "")]
    pub enabled: Names,

    /// How long one run of a job may take, 30s at the most: a worker that is silent for a minute counts as dead.
    #[arg(id = "job_timeout", long = "job-timeout", env = "JOB_TIMEOUT", default_value = "20s", value_parser = ranges::job_timeout)]
    pub timeout: Duration,

    /// The wait after the first failure; each further one doubles it, and jitter adds up to a tenth.
    #[arg(id = "job_retry_first", long = "job-retry-first", env = "JOB_RETRY_FIRST", default_value = "5s", value_parser = humantime::parse_duration)]
    pub retry_first: Duration,

    /// The longest wait between two tries.
    #[arg(id = "job_retry_max", long = "job-retry-max", env = "JOB_RETRY_MAX", default_value = "3h", value_parser = humantime::parse_duration)]
    pub retry_max: Duration,

    /// How long after its first try a failing job is given up.
    #[arg(id = "job_give_up_after", long = "job-give-up-after", env = "JOB_GIVE_UP_AFTER", default_value = "72h", value_parser = humantime::parse_duration)]
    pub give_up_after: Duration,

    /// How many jobs of one kind a process runs at a time; more of them only wait for the vendor's limit.
    #[arg(id = "job_concurrency", long = "job-concurrency", env = "JOB_CONCURRENCY", default_value = "8", value_parser = ranges::concurrency)]
    pub concurrency: usize,
}
