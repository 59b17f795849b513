//! Any bytes and any JSON through the parser, against a plain model of what the documentation wants.

use chrono::{DateTime, Utc};
use engine::call::Call;
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::{helpers::SAMPLE, receive::after_call::PLATFORM};

const EXPECTED: u8 = 0;
const OPTIONAL: u8 = 1;

fn parse(body: &[u8]) -> Option<Call> {
    PLATFORM.read(body, DateTime::<Utc>::UNIX_EPOCH).ok()
}

/// What stands in a field of a text: a number is its digits, and Postgres can't hold a NUL.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.replace('\0', "\u{FFFD}")),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn seconds(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|seconds| u32::try_from(seconds).ok())
}

/// The event as a reader of the documentation would fill the form, and what they would complain about.
struct Form<'a>(&'a Map<String, Value>, Vec<String>);

impl Form<'_> {
    fn field<T>(&mut self, name: &str, need: u8, form: &str, read: fn(&Value) -> Option<T>) -> Option<T> {
        match self.0.get(name) {
            None | Some(Value::Null) if need == EXPECTED => self.1.push(format!("{name} is missing")),
            None | Some(Value::Null) => {}
            Some(value) if read(value).is_none() => self.1.push(format!("{name} is not {form}")),
            Some(value) => return read(value),
        }
        None
    }

    fn text(&mut self, name: &str, need: u8) -> Option<String> {
        self.field(name, need, "a text", text)
    }

    fn seconds(&mut self, name: &str, need: u8) -> Option<u32> {
        self.field(name, need, "a whole number of seconds", seconds)
    }

    fn party(&mut self, name: &str) -> (Option<String>, Option<String>) {
        let object = |value: &Value| value.as_object().cloned();
        let Some(party) = self.field(name, OPTIONAL, "an object with id and name", object) else {
            return (None, None);
        };
        let mut form = Form(&party, Vec::new());
        let party = (form.text("id", OPTIONAL), form.text("name", OPTIONAL));
        self.1.extend(form.1.into_iter().map(|problem| format!("{name}.{problem}")));
        party
    }
}

/// Replaces each NUL in a tree.
fn kept(value: Value) -> Value {
    match value {
        Value::String(_) => json!(text(&value)),
        Value::Array(items) => Value::Array(items.into_iter().map(kept).collect()),
        Value::Object(fields) => Value::Object(
            fields.into_iter().map(|(name, value)| (name.replace('\0', "\u{FFFD}"), kept(value))).collect(),
        ),
        other => other,
    }
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z\\x00\"\\\\é🙂 ]{0,12}",
        any::<String>(),
        select(vec!["call.completed", "2025-08-21T10:58:13Z", "2025-02-30T00:00:00Z", "inbound", "missed"])
            .prop_map(str::to_owned),
        Just("x".repeat(256)),
    ]
}

fn any_scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0..5000_u32).prop_map(Value::from),
        // Eighths: what is written is what is read.
        any::<i32>().prop_map(|eighths| json!(f64::from(eighths) / 8.0)),
        any_text().prop_map(Value::from),
    ]
}

