//! What the server's processes have in common with the process that they belong to, and what not.

use std::{io::Read, thread, time::Instant};

use nix::sys::signal::Signal;

use crate::{ask, holder::Holder, is_gone, kept::Kept, postmaster, send, until};

#[test]
fn a_killed_process_takes_its_kept_server_along() {
    let kept = Kept::new("along");
    let mut holder = kept.start().unwrap();
    let pid = postmaster(&holder.directory);
    let begin = Instant::now();
    holder.kill();
    until("the server is gone", || is_gone(pid));
    eprintln!("kept, kill -9 to gone: {:?}", begin.elapsed());
    assert!(!holder.directory.join("data/postmaster.pid").exists(), "it has shut down, not crashed");
}

#[test]
fn ctrl_c_does_not_reach_the_server() {
    let mut holder = Holder::start("", &[]).unwrap();
    let pid = postmaster(&holder.directory);
    holder.interrupt();
    // A server that was told to end would cut this off.
    assert_eq!(ask(&holder.url, "select 'drained' from pg_sleep(1)").unwrap(), "drained");
    assert_eq!(postmaster(&holder.directory), pid);
    assert_eq!(holder.stop(), "stopped");
}

#[test]
fn a_signal_does_not_stop_the_watchdog() {
    let mut holder = Holder::start("", &[]).unwrap();
    let watchdog = holder.watchdog().unwrap();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        send(signal, watchdog);
    }
    assert_eq!(ask(&holder.url, "select 'here'").unwrap(), "here");
    holder.kill();
    until("the folder is deleted", || !holder.directory.exists());
}

#[test]
fn the_output_of_a_process_ends_before_its_server() {
    let kept = Kept::new("output");
    let mut holder = kept.start().unwrap();
    let url = holder.url.clone();
    let _client = thread::spawn(move || ask(&url, "select 'slept' from pg_sleep(600)"));
    let find = "select coalesce(min(pid), 0)::text from pg_stat_activity where query like '%pg_sleep(600)'";
    let mut session = 0;
    until("the client sleeps", || {
        session = ask(&holder.url, find).unwrap().parse().unwrap();
        session != 0
    });
    // The server can't end before each of its sessions has, and this one can't now.
    send(Signal::SIGSTOP, session);
    let pid = postmaster(&holder.directory);
    holder.kill();

    let mut rest = String::new();
    holder.child.stdout.take().unwrap().read_to_string(&mut rest).unwrap();
    assert!(holder.is_silent());
    assert!(!is_gone(pid));
    send(Signal::SIGCONT, session);
    until("the server is gone", || is_gone(pid));
}
