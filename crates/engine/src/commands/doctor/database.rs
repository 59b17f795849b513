//! Postgres: reachable and new enough, with the rights that the tables need, the tables, its clock, and who serves its queues.

use std::time::Duration;

use chrono::Utc;
use sqlx::PgConnection;
use tokio::time::timeout;

use super::{report::Report, token};
use crate::{
    config::Config,
    db::{self, Tables},
    work::tasks::{self, Waiting},
};

/// How long the database may take to be reached, and to answer all questions.
const PATIENCE: Duration = Duration::from_secs(10);

/// The oldest version that the migrations are written for.
const OLDEST: u32 = 15;

/// A process whose clock is further off writes times that others misread: apalis takes a job's start and a worker's first
/// sign of life from it.
const CLOCK_MAY_BE_OFF: Duration = Duration::from_secs(2);

pub(super) async fn check(config: &Config, report: &mut Report) {
    let Ok(url) = &config.database() else {
        let to_do = "set it to postgres://user:password@host:5432/database, or set DATABASE_URL_FILE";
        report.cross("database", "DATABASE_URL is not set", to_do);
        return skip_the_rest(report);
    };
    let connected = timeout(PATIENCE, db::connect(url)).await;
    let mut connection = match connected {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => {
            let to_do = "is it running, and are host, database, user and password in DATABASE_URL right?";
            report.cross("database", &format!("{error:#}"), to_do);
            return skip_the_rest(report);
        }
        Err(_) => {
            let to_do = "is a firewall between here and the host in DATABASE_URL?";
            report.cross("database", &format!("no answer within {} s", PATIENCE.as_secs()), to_do);
            return skip_the_rest(report);
        }
    };
    version(&connection, report);
    if db::can_be_impersonated(url).unwrap_or_default() {
        report.tick(
            "encryption",
            "warning: whoever stands in the way to the database can pass for it; sslmode=verify-full in DATABASE_URL keeps \
             them out (and sslrootcert=/path/of/its-authority.pem where no public authority signed its certificate)",
        );
    }
    match timeout(PATIENCE, questions(&mut connection, config, report)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            let to_do = "the role in DATABASE_URL must own the tables, or be allowed to read and write them";
            report.cross("database", &format!("{error:#}"), to_do);
        }
        Err(_) => report.cross(
            "database",
            "it stopped answering",
            "look at its log and at its locks (pg_stat_activity)",
        ),
    }
}

fn skip_the_rest(report: &mut Report) {
    for what in ["extensions", "tables", "clock", "workers", "token"] {
        report.dash(what, "not looked at without the database");
    }
}

fn version(connection: &PgConnection, report: &mut Report) {
    // As libpq tells it: 150004 is 15.4.
    match connection.server_version_num() {
        Some(version) if version / 10_000 < OLDEST => {
            let found = format!("Postgres {}", version / 10_000);
            report.cross("database", &found, "upgrade it: the tables need version 15 or later");
        }
        Some(version) => {
            report.tick("database", &format!("Postgres {}.{} answers", version / 10_000, version % 10_000));
        }
        None => report.tick("database", "it answers, without saying its version"),
    }
}

async fn questions(
    connection: &mut PgConnection,
    config: &Config,
    report: &mut Report,
) -> anyhow::Result<()> {
    extensions(connection, report).await?;
    tables(connection, report).await?;
    clock(connection, report).await?;
    unserved(connection, report).await?;
    token::check(connection, &config.webhook, report).await?;
    Ok(())
}

