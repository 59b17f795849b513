//! Does the recipes of docs/make-it-yours.md: one here, or all on copies, with the tests that must still pass.

use std::{env, fs, path::Path, time::Instant};

use anyhow::{Context, ensure};

use crate::{
    bench::Bench,
    document::{self, Recipe},
    git,
};

/// The copies on which all of them are tried: a fork with all of its own, which then pulls, and one with less.
const FORKS: [&[&str]; 2] = [
    &["Swap", "Add a job", "Add a field", "Spans", "Rename", "Pull"],
    &["Remove Zendesk", "Remove the console"],
];

const DOCUMENT: &str = "docs/make-it-yours.md";

/// Does the one recipe whose heading begins so, here.
///
/// # Errors
///
/// None or several begin so, or a step does not fit.
pub(crate) fn apply(root: &Path, name: &str) -> anyhow::Result<()> {
    let recipe = chosen(root, name)?;
    crate::ensure_committed(root)?;
    recipe.apply(root, &[])?;
    println!("{}: done, look at `git diff`", recipe.name);
    Ok(())
}

fn all(root: &Path) -> anyhow::Result<Vec<Recipe>> {
    Ok(document::recipes(&fs::read_to_string(root.join(DOCUMENT))?))
}

/// The one whose heading begins so.
fn chosen(root: &Path, name: &str) -> anyhow::Result<Recipe> {
    let mut recipes = all(root)?;
    recipes.retain(|recipe| recipe.name.to_lowercase().starts_with(&name.to_lowercase()));
    let recipe = recipes.pop().with_context(|| format!("no recipe of {DOCUMENT} begins with `{name}`"))?;
    ensure!(recipes.is_empty(), "`{name}` is the beginning of several");
    Ok(recipe)
}

/// Does all of them on copies of the last commit, or those that are named, each on a copy of its own, and runs all tests
/// there; prints a line for each.
///
/// # Errors
///
/// One of them, or a test after it, fails.
pub(crate) fn try_all(root: &Path, names: &[String]) -> anyhow::Result<()> {
    let target = root.join(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()));
    let bench = Bench::set_up(root, &target)?;
    let forks: Vec<Vec<&str>> = if names.is_empty() {
        ensure!(all(root)?.len() == FORKS.concat().len(), "a recipe is on no copy");
        FORKS.iter().map(|fork| fork.to_vec()).collect()
    } else {
        names.iter().map(|name| vec![name.as_str()]).collect()
    };
    for fork in forks {
        let begun = Instant::now();
        bench.afresh()?;
        for name in fork {
            let recipe = chosen(&bench.fork, name)?;
            let from = git(&bench.fork, ["rev-parse", "HEAD"])?;
            bench.apply(&recipe).with_context(|| recipe.name.clone())?;
            println!("{}: {}", recipe.name, touched(&bench.fork, &from)?);
            bench.commit(&recipe.name)?;
            bench.look(&recipe)?;
        }
        bench.test()?;
        println!("cargo test passes there ({} s)", begun.elapsed().as_secs());
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
