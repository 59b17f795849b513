//! What is run, and what is said where there is nothing to run.

use std::{env, ffi::OsStr, fs, os::unix::fs::PermissionsExt, path::Path, time::Instant};

use tempfile::TempDir;

use crate::{ask, holder::Holder};

/// Where nobody listens: no download gets through.
const NO_NETWORK: (&str, &str) = ("HTTPS_PROXY", "http://127.0.0.1:9");

fn open_folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    folder
}

/// An `initdb` that answers as one whose extensions are missing, and notes that it was asked.
fn install_without_extensions(folder: &Path) {
    let initdb = folder.join("initdb");
    fs::write(
        &initdb,
        "#!/bin/sh\ntouch \"${0%initdb}asked\"\nprintf 'VERSION=15.1\\nshare_path=/nowhere\\n' >&2\n",
    )
    .unwrap();
    fs::set_permissions(&initdb, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn without_postgres_and_network_one_line_says_what_to_do() {
    let (empty, home) = (open_folder(), TempDir::new().unwrap());
    let environment = [
        ("LOCAL_POSTGRES_BIN", empty.path().as_os_str()),
        ("XDG_DATA_HOME", home.path().as_os_str()),
        (NO_NETWORK.0, OsStr::new(NO_NETWORK.1)),
    ];
    let begin = Instant::now();
    let told = Holder::start("", &environment).err().unwrap();
    eprintln!("no postgres, no network, until told: {:?}: {told}", begin.elapsed());
    assert!(!told.contains('|'), "more than one line: {told}");
    for advice in ["apt-get install postgresql", "brew install postgresql", "DATABASE_URL", "docker compose"]
    {
        assert!(told.contains(advice), "{told}");
    }
}

#[test]
fn an_install_without_the_extensions_is_named() {
    let (folder, home) = (open_folder(), TempDir::new().unwrap());
    install_without_extensions(folder.path());
    let environment = [
        ("LOCAL_POSTGRES_BIN", folder.path().as_os_str()),
        ("XDG_DATA_HOME", home.path().as_os_str()),
        (NO_NETWORK.0, OsStr::new(NO_NETWORK.1)),
    ];
    let told = Holder::start("", &environment).err().unwrap();
    assert!(told.contains("without the extension hstore"), "{told}");
}

#[test]
fn an_install_without_the_extensions_is_passed_over() {
    let folder = open_folder();
    install_without_extensions(folder.path());
    let path = env::var_os("PATH").unwrap_or_default();
    let path =
        env::join_paths([folder.path().to_owned()].into_iter().chain(env::split_paths(&path))).unwrap();
    let mut holder = Holder::start("", &[("PATH", &path)]).unwrap();
    assert!(folder.path().join("asked").exists());
    assert_eq!(ask(&holder.url, "select 'here'").unwrap(), "here");
    assert_eq!(holder.stop(), "stopped");
}

#[test]
fn an_install_outside_path_is_found() {
    let mut holder = Holder::start("", &[("PATH", OsStr::new("/usr/bin:/bin"))]).unwrap();
    assert_eq!(ask(&holder.url, "select 'here'").unwrap(), "here");
    assert_eq!(holder.stop(), "stopped");
}
