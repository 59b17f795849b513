//! The project's own chores: `cargo xtask --help`.

mod bench;
mod document;
mod names;
mod pull;
mod queries;
mod recipes;
mod rename;

use std::{
    ffi::OsStr,
    path::Path,
    process::{Command, ExitCode},
};

use anyhow::{Context, bail, ensure};
use clap::Parser;

#[derive(Parser)]
enum Chore {
    /// Describe every checked query against a private Postgres, and write that to .sqlx.
    Queries {
        /// Write nothing; fail where .sqlx is not up to date.
        #[arg(long)]
        check: bool,
    },
    /// Write what .env.example, docs/settings.md and docker-compose.yml say of each setting, from the settings' own fields.
    Settings,
    /// Give the project another name, in every file: `rename acme-calls`.
    Rename {
        /// In lower case, words joined by hyphens.
        name: String,
    },
    /// Merge a later state of the original, with the names that this project has now: `pull upstream/main`.
    Pull {
        /// A commit or a branch of the original.
        from: String,
    },
    /// Do what a recipe of docs/make-it-yours.md says: `recipe "remove zendesk"`.
    Recipe {
        /// How its heading begins.
        name: String,
    },
    /// Try all recipes on two copies of the last commit, and run the tests there.
    Recipes {
        /// Only those whose headings begin so, each on a copy.
        names: Vec<String>,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    match chore(Chore::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn chore(chore: Chore) -> anyhow::Result<()> {
    let root =
        Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).context("this crate stands in crates/")?;
    match chore {
        Chore::Queries { check } => queries::queries(root, check).await,
        Chore::Settings => settings(root),
        Chore::Rename { name } => rename::rename(root, &name),
        Chore::Pull { from } => pull::pull(root, &from),
        Chore::Recipe { name } => recipes::apply(root, &name),
        Chore::Recipes { names } => recipes::try_all(root, &names),
    }
}

/// A program knows its settings, and writes them itself.
fn settings(root: &Path) -> anyhow::Result<()> {
    let programs = [&["--", "settings"][..], &["--package", "acme", "--", "settings", "examples/acme"]];
    // A fork may have taken the example away.
    for arguments in programs.into_iter().take(1 + usize::from(root.join("examples/acme").exists())) {
        let status = Command::new(env!("CARGO"))
            .args(["run", "--quiet"])
            .args(arguments)
            .current_dir(root)
            .status()?;
        ensure!(status.success(), "the program can't say what its settings are");
    }
    Ok(())
}

/// Runs git in a folder; returns what it printed.
fn git<S: AsRef<OsStr>>(folder: &Path, arguments: impl IntoIterator<Item = S>) -> anyhow::Result<String> {
    let output = Command::new("git").arg("-C").arg(folder).args(arguments).output().context("git")?;
    if !output.status.success() {
        bail!("git: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
}

/// Refuses where something is not committed: what a chore changes is then a commit of its own.
fn ensure_committed(root: &Path) -> anyhow::Result<()> {
    let changes = git(root, ["status", "--porcelain"])?;
    if !changes.is_empty() {
        bail!("something is not committed: commit or stash it first\n{changes}");
    }
    Ok(())
}
