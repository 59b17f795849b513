//! The server of a test run: fast, alone, and gone without a trace.

use std::{ffi::OsStr, fs, os::unix::fs::PermissionsExt, path::Path, thread, time::Instant};

use local_postgres::LocalPostgres;

use crate::{ask, holder::Holder, is_gone, postmaster, run, until};

#[test]
fn a_throwaway_server_serves_and_leaves_nothing() {
    let begin = Instant::now();
    let server = LocalPostgres::start_throwaway().unwrap();
    eprintln!("throw-away start: {:?}", begin.elapsed());
    let (url, directory) = (server.url("postgres"), server.directory().to_owned());
    let pid = postmaster(&directory);

    run(&url, "create extension hstore; create extension pgcrypto");
    assert_eq!(ask(&url, "show fsync").unwrap(), "off");
    assert_eq!(ask(&url, "show max_connections").unwrap(), "400");
    assert_eq!(ask(&url, "show listen_addresses").unwrap(), "");
    assert_eq!(ask(&url, "show server_encoding").unwrap(), "UTF8");
    assert_eq!(directory.metadata().unwrap().permissions().mode() & 0o777, 0o700);

    run(&url, "create database \"another & one\"");
    assert_eq!(
        ask(&server.url("another & one"), "select current_database()::text").unwrap(),
        "another & one"
    );

    let begin = Instant::now();
    server.stop().unwrap();
    eprintln!("throw-away stop: {:?}", begin.elapsed());
    assert!(is_gone(pid));
    assert!(!directory.exists());
}

#[test]
fn a_dropped_server_is_gone() {
    let server = LocalPostgres::start_throwaway().unwrap();
    let directory = server.directory().to_owned();
    drop(server);
    assert!(!directory.exists());
}

#[test]
fn throwaway_servers_started_at_once_do_not_meet() {
    let servers: Vec<_> = (0..3)
        .map(|_| thread::spawn(|| LocalPostgres::start_throwaway().unwrap()))
        .collect::<Vec<_>>()
        .into_iter()
        .map(|starting| starting.join().unwrap())
        .collect();
    for server in &servers {
        run(&server.url("postgres"), "create table only_here ()");
    }
    for server in servers {
        server.stop().unwrap();
    }
}

#[test]
fn a_throwaway_server_is_deleted_after_kill_9() {
    let mut holder = Holder::start("", &[]).unwrap();
    let pid = postmaster(&holder.directory);
    let begin = Instant::now();
    holder.kill();
    until("the folder is deleted", || !holder.directory.exists());
    eprintln!("throw-away, kill -9 to deleted: {:?}", begin.elapsed());
    assert!(is_gone(pid));
}

#[test]
fn a_throwaway_server_is_deleted_when_nothing_drops_it() {
    let mut holder = Holder::start("", &[]).unwrap();
    holder.exit();
    until("the folder is deleted", || !holder.directory.exists());
}

#[test]
#[cfg(target_os = "linux")]
fn a_process_killed_while_its_server_starts_leaves_nothing() {
    for sign in ["log", "unfinished", "data", "data/postmaster.pid"] {
        let mut holder = Holder::launch("", &[]);
        let mut folder = None;
        until("the watchdog is there", || {
            folder = holder.folder();
            folder.is_some()
        });
        let folder = folder.unwrap();
        until(sign, || folder.join(sign).exists());
        holder.kill();
        until("the folder is deleted", || !folder.exists());
    }
}

#[test]
fn a_throwaway_server_needs_no_home() {
    let nowhere = OsStr::new("/dev/null/home");
    let environment = [("HOME", nowhere), ("XDG_DATA_HOME", nowhere), ("XDG_CACHE_HOME", nowhere)];
    let mut holder = Holder::start("", &environment).unwrap();
    assert_eq!(ask(&holder.url, "select 'here'").unwrap(), "here");
    assert_eq!(holder.stop(), "stopped");
}

#[test]
fn a_temp_folder_with_any_name_will_do() {
    // As root the server's user could not enter it, which is why it is not used then.
    let temp = tempfile::tempdir().unwrap();
    let name = temp.path().join(format!("50% of, & {}", "long ".repeat(30)));
    fs::create_dir(&name).unwrap();
    let mut holder = Holder::start("", &[("TMPDIR", name.as_os_str())]).unwrap();
    assert_eq!(ask(&holder.url, "select 'here'").unwrap(), "here");
    let sockets = ask(&holder.url, "show unix_socket_directories").unwrap();
    assert_eq!(holder.stop(), "stopped");
    assert!(!Path::new(&sockets).exists());
    assert_eq!(fs::read_dir(&name).unwrap().count(), 0);
}
