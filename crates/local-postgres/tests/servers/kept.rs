//! The server of `cargo run`: its data stay, and one process has it at a time.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::PathBuf,
    process, thread,
    time::Instant,
};

use nix::{
    sys::signal::Signal,
    unistd::{User, geteuid},
};
use tempfile::TempDir;

use crate::{ask, holder::Holder, is_gone, postmaster, run, send, until};

/// A kept server's name and place; deleted at the end.
pub(crate) struct Kept {
    name: String,
    home: TempDir,
    /// What counts for all but root, whose data stand in `/var/lib`.
    data_home: PathBuf,
}

impl Kept {
    pub(crate) fn new(name: &str) -> Self {
        let home = TempDir::new().unwrap();
        let data_home = home.path().to_owned();
        Self { name: format!("local-postgres-test-{}-{name}", process::id()), home, data_home }
    }

    pub(crate) fn start(&self) -> Result<Holder, String> {
        Holder::start(&self.name, &[("XDG_DATA_HOME", self.data_home.as_os_str())])
    }

    fn launch(&self) -> Holder {
        Holder::launch(&self.name, &[("XDG_DATA_HOME", self.data_home.as_os_str())])
    }

    fn folder(&self) -> PathBuf {
        if geteuid().is_root() { PathBuf::from("/var/lib") } else { self.data_home.clone() }.join(&self.name)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        // The next owner of the lock is the first to know that the last server is gone.
        if !thread::panicking() {
            let _ = self.start().map(|mut holder| holder.stop());
        }
        let _ = fs::remove_dir_all(self.folder());
    }
}

#[test]
fn a_kept_server_keeps_its_data() {
    let kept = Kept::new("data");
    let begin = Instant::now();
    let mut first = kept.start().unwrap();
    eprintln!("kept, cold start: {:?}", begin.elapsed());
    run(&first.url, "create table word as select 'kept' as said");
    assert_eq!(first.stop(), "stopped");

    let begin = Instant::now();
    let mut second = kept.start().unwrap();
    eprintln!("kept, warm start: {:?}", begin.elapsed());
    assert_eq!(ask(&second.url, "select said from word").unwrap(), "kept");
    assert_eq!(ask(&second.url, "show fsync").unwrap(), "on");
    assert_eq!(second.stop(), "stopped");
}

#[test]
fn a_kept_server_is_its_users_alone() {
    let kept = Kept::new("owner");
    let mut holder = kept.start().unwrap();
    let major = ask(&holder.url, "select split_part(current_setting('server_version'), '.', 1)").unwrap();
    assert_eq!(holder.directory, kept.folder().join(format!("postgres-{major}")));
    let user = if geteuid().is_root() {
        User::from_name("postgres").unwrap().or(User::from_name("nobody").unwrap()).unwrap().uid
    } else {
        geteuid()
    };
    for folder in [&holder.directory, &holder.directory.join("data")] {
        let metadata = folder.metadata().unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o700);
        assert_eq!(metadata.uid(), user.as_raw());
    }
    holder.stop();
}

#[test]
fn a_kept_server_starts_at_once_after_kill_9() {
    let kept = Kept::new("kill-9");
    let mut holder = kept.start().unwrap();
    run(&holder.url, "create table run (n serial)");
    for runs in 1..=5 {
        run(&holder.url, "insert into run default values");
        holder.kill();
        let begin = Instant::now();
        holder = kept.start().unwrap();
        eprintln!("kept, start at once after kill -9: {:?}", begin.elapsed());
        assert_eq!(ask(&holder.url, "select count(*)::text from run").unwrap(), runs.to_string());
    }
}

#[test]
fn a_second_process_is_told_of_the_first() {
    let kept = Kept::new("in-use");
    let first = kept.start().unwrap();
    let told = kept.start().err().unwrap();
    assert!(told.starts_with("in use: "), "{told}");
    assert!(told.contains(&format!("(pid {})", first.child.id())), "{told}");
    assert_eq!(ask(&first.url, "select 'still here'").unwrap(), "still here");
}

