//! Zendesk: attach, find again, repeat after a lost answer, make a ticket for a voicemail once, delete.

use reqwest::{Client, header::ACCEPT};
use serde_json::{Value, json};
use tokio::task::{LocalSet, spawn_local};

use crate::{
    account::Account,
    done, given,
    helpers::{App, event},
    witness::Witness,
};

#[tokio::test]
#[ignore = "it needs an account: see main.rs"]
async fn a_call_is_once_on_its_ticket_and_a_voicemail_makes_one() {
    let names = ["ZENDESK_BASE_URL", "ZENDESK_CLIENT_ID", "ZENDESK_CLIENT_SECRET"];
    let Some([base, id, secret]) = given(names) else { return };
    let witness = Witness::of("zendesk", &base).await;
    let base = &witness.url;
    let settings = [
        ("JOBS", "attach-recording"),
        ("ZENDESK_BASE_URL", base),
        ("ZENDESK_CLIENT_ID", id.as_str()),
        ("ZENDESK_CLIENT_SECRET", secret.as_str()),
    ];
    let app = App::with(&settings).await;
    let granted = Client::new()
        .post(format!("{base}/oauth/tokens"))
        .header(ACCEPT, "application/json")
        .json(&json!({
            "grant_type": "client_credentials", "client_id": id, "client_secret": secret,
            "scope": "tickets:read tickets:write",
        }))
        .send()
        .await
        .expect("Zendesk answers");
    let granted: Value = granted.json().await.expect("it grants a token");
    let account = Account::new(base, granted["access_token"].as_str().expect("a token"));
    // In a task of its own: what it made is deleted, however it ends.
    let proved = LocalSet::new().run_until(async { spawn_local(prove(app, account.clone())).await }).await;
    account.clean_up().await;
    proved.unwrap();
    witness.testify();
}

async fn prove(app: App, account: Account) {
    let ticket = json!({ "ticket": {
        "subject": "Aftercall's live proof: delete me", "comment": { "body": "It deletes itself.", "public": false },
    } });
    let delete = |answer: &Value| format!("/api/v2/tickets/{}", answer["ticket"]["id"]);
    let ticket = account.make("/api/v2/tickets", ticket, delete).await["ticket"]["id"].to_string();

    let key = format!("live-{:x}", fastrand::u64(..));
    let mut call = event(&format!("{key}-1"), &key);
    call["custom_fields"] = json!({ "ticket_id": ticket });
    call["recording_url"] = json!(format!("https://recordings.example/{key}.mp3"));
    app.deliver(&call).await;
    if !done(&app).await {
        return;
    }
    let comments = format!("/api/v2/tickets/{ticket}/comments");
    assert_eq!(of_the_call(&account.get(&comments).await, &key), 1);

    // As after a lost answer: nothing here knows that it was done.
    crate::forget(&app).await;
    assert!(done(&app).await);
    assert_eq!(of_the_call(&account.get(&comments).await, &key), 1, "once");

    let mut voicemail = event(&format!("{key}-2"), &format!("{key}-voicemail"));
    voicemail["status"] = json!("voicemail");
    voicemail["custom_fields"] = json!({});
    app.deliver(&voicemail).await;
    assert!(done(&app).await);
    let made = app.text("select external_id from receipt where event_id like '%-2'").await;
    account.delete_later(format!("/api/v2/tickets/{made}"));
    crate::forget(&app).await;
    assert!(done(&app).await);
    let again = app.text("select external_id from receipt where event_id like '%-2'").await;
    assert_eq!(again, made, "one ticket");
}

/// The comments that are about this call.
fn of_the_call(comments: &Value, key: &str) -> usize {
    let all = comments["comments"].as_array().expect("comments");
    all.iter().filter(|comment| comment.to_string().contains(key)).count()
}
