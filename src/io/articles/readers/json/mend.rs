//! JSON that is wrong in ways which do not hide what was meant.

/// A text with lone halves of surrogate pairs as U+FFFD and raw control characters in strings as
/// spaces; `None` where there is nothing of the kind.
pub(super) fn mended(json: &str) -> Option<String> {
    let mut out = String::with_capacity(json.len());
    let (mut rest, mut in_string, mut changed) = (json, false, false);
    while let Some(c) = rest.chars().next() {
        let mut length = c.len_utf8();
        match c {
            '"' => in_string = !in_string,
            '\\' if in_string => match surrogate(rest) {
                Some(high @ 0xD800..0xDC00)
                    if matches!(rest.get(6..).and_then(surrogate), Some(0xDC00..0xE000))
                        && high > 0 =>
                {
                    length = 12;
                }
                Some(_) => {
                    out.push_str("\\ufffd");
                    rest = &rest[6..];
                    changed = true;
                    continue;
                }
                None => length += rest[1..].chars().next().map_or(0, char::len_utf8),
            },
            c if in_string && c < ' ' => {
                out.push_str(if c == '\n' { "\\n" } else { " " });
                rest = &rest[1..];
                changed = true;
                continue;
            }
            _ => {}
        }
        out.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    changed.then_some(out)
}

/// The number of an escaped half of a surrogate pair that begins there.
fn surrogate(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    let number =
        digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok());
    number.flatten().filter(|number| (0xD800..0xE000).contains(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lone_halves_and_raw_controls() {
        let some = |text: &str| Some(text.to_string());
        assert_eq!(mended(r#"{"a": "x\ud83d\ude00 \\ud83d \n"}"#), None);
        assert_eq!(
            mended(r#"{"a": "\ud83d!\ude00\ud83d\ud83d\ude00"}"#),
            some(r#"{"a": "\ufffd!\ufffd\ufffd\ud83d\ude00"}"#)
        );
        assert_eq!(mended("{\"a\": \"b\nc\td\"\n}"), some("{\"a\": \"b\\nc d\"\n}"));
        assert_eq!((mended("\"\\"), mended("\"\\u12"), mended("\"\\ud83")), (None, None, None));
    }
}
