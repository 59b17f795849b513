//! Does the recipes of docs/make-it-yours.md: one here, or each on a copy, with the tests that must still pass.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::{Context, ensure};

use crate::{
    document::{self, Recipe},
    git,
};

const DOCUMENT: &str = "docs/make-it-yours.md";

/// Does the one recipe whose heading begins so, here.
///
/// # Errors
///
/// None or several begin so, or a step does not fit.
pub(crate) fn apply(root: &Path, name: &str) -> anyhow::Result<()> {
    let mut found = chosen(root, &[name.to_owned()])?;
    let recipe = found.pop().with_context(|| format!("no recipe of {DOCUMENT} begins with `{name}`"))?;
    ensure!(found.is_empty(), "`{name}` is the beginning of several");
    crate::ensure_committed(root)?;
    recipe.apply(root, &[])?;
    println!("{}: done, look at `git diff`", recipe.name);
    Ok(())
}

fn chosen(root: &Path, names: &[String]) -> anyhow::Result<Vec<Recipe>> {
    let mut recipes = document::recipes(&fs::read_to_string(root.join(DOCUMENT))?);
    let begins =
        |recipe: &Recipe, name: &String| recipe.name.to_lowercase().starts_with(&name.to_lowercase());
    recipes.retain(|recipe| names.is_empty() || names.iter().any(|name| begins(recipe, name)));
    Ok(recipes)
}

/// Does each on a fresh copy of the last commit and runs all tests there; prints a line for each.
///
/// # Errors
///
/// One of them, or a test after it, fails.
pub(crate) fn try_all(root: &Path, names: &[String]) -> anyhow::Result<()> {
    let target = root.join(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()));
    let bench = Bench::set_up(root, &target)?;
    for recipe in chosen(&bench.fork, names)? {
        let begun = Instant::now();
        bench.afresh()?;
        bench.prepare(&recipe)?;
        let from = git(&bench.fork, ["rev-parse", "HEAD"])?;
        bench.apply(&recipe).with_context(|| recipe.name.clone())?;
        let touched = touched(&bench.fork, &from)?;
        bench.test().with_context(|| format!("{}: {touched}", recipe.name))?;
        println!("{}: {touched}; cargo test passes ({} s)", recipe.name, begun.elapsed().as_secs());
    }
    Ok(())
}

/// The copies on which recipes are tried. They stand at the same place each time, so that only what changes is compiled.
struct Bench {
    /// What a developer has cloned.
    fork: PathBuf,
    /// What he cloned it from.
    original: PathBuf,
    target: PathBuf,
    start: String,
}

impl Bench {
    fn set_up(root: &Path, target: &Path) -> anyhow::Result<Self> {
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

    fn afresh(&self) -> anyhow::Result<()> {
        git(&self.fork, ["reset", "--quiet", "--hard", &self.start])?;
        git(&self.fork, ["clean", "--quiet", "--force", "-d", "-x"])?;
        Ok(())
    }

    /// A recipe that takes later changes of the original needs some, and a fork that they must be fitted to: it has
    /// another name, and a job of its own.
    fn prepare(&self, recipe: &Recipe) -> anyhow::Result<()> {
        if !recipe.name.starts_with("Pull") {
            return Ok(());
        }
        for earlier in chosen(&self.fork, &["rename".to_owned(), "add a job".to_owned()])? {
            self.apply(&earlier)?;
            git(&self.fork, ["add", "--all"])?;
            git(&self.fork, ["commit", "--quiet", "--message", &earlier.name])?;
        }
        // Where the original's own name stands, and beside the fork's own job.
        let readme = fs::read_to_string(self.original.join("README.md"))?;
        let (title, rest) = readme.split_once('\n').context("README.md has a title")?;
        let name = title.trim_start_matches("# ");
        fs::write(self.original.join("README.md"), format!("{title}\n\n{name} is older now.\n{rest}"))?;
        let jobs = self.original.join("src/jobs/mod.rs");
        let text = fs::read_to_string(&jobs)?;
        fs::write(jobs, format!("//! A later remark.\n{text}"))?;
        git(&self.original, ["commit", "--quiet", "--all", "--message", "Grow older"])?;
        Ok(())
    }

    fn apply(&self, recipe: &Recipe) -> anyhow::Result<()> {
        let (original, target) = (self.original.to_string_lossy(), self.target.to_string_lossy());
        recipe.apply(&self.fork, &[("ORIGINAL", &original), ("CARGO_TARGET_DIR", &target)])
    }

    fn test(&self) -> anyhow::Result<()> {
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

/// What became of how many files, those of tests and of `.sqlx`, which a command writes, apart.
fn touched(fork: &Path, from: &str) -> anyhow::Result<String> {
    git(fork, ["add", "--all"])?;
    let changes = git(fork, ["diff", "--cached", "--no-renames", "--name-status", from])?;
    let group = |path: &str| match path {
        path if path.starts_with("tests/") => 1,
        path if path.starts_with(".sqlx/") => 2,
        _ => 0,
    };
    let mut groups = Vec::new();
    for (number, name) in ["", "tests: ", ".sqlx: "].into_iter().enumerate() {
        let mut counts = [("new", 0, 'A'), ("changed", 0, 'M'), ("deleted", 0, 'D')];
        let mut lines = (0, 0);
        for (status, path) in changes.lines().filter_map(|line| line.split_once('\t')) {
            if group(path) != number {
                continue;
            }
            for (_, count, letter) in &mut counts {
                *count += usize::from(status.starts_with(*letter));
            }
            if status.starts_with('M') {
                let (added, gone) = numbers(&git(fork, ["diff", "--cached", "--numstat", from, "--", path])?);
                lines = (lines.0 + added, lines.1 + gone);
            }
        }
        let counted = counts.iter().filter(|(_, count, _)| *count > 0);
        let words: Vec<_> = counted
            .map(|(word, count, _)| match *word {
                "changed" => format!("{count} changed (+{} -{} lines)", lines.0, lines.1),
                word => format!("{count} {word}"),
            })
            .collect();
        let files: usize = counts.iter().map(|(_, count, _)| count).sum();
        if files > 0 {
            groups.push(format!(
                "{name}{files} file{}, {}",
                if files == 1 { "" } else { "s" },
                words.join(", ")
            ));
        }
    }
    Ok(groups.join("; "))
}

fn numbers(line: &str) -> (usize, usize) {
    let mut numbers = line.split('\t').map(|number| number.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}
