//! What a form of this console asks to change. To take a [`Change`] is to have checked that it comes from a session's own page.

use std::net::IpAddr;

use axum::{
    Form,
    extract::{FromRequest, Request},
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::{access::Visitor, cookie, page::message};

/// A form that a session's own page sent.
pub(super) struct Change {
    /// Who sent it.
    pub(super) client: IpAddr,
    pub(super) tls: bool,
    /// Its session's cookie.
    pub(super) cookie: Option<String>,
    fields: Vec<(String, String)>,
}

impl Change {
    /// What stands in a field; none where it is empty.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// What stands in the fields of this name but for empty ones.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self.fields.iter().filter(move |(field, _)| field == name);
        named.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }
}

impl<S: Send + Sync> FromRequest<S> for Change {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let visitor = request.extensions().get::<Visitor>().cloned();
        let Some(Visitor { client, tls, csrf: Some(csrf) }) = visitor else {
            return Err(StatusCode::UNAUTHORIZED.into_response());
        };
        let cookie = cookie::sent(request.headers(), tls).map(str::to_owned);
        let form = Form::<Vec<(String, String)>>::from_request(request, state).await;
        let fields = form.map(|Form(fields)| fields).map_err(IntoResponse::into_response)?;
        let change = Self { client, tls, cookie, fields };
        if change.field("csrf").is_some_and(|sent| csrf.is(sent)) {
            Ok(change)
        } else {
            tracing::warn!(%client, "a form without its session's token was sent to the console, and is refused");
            Err(message(
                StatusCode::FORBIDDEN,
                "Out of date",
                "This form is of another session. Nothing was changed. Load the page again, and send it from there.",
            ))
        }
    }
}
