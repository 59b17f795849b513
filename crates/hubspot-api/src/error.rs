//! What HubSpot's errors mean.

use std::collections::BTreeSet;

use engine::{
    package::Package,
    vendor::{Answer, ClientError, code},
};
use serde::Deserialize;

pub(crate) fn success(answer: Answer, unique: &[&str]) -> Result<Answer, ClientError> {
    if answer.status.is_success() { Ok(answer) } else { Err(refused(&answer, unique)) }
}

/// What HubSpot's error means, with what to do about it.
pub(crate) fn refused(answer: &Answer, unique: &[&str]) -> ClientError {
    let Refusal { message, category, errors } = answer.json().unwrap_or_default();
    // Its message is read for what to do, and not kept: it quotes what it refuses.
    let message = message.or_else(|| errors.into_iter().find_map(|error| error.message)).unwrap_or_default();
    let category = category.as_deref().and_then(code).map(|category| format!(" {category}"));
    let properties = named_in(&message, unique);
    let properties = if properties.is_empty() { properties } else { format!(" about {properties}") };
    let reason =
        format!("HubSpot answered {}{}{properties}", answer.status.as_u16(), category.unwrap_or_default());
    let hint = match answer.status.as_u16() {
        400 if unique.iter().any(|ours| message.contains(ours)) => {
            let set_up = Package::of_this_process().command("setup");
            format!(" (run {set_up} once: it makes this property)")
        }
        400 if message.contains("does not exist") || message.contains("PROPERTY_DOESNT_EXIST") => {
            " (do the properties that the settings name exist there?)".to_owned()
        }
        401 => " (is HUBSPOT_TOKEN right, and not revoked?)".to_owned(),
        403 => " (has the service key the scopes crm.objects.contacts.read and .write, and files for recordings?)".to_owned(),
        _ => String::new(),
    };
    answer.refusal(format!("{reason}{hint}"))
}

/// The standard properties, and those of this program, that a text names, comma separated.
fn named_in(text: &str, unique: &[&str]) -> String {
    let words = text.split(|letter: char| !letter.is_ascii_lowercase() && letter != '_');
    let named: BTreeSet<_> = words.filter(|word| word.starts_with("hs_") || unique.contains(word)).collect();
    named.into_iter().take(5).collect::<Vec<_>>().join(", ")
}

/// What is no answer of HubSpot's must not pass for one that found nobody.
pub(crate) fn unreadable() -> ClientError {
    ClientError::retry("HubSpot's answer is not of the documented form")
}

/// HubSpot's error; every field is optional.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    message: Option<String>,
    category: Option<String>,
    errors: Vec<RefusedItem>,
}

#[derive(Deserialize)]
struct RefusedItem {
    message: Option<String>,
}
