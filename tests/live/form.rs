//! The form of an answer, as a JSON Schema that holds no value of it.

use serde_json::{Map, Value, json};

/// A path without the ids in it: each segment with a digit in it that is not the version of an API.
pub(crate) fn of_path(path: &str) -> String {
    let is_id = |segment: &&str| segment.contains(|letter: char| letter.is_ascii_digit());
    let is_version =
        |segment: &&str| segment.starts_with('v') || segment.starts_with("20") && segment.contains('-');
    let segments = path.split('/').map(|s| if is_id(&s) && !is_version(&s) { "{id}" } else { s });
    segments.collect::<Vec<_>>().join("/")
}

/// The form of this answer, and of those before it that had this form.
pub(crate) fn of(answer: &Value, before: Value) -> Value {
    let mut form = match before {
        Value::Object(form) => form,
        _ => Map::new(),
    };
    let kind = match answer {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(items) => {
            // A list that is empty says nothing of what may stand in it.
            for item in items {
                let before = form.remove("items").unwrap_or_default();
                form.insert("items".into(), of(item, before));
            }
            "array"
        }
        Value::Object(fields) => {
            let properties = form.entry("properties").or_insert_with(|| json!({}));
            for (name, value) in fields {
                let before = properties[name].take();
                properties[name] = of(value, before);
            }
            form.insert("additionalProperties".into(), json!(false));
            "object"
        }
    };
    let kinds = form.entry("type").or_insert_with(|| json!([])).as_array_mut().expect("it is one");
    if !kinds.iter().any(|known| known == kind) {
        kinds.push(json!(kind));
    }
    Value::Object(form)
}

/// What this form allows and the one that was seen does not, each with where it stands.
pub(crate) fn beyond(seen: &Value, form: &Value, at: &str) -> Vec<String> {
    // Where nothing was seen, anything may stand.
    if seen.is_null() {
        return Vec::new();
    }
    let kinds = form["type"].as_array().into_iter().flatten();
    let known = |kind: &&Value| seen["type"].as_array().is_some_and(|known| known.contains(kind));
    let mut beyond: Vec<_> =
        kinds.filter(|kind| !known(kind)).map(|kind| format!("{at} is {kind}")).collect();
    for (name, form) in form["properties"].as_object().into_iter().flatten() {
        let at = format!("{at}.{name}");
        match seen["properties"].get(name) {
            Some(seen) => beyond.extend(self::beyond(seen, form, &at)),
            None => beyond.push(at),
        }
    }
    beyond.extend(self::beyond(&seen["items"], &form["items"], &format!("{at}[]")));
    beyond
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_holds_no_value_and_tells_what_is_beyond_it() {
        let seen = of(&json!({ "id": "512", "url": null, "results": [] }), Value::Null);
        let seen = of(&json!({ "id": "513", "url": "https://x", "results": [{ "new": true }] }), seen);
        assert!(!seen.to_string().contains("51"), "{seen}");
        let same = of(&json!({ "id": "1", "results": [] }), Value::Null);
        assert!(beyond(&seen, &same, "").is_empty());
        let other = of(&json!({ "id": 1, "made": "x", "results": [{ "new": "yes" }] }), Value::Null);
        assert_eq!(beyond(&seen, &other, ""), [".id is \"number\"", ".made", ".results[].new is \"string\""]);
    }

    #[test]
    fn ids_are_taken_out_of_a_path_and_the_versions_of_an_api_stay() {
        assert_eq!(of_path("/crm/objects/2026-09/calls/512"), "/crm/objects/2026-09/calls/{id}");
        assert_eq!(of_path("/api/v2/tickets/7/comments"), "/api/v2/tickets/{id}/comments");
        assert_eq!(of_path("/api/v2/tickets/7.json"), "/api/v2/tickets/{id}");
        assert_eq!(of_path("/crm/objects/2026-09/calls/live-5af"), "/crm/objects/2026-09/calls/{id}");
    }
}
