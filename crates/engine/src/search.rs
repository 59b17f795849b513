//! Which calls a person looks for.

/// The fewest digits that are taken for the end of a number.
const FEWEST_DIGITS: usize = 5;

/// The last digits of a number, which are those that are indexed.
const LAST_DIGITS: usize = 20;

/// The digits in which a number ends, as people type it: without its country's code, in any grouping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndOfNumber(String);

impl EndOfNumber {
    /// The digits of what may be a number, without the zeros that some dial before it; none where it is no number, or has
    /// fewer than five digits.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let signs = |letter: char| letter.is_ascii_digit() || " +()-./\u{a0}".contains(letter);
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let digits = digits.trim_start_matches('0');
        let digits = &digits[digits.len().saturating_sub(LAST_DIGITS)..];
        (text.chars().all(signs) && digits.len() >= FEWEST_DIGITS).then(|| Self(digits.to_owned()))
    }

    /// What the indexed form of a number is like, which begins with its last digit.
    #[must_use]
    pub fn pattern(&self) -> String {
        self.0.chars().rev().collect::<String>() + "%"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_by_its_end_as_people_type_it() {
        let read = |typed| EndOfNumber::read(typed).map(|end| end.0);
        for typed in ["+1 (408) 555-1234", "0014085551234", "1.408.555.1234"] {
            assert_eq!(read(typed).as_deref(), Some("14085551234"), "{typed}");
        }
        assert_eq!(read("(0408) 5551234").as_deref(), Some("4085551234"));
        for id in ["evt_14085551234", "1234", "0000", "35436a", "%%%%%"] {
            assert_eq!(read(id), None, "{id}");
        }
    }
}