#[test]
fn a_first_start_that_was_killed_is_made_good() {
    let kept = Kept::new("half-made");
    let mut holder = kept.launch();
    until("initdb is at work", || {
        fs::read_dir(kept.folder()).is_ok_and(|mut entries| {
            entries.any(|entry| entry.unwrap().path().join("unfinished/PG_VERSION").exists())
        })
    });
    // With its whole group, initdb included: what is there now stays half made.
    send(Signal::SIGKILL, -holder.watchdog().unwrap());
    holder.kill();
    let mut holder = kept.start().unwrap();
    assert_eq!(holder.stop(), "stopped");
}

#[test]
fn a_server_that_was_killed_is_started_again() {
    let kept = Kept::new("crash");
    let mut holder = kept.start().unwrap();
    run(&holder.url, "create table word as select 'kept' as said");
    send(Signal::SIGKILL, postmaster(&holder.directory));
    until("it does not answer", || ask(&holder.url, "select 'here'").is_err());
    let said = holder.stop();
    assert!(said.starts_with("Postgres did not end well"), "{said}");

    let mut holder = kept.start().unwrap();
    assert_eq!(ask(&holder.url, "select said from word").unwrap(), "kept");
    assert_eq!(holder.stop(), "stopped");
}

#[test]
fn a_server_that_lost_its_watchdog_is_ended_by_the_next_start() {
    let kept = Kept::new("orphan");
    let mut holder = kept.start().unwrap();
    let orphan = postmaster(&holder.directory);
    send(Signal::SIGKILL, holder.watchdog().unwrap());
    holder.kill();
    assert!(!is_gone(orphan));

    let mut holder = kept.start().unwrap();
    assert_ne!(postmaster(&holder.directory), orphan);
    assert_eq!(holder.stop(), "stopped");
}

#[test]
fn the_number_of_a_dead_server_may_name_another_process_by_now() {
    let kept = Kept::new("number");
    let mut holder = kept.start().unwrap();
    let pid_file = holder.directory.join("data/postmaster.pid");
    let file = fs::read_to_string(&pid_file).unwrap();
    assert_eq!(holder.stop(), "stopped");
    // A process of the server's own user, which Postgres takes for the server.
    let another = Kept::new("number-of");
    let other = another.start().unwrap();
    let rest = file.split_once('\n').unwrap().1;
    fs::write(&pid_file, format!("{}\n{rest}", postmaster(&other.directory))).unwrap();

    let mut holder = kept.start().unwrap();
    assert_eq!(holder.stop(), "stopped");
    assert_eq!(ask(&other.url, "select 'unharmed'").unwrap(), "unharmed");
}

#[test]
fn data_behind_a_link_are_kept() {
    let mut kept = Kept::new("link");
    let real = kept.home.path().join("real");
    let link = kept.home.path().join("link");
    fs::create_dir(&real).unwrap();
    symlink(&real, &link).unwrap();
    kept.data_home = link;
    let mut holder = kept.start().unwrap();
    run(&holder.url, "create table word as select 'kept' as said");
    holder.kill();
    let mut holder = kept.start().unwrap();
    assert_eq!(ask(&holder.url, "select said from word").unwrap(), "kept");
    assert_eq!(holder.stop(), "stopped");
}

#[test]
fn a_folder_too_long_for_a_socket_will_do() {
    let kept = Kept::new(&"long".repeat(30));
    let mut holder = kept.start().unwrap();
    let sockets = ask(&holder.url, "show unix_socket_directories").unwrap();
    assert!(sockets.starts_with("/tmp/"), "{sockets}");
    holder.kill();
    until("the socket's folder is deleted", || !PathBuf::from(&sockets).exists());
}

#[test]
fn a_server_that_does_not_start_says_why() {
    let kept = Kept::new("broken");
    let mut holder = kept.start().unwrap();
    let settings = holder.directory.join("data/postgresql.auto.conf");
    assert_eq!(holder.stop(), "stopped");
    fs::write(&settings, "shared_buffers = 'lots'\n").unwrap();
    let begin = Instant::now();
    let told = kept.start().err().unwrap();
    eprintln!("broken, until told: {:?}", begin.elapsed());
    assert!(told.contains("did not start") && told.contains("shared_buffers"), "{told}");
    fs::write(&settings, "").unwrap();
}
