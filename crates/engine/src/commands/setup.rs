//! `setup`: what the vendors must have once.

use anyhow::Context;

use crate::{config::Config, job::Jobs};

/// Has each job make what its vendor must have; only this one, where one is named.
///
/// # Errors
///
/// There is no such job, it lacks a setting, or its vendor refused.
pub async fn run(job: Option<&str>, config: &Config, jobs: &Jobs) -> anyhow::Result<()> {
    let kinds = match job {
        Some(name) => vec![jobs.named(name)?],
        None => jobs.enabled(config)?,
    };
    for kind in kinds {
        let made = kind.make(config)?.set_up().await;
        let made = made.with_context(|| format!("what {} needs is not set up", kind.name))?;
        println!("{}: {}", kind.name, made.as_deref().unwrap_or("there is nothing to set up"));
    }
    Ok(())
}
