//! `aftercall init`.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use crate::{
    cli::{changed, program, settings},
    helpers::{Process, database},
};

fn in_folder(folder: &Path) -> Vec<(String, String)> {
    settings([("FOLDER", folder.to_str().unwrap())])
}

/// The value of a variable in the file.
fn value(file: &str, name: &str) -> String {
    let line = file.lines().find_map(|line| line.strip_prefix(&format!("{name}=")));
    line.unwrap_or_else(|| panic!("no {name} in {file}")).to_owned()
}

#[tokio::test]
async fn each_file_has_secrets_of_its_own_that_only_its_owner_can_read() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let [one, two] = [one, two].map(|folder| (folder.path().join(".env"), folder));
    for (_, folder) in [&one, &two] {
        let ran = program(&["init"], &in_folder(folder.path())).await;
        assert_eq!(ran.code, 0, "{ran:?}");
    }
    assert_eq!(fs::metadata(&one.0).unwrap().permissions().mode() & 0o777, 0o600);
    let files = [one, two].map(|(file, _folder)| fs::read_to_string(file).unwrap());
    let names = ["WEBHOOK_TOKEN", "CONSOLE_PASSWORD", "POSTGRES_PASSWORD"];
    let mut secrets: Vec<_> = files.iter().flat_map(|file| names.map(|name| value(file, name))).collect();
    assert!(secrets.iter().all(|secret| secret.len() == 64));
    secrets.sort();
    secrets.dedup();
    assert_eq!(secrets.len(), 6);
}

#[tokio::test]
async fn a_file_that_is_there_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kept.env");
    fs::write(&file, "mine").unwrap();
    let ran = program(&["init", "--path", "kept.env"], &in_folder(folder.path())).await;
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("kept.env is there already") && ran.err.contains("--path"), "{ran:?}");
    assert_eq!((ran.out.as_str(), fs::read_to_string(file).unwrap().as_str()), ("", "mine"));
}

#[tokio::test]
async fn it_says_what_to_paste_field_by_field() {
    let folder = tempfile::tempdir().unwrap();
    let ran = program(&["init", "--domain", "calls.example.com"], &in_folder(folder.path())).await;
    let file = fs::read_to_string(folder.path().join(".env")).unwrap();
    let token = value(&file, "WEBHOOK_TOKEN");
    assert_eq!(value(&file, "DOMAIN"), "calls.example.com");
    assert_eq!(value(&file, "PUBLIC_URL"), "https://calls.example.com");
    for line in [
        "Destination URL   https://calls.example.com/webhooks/after-call\n",
        "Header key        X-Webhook-Token\n",
        &format!("Secret value      {token}\n"),
        "curl -X POST https://api.example.com/v1/webhooks",
        &format!(r#""auth": {{"header": "X-Webhook-Token", "secret": "{token}"}}"#),
    ] {
        assert!(ran.out.contains(line), "{line}: {ran:?}");
    }
    assert!(
        !ran.out.contains(&value(&file, "CONSOLE_PASSWORD"))
            && !ran.out.contains(&value(&file, "POSTGRES_PASSWORD"))
    );
}

#[tokio::test]
async fn an_address_that_the_platform_can_not_use_is_refused_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    for address in [
        ["--domain", "calls.example.com/x"],
        ["--domain", "calls.example.com\nJOBS="],
        ["--public-url", "http://calls.example.com"],
        ["--public-url", "https://me:secret@calls.example.com"],
    ] {
        let ran = program(&["init", address[0], address[1]], &in_folder(folder.path())).await;
        assert!(ran.code == 1 && ran.err.contains(address[0]), "{ran:?}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_receiver_beside_the_file_takes_what_a_sender_beside_it_sends() {
    let folder = tempfile::tempdir().unwrap();
    let beside = in_folder(folder.path());
    assert_eq!(program(&["init", "--domain", "calls.example.com"], &beside).await.code, 0);
    let receiver = changed(&beside, "DATABASE_URL", &database::create().await);
    let receiver = changed(&receiver, "WEBHOOK_ALLOWED_IPS", "any");
    let receiver = Process::start(Some("receive"), &receiver).await;
    let sender = changed(&beside, "LISTEN_ADDR", receiver.address());
    let ran = program(&["send"], &sender).await;
    assert!(ran.code == 0 && ran.out.contains("<-- 200 stored"), "{ran:?}");
    let ran = program(&["send"], &changed(&sender, "WEBHOOK_TOKEN", "another")).await;
    assert!(ran.code == 1 && ran.out.contains("<-- 401 "), "a variable that is set wins: {ran:?}");
}
