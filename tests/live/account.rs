//! A vendor's account, as a script of a person's uses it.

use std::sync::{Arc, Mutex};

use reqwest::{Client, Method, StatusCode, header::ACCEPT};
use serde_json::Value;

#[derive(Clone)]
pub(crate) struct Account {
    http: Client,
    base: String,
    bearer: String,
    /// What is to be deleted at the end.
    made: Arc<Mutex<Vec<String>>>,
}

impl Account {
    pub(crate) fn new(base: &str, bearer: &str) -> Self {
        let base = base.trim_end_matches('/').to_owned();
        Self { http: Client::new(), base, bearer: bearer.to_owned(), made: Arc::default() }
    }

    /// Asks, and returns the status and the answer.
    pub(crate) async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let url = format!("{}{path}", self.base);
        let mut request = self.http.request(method, url).bearer_auth(&self.bearer);
        request = request.header(ACCEPT, "application/json");
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("the vendor answers");
        let status = answer.status();
        let answer = answer.json().await.unwrap_or_default();
        (status, answer)
    }

    /// The answer to what must succeed.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, answer) = self.ask(Method::GET, path, None).await;
        assert!(status.is_success(), "{path}: {status} {answer}");
        answer
    }

    /// Makes something; it is deleted at the end by the path that is made of the answer.
    pub(crate) async fn make(&self, path: &str, body: Value, deleted_by: impl Fn(&Value) -> String) -> Value {
        let (status, answer) = self.ask(Method::POST, path, Some(body)).await;
        assert!(status.is_success(), "{path}: {status} {answer}");
        self.delete_later(deleted_by(&answer));
        answer
    }

    pub(crate) fn delete_later(&self, path: String) {
        self.made.lock().unwrap().push(path);
    }

    /// Deletes what was made, the last first.
    pub(crate) async fn clean_up(self) {
        let made = std::mem::take(&mut *self.made.lock().unwrap());
        for path in made.into_iter().rev() {
            let (status, answer) = self.ask(Method::DELETE, &path, None).await;
            assert!(status.is_success(), "delete {path} by hand: {status} {answer}");
        }
    }
}
