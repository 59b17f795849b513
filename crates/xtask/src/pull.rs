//! Later changes of the original, merged into a project that has another name.
//!
//! A merge compares both sides with the commit that they share. Here all three are given our names first, so what is
//! left to merge is what either side has really changed.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, bail};

use crate::{ensure_committed, git, names::Name, rename};

/// Merges that commit of the original. Conflicts are left in the working tree, as `git merge` leaves them.
///
/// # Errors
///
/// Something is not committed, there is no shared history, or there are conflicts.
pub(crate) fn pull(root: &Path, from: &str) -> anyhow::Result<()> {
    ensure_committed(root)?;
    let theirs = git(root, ["rev-parse", "--verify", "--quiet", &format!("{from}^{{commit}}")])
        .map_err(|_| anyhow::anyhow!("there is no commit `{from}`: `git fetch` it first"))?;
    let base = git(root, ["merge-base", "HEAD", &theirs])
        .context("this project shares no history with it: it was copied, not cloned")?;
    if base == theirs {
        println!("nothing new in {from}");
        return Ok(());
    }
    let ours = Name::of_package(&fs::read_to_string(root.join("Cargo.toml"))?)?;
    let (base, renamed) = (renamed(root, &base, &ours)?, renamed(root, &theirs, &ours)?);
    // Takes nothing yet: it makes theirs a parent of the commit that follows.
    git(root, ["merge", "--strategy", "ours", "--no-ff", "--no-commit", "--quiet", &theirs])?;
    let merged = Command::new("git")
        .arg("-C")
        .arg(root)
        .args(["merge-recursive", &base, "--", "HEAD", &renamed])
        .output()
        .context("git")?;
    if !merged.status.success() {
        bail!(
            "{}\nsolve the conflicts and `git commit`, or go back by `git merge --abort`",
            String::from_utf8_lossy(&merged.stdout).trim()
        );
    }
    git(root, ["commit", "--quiet", "--message", &format!("Merge {from}")])?;
    println!("{from} is merged: {}", git(root, ["diff", "--shortstat", "HEAD^"])?.trim());
    Ok(())
}

/// A commit like this one, under our names.
fn renamed(root: &Path, commit: &str, ours: &Name) -> anyhow::Result<String> {
    let folder = tempfile::tempdir()?;
    let tree = folder.path().join("tree");
    let path = tree.to_str().context("the temporary folder's name is no text")?;
    git(root, ["worktree", "add", "--quiet", "--detach", path, commit])?;
    let written = (|| {
        let theirs = Name::of_package(&fs::read_to_string(tree.join("Cargo.toml"))?)?;
        rename::replace_all(&tree, &theirs, ours)?;
        git(&tree, ["add", "--all"])?;
        git(&tree, ["write-tree"])
    })();
    git(root, ["worktree", "remove", "--force", path])?;
    git(root, ["commit-tree", &written?, "-m", &format!("{commit} under our names")])
}
