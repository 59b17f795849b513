//! `settings`: writes what is said of each setting elsewhere, from its field's name, default and text.
//!
//! A file has a place for it, which ends with the next empty line; what stands before that place is written by hand, and
//! names that stand there are left out.

use std::{fmt::Write as _, fs, path::Path};

use anyhow::Context;

use crate::config::read::{Setting, Source};

/// Where a container listens is its image's business.
const OF_THE_IMAGE: [&str; 2] = ["LISTEN_ADDR", "ADMIN_ADDR"];

/// The longest line of a comment.
const WIDTH: usize = 128;

/// The files, and in each the lines after which the settings stand.
type Place = (&'static str, &'static str, fn(&[Setting], &str) -> String);

const PLACES: [Place; 5] = [
    (".env.example", "# All other settings, as `cargo xtask settings` writes them.", example),
    ("docs/settings.md", "|---|---|---|", table),
    ("docker-compose.yml", "  # For all, by cargo xtask settings.", |all, before| {
        names(all, before, |setting| !setting.secret || !setting.of_the_fork && !is_of_receivers(setting))
    }),
    ("docker-compose.yml", "  # For receivers, by cargo xtask settings.", |all, before| {
        names(all, before, |setting| setting.secret && is_of_receivers(setting))
    }),
    ("docker-compose.yml", "  # For workers, by cargo xtask settings.", |all, before| {
        names(all, before, |setting| setting.secret && setting.of_the_fork)
    }),
];

/// Whether it is a secret of who may deliver.
fn is_of_receivers(setting: &Setting) -> bool {
    setting.name.starts_with("WEBHOOK_")
}

/// Writes all places below this folder; files that are not there stay so.
///
/// # Errors
///
/// A file lacks its place.
pub fn write(source: &Source, root: &Path) -> anyhow::Result<()> {
    let settings = source.settings();
    for (file, mark, render) in PLACES {
        let path = root.join(file);
        if !path.exists() {
            continue;
        }
        let text = fs::read_to_string(&path).with_context(|| format!("{file} can't be read"))?;
        let written = filled(&text, mark, |before| render(&settings, before));
        let written = written.with_context(|| format!("{file} lacks the line `{mark}`"))?;
        if written != text {
            fs::write(&path, written)?;
            println!("{file} is brought up to date");
        }
    }
    Ok(())
}

/// The text with what `render` makes of the text before, from the line after the mark to the next empty one.
fn filled(text: &str, mark: &str, render: impl FnOnce(&str) -> String) -> Option<String> {
    let (before, after) = text.split_once(&format!("{mark}\n"))?;
    let end = if after.starts_with('\n') { Some(0) } else { after.find("\n\n").map(|end| end + 1) };
    let rest = end.map_or("", |end| &after[end..]);
    Some(format!("{before}{mark}\n{}{rest}", render(before)))
}

/// Whether a line says the name already, commented out or not.
fn says(text: &str, name: &str) -> bool {
    text.lines().any(|line| {
        let rest = line.trim_start_matches(['#', ' ']).strip_prefix(name);
        rest.is_some_and(|rest| rest.starts_with(['=', ':']))
    })
}

fn names(settings: &[Setting], before: &str, of: impl Fn(&Setting) -> bool) -> String {
    let wanted = |setting: &&Setting| {
        of(setting) && !OF_THE_IMAGE.contains(&setting.name.as_str()) && !says(before, &setting.name)
    };
    let lines = settings.iter().filter(wanted).map(|setting| format!("  {}:\n", setting.name));
    lines.collect::<Vec<_>>().concat()
}

fn example(settings: &[Setting], before: &str) -> String {
    let mut text = String::new();
    let mut heading = "";
    for setting in settings.iter().filter(|setting| !says(before, &setting.name)) {
        if setting.heading != heading {
            heading = &setting.heading;
            writeln!(text, "# {heading}").expect("a text takes any");
        }
        let mut line = String::from("#  ");
        for word in setting.meaning.split_whitespace() {
            if line.chars().count() + word.chars().count() >= WIDTH {
                writeln!(text, "{line}").expect("a text takes any");
                line = String::from("#  ");
            }
            write!(line, " {word}").expect("a text takes any");
        }
        writeln!(text, "{line}\n#{}={}", setting.name, setting.default).expect("a text takes any");
    }
    text
}

fn table(settings: &[Setting], _: &str) -> String {
    let row = |setting: &Setting| {
        let secret = if setting.secret { " *" } else { "" };
        let default = if setting.default.is_empty() { "–" } else { &setting.default };
        format!("| {}{secret} | {default} | {} |\n", setting.name, setting.meaning.replace('|', "\\|"))
    };
    settings.iter().map(row).collect::<Vec<_>>().concat()
}
