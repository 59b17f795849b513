//! `aftercall doctor`.

use super::{changed, program, settings, tls::Proxy};
use crate::helpers::{App, REPORTS, Ran, database};

/// A deployment with nothing wrong: a receiver behind a proxy, and the job that knows no vendor.
pub(crate) struct Good {
    _receiver: App,
    proxy: Proxy,
    settings: Vec<(String, String)>,
}

impl Good {
    async fn new() -> Self {
        let app = App::receiver(&[]).await;
        let proxy = Proxy::before(app.process.address().to_owned()).await;
        let settings = settings([
            ("DATABASE_URL", database::create().await),
            ("WEBHOOK_TOKEN", "0d3c8d0f6b1f4a5f9a7d2e6c4b8a1357".to_owned()),
            ("CONSOLE_PASSWORD", "9f1e2d3c4b5a69788796a5b4c3d2e1f0".to_owned()),
            ("WEBHOOK_ALLOWED_IPS", "203.0.113.0/24".to_owned()),
            ("TRUSTED_PROXIES", "127.0.0.1".to_owned()),
            ("PUBLIC_URL", format!("https://localhost:{}", proxy.address.port())),
            ("SSL_CERT_FILE", proxy.trusted_by()),
            ("JOBS", "report-call".to_owned()),
            ("REPORT_URL", format!("{}{REPORTS}", app.stand_in.url())),
        ]);
        Self { _receiver: app, proxy, settings }
    }

