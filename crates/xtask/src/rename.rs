//! The project under another name. History, licences and the copyright in them stay as they are.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, ensure};

use crate::{ensure_committed, git, names::Name};

/// Where a project's name may stand before it has it: in what tells how to give it one.
const TELLS_OF_NAMES: &str = "docs/";

/// What knows no project's name: it stays as it is, so that later changes of it meet none of ours.
pub(crate) const NAMELESS: &str = "crates/";

/// Gives the project this name, in the working tree; the commit is left to who looked at it.
///
/// # Errors
///
/// The name is none, or a word of the files already; something is not committed.
pub(crate) fn rename(root: &Path, name: &str) -> anyhow::Result<()> {
    let new = Name::new(name)?;
    let old = Name::of_package(&fs::read_to_string(root.join("Cargo.toml"))?)?;
    ensure!(new.kebab != old.kebab, "that is its name already");
    ensure_committed(root)?;
    ensure_new(root, &new)?;
    let changed = replace_all(root, &old, &new)?;
    println!(
        "{} is {} now, in {changed} files: look at `git diff`, then `git commit --all`",
        old.kebab, new.kebab
    );
    Ok(())
}

/// A name that the files hold for something else, a crate or a word, could not be told from it later.
fn ensure_new(root: &Path, new: &Name) -> anyhow::Result<()> {
    for path in files(root)? {
        let name = path.to_string_lossy();
        if name.starts_with(TELLS_OF_NAMES) {
            continue;
        }
        let Some(text) = text(&root.join(&path)) else { continue };
        let text = text.to_lowercase();
        let taken = text.lines().position(|line| line.contains(&new.kebab) || line.contains(&new.snake));
        if let Some(line) = taken {
            anyhow::bail!(
                "`{}` stands for something else in {name}, line {}: take a name of its own",
                new.kebab,
                line + 1
            );
        }
    }
    Ok(())
}

/// Puts the new name in place of the old one in every file of a working tree, and in the files' own names; returns in
/// how many.
///
/// # Errors
///
/// A file can't be written, or the result is no Rust.
pub(crate) fn replace_all(root: &Path, old: &Name, new: &Name) -> anyhow::Result<usize> {
    if old.kebab == new.kebab {
        return Ok(0);
    }
    let mut changed = 0;
    for path in files(root)? {
        let name = path.to_string_lossy();
        if name.starts_with("LICENSE") {
            continue;
        }
        let Some(text) = text(&root.join(&path)) else { continue };
        let mut renamed = new.replace(old, &text);
        if name == "Cargo.lock" {
            renamed = sorted(&renamed);
        }
        let moved = new.replace(old, &name);
        changed += usize::from(renamed != text || moved != name);
        if renamed != text {
            fs::write(root.join(&path), renamed)?;
        }
        if moved != name {
            fs::create_dir_all(root.join(&moved).parent().context("a file has a folder")?)?;
            git(root, ["mv", &name, &moved])?;
        }
    }
    // Names of another length, in another place of the alphabet.
    let formatted = Command::new("cargo").args(["fmt", "--all"]).current_dir(root).status()?;
    ensure!(formatted.success(), "what came out is no Rust");
    Ok(changed)
}

/// The tracked files that may hold the name.
fn files(root: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let tracked = git(root, ["ls-files", "-z"])?;
    Ok(tracked.split_terminator('\0').filter(|name| !name.starts_with(NAMELESS)).map(PathBuf::from).collect())
}

/// What a file holds, unless it is a link or no text.
fn text(path: &Path) -> Option<String> {
    let regular = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file());
    regular.then(|| fs::read_to_string(path).ok()).flatten()
}

/// A lock file with its packages in cargo's order: `--locked` refuses another one.
fn sorted(lock: &str) -> String {
    let mut parts = lock.split("\n[[package]]\n").map(str::trim_end);
    let head = parts.next().unwrap_or_default();
    let mut packages: Vec<&str> = parts.collect();
    packages.sort_by(|one, other| one.lines().next().cmp(&other.lines().next()));
    let packages = packages.iter().map(|package| format!("\n\n[[package]]\n{package}"));
    format!("{head}{}\n", packages.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::sorted;

    #[test]
    fn a_lock_file_is_in_the_order_of_its_packages_names() {
        let lock = "version = 4\n\n[[package]]\nname = \"b\"\nversion = \"1\"\n\n[[package]]\nname = \"a\"\n\n[[package]]\nname = \"b\"\nversion = \"2\"\n";
        let expected = "version = 4\n\n[[package]]\nname = \"a\"\n\n[[package]]\nname = \"b\"\nversion = \"1\"\n\n[[package]]\nname = \"b\"\nversion = \"2\"\n";
        assert_eq!(sorted(lock), expected);
    }
}
