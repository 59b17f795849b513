//! The name by which the console is asked for: another site's must not lead into it.

use reqwest::header;

use super::{PASSWORD, hardened};
use crate::helpers::App;

#[tokio::test]
async fn the_console_answers_under_its_own_names_alone_and_the_probes_under_all() {
    let set = [("CONSOLE_PASSWORD", PASSWORD), ("CONSOLE_HOSTS", "calls.corp.example, Second.example")];
    let app = App::receiver(&set).await;
    let get = |path: &str, host: &str| {
        let url = app.process.admin_url(path);
        app.http.get(url).header(header::HOST, host).basic_auth("me", Some(PASSWORD)).send()
    };
    for host in [
        "127.0.0.1:8081",
        "[::1]:8081",
        "10.1.2.3",
        "localhost:8081",
        "calls.localhost",
        "receiver:8081",
        "calls.corp.example",
        "CALLS.corp.example:443",
        "second.example",
    ] {
        assert_eq!(get("/calls", host).await.unwrap().status(), 200, "{host}");
    }
    for host in
        ["evil.example", "evil.example:8081", "127.0.0.1.evil.example", "corp.example", "localhost.", "a b"]
    {
        for path in ["/", "/style.css", "/calls/evt_1"] {
            let answer = get(path, host).await.unwrap();
            assert_eq!(answer.status(), 421, "{host}");
            hardened(&answer);
            assert!(answer.text().await.unwrap().contains("CONSOLE_HOSTS"), "{host}");
        }
        assert_eq!(get("/health/live", host).await.unwrap().status(), 200, "{host}");
    }
}
