//! `.sqlx`: what Postgres says of every checked query, so that the program compiles without one.

use std::{collections::BTreeMap, fs, path::Path, process::Command, time::SystemTime};

use anyhow::ensure;
use apalis_postgres::PostgresStorage;
use local_postgres::LocalPostgres;
use sqlx::{PgPool, migrate::Migrator};

/// Describes every checked query against a private Postgres; writes that to `.sqlx`, or compares it.
pub(crate) async fn queries(root: &Path, check: bool) -> anyhow::Result<()> {
    let postgres = tokio::task::spawn_blocking(LocalPostgres::start_throwaway).await??;
    let url = postgres.url("postgres");
    let pool = PgPool::connect(&url).await?;
    PostgresStorage::migrations().run(&pool).await?;
    Migrator::new(root.join("migrations")).await?.run(&pool).await?;
    pool.close().await;

    let described = tempfile::tempdir()?;
    compile(root, &url, None)?;
    // Only our own crates are compiled again, so that only our own queries are written.
    compile(root, &url, Some(described.path()))?;
    let (new, committed) = (read(described.path())?, read(&root.join(".sqlx"))?);
    if check {
        ensure!(new == committed, ".sqlx is not up to date: run `cargo xtask queries` and commit it");
        println!("{} queries are as .sqlx says", new.len());
        return Ok(());
    }
    fs::remove_dir_all(root.join(".sqlx"))?;
    fs::create_dir(root.join(".sqlx"))?;
    for (name, text) in &new {
        fs::write(root.join(".sqlx").join(name), text)?;
    }
    println!("{} queries are described in .sqlx", new.len());
    Ok(())
}

/// Compiles against the database; the macros write what they learn to the folder.
fn compile(root: &Path, url: &str, described: Option<&Path>) -> anyhow::Result<()> {
    for entry in ["crates/engine/src/lib.rs", "src/main.rs"] {
        let entry = fs::File::options().append(true).open(root.join(entry))?;
        entry.set_modified(SystemTime::now())?;
    }
    let status = Command::new(env!("CARGO"))
        .args(["check", "--quiet", "--bins", "--no-default-features", "--features", "console"])
        .current_dir(root)
        .env("SQLX_OFFLINE", "false")
        .env("DATABASE_URL", url)
        .envs(described.map(|folder| ("SQLX_OFFLINE_DIR", folder)))
        .status()?;
    ensure!(status.success(), "a query does not compile");
    Ok(())
}

fn read(folder: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        files.insert(entry.file_name().to_string_lossy().into_owned(), fs::read_to_string(entry.path())?);
    }
    Ok(files)
}