    /// The same with another job, which has these settings.
    pub(crate) async fn with_job(job: &str, own: &[(&'static str, String)]) -> Self {
        let mut good = Self::new().await;
        good.settings = changed(&good.settings, "JOBS", job);
        good.settings.extend(settings(own.iter().cloned()));
        good
    }

    /// What the doctor says with one setting changed; none has an empty name.
    pub(crate) async fn with(&self, name: &str, value: &str) -> Ran {
        program(&["doctor"], &changed(&self.settings, name, value)).await
    }
}

/// There is one cross, and its line has all of these.
pub(crate) fn one_cross(ran: &Ran, parts: &[&str]) {
    let crosses: Vec<_> = ran.out.lines().filter(|line| line.starts_with('✗')).collect();
    assert!(ran.code == 1 && crosses.len() == 1, "{parts:?}: {ran:?}");
    assert!(parts.iter().all(|part| crosses[0].contains(part)), "{parts:?}: {}", crosses[0]);
    assert!(crosses[0].contains(" → "), "it says what to do: {}", crosses[0]);
}

#[tokio::test]
async fn a_good_deployment_has_ticks_alone() {
    let good = Good::new().await;
    let ran = program(&["doctor"], &good.settings).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    for (number, line) in ran.out.lines().enumerate() {
        assert!(
            line.starts_with('✓') || line == format!("{number} well, 0 wrong, 0 not looked at"),
            "{}",
            ran.out
        );
    }
    assert_eq!(ran.out.lines().count(), 12, "{}", ran.out);
}

#[tokio::test]
async fn a_wrong_setting_is_one_cross_with_what_to_do() {
    let good = Good::new().await;
    let token = "0d3c8d0f6b1f4a5f9a7d2e6c4b8a1357";
    let http = format!("http://localhost:{}", good.proxy.address.port());
    for (name, value, parts) in [
        ("DATABASE_URL", "", &["database: DATABASE_URL is not set"][..]),
        ("DATABASE_URL", "postgres://me@127.0.0.1:1/calls", &["database: ", "refused", "is it running"]),
        ("WEBHOOK_TOKEN", "", &["credential: ", "set WEBHOOK_TOKEN", "aftercall init"]),
        ("WEBHOOK_TOKEN", "short", &["secrets: WEBHOOK_TOKEN can be guessed", "openssl"]),
        ("WEBHOOK_TOKEN", "changeme-changeme-changeme-0123", &["secrets: WEBHOOK_TOKEN can be guessed"]),
        ("CONSOLE_PASSWORD", "aaaaaaaaaaaaaaaaaaaaaaaaaaaa", &["secrets: CONSOLE_PASSWORD can be guessed"]),
        ("CONSOLE_PASSWORD", token, &["secrets: WEBHOOK_TOKEN and CONSOLE_PASSWORD are the same"]),
        ("WEBHOOK_SIGNING_SECRET", " ", &["settings: WEBHOOK_SIGNING_SECRET is empty"]),
        ("WEBHOOK_GONE", "true", &["credential: WEBHOOK_GONE is set"]),
        ("WEBHOOK_ALLOWED_IPS", "", &["addresses: ", "list the platform's egress addresses"]),
        (
            "WEBHOOK_ALLOWED_IPS",
            "10.0.0.0/8,fd00::/8",
            &["addresses: ", "list the platform's egress addresses"],
        ),
        ("TRUSTED_PROXIES", "", &["addresses: TRUSTED_PROXIES is empty"]),
        ("JOBS", "report-call,no-such-job", &["no-such-job: `no-such-job` is no job"]),
        ("JOBS", "report-call,review-call", &["review-call: REVIEW_URL"]),
        ("REPORT_URL", "", &["report-call: REPORT_URL"]),
        ("PUBLIC_URL", &http, &["public address: PUBLIC_URL is no https:// URL"]),
        ("PUBLIC_URL", "https://localhost:1", &["public address: ", "refused", "port 443"]),
    ] {
        one_cross(&good.with(name, value).await, parts);
    }
}

#[tokio::test]
async fn a_certificate_that_the_platform_would_refuse_is_a_cross() {
    let good = Good::new().await;
    one_cross(
        &good.with("SSL_CERT_FILE", "").await,
        &["public address: ", "invalid peer certificate", "from a public authority"],
    );
    let by_address = format!("https://{}", good.proxy.address);
    one_cross(&good.with("PUBLIC_URL", &by_address).await, &["public address: ", "not valid for name"]);
}

#[tokio::test]
async fn a_proxy_that_leads_elsewhere_is_a_cross() {
    let good = Good::new().await;
    let elsewhere = format!("https://localhost:{}/elsewhere", good.proxy.address.port());
    one_cross(&good.with("PUBLIC_URL", &elsewhere).await, &["public address: ", "404", "LISTEN_ADDR"]);
}

#[tokio::test]
async fn jobs_that_are_off_need_no_vendor() {
    let good = Good::new().await;
    let ran = program(&["doctor", "--jobs", ""], &good.settings).await;
    assert!(ran.code == 0 && ran.out.contains("- jobs: JOBS is empty"), "{ran:?}");
}

#[tokio::test]
async fn every_address_is_a_warning() {
    let ran = Good::new().await.with("WEBHOOK_ALLOWED_IPS", "any").await;
    assert!(ran.code == 0 && ran.out.contains("✓ addresses: warning: every address may deliver"), "{ran:?}");
}

#[tokio::test]
async fn a_clock_that_is_off_is_a_cross() {
    let good = Good::new().await;
    let url = database::create().await;
    let db = database::connect(&url).await;
    // The database's own clock can't be moved; another function under its name is found first.
    let name: String = sqlx::query_scalar("select current_database()").fetch_one(&db).await.unwrap();
    for statement in [
        "create schema wrong".to_owned(),
        "create function wrong.clock_timestamp() returns timestamptz language sql
            as $$ select pg_catalog.clock_timestamp() + interval '1 minute' $$"
            .to_owned(),
        format!("alter database {name} set search_path = wrong, pg_catalog, public"),
    ] {
        sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&db).await.unwrap();
    }
    one_cross(&good.with("DATABASE_URL", &url).await, &["clock: ", "apart", "NTP"]);
}

#[tokio::test]
async fn tables_that_are_to_come_are_well_where_the_role_may_make_them() {
    let good = Good::new().await;
    let url = database::create_empty().await;
    let ran = good.with("DATABASE_URL", &url).await;
    assert!(ran.code == 0 && ran.out.contains("migrations will be applied at the next start"), "{ran:?}");
    assert!(ran.out.contains("will be created at the first start"), "{ran:?}");
    let db = database::connect(&url).await;
    let tables: i64 = sqlx::query_scalar("select count(*) from pg_tables where schemaname = 'public'")
        .fetch_one(&db)
        .await
        .unwrap();
    assert_eq!(tables, 0, "it changed nothing");

    let name: String = sqlx::query_scalar("select current_database()").fetch_one(&db).await.unwrap();
    database::run(&format!("create role guest_{name} login")).await;
    let as_guest = url.replace("://postgres@", &format!("://guest_{name}@"));
    let ran = good.with("DATABASE_URL", &as_guest).await;
    assert!(ran.code == 1, "{ran:?}");
    assert!(ran.out.contains("✗ extensions: the role in DATABASE_URL may not create"), "{ran:?}");
    assert!(ran.out.contains("✗ tables: ") && ran.out.contains("alter database"), "{ran:?}");
}

#[tokio::test]
async fn tables_of_another_version_are_told() {
    let good = Good::new().await;
    let url = database::create().await;
    let db = database::connect(&url).await;
    sqlx::query(
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
        values (99991231000000, 'of tomorrow', true, '', 0)",
    )
    .execute(&db)
    .await
    .unwrap();
    let ran = good.with("DATABASE_URL", &url).await;
    assert!(ran.code == 0 && ran.out.contains("✓ tables: warning: a newer version was here"), "{ran:?}");
    sqlx::query("update _sqlx_migrations set success = false where version = 99991231000000")
        .execute(&db)
        .await
        .unwrap();
    one_cross(&good.with("DATABASE_URL", &url).await, &["tables: migration 99991231000000 broke off"]);
}
