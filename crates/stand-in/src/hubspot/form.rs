//! A form with a file in it, of whose bytes nothing is kept but their digest. (RFC 7578, RFC 2046)

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::Pin;

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use hyper::body::Body as _;
use sha2::{Digest, Sha256};

/// What the lines before a part, and a part that is no file, may have.
const LONGEST: usize = 64 * 1024;

/// What is wrong with a form.
type Fault = &'static str;

#[derive(Default)]
pub(super) struct Form {
    pub(super) fields: BTreeMap<String, String>,
    pub(super) file: Option<Upload>,
}

/// The part named `file`.
pub(super) struct Upload {
    pub(super) content_type: String,
    pub(super) size: u64,
    pub(super) sha256: String,
}

impl Form {
    /// Reads all of it, the file piece by piece.
    pub(super) async fn read(headers: &HeaderMap, body: Body) -> Result<Self, Fault> {
        let content_type = headers.get(CONTENT_TYPE).and_then(|is| is.to_str().ok()).unwrap_or_default();
        let boundary =
            content_type.strip_prefix("multipart/form-data").and_then(|rest| value(rest, "boundary"));
        let delimiter =
            format!("\r\n--{}", boundary.ok_or("Content-Type isn't multipart/form-data")?).into_bytes();
        // The first delimiter has no line before it.
        let mut reader = Reader { body, buffer: b"\r\n".to_vec() };
        reader.text(&delimiter).await?;
        let mut form = Self::default();
        while reader.text(b"\r\n").await? != "--" {
            let head = reader.text(b"\r\n\r\n").await?;
            let disposition = header(&head, "content-disposition").ok_or("A part has no name")?;
            let name = value(disposition, "name").ok_or("A part has no name")?;
            if name != "file" {
                form.fields.insert(name.to_owned(), reader.text(&delimiter).await?);
                continue;
            }
            value(disposition, "filename").ok_or("The file has no name")?;
            let content_type = header(&head, "content-type").unwrap_or_default().to_owned();
            let (mut size, mut digest) = (0, Sha256::new());
            reader
                .until(&delimiter, |piece| {
                    size += piece.len() as u64;
                    digest.update(piece);
                    Ok(())
                })
                .await?;
            form.file = Some(Upload { content_type, size, sha256: hex::encode(digest.finalize()) });
        }
        Ok(form)
    }
}

struct Reader {
    body: Body,
    /// What has come, and is still to be looked at.
    buffer: Vec<u8>,
}

impl Reader {
    /// Takes what stands before `end`, piece by piece, and `end` itself.
    async fn until(
        &mut self,
        end: &[u8],
        mut take: impl FnMut(&[u8]) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        loop {
            if let Some(at) = find(&self.buffer, end) {
                take(&self.buffer[..at])?;
                self.buffer.drain(..at + end.len());
                return Ok(());
            }
            // What is left may be the beginning of `end`.
            let sure = self.buffer.len().saturating_sub(end.len() - 1);
            take(&self.buffer[..sure])?;
            self.buffer.drain(..sure);
            self.more().await?;
        }
    }

    async fn text(&mut self, end: &[u8]) -> Result<String, Fault> {
        let mut text = Vec::new();
        self.until(end, |piece| {
            text.extend_from_slice(piece);
            if text.len() > LONGEST { Err("A part is too long") } else { Ok(()) }
        })
        .await?;
        String::from_utf8(text).map_err(|_| "A part is no text")
    }

    async fn more(&mut self) -> Result<(), Fault> {
        let frame = poll_fn(|context| Pin::new(&mut self.body).poll_frame(context)).await;
        let frame = frame.and_then(Result::ok).ok_or("The form does not arrive whole")?;
        self.buffer.extend_from_slice(frame.data_ref().map_or(&[], |data| data));
        Ok(())
    }
}

fn find(bytes: &[u8], end: &[u8]) -> Option<usize> {
    let mut starts = bytes.iter().enumerate().filter(|(_, byte)| **byte == end[0]);
    starts.find(|(at, _)| bytes[*at..].starts_with(end)).map(|(at, _)| at)
}

/// The value of a header of this name, in lower case.
fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let headers = head.split("\r\n").filter_map(|line| line.split_once(':'));
    headers.into_iter().find(|(is, _)| is.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

/// The value of a header's parameter.
fn value<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    let parameters = header.split(';').filter_map(|parameter| parameter.trim().split_once('='));
    parameters.into_iter().find(|(is, _)| *is == name).map(|(_, value)| value.trim_matches('"'))
}
