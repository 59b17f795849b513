//! What a value has to be, where vendors agree.

use chrono::{DateTime, Timelike};

/// Whether it is a time as in RFC 3339, of whole milliseconds: no vendor's examples are finer.
pub(crate) fn is_time(value: &str) -> bool {
    DateTime::parse_from_rfc3339(value).is_ok_and(|time| time.nanosecond() % 1_000_000 == 0)
}

/// Whether it is a web address, without the characters that have to be percent-encoded in one.
pub(crate) fn is_url(value: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| value.starts_with(scheme))
        && value.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>".contains(&byte))
}