fn any_json() -> impl Strategy<Value = Value> {
    any_scalar().prop_recursive(4, 24, 6, |inner| {
        let name = prop_oneof![select(vec!["id", "name"]).prop_map(str::to_owned), any_text()];
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            vec((name, inner), 0..6).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// The names that the documentation knows.
fn known() -> Vec<String> {
    let sample: Map<String, Value> = serde_json::from_str(SAMPLE).unwrap();
    let optional = ["reason", "parent_call_id"].map(str::to_owned);
    sample.into_iter().map(|(name, _)| name).chain(optional).collect()
}

/// Mostly an event: its fields in any order, each there or not, of the right form or not.
fn any_event() -> impl Strategy<Value = Map<String, Value>> {
    let name = prop_oneof![
        8 => select(known()),
        1 => select(vec!["wrap_up_notes", "sentiment"]).prop_map(str::to_owned),
        1 => any_text(),
    ];
    let required = ("[a-z]{1,3}", prop_oneof![9 => "cl_[0-9]{1,3}".prop_map(Value::from), 1 => any_json()]);
    (required, vec((name, any_json()), 0..25)).prop_map(|((event, call_id), fields)| {
        let mut all: Map<String, Value> = fields.into_iter().collect();
        all.entry("event").or_insert(event.into());
        all.entry("call_id").or_insert(call_id);
        all
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in vec(any::<u8>(), 0..300)) {
        prop_assert!(parse(&bytes).is_none_or(|event| event.event == "test"));
    }

    #[test]
    fn a_sample_with_any_bytes_in_it_is_read_without_a_panic(
        at in 0..SAMPLE.len(), over in 0..20_usize, bytes in vec(any::<u8>(), 0..20)
    ) {
        let mut body = SAMPLE.as_bytes().to_vec();
        body.splice(at..(at + over).min(SAMPLE.len()), bytes);
        if let Some(event) = parse(&body) {
            prop_assert!(!event.event.is_empty() && !event.call_id.is_empty() && event.event_id.len() <= 255);
        }
    }

    #[test]
    fn json_that_is_no_object_is_no_event(value in any_json()) {
        prop_assume!(!value.is_object());
        prop_assert!(parse(value.to_string().as_bytes()).is_none());
    }

    #[test]
    fn what_is_read_is_what_came(object in any_event()) {
        let body = Value::Object(object.clone()).to_string();
        let mut form = Form(&object, Vec::new());
        let required = |name| object.get(name).and_then(text).filter(|text| !text.is_empty());
        let read = parse(body.as_bytes());
        let there = |name: &str| object.get(name).is_some_and(|value| !value.is_null());
        let flat = object.values().all(|value| !value.is_object() && !value.is_array());
        let of_a_call = ["event", "call_id", "direction", "from", "to", "duration_seconds"];
        if flat && !of_a_call.iter().any(|name| there(name)) {
            let read = read.expect("a test of the webhook");
            prop_assert_eq!((read.event.as_str(), &read.call_id), ("test", &read.event_id));
            return Ok(());
        }
        let of_no_call = |event: &String| !there("call_id") && event != "call.completed";
        let (Some(event), call_id) = (required("event"), required("call_id")) else {
            prop_assert_eq!(read, None);
            return Ok(());
        };
        if call_id.is_none() && !of_no_call(&event) {
            prop_assert_eq!(read, None);
            return Ok(());
        }
        let read = read.expect("it has all that an event needs");
        prop_assert_eq!((&read.event, &read.call_id), (&event, &call_id.unwrap_or_else(|| read.event_id.clone())));

        let given = form.field("event_id", EXPECTED, "a text", |value| value.as_str().map(str::to_owned));
        let usable = given.filter(|id| (1..=255).contains(&id.len()) && !id.contains('\0'));
        prop_assert_eq!(&read.event_id, &usable.unwrap_or_else(|| format!("sha256:{}", hex::encode(Sha256::digest(&body)))));

        // Times have a model of their own below: here all that counts is which of two is one.
        let time = |value: &Value| (value == "2025-08-21T10:58:13Z").then_some(1_755_773_893);
        for (name, need, read) in [
            ("occurred_at", EXPECTED, read.occurred_at),
            ("started_at", EXPECTED, read.started_at),
            ("connected_at", OPTIONAL, read.connected_at),
            ("ended_at", EXPECTED, read.ended_at),
        ] {
            let time = form.field(name, need, "an ISO-8601 timestamp", time);
            prop_assert_eq!(read.map(|time| time.timestamp()), time, "{}", name);
        }
        for (name, need, read) in [
            ("parent_call_id", OPTIONAL, read.parent_call_id.as_deref()),
            ("direction", EXPECTED, read.direction.as_ref().map(AsRef::as_ref)),
            ("from", EXPECTED, read.from.as_deref()),
            ("to", EXPECTED, read.to.as_deref()),
            ("status", EXPECTED, read.status.as_ref().map(AsRef::as_ref)),
            ("reason", OPTIONAL, read.reason.as_deref()),
            ("recording_url", OPTIONAL, read.recording_url.as_deref()),
        ] {
            let text = form.text(name, need);
            prop_assert_eq!(read, text.as_deref(), "{}", name);
        }
        for (name, read) in [("queue", &read.queue), ("agent", &read.agent)] {
            prop_assert_eq!((read.id.clone(), read.name.clone()), form.party(name), "{}", name);
        }
        for (name, need, read) in [
            ("duration_seconds", EXPECTED, read.duration_seconds),
            ("talk_time_seconds", OPTIONAL, read.talk_time_seconds),
            ("wrap_up_seconds", OPTIONAL, read.wrap_up_seconds),
        ] {
            prop_assert_eq!(read, form.seconds(name, need), "{}", name);
        }
        let notes = match form.text("notes", OPTIONAL) {
            Some(notes) => Some(notes),
            None => form.text("wrap_up_notes", OPTIONAL),
        };
        prop_assert_eq!(&read.notes, &notes);
        let custom = form.field("custom_fields", OPTIONAL, "an object", |value| value.as_object().cloned());
        prop_assert_eq!(Value::Object(read.custom_fields), kept(Value::Object(custom.unwrap_or_default())));
        // Larger ones lose their trees.
        if body.len() <= 8 * 1024 {
            let mut rest = object.clone();
            let second = text(object.get("notes").unwrap_or(&Value::Null)).is_some();
            rest.retain(|name, _| !known().contains(name) && (second || name != "wrap_up_notes"));
            prop_assert_eq!(Value::Object(read.extra), kept(Value::Object(rest)));
        }

        let (mut complaints, mut problems) = (form.1, read.problems);
        complaints.sort();
        problems.sort();
        prop_assert_eq!(problems, complaints);
    }

    #[test]
    fn a_time_is_read_as_the_calendar_says(
        (year, month, day) in (1900..2200_i64, 0..14_i64, 0..33_i64),
        (hour, minute, second) in (0..26_i64, 0..62_i64, 0..60_i64),
        offset in prop_oneof![Just(None), Just(Some(0)), (-14 * 60..14 * 60_i64).prop_map(Some)],
    ) {
        let zone = match offset {
            None => String::new(),
            Some(0) => "Z".to_owned(),
            Some(minutes) => format!("{}{:02}:{:02}", if minutes < 0 { '-' } else { '+' }, minutes.abs() / 60, minutes.abs() % 60),
        };
        let time = format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{zone}");
        let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days_of = |year: i64, month: i64| match month {
            2 => 28 + i64::from(leap(year)),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        let exists = (1..=12).contains(&month) && (1..=days_of(year, month)).contains(&day) && hour < 24 && minute < 60;
        // Counted, day by day and month by month, from 1900, which is 25567 days before 1970.
        let days = (1900..year).map(|year| 365 + i64::from(leap(year))).sum::<i64>()
            + (1..month).map(|month| days_of(year, month)).sum::<i64>() + day - 1 - 25_567;
        let seconds = ((days * 24 + hour) * 60 + minute - offset.unwrap_or(0)) * 60 + second;
        let expected = (exists && seconds >= 0).then_some(seconds);
        let body = json!({ "event": "call.completed", "call_id": "cl_1", "ended_at": time }).to_string();
        prop_assert_eq!(parse(body.as_bytes()).unwrap().ended_at.map(|time| time.timestamp()), expected, "{}", time);
    }
}
