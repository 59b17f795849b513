//! What a ticket that is made gets by the call's queue and status: a group, tags, a priority.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use engine::{
    call::Call,
    config::{ConfigError, Pairs},
};

/// (Zendesk's documentation, "Tickets".)
const PRIORITIES: [&str; 4] = ["urgent", "high", "normal", "low"];

/// By the ids of queues, and by statuses.
pub struct Triage(BTreeMap<String, Marks>);

/// What one of them brings.
#[derive(Clone, Default)]
struct Marks {
    group: Option<u64>,
    tags: Vec<String>,
    priority: Option<String>,
}

impl Triage {
    /// Of `ZENDESK_TICKETS`.
    ///
    /// # Errors
    ///
    /// A word of it is none of `group:`, `tag:`, `priority:`, or what follows isn't what it should be.
    pub(super) fn parse(set: &Pairs) -> Result<Self, ConfigError> {
        let marks = |(key, words): (&String, &String)| Ok((key.clone(), Marks::parse(words)?));
        set.0.iter().map(marks).collect::<Result<_, _>>().map(Self)
    }

    /// Writes into a ticket what the call's status and queue bring; where both bring one, the queue's group and priority.
    pub(super) fn mark(&self, call: &Call, ticket: &mut Value) {
        let keys = [call.status.as_ref().map(AsRef::as_ref), call.queue.id.as_deref()];
        let mut tags = Vec::new();
        for marks in keys.into_iter().flatten().filter_map(|key| self.0.get(key)) {
            if let Some(group) = marks.group {
                ticket["group_id"] = json!(group);
            }
            if let Some(priority) = &marks.priority {
                ticket["priority"] = json!(priority);
            }
            tags.extend(&marks.tags);
        }
        if !tags.is_empty() {
            ticket["tags"] = json!(tags);
        }
    }
}

impl Marks {
    fn parse(words: &str) -> Result<Self, ConfigError> {
        let mut marks = Self::default();
        for word in words.split_whitespace() {
            let wrong = |what: &str| Err(ConfigError::new(format!("ZENDESK_TICKETS: `{word}` {what}")));
            match word.split_once(':') {
                Some(("group", id)) => match id.parse() {
                    Ok(id) => marks.group = Some(id),
                    Err(_) => return wrong("names no group: write its number, as in group:25"),
                },
                Some(("tag", tag)) if !tag.is_empty() => marks.tags.push(tag.to_owned()),
                Some(("priority", priority)) if PRIORITIES.contains(&priority) => {
                    marks.priority = Some(priority.to_owned());
                }
                Some(("priority", _)) => return wrong("is no priority: urgent, high, normal or low"),
                _ => return wrong("says nothing: write group:25, tag:sales or priority:high"),
            }
        }
        Ok(marks)
    }
}
