//! `docs/calls.http`, sent request by request, is answered as it says.

use reqwest::StatusCode;
use serde_json::Value;

use crate::helpers::{App, CURL_SAMPLE, SAMPLE, TOKEN};

const FILE: &str = include_str!("../../docs/calls.http");

/// One request of the file.
#[derive(Debug)]
struct Request {
    title: String,
    /// What its remark says: `200 stored`, `401 rejected`.
    answer: String,
    headers: Vec<(String, String)>,
    body: String,
}

/// The requests, with the variables put in as a REST client does.
fn requests() -> Vec<Request> {
    let (variables, requests) = FILE.split_once("\n### ").unwrap();
    for variable in ["url", "token"] {
        assert!(variables.contains(&format!("\n@{variable} = ")), "{variable}");
    }
    requests.split("\n### ").map(request).collect()
}

fn request(text: &str) -> Request {
    let (head, body) = text.split_once("\n\n").unwrap();
    let mut lines = head.lines();
    let title = lines.next().unwrap().to_owned();
    let answer = lines.next().unwrap().strip_prefix("# ").unwrap().to_owned();
    assert_eq!(lines.next(), Some("POST {{url}}"), "{title}");
    let headers = lines.map(|line| line.split_once(": ").unwrap());
    let headers = headers.map(|(name, value)| (name.to_owned(), value.replace("{{token}}", TOKEN)));
    Request { title, answer, headers: headers.collect(), body: body.trim().to_owned() }
}

#[tokio::test]
async fn each_request_of_the_file_is_answered_as_it_says() {
    let app = App::receiver(&[]).await;
    let requests = requests();
    for Request { title, answer, headers, body } in &requests {
        let mut request = app.bare(body.clone());
        for (name, value) in headers {
            request = request.header(name, value);
        }
        // As the platform does, it tries again where a busy machine answers 503; what was stored all the same is a duplicate.
        let mut again = false;
        let response = loop {
            let response = request.try_clone().unwrap().send().await.unwrap();
            if response.status() != StatusCode::SERVICE_UNAVAILABLE {
                break response;
            }
            again = true;
        };
        let status = response.status().as_u16();
        let told: Value = response.json().await.unwrap();
        let word = match told["status"].as_str().unwrap() {
            "duplicate" if again => "stored",
            word => word,
        };
        assert_eq!(&format!("{status} {word}"), answer, "{title}: {told}");
    }
    let stored: Vec<String> = sqlx::query_scalar("select distinct status from call_event order by 1")
        .fetch_all(&app.db)
        .await
        .unwrap();
    assert_eq!(stored, ["abandoned", "answered", "missed", "voicemail"]);
}

#[test]
fn the_platforms_samples_are_in_the_file() {
    let bodies: Vec<Value> =
        requests().iter().map(|request| serde_json::from_str(&request.body).unwrap()).collect();
    for sample in [SAMPLE, CURL_SAMPLE] {
        assert!(bodies.contains(&serde_json::from_str(sample).unwrap()), "{sample}");
    }
}
