//! `aftercall config`, and that no command tells a secret.

use std::fs;

use crate::cli::{changed, documented::in_the_documentation, program, settings};

#[tokio::test]
async fn each_setting_is_shown_with_where_it_came_from() {
    let folder = tempfile::tempdir().unwrap();
    let lines = "WEBHOOK_TOKEN=from-the-file\nJOBS='report-call'\nREVIEW_SHORT_SECONDS=5\n";
    fs::write(folder.path().join(".env"), lines).unwrap();
    fs::write(folder.path().join("password"), "from-its-own-file\n").unwrap();
    let set = settings([
        ("FOLDER", folder.path().to_str().unwrap()),
        ("REVIEW_SHORT_SECONDS", "7"),
        ("CONSOLE_PASSWORD_FILE", "password"),
        ("REPORT_SECRET", "from-the-environment"),
        ("REVIEW_URL", "https://me:word@hooks.example/T0/B0?key=1"),
        ("PUBLIC_URL", "https://calls.example.com"),
    ]);
    let ran = program(&["config", "--webhook-path", "/calls"], &set).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    for line in [
        "ADMIN_ADDR=127.0.0.1:8081  # default",
        "CONSOLE_PASSWORD=********  # the file that CONSOLE_PASSWORD_FILE names",
        "JOBS=report-call  # .env",
        "PUBLIC_URL=https://calls.example.com  # environment",
        "REPORT_SECRET=********  # environment",
        "REVIEW_SECRET=  # not set",
        "REVIEW_URL=https://hooks.example/********  # environment",
        "REVIEW_SHORT_SECONDS=7  # environment",
        "WEBHOOK_PATH=/calls  # --webhook-path",
        "WEBHOOK_TOKEN=********  # .env",
    ] {
        assert!(ran.out.lines().any(|shown| shown == line), "{line}: {}", ran.out);
    }
}

#[tokio::test]
async fn no_command_and_no_error_tells_a_secret() {
    let mark = "Hemlig7Nyckel";
    let (_, secrets) = in_the_documentation();
    let mut set: Vec<_> = secrets.into_iter().map(|name| (name.clone(), format!("{mark}-{name}"))).collect();
    for (name, value) in [
        ("DATABASE_URL", format!("postgres://me:{mark}@127.0.0.1:1/calls")),
        ("WEBHOOK_BASIC_USER", "platform".to_owned()),
        ("JOBS", "update-crm,attach-recording,review-call,report-call".to_owned()),
        ("REVIEW_URL", format!("https://hooks.example/{mark}")),
        ("REPORT_URL", format!("https://me:{mark}@hooks.example/")),
        ("HUBSPOT_BASE_URL", format!("http://me:{mark}@127.0.0.1:1")),
        ("ZENDESK_BASE_URL", format!("http://me:{mark}@127.0.0.1:1")),
        ("ZENDESK_CLIENT_ID", "aftercall".to_owned()),
        ("LISTEN_ADDR", "127.0.0.1:1".to_owned()),
    ] {
        set = changed(&set, name, &value);
    }
    let commands = ["config", "doctor", "send", "init", "receive", "work", "setup"];
    let mut shown = program(&["--help"], &set).await.out;
    for command in commands {
        let help = program(&[command, "--help"], &set).await;
        assert_eq!(help.code, 0, "{help:?}");
        shown += &help.out;
    }
    for arguments in [&["config"][..], &["doctor"], &["send"], &["send", "--url", "http://127.0.0.1:1/"]] {
        let ran = program(arguments, &set).await;
        shown += &(ran.out + &ran.err);
    }
    for (name, value) in [
        ("WEBHOOK_TOKEN_FILE", "/dev/null"),
        ("CONSOLE_PASSWORD", " "),
        ("DATABASE_URL", mark),
        ("DATABASE_URL", &format!("postgres://me:{mark}@[/calls")),
    ] {
        for command in ["doctor", "receive", "config"] {
            let ran = program(&[command], &changed(&set, name, value)).await;
            shown += &(ran.out + &ran.err);
        }
    }
    let (documented, secrets) = in_the_documentation();
    for name in documented.difference(&secrets).filter(|name| name.ends_with("_URL")) {
        for value in
            [format!("hooks/{mark}"), format!("https://me:{mark}@[/"), format!("hooks.example:443/{mark}")]
        {
            for command in ["doctor", "config"] {
                let ran = program(&[command], &changed(&set, name, &value)).await;
                let flag = format!("--{}", name.to_lowercase().replace('_', "-"));
                assert!(value.contains(":443") || ran.err.contains(&flag), "it names the setting: {ran:?}");
                shown += &(ran.out + &ran.err);
            }
        }
    }
    for arguments in [&["health", mark][..], &["send", "--url", mark], &["init", "--public-url", mark]] {
        let ran = program(arguments, &set).await;
        assert_ne!(ran.code, 0, "{ran:?}");
        shown += &(ran.out + &ran.err);
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(".env"), format!("WEBHOOK_TOKEN={mark} {mark}\n")).unwrap();
    let ran = program(&["config"], &settings([("FOLDER", folder.path().to_str().unwrap())])).await;
    assert!(ran.code == 1 && ran.err.contains(".env has a line that is no NAME=value"), "{ran:?}");
    shown += &(ran.out + &ran.err);

    let told = shown.lines().find(|line| line.contains(mark));
    assert_eq!(told, None);
}
