//! The project's own chores: `cargo xtask --help`.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::SystemTime,
};

use anyhow::{Context, ensure};
use apalis_postgres::PostgresStorage;
use clap::Parser;
use local_postgres::LocalPostgres;
use sqlx::{PgPool, migrate::Migrator};

#[derive(Parser)]
enum Chore {
    /// Describe every checked query against a private Postgres, and write that to .sqlx.
    Queries {
        /// Write nothing; fail where .sqlx is not up to date.
        #[arg(long)]
        check: bool,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Chore::parse() {
        Chore::Queries { check } => queries(check).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn queries(check: bool) -> anyhow::Result<()> {
    let root =
        Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).context("this crate stands in crates/")?;
    let postgres = tokio::task::spawn_blocking(LocalPostgres::start_throwaway).await??;
    let url = postgres.url("postgres");
    let pool = PgPool::connect(&url).await?;
    PostgresStorage::migrations().run(&pool).await?;
    Migrator::new(root.join("migrations")).await?.run(&pool).await?;
    pool.close().await;

    let described = tempfile::tempdir()?;
    compile(root, &url, None)?;
    // Only our own crate is compiled again, so that only our own queries are written.
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
    let entry = fs::File::options().append(true).open(root.join("src/lib.rs"))?;
    entry.set_modified(SystemTime::now())?;
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let status = Command::new(env!("CARGO"))
        .args([
            "check",
            "--quiet",
            "--package",
            "aftercall",
            "--lib",
            "--no-default-features",
            "--features",
            "console",
        ])
        .current_dir(root)
        .env("CARGO_TARGET_DIR", target.join("queries"))
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
