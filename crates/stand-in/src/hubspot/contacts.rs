//! What is shown of a contact.

use serde_json::{Value, json};

use super::account::{Account, Record, iso, object};
use super::properties::ObjectType;

/// Shown in any case (observed).
const ALWAYS: [&str; 3] = ["createdate", "hs_object_id", "lastmodifieddate"];

/// Shown when no properties are asked for (search guide).
const BY_DEFAULT: [&str; 3] = ["email", "firstname", "lastname"];

/// The calling codes of two digits (ITU-T E.164); 1 and 7 have one digit, all others three.
const TWO_DIGIT_CODES: &str = "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 \
     86 90 91 92 93 94 95 98";

impl Record {
    /// The name that a person reads: the contact's, or what there is instead of one.
    #[must_use]
    pub fn name(&self) -> String {
        let named = |name: &&str| self.properties.get(*name).map(String::as_str);
        let full: Vec<&str> = ["firstname", "lastname"].iter().filter_map(named).collect();
        if full.is_empty() {
            self.properties.get("email").unwrap_or(&self.id).clone()
        } else {
            full.join(" ")
        }
    }

    /// A property as the API has it: written, or calculated by the vendor.
    pub(super) fn property(&self, name: &str) -> Option<String> {
        let number = |of: &str| self.properties.get(of).map(|number| national(number));
        match name {
            "hs_object_id" => Some(self.id.clone()),
            "createdate" => Some(iso(self.created_at)),
            "lastmodifieddate" => Some(iso(self.updated_at)),
            "hs_searchable_calculated_phone_number" => number("phone"),
            "hs_searchable_calculated_mobile_number" => number("mobilephone"),
            written => self.properties.get(written).cloned(),
        }
    }

    /// A known property without a value is null.
    pub(super) fn shown(&self, account: &Account, properties: Option<&[String]>) -> Value {
        let names: Vec<&str> = match properties {
            None => BY_DEFAULT.to_vec(),
            Some(asked) => asked.iter().map(String::as_str).collect(),
        };
        let known = |name: &&str| account.property(ObjectType::Contacts, name).is_some();
        let value = |name: &str| (name.to_owned(), json!(self.property(name)));
        let properties = names.into_iter().chain(ALWAYS).filter(known).map(value).collect();
        object(&self.id, &properties, self.created_at, self.updated_at)
    }
}

/// The number without its country code: "only the area code and local number" (search guide).
///
/// HubSpot calculates it from the number and the contact's country, by rules that are nowhere published.
/// Modelled is what can be told from the number alone: of one with `+`, the digits after the calling code;
/// of another, the digits without leading zeros (observed: 00004 gives 4).
fn national(number: &str) -> String {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    if !number.trim_start().starts_with('+') {
        return digits.trim_start_matches('0').into();
    }
    let code = match digits.as_bytes() {
        [b'1' | b'7', ..] => 1,
        _ if digits.get(..2).is_some_and(|two| TWO_DIGIT_CODES.split(' ').any(|code| code == two)) => 2,
        _ => 3,
    };
    digits.get(code..).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::national;

    #[test]
    fn the_searchable_number_has_no_country_code() {
        for (number, searchable) in [
            ("+14085551234", "4085551234"),
            ("+1 (408) 555-1234", "4085551234"),
            ("+442079460958", "2079460958"),
            ("+353 1 555 0123", "15550123"),
            ("(408) 555-1234", "4085551234"),
            ("020 7946 0958", "2079460958"),
            ("+4", ""),
            ("anonymous", ""),
        ] {
            assert_eq!(national(number), searchable, "{number}");
        }
    }
}
