//! Headers that decide.

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::answer::Rejection;

/// The one value of a header; sent twice, it is ambiguous, and a proxy may have looked at the other.
pub(super) fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a [u8]>, Rejection> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value.map(HeaderValue::as_bytes)),
        _ => Err(Rejection::Repeated(name.clone())),
    }
}
