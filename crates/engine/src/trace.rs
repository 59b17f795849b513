//! The trace that a delivery is part of. (W3C Trace Context, <https://www.w3.org/TR/trace-context/>.)

use std::{fmt, num::NonZeroU128, str};

use axum::http::HeaderMap;
use serde::{Serialize, Serializer};

/// The bytes of `00-{trace-id}-{parent-id}-{flags}`. A later version may have more.
const LENGTH: usize = 55;

/// A `trace-id`, by which whoever sent a delivery finds it in their systems and in ours. In text it is 32 digits of lower-case
/// hex.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceId(NonZeroU128);

impl TraceId {
    /// The trace of a request with these headers; `None` where `traceparent` is absent, sent twice, or not of its form.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all("traceparent").iter();
        match (values.next(), values.next()) {
            (Some(value), None) => parse(value.as_bytes()),
            _ => None,
        }
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl Serialize for TraceId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Version 00 has four fields; what a later one adds stands behind a further dash. ("Versioning of traceparent".)
fn parse(value: &[u8]) -> Option<TraceId> {
    let (known, more) = value.split_at_checked(LENGTH)?;
    let mut fields = known.split(|byte| *byte == b'-');
    let mut field = |digits| fields.next().filter(|field| field.len() == digits).and_then(hex);
    let (version, trace_id, parent_id, _flags) = (field(2)?, field(32)?, field(16)?, field(2)?);
    let ends = more.is_empty() || version != 0 && more.starts_with(b"-");
    if version == 0xff || parent_id == 0 || !ends {
        return None;
    }
    NonZeroU128::new(trace_id).map(TraceId)
}

/// A number in lower-case hex: upper case is invalid.
fn hex(digits: &[u8]) -> Option<u128> {
    let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let digits = digits.iter().all(is_digit).then(|| str::from_utf8(digits).ok())??;
    u128::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    /// The trace of a request with these `traceparent`s.
    fn trace(values: &[&str]) -> Option<String> {
        let pair = |value: &&str| {
            (
                "traceparent".parse().expect("a name"),
                HeaderValue::from_bytes(value.as_bytes()).expect("a value"),
            )
        };
        TraceId::of(&values.iter().map(pair).collect()).map(|id| id.to_string())
    }

    #[test]
    fn a_traceparent_of_this_version_or_a_later_one_names_its_trace() {
        for traceparent in [
            format!("00-{ID}-00f067aa08a902b7-01"),
            format!("00-{ID}-00f067aa08a902b7-00"),
            format!("cc-{ID}-00f067aa08a902b7-01"),
            format!("cc-{ID}-00f067aa08a902b7-01-what-comes-then"),
        ] {
            assert_eq!(trace(&[&traceparent]).as_deref(), Some(ID), "{traceparent}");
        }
        let short = "00-00000000000000000000000000000001-0000000000000001-01";
        assert_eq!(trace(&[short]).as_deref(), Some("00000000000000000000000000000001"));
    }

    #[test]
    fn what_is_no_traceparent_names_none() {
        for traceparent in [
            "",
            "00",
            ID,
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa08a902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa08a902b7-1",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa08a902b7-01-",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa08a902b7-01-more",
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa08a902b7-01.more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa08a902b7-01",
            "0G-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa08a902b7-01",
            "00-00000000000000000000000000000000-00f067aa08a902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa08a902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00F067AA08A902B7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa08a902b7-0A",
            "00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa08a902b7-01",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa08a902b7-01",
            "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa08a902b7_01",
            "00-4bf92f3577b34da6a3ce929d0e0e47\u{fc}-00f067aa08a902b7-01",
        ] {
            assert_eq!(trace(&[traceparent]), None, "{traceparent}");
        }
        assert_eq!(trace(&[]), None);
    }

    #[test]
    fn two_traceparents_name_none_even_where_they_agree() {
        let traceparent = format!("00-{ID}-00f067aa08a902b7-01");
        assert_eq!(trace(&[&traceparent, &traceparent]), None);
        assert_eq!(trace(&[&format!("{traceparent},{traceparent}")]), None);
    }
}
