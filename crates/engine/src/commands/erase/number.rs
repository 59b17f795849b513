//! A telephone number as people write it, and how it is found in what others wrote.

use anyhow::{Context, ensure};

/// The most and the fewest digits of a number with its country's code. (ITU-T E.164: 15 at the most. The fewest are ours:
/// fewer would be found in what is no number.)
const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// What may stand between two digits, as a regular expression of Postgres over a body in its encoding `escape` and over plain
/// text: a few signs, the national zero as in `+49 (0)30`, and spaces and hyphens beyond ASCII, as characters, as escaped
/// bytes, and as JSON escapes them.
const BETWEEN: &str = r"(?:[ ().\-/\u00a0\u2007\u2010-\u2015\u202f]|\(0\)|\\302\\240|\\342\\200\\2[0-9]{2}|\\+u(?:00a0|20[01][0-9a-fA-F]|202[fF]))*";

/// What stands before a number: no digit, or an escaped byte, which ends in one.
const BEFORE: &str = r"(?:^|[^0-9]|\\[0-3][0-7][0-7])";

/// A number with its country's code.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Number {
    digits: String,
}

impl Number {
    /// A number that begins with `+`, with spaces, dashes, brackets, dots and slashes in it.
    ///
    /// # Errors
    ///
    /// It says what to write. The number isn't in it: what a terminal shows may be kept.
    pub(super) fn parse(text: &str) -> anyhow::Result<Self> {
        let after_plus = text.trim().strip_prefix('+');
        let after_plus =
            after_plus.context("write the number with + and its country's code: +1 408 555 1234")?;
        let written = after_plus.replace("(0)", "");
        let digits: String = written.chars().filter(|letter| !" ()-./\u{a0}".contains(*letter)).collect();
        ensure!(
            digits.chars().all(|letter| letter.is_ascii_digit()),
            "write the number with digits, spaces, and ( ) - . / alone: +1 (408) 555-1234"
        );
        ensure!(
            DIGITS.contains(&digits.len()) && !digits.starts_with('0'),
            "write the whole number with its country's code, {} to {} digits of which the first is no 0: +1 408 555 1234",
            DIGITS.start(),
            DIGITS.end()
        );
        Ok(Self { digits })
    }

    /// A regular expression of Postgres that finds it: its digits in a row, with a plus, 00 or nothing before them; or with
    /// something between them where a plus or 00 shows that a number begins there. Other digits in a row, such as a time's,
    /// are not taken for it.
    pub(super) fn pattern(&self) -> String {
        let Self { digits } = self;
        let apart =
            digits.chars().fold(String::new(), |before, digit| before + BETWEEN + &String::from(digit));
        format!(r"(?:{BEFORE}(?:00)?{digits}|(?:\+|\\+u002[bB]|{BEFORE}00){apart})(?![0-9])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_as_people_type_it() {
        for text in
            ["+14085551234", "+1 408 555 1234", " +1 (408) 555-1234 ", "+1.408.555/1234", "+1 (0)408 5551234"]
        {
            assert_eq!(Number::parse(text).unwrap().digits, "14085551234", "{text}");
        }
    }

    #[test]
    fn what_is_no_whole_number_is_refused_without_being_repeated() {
        for text in [
            "4085551234",
            "0049301234567",
            "",
            "+",
            "+1408",
            "+0301234567",
            "+1408555123a",
            "+1408555123412345",
        ] {
            let error = Number::parse(text).unwrap_err().to_string();
            assert!(error.contains("+1 "), "{error}");
            assert!(text.len() < 4 || !error.contains(text), "{error}");
        }
    }
}