/// apalis' migrations create both. (Postgres' documentation, "CREATE EXTENSION": a trusted one needs the right to create in
/// the database, any other a superuser.)
async fn extensions(connection: &mut PgConnection, report: &mut Report) -> sqlx::Result<()> {
    let found = sqlx::query!(
        r#"
        select
            wanted.name as "name!",
            available.name is not null as "available!",
            available.installed_version is not null as "installed!",
            exists (select from pg_roles where rolname = current_user and rolsuper)
                or has_database_privilege(current_database(), 'create')
                    and exists (select from pg_available_extension_versions as version
                        where version.name = wanted.name and version.trusted) as "creatable!"
        from unnest(array['hstore', 'pgcrypto']) as wanted (name)
        left join pg_available_extensions as available on available.name = wanted.name
        "#
    )
    .fetch_all(connection)
    .await?;
    let missing = found.iter().find(|extension| !extension.available);
    let forbidden = found.iter().find(|extension| !extension.installed && !extension.creatable);
    match (missing, forbidden) {
        (Some(extension), _) => report.cross(
            "extensions",
            &format!("the server has no {}", extension.name),
            "install Postgres' contrib package there (postgresql-contrib)",
        ),
        (None, Some(extension)) => report.cross(
            "extensions",
            &format!("the role in DATABASE_URL may not create {}", extension.name),
            "run `create extension hstore; create extension pgcrypto` in this database as a superuser",
        ),
        (None, None) if found.iter().all(|extension| extension.installed) => {
            report.tick("extensions", "hstore and pgcrypto are there");
        }
        (None, None) => report.tick("extensions", "hstore and pgcrypto will be created at the first start"),
    }
    Ok(())
}

async fn tables(connection: &mut PgConnection, report: &mut Report) -> anyhow::Result<()> {
    let Tables { pending, newer, broken } = db::tables(connection).await?;
    if let Some(version) = broken {
        let to_do = "restore it from a backup, or undo by hand what the migration left, and delete its row";
        report.cross("tables", &format!("migration {version} broke off or was another one"), to_do);
        return Ok(());
    }
    if pending > 0 {
        let rights = sqlx::query_scalar!(
            r#"select has_database_privilege(current_database(), 'create')
                and coalesce(has_schema_privilege(current_schema(), 'create'), false) as "may_create!""#
        );
        if !rights.fetch_one(connection).await? {
            report.cross(
                "tables",
                &format!(
                    "{pending} migrations are to come, and the role in DATABASE_URL may create no tables"
                ),
                "make it the database's owner: alter database … owner to …",
            );
            return Ok(());
        }
    }
    match (pending, newer) {
        (0, 0) => report.tick("tables", "all migrations are applied"),
        (pending, 0) => {
            report.tick("tables", &format!("{pending} migrations will be applied at the next start"));
        }
        (_, newer) => {
            let found = format!(
                "warning: a newer version was here, of whose migrations {newer} are unknown to this one"
            );
            report.tick("tables", &found);
        }
    }
    Ok(())
}

async fn clock(connection: &mut PgConnection, report: &mut Report) -> sqlx::Result<()> {
    let asked = Utc::now();
    let theirs = sqlx::query_scalar!(r#"select clock_timestamp() as "now!""#).fetch_one(connection).await?;
    // It was read at some moment between the question and the answer.
    let ours = asked + (Utc::now() - asked) / 2;
    let off = (theirs - ours).abs().to_std().unwrap_or_default();
    if off > CLOCK_MAY_BE_OFF {
        let found = format!("this machine's and the database's are {} s apart", off.as_secs());
        report.cross("clock", &found, "set both by NTP: jobs would start too early or too late");
    } else {
        report.tick("clock", "as the database's");
    }
    Ok(())
}

async fn unserved(connection: &mut PgConnection, report: &mut Report) -> sqlx::Result<()> {
    if sqlx::query_scalar!(r#"select to_regclass('apalis.jobs') is null as "absent!""#)
        .fetch_one(&mut *connection)
        .await?
    {
        report.dash("workers", "not looked at before the first start");
        return Ok(());
    }
    let mut unserved = tasks::waiting(connection).await?;
    unserved.retain(|waiting| !waiting.served);
    for Waiting { job, since, .. } in &unserved {
        let found = format!("jobs of {job} wait since {}", since.format("%Y-%m-%d %H:%M:%S UTC"));
        report.cross("workers", &found, "name it in the JOBS of a worker, and see that one is up");
    }
    if unserved.is_empty() {
        report.tick("workers", "no job waits without one");
    }
    Ok(())
}
