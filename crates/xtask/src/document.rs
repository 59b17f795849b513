//! docs/make-it-yours.md as something that can be done: its headings are recipes, its marked blocks their steps.
//!
//! | block | step |
//! |---|---|
//! | `sh` | is run |
//! | `rust src/jobs/tell_chat.rs`, any language and a path | is a new file |
//! | `diff src/jobs/mod.rs` | changes a file: lines with `-` go, lines with `+` come, the others say where |
//!
//! Other blocks are for reading.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, bail, ensure};

/// A heading and what stands under it.
pub(crate) struct Recipe {
    pub(crate) name: String,
    steps: Vec<Step>,
}

enum Step {
    Run(String),
    New { path: String, text: String },
    Change { path: String, lines: String },
}

/// The recipes of a document, in its order.
pub(crate) fn recipes(document: &str) -> Vec<Recipe> {
    let mut recipes: Vec<Recipe> = Vec::new();
    let mut lines = document.lines();
    while let Some(line) = lines.next() {
        if let Some(heading) = line.strip_prefix("## ") {
            recipes.push(Recipe { name: heading.to_owned(), steps: Vec::new() });
        } else if let Some(info) = line.strip_prefix("```") {
            let text: String =
                lines.by_ref().take_while(|line| *line != "```").flat_map(|line| [line, "\n"]).collect();
            let (language, path) = info.split_once(' ').unwrap_or((info, ""));
            let path = path.to_owned();
            let step = match (language, path.is_empty()) {
                ("sh", true) => Step::Run(text),
                ("diff", false) => Step::Change { path, lines: text },
                (_, false) => Step::New { path, text },
                (_, true) => continue,
            };
            if let Some(recipe) = recipes.last_mut() {
                recipe.steps.push(step);
            }
        }
    }
    recipes.retain(|recipe| !recipe.steps.is_empty());
    recipes
}

impl Recipe {
    /// Does it in a working tree.
    ///
    /// # Errors
    ///
    /// A step does not fit the tree; those before it are done.
    pub(crate) fn apply(&self, root: &Path, variables: &[(&str, &str)]) -> anyhow::Result<()> {
        for step in &self.steps {
            match step {
                Step::Run(commands) => {
                    let output = Command::new("bash")
                        .args(["-euo", "pipefail", "-c", commands])
                        .envs(variables.iter().copied())
                        .current_dir(root)
                        .output()?;
                    let says = String::from_utf8_lossy(&output.stderr);
                    ensure!(output.status.success(), "this failed:\n{commands}{says}");
                }
                Step::New { path, text } => {
                    let file = root.join(path);
                    ensure!(!file.exists(), "{path} is there already");
                    fs::create_dir_all(file.parent().context("a file has a folder")?)?;
                    fs::write(file, text)?;
                }
                Step::Change { path, lines } => {
                    let file = root.join(path);
                    let text = fs::read_to_string(&file).with_context(|| path.clone())?;
                    fs::write(file, changed(&text, lines).with_context(|| path.clone())?)?;
                }
            }
        }
        Ok(())
    }
}

/// The text with each part of the change made; parts are separated by a line of `…`.
fn changed(text: &str, change: &str) -> anyhow::Result<String> {
    let mut text: Vec<&str> = text.lines().collect();
    for part in change.split("…\n") {
        let (mut old, mut new) = (Vec::new(), Vec::new());
        for line in part.lines() {
            let (sign, rest) = line.split_at_checked(1).unwrap_or((" ", ""));
            match sign {
                "-" => old.push(rest),
                "+" => new.push(rest),
                " " => {
                    old.push(rest);
                    new.push(rest);
                }
                _ => bail!("`{line}` begins with none of `+`, `-` and a space"),
            }
        }
        ensure!(!old.is_empty(), "nothing says where this is to stand:\n{}", new.join("\n"));
        let mut places = (0..text.len()).filter(|place| text[*place..].starts_with(&old));
        let (Some(place), None) = (places.next(), places.next()) else {
            bail!("these lines do not stand there exactly once:\n{}", old.join("\n"));
        };
        text.splice(place..place + old.len(), new);
    }
    Ok(text.join("\n") + "\n")
}

#[cfg(test)]
mod tests {
    use super::{changed, recipes};

    #[test]
    fn a_change_needs_its_place_and_keeps_the_rest() {
        let text = "a\nb\nc\nab\n";
        assert_eq!(changed(text, " a\n+x\n b\n…\n-ab\n+y\n").unwrap(), "a\nx\nb\nc\ny\n");
        assert!(changed(text, "-d\n").unwrap_err().to_string().contains("exactly once"));
        assert!(changed("a\na\n", "-a\n").is_err(), "it stands there twice");
    }

    #[test]
    fn blocks_belong_to_the_heading_above_them_and_those_without_a_path_are_for_reading() {
        let document = "# Title\n```sh\nno\n```\n## One\n```sh\ntrue\n```\n```console\nread\n```\n## Two\nnothing\n## Three\n```rust a.rs\nfn a() {}\n```\n";
        let names: Vec<_> =
            recipes(document).into_iter().map(|recipe| (recipe.name, recipe.steps.len())).collect();
        assert_eq!(names, [("One".to_owned(), 1), ("Three".to_owned(), 1)]);
    }
}
