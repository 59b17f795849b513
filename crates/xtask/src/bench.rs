//! Where recipes are tried: a copy that stands for a developer's fork, and one for the original that he cloned.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, ensure};

use crate::{document::Recipe, git, names::Name, rename::NAMELESS};

/// What the original says of itself later.
const LATER: &str = "is older now.";

/// The copies on which recipes are tried. They stand at the same place each time, so that only what changes is compiled.
pub(crate) struct Bench {
    /// What a developer has cloned.
    pub(crate) fork: PathBuf,
    /// What he cloned it from.
    original: PathBuf,
    target: PathBuf,
    start: String,
}

impl Bench {
    /// Copies the last commit.
    pub(crate) fn set_up(root: &Path, target: &Path) -> anyhow::Result<Self> {
        let folder = target.join("recipes");
        for copy in ["fork", "original"] {
            if folder.join(copy).exists() {
                fs::remove_dir_all(folder.join(copy))?;
            }
        }
        // A folder for what is compiled of the copies: to cargo they are the same packages as those here, and it would take
        // one for the other. The dependencies are the same indeed, so those that are compiled are brought along.
        let compiled = folder.join("target");
        if !compiled.exists() {
            fs::create_dir_all(compiled.join("debug"))?;
            for part in ["build", "deps", ".fingerprint"] {
                let part = target.join("debug").join(part);
                let copied = Command::new("cp").arg("-a").arg(part).arg(compiled.join("debug")).status()?;
                ensure!(copied.success(), "cp failed");
            }
        }
        let (fork, original) = (folder.join("fork"), folder.join("original"));
        let path = |folder: &PathBuf| folder.to_string_lossy().into_owned();
        git(root, ["clone", "--quiet", ".", &path(&original)])?;
        git(&original, ["checkout", "--quiet", "-B", "main"])?;
        for copy in [&original, &fork] {
            if copy == &fork {
                git(root, ["clone", "--quiet", &path(&original), &path(&fork)])?;
            }
            git(copy, ["config", "user.name", "A developer"])?;
            git(copy, ["config", "user.email", "developer@example.com"])?;
        }
        let start = git(&fork, ["rev-parse", "HEAD"])?;
        Ok(Self { fork, original, target: compiled, start })
    }

    /// The copy as it was.
    pub(crate) fn afresh(&self) -> anyhow::Result<()> {
        git(&self.fork, ["reset", "--quiet", "--hard", &self.start])?;
        git(&self.fork, ["clean", "--quiet", "--force", "-d", "-x"])?;
        Ok(())
    }

    /// Does a recipe on the copy. One that takes later changes of the original gets some.
    pub(crate) fn apply(&self, recipe: &Recipe) -> anyhow::Result<()> {
        if recipe.name.starts_with("Pull") {
            self.grow_older()?;
        }
        let (original, target) = (self.original.to_string_lossy(), self.target.to_string_lossy());
        recipe.apply(&self.fork, &[("ORIGINAL", &original), ("CARGO_TARGET_DIR", &target)])
    }

    /// The original changes where its own name stands, and where a fork's own jobs do.
    fn grow_older(&self) -> anyhow::Result<()> {
        let readme = fs::read_to_string(self.original.join("README.md"))?;
        let (title, rest) = readme.split_once('\n').context("README.md has a title")?;
        let name = title.trim_start_matches("# ");
        fs::write(self.original.join("README.md"), format!("{title}\n\n{name} {LATER}\n{rest}"))?;
        let jobs = self.original.join("src/jobs/mod.rs");
        let text = fs::read_to_string(&jobs)?;
        fs::write(jobs, format!("//! A later remark.\n{text}"))?;
        git(&self.original, ["commit", "--quiet", "--all", "--message", "Grow older"]).map(drop)
    }

    /// Commits what is new on the copy, if something is.
    pub(crate) fn commit(&self, message: &str) -> anyhow::Result<()> {
        git(&self.fork, ["add", "--all"])?;
        if !git(&self.fork, ["status", "--porcelain"])?.is_empty() {
            git(&self.fork, ["commit", "--quiet", "--message", message])?;
        }
        Ok(())
    }

    /// Looks what a test of the project can't see: that the old name is gone, and that what was pulled is there.
    pub(crate) fn look(&self, recipe: &Recipe) -> anyhow::Result<()> {
        let [old, new] = [&self.original, &self.fork]
            .map(|folder| Name::of_package(&fs::read_to_string(folder.join("Cargo.toml"))?));
        let (old, new) = (old?, new?);
        if old.kebab != new.kebab {
            let elsewhere = format!(":!{NAMELESS}");
            let left = git(&self.fork, ["grep", "-il", &old.kebab, "--", &elsewhere])?;
            ensure!(left.lines().all(|file| file.starts_with("LICENSE")), "its old name stands in\n{left}");
        }
        if recipe.name.starts_with("Pull") {
            let readme = fs::read_to_string(self.fork.join("README.md"))?;
            ensure!(readme.contains(&format!("\n{} {LATER}\n", new.title)), "the change is not there");
        }
        Ok(())
    }

    /// Runs every test of the copy.
    pub(crate) fn test(&self) -> anyhow::Result<()> {
        for arguments in [&["fmt", "--all", "--check"][..], &["test", "--locked", "--quiet"]] {
            let output = Command::new("cargo")
                .args(arguments)
                .current_dir(&self.fork)
                .env("CARGO_TARGET_DIR", &self.target)
                .output()?;
            ensure!(
                output.status.success(),
                "cargo {}\n{}{}",
                arguments.join(" "),
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Ok(())
    }
}
