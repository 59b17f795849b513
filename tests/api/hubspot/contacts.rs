//! Beside which contact a call stands.

use serde_json::{Value, json};
use stand_in::Fault;

use super::{set_up, start, the_call, with};
use crate::helpers::{App, Process, event};

#[tokio::test]
async fn the_contact_is_found_by_hubspots_own_id() {
    let app = with(&[("HUBSPOT_CONTACT_ID_PROPERTY", "")]).await;
    let contact = app.stand_in.hubspot().add_contact([("firstname", "Ida"), ("lastname", "Own")]);
    let mut event = event("evt_1", "cl_1");
    event["custom_fields"]["crm_id"] = json!(contact.parse::<u64>().unwrap());
    app.deliver(&event).await;
    app.all_done().await;
    assert_eq!(the_call(&app).contacts.into_keys().collect::<Vec<_>>(), [contact]);
}

#[tokio::test]
async fn without_a_crm_id_the_contact_is_found_by_the_number_of_the_other_party() {
    let app = start().await;
    let written = app.stand_in.hubspot().add_contact([("firstname", "Pat"), ("phone", "+14085550000")]);
    for (direction, from, to) in
        [("inbound", "+1 408-555-0000", "+14085559876"), ("outbound", "+14085559876", "+14085550000")]
    {
        let mut event = event(&format!("evt_{direction}"), &format!("cl_{direction}"));
        event["direction"] = json!(direction);
        event["from"] = json!(from);
        event["to"] = json!(to);
        event["custom_fields"] = json!({});
        app.deliver(&event).await;
    }
    app.all_done().await;
    for call in app.stand_in.hubspot().calls() {
        assert_eq!(call.contacts.keys().collect::<Vec<_>>(), [&written]);
    }
}

#[tokio::test]
async fn a_crm_id_that_names_nobody_falls_back_to_the_number() {
    let app = start().await;
    let mut event = event("evt_1", "cl_1");
    event["custom_fields"]["crm_id"] = json!("ACME-0000");
    app.deliver(&event).await;
    app.all_done().await;
    assert_eq!(the_call(&app).contacts.into_values().collect::<Vec<_>>(), ["Dana Whitfield"]);
}

#[tokio::test]
async fn a_call_without_a_contact_is_logged_without_and_the_receipt_says_so() {
    let app = start().await;
    for (id, from, note) in [
        ("unknown", "+14085550199", "no contact has this number"),
        ("anonymous", "anonymous", "no contact: no crm_id names one, and there is no number to look for"),
    ] {
        let mut event = event(id, id);
        event["from"] = json!(from);
        event["custom_fields"] = json!({});
        app.deliver(&event).await;
        app.all_done().await;
        let receipt: String = sqlx::query_scalar("select note from receipt where event_id = $1")
            .bind(id)
            .fetch_one(&app.db)
            .await
            .unwrap();
        assert_eq!(receipt, note);
    }
    assert!(app.stand_in.hubspot().calls().iter().all(|call| call.contacts.is_empty()));
    assert_eq!(app.stand_in.hubspot().calls().len(), 2);
}

#[tokio::test]
async fn of_several_contacts_with_the_number_the_oldest_is_taken_and_the_receipt_says_so() {
    let app = start().await;
    let mut event = event("evt_1", "cl_1");
    event["from"] = json!("+4930901820");
    event["custom_fields"] = json!({});
    app.deliver(&event).await;
    app.all_done().await;
    assert_eq!(the_call(&app).contacts.into_values().collect::<Vec<_>>(), ["Lena Brandt"]);
    assert_eq!(
        app.text("select note from receipt").await,
        "2 contacts have this number: the oldest was taken"
    );
}

#[tokio::test]
async fn a_number_without_a_country_code_finds_its_contact_in_the_default_region() {
    let app = with(&[("DEFAULT_REGION", "in")]).await;
    let contact = app.stand_in.hubspot().add_contact([("firstname", "Asha"), ("phone", "+919876543210")]);
    let mut event = event("evt_1", "cl_1");
    event["from"] = json!("09876543210");
    event["custom_fields"] = json!({});
    app.deliver(&event).await;
    app.all_done().await;
    assert_eq!(the_call(&app).contacts.into_keys().collect::<Vec<_>>(), [contact]);
}

#[tokio::test]
async fn a_default_region_that_is_none_keeps_the_worker_from_starting() {
    let says = "`India` is no region: write IN, US";
    Process::refuses("work", &[("DEFAULT_REGION", "India")], says).await;
}

