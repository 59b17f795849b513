//! What a CRM says of a call that it holds.

/// A call that the CRM holds.
#[derive(Debug)]
pub struct Logged {
    /// The CRM's id of it.
    pub id: String,
    /// Its page there, where the answer named it.
    pub url: Option<String>,
    /// What a person should know beside it: why it stands beside no contact, or beside one of several.
    pub note: Option<String>,
    /// Whether it has the call's recording itself, so that there is nothing to copy.
    pub has_recording: bool,
}
