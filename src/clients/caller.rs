//! Who called, by his number.

use phonenumber::{Mode, PhoneNumber, country};

use engine::call::Call;

/// The number of the one who is not us, where it is one; one without a `+` is of this region.
#[must_use]
pub fn number(call: &Call, region: Option<country::Id>) -> Option<PhoneNumber> {
    call.other_party().and_then(|number| phonenumber::parse(region, number).ok())
}

/// As programs write it, `+14085551234`. (ITU-T E.164.)
#[must_use]
pub fn e164(number: &PhoneNumber) -> String {
    number.format().mode(Mode::E164).to_string()
}

/// As people read it: `+1 408-555-1234`.
#[must_use]
pub fn readable(number: &PhoneNumber) -> String {
    number.format().mode(Mode::International).to_string()
}
