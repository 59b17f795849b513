//! A host of recordings, which says what a test has it say, byte for byte.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use sha2::{Digest, Sha256};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream, tcp::OwnedWriteHalf},
};

use super::{App, Process};

/// What it says to a request.
#[derive(Clone)]
pub(crate) enum Say {
    /// A status, and nothing else.
    Status(u16),
    /// A page with 200.
    Page,
    /// A redirect to there.
    To(String),
    /// So many bytes of audio, with their length.
    Audio(usize),
    /// The same in chunks, so that nobody knows beforehand how many they are.
    Chunked(usize),
    /// The same without an end that could be told from a broken connection.
    Endless(usize),
    /// The length of so many bytes, half of them, and the end of the connection.
    Cut(usize),
    /// The same without the end: the rest never comes.
    Stall(usize),
}

/// One such host on this machine.
pub(crate) struct Recordings {
    /// Its host and port.
    pub(crate) host: String,
    state: Arc<Mutex<State>>,
}

struct State {
    next: VecDeque<Say>,
    then: Say,
    heard: Vec<String>,
}

/// The path of a recording, without and with what signs it.
const PATH: &str = "/call.mp3";
const SIGNATURE: &str = "?signature=s3cr3t-of-the-link";

impl Recordings {
    /// It says one thing after the other, and the last of them for ever.
    pub(crate) async fn saying(says: &[Say]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let then = says.last().unwrap().clone();
        let next = says[..says.len() - 1].iter().cloned().collect();
        let state = Arc::new(Mutex::new(State { next, then, heard: Vec::new() }));
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, Arc::clone(&shared)));
            }
        });
        Self { host, state }
    }

    /// A link to its recording, signed.
    pub(crate) fn link(&self) -> String {
        format!("http://{}{PATH}{SIGNATURE}", self.host)
    }

    /// From now on it says this.
    pub(crate) fn say(&self, say: Say) {
        let mut state = self.state.lock().unwrap();
        state.next.clear();
        state.then = say;
    }

    /// The requests that it had, each with its headers.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.state.lock().unwrap().heard.clone()
    }
}

/// The worker dies, and its job is free for another.
pub(crate) async fn killed(app: &App, worker: Process) {
    worker.kill().await;
    // What apalis does once its heartbeats are missed. Where a fetch of the dead one was still on its way, it may take the job
    // after this, and the next heartbeat of another worker finds it.
    let free =
        "update apalis.jobs set status = 'Pending', lock_by = null where status in ('Queued', 'Running');
                update apalis.workers set last_seen = now() - interval '1 hour'";
    sqlx::raw_sql(free).execute(&app.db).await.unwrap();
}

/// The digest of so many bytes of audio, in hex.
pub(crate) fn digest(size: usize) -> String {
    let mut digest = Sha256::new();
    for (block, length) in blocks(size) {
        digest.update(&block[..length]);
    }
    hex::encode(digest.finalize())
}

/// The bytes of a recording, block by block.
fn blocks(size: usize) -> impl Iterator<Item = (Vec<u8>, usize)> {
    const BLOCK: usize = 1 << 16;
    let starts = (0..size).step_by(BLOCK);
    starts.map(move |start| {
        let mut block = vec![u8::try_from(start / BLOCK % 251).unwrap(); BLOCK];
        if start == 0 {
            block[..3].copy_from_slice(b"ID3");
        }
        (block, BLOCK.min(size - start))
    })
}

async fn answer(stream: TcpStream, state: Arc<Mutex<State>>) {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let mut request = String::new();
    while let Ok(Some(line)) = lines.next_line().await {
        if line.is_empty() {
            break;
        }
        request += &line;
        request.push('\n');
    }
    let say = {
        let mut state = state.lock().unwrap();
        state.heard.push(request);
        let then = state.then.clone();
        state.next.pop_front().unwrap_or(then)
    };
    // Whoever asked may be gone.
    let _gone = write_out(&mut write, say).await;
}

async fn write_out(write: &mut OwnedWriteHalf, say: Say) -> std::io::Result<()> {
    let head = |more: String| format!("HTTP/1.1 200 OK\r\nConnection: close\r\n{more}\r\n");
    let length = |size| head(format!("Content-Length: {size}\r\n"));
    match say {
        Say::Status(status) => {
            let answer = format!("HTTP/1.1 {status} It\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
            write.write_all(answer.as_bytes()).await
        }
        Say::Page => {
            let page = "<!doctype html><title>Log in</title>";
            write.write_all(format!("{}{page}", length(page.len())).as_bytes()).await
        }
        Say::To(url) => {
            let answer = format!(
                "HTTP/1.1 302 Found\r\nConnection: close\r\nContent-Length: 0\r\nLocation: {url}\r\n\r\n"
            );
            write.write_all(answer.as_bytes()).await
        }
        Say::Audio(size) => {
            write.write_all(length(size).as_bytes()).await?;
            audio(write, size, usize::MAX).await
        }
        Say::Endless(size) => {
            write.write_all(head(String::new()).as_bytes()).await?;
            audio(write, size, usize::MAX).await
        }
        Say::Cut(size) => {
            write.write_all(length(size).as_bytes()).await?;
            audio(write, size, size / 2).await
        }
        Say::Stall(size) => {
            write.write_all(length(size).as_bytes()).await?;
            audio(write, size, size / 2).await?;
            std::future::pending().await
        }
        Say::Chunked(size) => {
            write.write_all(head("Transfer-Encoding: chunked\r\n".to_owned()).as_bytes()).await?;
            for (block, length) in blocks(size) {
                write.write_all(format!("{length:x}\r\n").as_bytes()).await?;
                write.write_all(&block[..length]).await?;
                write.write_all(b"\r\n").await?;
            }
            write.write_all(b"0\r\n\r\n").await
        }
    }
}

/// As many bytes of a recording, at the most.
async fn audio(write: &mut OwnedWriteHalf, size: usize, most: usize) -> std::io::Result<()> {
    let mut left = most;
    for (block, length) in blocks(size) {
        let length = length.min(left);
        write.write_all(&block[..length]).await?;
        left -= length;
    }
    Ok(())
}
