//! `docs/settings.md`, `.env.example`, docker-compose.yml and the program know the same ones.

use std::collections::{BTreeMap, BTreeSet};

use super::program;

const SETTINGS: &str = include_str!("../../../docs/settings.md");
const EXAMPLE: &str = include_str!("../../../.env.example");
const PRODUCTION: &str = include_str!("../../../docker-compose.yml");

/// What docker-compose.yml reads itself, and the filter of the log.
const COMPOSE: [&str; 10] = [
    "COMPOSE_FILE",
    "COMPOSE_PROFILES",
    "CONSOLE_PUBLISH",
    "DOMAIN",
    "RECEIVERS",
    "RUST_LOG",
    "STOP_GRACE_PERIOD",
    "TLS",
    "WEBHOOK_PUBLISH",
    "WORKERS",
];

/// In place of a default, the example shows what such a value looks like.
const ILLUSTRATED: [&str; 3] = ["LOG_FORMAT", "WEBHOOK_SIGNATURE", "WEBHOOK_ALLOWED_IPS"];

fn is_name(word: &str) -> bool {
    word.starts_with(|letter: char| letter.is_ascii_uppercase())
        && word.chars().all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_')
}

/// The names in the first column of the documentation's table, and the secrets among them.
pub(super) fn in_the_documentation() -> (BTreeSet<String>, BTreeSet<String>) {
    let table = SETTINGS.split("| variable | default | meaning |").nth(1).unwrap();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let cells: Vec<_> = rows.map(|row| row.split('|').nth(1).unwrap()).collect();
    let entries = || cells.iter().flat_map(|cell| cell.split(',')).map(str::trim);
    let secrets = entries().filter_map(|entry| entry.strip_suffix(" *")).map(str::to_owned);
    let names = entries().map(|entry| entry.trim_end_matches(" *").to_owned());
    (names.collect(), secrets.collect())
}

/// The names in the example and their values, whether they are commented out or not.
fn in_the_example() -> BTreeMap<String, String> {
    let lines = EXAMPLE.lines().filter_map(|line| line.trim_start_matches('#').split_once('='));
    let lines = lines.filter(|(name, _)| is_name(name) && !COMPOSE.contains(name));
    lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[tokio::test]
async fn every_setting_is_documented_and_handed_on() {
    let shown = program(&["config"], &[]).await.out;
    let in_force: BTreeMap<_, _> = shown
        .lines()
        .map(|line| {
            let (name, rest) = line.split_once('=').unwrap();
            let (value, source) = rest.rsplit_once("  # ").unwrap();
            (name.to_owned(), (value.to_owned(), source.to_owned()))
        })
        .collect();
    let names: BTreeSet<_> = in_force.keys().cloned().collect();
    let (documented, secrets) = in_the_documentation();
    assert_eq!(documented, names, "docs/settings.md");
    let example = in_the_example();
    assert_eq!(example.keys().cloned().collect::<BTreeSet<_>>(), names, ".env.example");

    let help = program(&["--help"], &[]).await.out;
    for name in &names {
        let flag = format!("--{}", name.to_lowercase().replace('_', "-"));
        assert_eq!(
            secrets.contains(name),
            !help.contains(&format!("{flag} ")),
            "{name}: secrets have no flag"
        );
        assert!(help.contains(name.trim_end_matches("_PREVIOUS")), "--help names {name}");
        // Where a container listens is the image's business.
        if !["LISTEN_ADDR", "ADMIN_ADDR"].contains(&name.as_str()) {
            let handed_on = PRODUCTION.lines().any(|line| line.trim_start().starts_with(&format!("{name}:")));
            assert!(handed_on, "docker-compose.yml hands on {name}");
        }
    }
    for (name, (value, source)) in in_force {
        if source == "default" && !value.is_empty() && !ILLUSTRATED.contains(&name.as_str()) {
            assert_eq!(example[&name], value, "the default of {name} in .env.example");
        }
    }
}
