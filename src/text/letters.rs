//! What characters are, looked up in a table: the standard library searches for it, and every text
//! is gone through many times.

use std::sync::LazyLock;

const ALPHABETIC: u8 = 1;
const NUMERIC: u8 = 2;

/// The characters up to U+FFFF.
static TABLE: LazyLock<Vec<u8>> =
    LazyLock::new(|| (0..=0xFFFF).map(|code| char::from_u32(code).map_or(0, searched)).collect());

fn searched(c: char) -> u8 {
    (u8::from(c.is_alphabetic()) * ALPHABETIC) | (u8::from(c.is_numeric()) * NUMERIC)
}

fn class(c: char) -> u8 {
    TABLE.get(c as usize).copied().unwrap_or_else(|| searched(c))
}

/// [`char::is_alphabetic`].
pub(crate) fn is_alphabetic(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_alphabetic() } else { class(c) & ALPHABETIC != 0 }
}

/// [`char::is_alphanumeric`].
pub(crate) fn is_alphanumeric(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_alphanumeric() } else { class(c) != 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_what_the_library_says() {
        for c in (0..=0x1_1FFF).filter_map(char::from_u32) {
            assert_eq!(is_alphabetic(c), c.is_alphabetic(), "{c:?}");
            assert_eq!(is_alphanumeric(c), c.is_alphanumeric(), "{c:?}");
        }
    }
}