#[tokio::test]
async fn an_answer_that_can_not_be_read_is_not_taken_for_no_contact() {
    let app = start().await;
    // As an old proxy that answers for the vendor.
    app.stand_in.fail(Fault::status(200).on("/contacts/ACME"));
    app.deliver(&event("evt_1", "cl_1")).await;
    app.all_done().await;
    assert_eq!(the_call(&app).contacts.into_values().collect::<Vec<_>>(), ["Dana Whitfield"]);
    let unreadable = "select count(*) from attempt where result = 'retry' and reason like '%documented form'";
    assert_eq!(app.count(unreadable).await, 1);

    app.stand_in.fail(Fault::status(200).on("/contacts/search"));
    let mut event = event("evt_2", "cl_2");
    event["custom_fields"] = json!({});
    app.deliver(&event).await;
    app.all_done().await;
    assert_eq!(app.count(unreadable).await, 2);
    assert!(app.stand_in.hubspot().calls().iter().all(|call| call.contacts.len() == 1));
}

#[tokio::test]
async fn a_crm_id_that_leads_elsewhere_in_a_path_names_nobody() {
    let app = start().await;
    for (n, crm_id) in ["AC\tME-4451", "ACME-4451/", "..", ".\n."].into_iter().enumerate() {
        let mut event = event(&format!("evt_{n}"), &format!("cl_{n}"));
        event["from"] = json!("+442079460958");
        event["custom_fields"]["crm_id"] = json!(crm_id);
        app.deliver(&event).await;
    }
    app.all_done().await;
    assert_eq!(app.stand_in.hubspot().calls().len(), 4);
    for call in app.stand_in.hubspot().calls() {
        assert_eq!(call.contacts.values().collect::<Vec<_>>(), ["Amir Haddad"], "by the number");
    }
    let asked = app.stand_in.received();
    assert!(asked.iter().all(|request| request.method != "GET"), "{asked:?}");
}

/// A call from this number, by which alone its contact is found.
fn from(number: &str, n: usize) -> Value {
    let mut event = event(&format!("evt_{n}"), &format!("cl_{n}"));
    event["from"] = json!(number);
    event["custom_fields"] = json!({});
    event
}

async fn note(app: &App) -> Option<String> {
    sqlx::query_scalar("select note from receipt limit 1").fetch_one(&app.db).await.unwrap()
}

#[tokio::test]
async fn of_several_contacts_none_is_taken_where_that_is_set() {
    let app = with(&[("HUBSPOT_SEVERAL_CONTACTS", "none")]).await;
    app.deliver(&from("+4930901820", 1)).await;
    app.all_done().await;
    assert!(the_call(&app).contacts.is_empty());
    assert_eq!(note(&app).await.unwrap(), "2 contacts have this number: none was taken");
}

#[tokio::test]
async fn calls_of_a_caller_whom_nobody_knows_make_one_contact_and_stand_beside_it() {
    let app = with(&[("HUBSPOT_UNKNOWN_CALLER", "create")]).await;
    let made = set_up(&app).await;
    assert!(made.contains("external_caller_number is made"), "{made}");
    let before = app.stand_in.hubspot().contacts().len();
    // Every answer to a contact that is made is lost once.
    app.stand_in.fail(Fault::lose_reply().on("/contacts/batch/upsert").times(1));
    for n in 0..8 {
        app.deliver(&from("+14085550199", n)).await;
    }
    app.all_done().await;
    let contacts = app.stand_in.hubspot().contacts();
    assert_eq!(contacts.len(), before + 1, "{contacts:?}");
    let made = contacts.last().unwrap();
    for (name, value) in [("firstname", "Caller"), ("lastname", "+1 408-555-0199"), ("phone", "+14085550199")]
    {
        assert_eq!(made.properties[name], value);
    }
    let calls = app.stand_in.hubspot().calls();
    assert_eq!(calls.len(), 8);
    assert!(calls.iter().all(|call| call.contacts.keys().eq([&made.id])));
    let said = format!("no contact had this number: contact {} was made", made.id);
    assert_eq!(app.text("select string_agg(distinct note, ';') from receipt").await, said);
}

#[tokio::test]
async fn what_is_nobodys_number_makes_no_contact() {
    let settings = [("HUBSPOT_UNKNOWN_CALLER", "create"), ("DEFAULT_REGION", "IN")];
    let app = with(&settings).await;
    let before = app.stand_in.hubspot().contacts().len();
    for (n, number) in ["1001", "+10000000000"].into_iter().enumerate() {
        app.deliver(&from(number, n)).await;
    }
    app.all_done().await;
    assert_eq!(app.stand_in.hubspot().contacts().len(), before);
    assert_eq!(app.stand_in.hubspot().calls().len(), 2);
}
