//! Bytes on a socket: for what no HTTP client would send.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{App, TOKEN};

/// How long a conversation may last; the server's own deadlines are 5 s each.
const LONGEST: Duration = Duration::from_mins(1);

/// What came back on one connection until the other side closed it.
#[derive(Debug)]
pub(crate) struct Answers(pub(crate) String);

impl Answers {
    /// The status of each answer, in order.
    pub(crate) fn statuses(&self) -> Vec<u16> {
        let answers = self.0.split("HTTP/1.").skip(1);
        answers.map(|answer| answer[2..5].parse().unwrap()).collect()
    }
}

/// A delivery with the token, these further lines in its head, and whatever stands for a body.
pub(crate) fn delivery(lines: &str, body: &str) -> Vec<u8> {
    let head = "POST /webhooks/after-call HTTP/1.1\r\nhost: x\r\n";
    format!("{head}x-webhook-token: {TOKEN}\r\n{lines}\r\n{body}").into_bytes()
}

/// A delivery with the length of its body.
pub(crate) fn complete(lines: &str, body: &str) -> Vec<u8> {
    delivery(&format!("{lines}content-length: {}\r\n", body.len()), body)
}

impl App {
    /// Sends this, closes its own half, and reads until the other side closes.
    pub(crate) async fn say(&self, bytes: &[u8]) -> Answers {
        self.converse(&[bytes], Duration::ZERO, true).await
    }

    /// Sends this and no more, and reads until the other side closes.
    pub(crate) async fn say_and_wait(&self, bytes: &[u8]) -> Answers {
        self.converse(&[bytes], Duration::ZERO, false).await
    }

    /// Sends part by part with a pause between, for as long as the other side takes them.
    pub(crate) async fn converse(&self, parts: &[&[u8]], pause: Duration, close: bool) -> Answers {
        let stream = TcpStream::connect(self.process.address()).await.unwrap();
        let (mut reading, mut writing) = stream.into_split();
        let saying = async {
            for part in parts {
                // Who was refused need not be heard to the end.
                if writing.write_all(part).await.is_err() {
                    break;
                }
                tokio::time::sleep(pause).await;
            }
            if close {
                let _refused = writing.shutdown().await;
            }
            std::future::pending::<()>().await;
        };
        let mut answers = Vec::new();
        tokio::select! {
            () = saying => unreachable!(),
            // A reset after the answer is an end too.
            _ = reading.read_to_end(&mut answers) => {}
            () = tokio::time::sleep(LONGEST) => {
                panic!("the connection is still open after {LONGEST:?}: {}", String::from_utf8_lossy(&answers))
            }
        }
        Answers(String::from_utf8(answers).unwrap())
    }
}
