//! Does the recipes of docs/make-it-yours.md: one here, or each on a copy, with the tests that must still pass.

use std::{env, fs, path::Path, time::Instant};

use anyhow::{Context, ensure};

use crate::{
    bench::Bench,
    document::{self, Recipe},
    git,
};

/// What a fork has done to itself before it pulls.
pub(crate) const BEFORE_A_PULL: [&str; 2] = ["Rename", "Add a job"];

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

/// Those whose headings begin so; all of them where nothing is named.
pub(crate) fn chosen(root: &Path, names: &[String]) -> anyhow::Result<Vec<Recipe>> {
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
        bench.look(&recipe)?;
        // Who tries all of them pulls into a fork that has done these: the tests there are theirs as well.
        if names.is_empty() && BEFORE_A_PULL.iter().any(|name| recipe.name.starts_with(name)) {
            println!("{}: {touched}; its tests run with the pull", recipe.name);
            continue;
        }
        bench.test().with_context(|| format!("{}: {touched}", recipe.name))?;
        println!("{}: {touched}; cargo test passes ({} s)", recipe.name, begun.elapsed().as_secs());
    }
    Ok(())
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
