//! Jobs that were given up are told by their cause.

use engine::work::tasks::given_up::{self, Alike, Cause, Which};

use crate::helpers::App;

/// Jobs that were given up for these reasons, the last of them last.
async fn refused(app: &App, reasons: &[&str]) {
    for statement in [
        "insert into call_event (event_id, received_at, body, headers, event, call_id, custom_fields)
         select 'evt_' || n, now(), '{}', '[]', 'call.completed', 'cl_' || n, '{}'
         from generate_series(1, cardinality($1)) as n",
        "insert into apalis.jobs (id, job_type, idempotency_key, job, run_at, status, max_attempts, done_at)
         select 'job_' || n, 'report-call', 'evt_' || n, '', now(), 'Killed', 9, now() + n * interval '1 s' - interval '1 h'
         from generate_series(1, cardinality($1)) as n",
        "insert into attempt (event_id, job, number, destination, ended_at, result, failure, reason)
         select 'evt_' || n, 'report-call', number, 'https://example.com', now(), case number when 2 then 'given_up' else 'retry' end,
                'refused', case number when 2 then $1[n] else 'another' end
         from generate_series(1, cardinality($1)) as n, generate_series(1, 2) as number",
    ] {
        sqlx::query(statement).bind(reasons).execute(&app.db).await.unwrap();
    }
}

#[tokio::test]
async fn failures_that_differ_in_their_numbers_alone_are_one_group_and_are_run_anew_as_one() {
    let app = App::receiver(&[]).await;
    refused(
        &app,
        &[
            "somebody keeps changing ticket 35436",
            "Zendesk answered 422 RecordInvalid (given up after 2days, JOB_GIVE_UP_AFTER)",
            "somebody keeps changing ticket 7",
            "Zendesk answered 400 RecordInvalid (given up after 2days, JOB_GIVE_UP_AFTER)",
            "call 550e8400-e29b-41d4-a716-446655440000 at 10.0.0.200:443",
            "call 123-abc at 192.168.1.1:8443",
            "somebody keeps changing ticket 4711",
        ],
    )
    .await;
    let groups = given_up::groups(&app.db).await.unwrap();
    let told: Vec<_> = groups.iter().map(|group| (group.count, group.cause.as_str())).collect();
    assert_eq!(
        told,
        [
            (3, "somebody keeps changing ticket #"),
            (2, "call # at #.#.#.#:#"),
            (1, "Zendesk answered 400 RecordInvalid (given up after #, JOB_GIVE_UP_AFTER)"),
            (1, "Zendesk answered 422 RecordInvalid (given up after #, JOB_GIVE_UP_AFTER)"),
        ]
    );
    let first = &groups[0];
    assert_eq!((first.last_at - first.first_at).num_seconds(), 6);
    assert_eq!(
        (first.kind.as_deref(), first.destination.as_deref()),
        (Some("refused"), Some("https://example.com"))
    );

    let alike = Alike {
        destination: first.destination.clone(),
        kind: first.kind.clone(),
        cause: first.cause.clone(),
    };
    let of_the_first = Which { cause: Some(Cause::Of(&alike)), ..Which::default() };
    let again = given_up::retry(&app.db, &of_the_first).await.unwrap();
    assert_eq!(again.values().sum::<u64>(), 3);
    let waiting =
        "select string_agg(idempotency_key, ' ' order by id) from apalis.jobs where status = 'Pending'";
    assert_eq!(app.text(waiting).await, "evt_1 evt_3 evt_7");
}
