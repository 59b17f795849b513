//! What `.env.example`, `docs/settings.md` and docker-compose.yml say of settings is what the program says of them.

use std::collections::BTreeSet;
#[cfg(feature = "dev")]
use std::fs;

use super::program;

const SETTINGS: &str = include_str!("../../../docs/settings.md");

/// The names in the first column of the documentation's table, and the secrets among them.
pub(super) fn in_the_documentation() -> (BTreeSet<String>, BTreeSet<String>) {
    let table = SETTINGS.split("| variable | default | meaning |").nth(1).unwrap();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let entries: Vec<_> = rows.map(|row| row.split('|').nth(1).unwrap().trim()).collect();
    let secrets = entries.iter().filter_map(|entry| entry.strip_suffix(" *")).map(str::to_owned);
    let names = entries.iter().map(|entry| entry.trim_end_matches(" *").to_owned());
    (names.collect(), secrets.collect())
}

#[cfg(feature = "dev")]
#[tokio::test]
async fn the_files_say_of_each_setting_what_the_program_does() {
    let files = [
        (".env.example", include_str!("../../../.env.example")),
        ("docs/settings.md", SETTINGS),
        ("docker-compose.yml", include_str!("../../../docker-compose.yml")),
    ];
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("docs")).unwrap();
    for (file, text) in files {
        fs::write(folder.path().join(file), text).unwrap();
    }
    let ran = program(&["settings", folder.path().to_str().unwrap()], &[]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    for (file, text) in files {
        let written = fs::read_to_string(folder.path().join(file)).unwrap();
        assert!(written == text, "{file} is not what the settings' fields say: run `cargo xtask settings`");
    }
}

#[tokio::test]
async fn every_setting_is_shown_and_explained_and_secrets_have_no_flag() {
    let shown = program(&["config"], &[]).await.out;
    let shown: BTreeSet<_> = shown.lines().map(|line| line.split_once('=').unwrap().0.to_owned()).collect();
    let (documented, secrets) = in_the_documentation();
    assert_eq!(shown, documented);
    let help = program(&["--help"], &[]).await.out;
    for name in documented {
        let flag = format!("--{} ", name.to_lowercase().replace('_', "-"));
        assert_eq!(secrets.contains(&name), !help.contains(&flag), "{name}: secrets have no flag");
        assert!(help.contains(&name), "--help names {name}");
    }
}

#[tokio::test]
async fn a_secret_on_the_command_line_is_refused_unseen() {
    for command in [&["receive"][..], &["config"], &[]] {
        let arguments = [command, &["--webhook-token", "Hemlig7Nyckel"]].concat();
        let ran = program(&arguments, &[]).await;
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.err.contains("WEBHOOK_TOKEN is a secret and has no flag"), "{ran:?}");
        assert!(!ran.err.contains("Hemlig7Nyckel") && !ran.out.contains("Hemlig7Nyckel"), "{ran:?}");
    }
}
