//! What is shown of a record, and what the vendor calculates of a contact.

use serde_json::{Value, json};

use super::account::{Account, Record, iso, object};
use super::properties::ObjectType;

/// Shown of a contact when no properties are asked for (search guide); of others it is not documented, and nothing here.
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
            "createdate" | "hs_createdate" => Some(iso(self.created_at)),
            "lastmodifieddate" | "hs_lastmodifieddate" => Some(iso(self.updated_at)),
            "hs_searchable_calculated_phone_number" => number("phone"),
            "hs_searchable_calculated_mobile_number" => number("mobilephone"),
            written => self.properties.get(written).cloned(),
        }
    }

    /// With these properties, of which a known one without a value is null, and those that are shown in any case (observed).
    pub(super) fn shown<'a>(
        &self,
        account: &Account,
        of: ObjectType,
        asked: impl IntoIterator<Item = &'a String>,
    ) -> Value {
        let mut names: Vec<&str> = asked.into_iter().map(String::as_str).collect();
        names.extend(match of {
            ObjectType::Contacts => ["createdate", "hs_object_id", "lastmodifieddate"],
            ObjectType::Calls | ObjectType::Tasks => ["hs_createdate", "hs_object_id", "hs_lastmodifieddate"],
        });
        if names.len() == 3 && of == ObjectType::Contacts {
            names.extend(BY_DEFAULT);
        }
        let known = names.into_iter().filter(|name| account.property(of, name).is_some());
        let properties = known.map(|name| (name.to_owned(), json!(self.property(name)))).collect();
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
