//! Texts that fit: every vendor has a longest one, and refuses the whole call over a longer one.

use std::borrow::Cow;

const ELLIPSIS: char = '…';

/// The text where it costs `most` or less, else its start and an ellipsis, together no more than that. What a character
/// costs is the vendor's rule: one, its bytes, what it becomes in HTML.
pub fn cut(text: &str, most: usize, cost: impl Fn(char) -> usize) -> Cow<'_, str> {
    let (mut spent, mut end) = (0, 0);
    for (at, character) in text.char_indices() {
        spent += cost(character);
        if spent + cost(ELLIPSIS) <= most {
            end = at + character.len_utf8();
        }
        if spent > most {
            return Cow::Owned(format!("{}{ELLIPSIS}", &text[..end]));
        }
    }
    Cow::Borrowed(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_where_it_costs_too_much_and_nowhere_else() {
        let one = |_| 1;
        assert_eq!(cut("", 0, one), "");
        assert_eq!(cut("abc", 3, one), "abc");
        assert_eq!(cut("abcd", 3, one), "ab…");
        assert_eq!(cut("äöüß", 3, one), "äö…");
        assert_eq!(cut("äöü", 6, char::len_utf8), "äöü");
        assert_eq!(cut("äöüß", 7, char::len_utf8), "äö…");
        let escaped = |character| if character == '&' { 5 } else { 1 };
        assert_eq!(cut("a&&&", 11, escaped), "a&…");
    }
}
