//! A payload, as people read it.

use serde_json::Value;

/// JSON with a line for each member, else the text as it came.
pub(super) fn payload(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    // It also bounds the depth, and with it what the indentation can make of a body.
    if serde_json::from_slice::<Value>(body).is_ok() { indent(&text) } else { text.into_owned() }
}

/// Only white space is changed: a parsed document would lose the order of its fields, repeated ones, and the digits of
/// its numbers.
fn indent(json: &str) -> String {
    let mut text = String::new();
    let (mut depth, mut in_string, mut escaped, mut opened) = (0_usize, false, false, false);
    for character in json.chars() {
        if in_string {
            text.push(character);
            in_string = escaped || character != '"';
            escaped = !escaped && character == '\\';
            continue;
        }
        if character.is_ascii_whitespace() {
            continue;
        }
        let closes = matches!(character, '}' | ']');
        depth -= usize::from(closes);
        if opened != closes {
            text.push('\n');
            text.extend(std::iter::repeat_n("  ", depth.min(16)));
        }
        opened = matches!(character, '{' | '[');
        depth += usize::from(opened);
        text.push(character);
        match character {
            '"' => in_string = true,
            ':' => text.push(' '),
            ',' => {
                text.push('\n');
                text.extend(std::iter::repeat_n("  ", depth.min(16)));
            }
            _ => {}
        }
    }
    text
}
