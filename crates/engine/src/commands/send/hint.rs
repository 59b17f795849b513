//! What to do where a receiver did not take a call.

use crate::package::Package;

/// No answer came; the error says why.
pub(super) fn unreachable(error: &str) -> String {
    if error.contains("certificate") {
        "the platform would refuse this certificate too".to_owned()
    } else if error.contains("timed out") {
        "the platform would not have waited longer either, and would send it again".to_owned()
    } else {
        let receive = Package::of_this_process().command("receive");
        format!("is the receiver running (`cargo run`, or {receive}), and does --url or LISTEN_ADDR name it?")
    }
}

/// An answer that is not 200. (The table of answers is in `answer`.)
pub(super) fn refused(status: u16) -> String {
    let to_do = match status {
        200..400 => "the platform expects 200 from the URL itself: name the one that answers so",
        400 => "it is no event to the receiver: its answer says what is missing",
        401 => {
            "compare WEBHOOK_TOKEN (or WEBHOOK_BASIC_USER and _PASSWORD) and WEBHOOK_SIGNING_SECRET here with \
             the receiver's"
        }
        403 => {
            "either no credential or signature is configured here that the receiver asks for (WEBHOOK_TOKEN, \
             WEBHOOK_SIGNING_SECRET), or it doesn't admit this address: see WEBHOOK_ALLOWED_IPS and \
             TRUSTED_PROXIES there, and its log"
        }
        404 | 405 => "is this URL the webhook's? Compare its path with WEBHOOK_PATH of the receiver",
        408 => "the receiver waited in vain for the rest of the call: what is between here and there?",
        410 => "the receiver is closed for good: WEBHOOK_GONE is set there",
        413 => "the call is larger than the receiver's WEBHOOK_MAX_BODY, or than its proxy lets through",
        429 => "too many wrong credentials came from this address: correct yours, and wait a second",
        503 => {
            let doctor = Package::of_this_process().command("doctor");
            return format!(
                "the receiver can't store it now: is its database there? See its /health/ready, its log, and {doctor}"
            );
        }
        500.. => "what answered is broken: the proxy in front, or another server than the receiver",
        _ => "the platform takes every answer but 200 for a failure",
    };
    to_do.to_owned()
}
