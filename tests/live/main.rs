//! The program against real (test) accounts of its vendors: `cargo test --test live -- --ignored --nocapture`.
//!
//! It needs tokens in the environment, as the program itself does, and says what it leaves out without them:
//! `HUBSPOT_TOKEN`, and `HUBSPOT_BASE_URL` and `HUBSPOT_API_VERSION` where they differ from the usual;
//! `ZENDESK_BASE_URL`, `ZENDESK_CLIENT_ID` and `ZENDESK_CLIENT_SECRET`. What it makes, it deletes at its end, also where it
//! fails; what it saw is printed, with the vendors' ids of each request. Write its outcome into `LIVE.md`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

// Of these helpers only some are of use here.
#[expect(dead_code, unused_imports, reason = "the other tests use the rest")]
#[path = "../api/helpers/mod.rs"]
mod helpers;

mod account;
mod form;
mod hubspot;
mod witness;
mod zendesk;

/// The settings of this environment with these names; `None`, and a word, where one is missing.
fn given<const N: usize>(names: [&'static str; N]) -> Option<[String; N]> {
    let missing: Vec<_> = names.iter().filter(|name| std::env::var(name).is_err()).collect();
    if !missing.is_empty() {
        println!("left out: {missing:?} not in the environment");
        return None;
    }
    Some(names.map(|name| std::env::var(name).unwrap()))
}

/// Forgets that jobs were done, as where a vendor's answer is lost, and lets them run once more.
async fn forget(app: &helpers::App) {
    sqlx::raw_sql(
        "delete from receipt;
         update apalis.jobs set status = 'Pending', run_at = now(), lock_by = null, lock_at = null, done_at = null
         where status = 'Done'",
    )
    .execute(&app.db)
    .await
    .unwrap();
}

/// Waits until the jobs are done; `false`, and a word, where the vendor doesn't let this account do it.
async fn done(app: &helpers::App) -> bool {
    app.all_done().await;
    let given_up = app.text("select coalesce(string_agg(distinct reason, '; '), '') from given_up").await;
    assert!(given_up.is_empty() || is_forbidden(&given_up), "{given_up}");
    if !given_up.is_empty() {
        println!("left out, since this account may not: {given_up}");
    }
    given_up.is_empty()
}

/// Whether a refusal is one of what the account's plan, or its key, allows.
fn is_forbidden(refusal: &str) -> bool {
    ["answered 402", "answered 403"].iter().any(|status| refusal.contains(status))
}
