//! JSON that is wrong in ways which do not hide what was meant.

/// A text with lone halves of surrogate pairs as U+FFFD, raw line breaks in strings as escapes and
/// other controls there as spaces, marks within a string escaped as far as they show, and without
/// commas after a last member; `None` where there is nothing of the kind.
pub(crate) fn mended(json: &str) -> Option<String> {
    let mut out = String::with_capacity(json.len());
    let (mut rest, mut in_string, mut changed) = (json, false, false);
    while let Some(c) = rest.chars().next() {
        let (length, instead) = match c {
            '"' if in_string && !closes(&rest[1..]) => (1, Some("\\\"")),
            '"' => {
                in_string = !in_string;
                (1, None)
            }
            '\\' if in_string => escape(rest),
            '\n' if in_string => (1, Some("\\n")),
            c if in_string && c < ' ' => (1, Some(" ")),
            ',' if !in_string && rest[1..].trim_start().starts_with(['}', ']']) => (1, Some("")),
            c => (c.len_utf8(), None),
        };
        changed |= instead.is_some();
        out.push_str(instead.unwrap_or(&rest[..length]));
        rest = &rest[length..];
    }
    changed.then_some(out)
}

/// Whether a quotation mark with this text behind it closes a string.
fn closes(after: &str) -> bool {
    let next = after.trim_start();
    next.is_empty() || next.starts_with([',', ':', '}', ']'])
}

/// The length of the escape that a text begins with, and what it is replaced by if it is none.
fn escape(text: &str) -> (usize, Option<&'static str>) {
    match surrogate(text) {
        Some(0xD800..0xDC00)
            if matches!(text.get(6..).and_then(surrogate), Some(0xDC00..0xE000)) =>
        {
            (12, None)
        }
        Some(_) => (6, Some("\\ufffd")),
        None => match text[1..].chars().next() {
            Some('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't' | 'u') => (2, None),
            // As JavaScript has it.
            Some('\'') => (2, Some("'")),
            _ => (1, Some("\\\\")),
        },
    }
}

/// The number of an escaped half of a surrogate pair that begins there.
fn surrogate(text: &str) -> Option<u32> {
    code_unit(text).filter(|number| (0xD800..0xE000).contains(number))
}

/// The number of the escape `\uXXXX` that a text begins with.
pub(super) fn code_unit(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    let is_hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
    u32::from_str_radix(digits, 16).ok().filter(|_| is_hex)
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
        assert_eq!((mended("\"\\u12"), mended("\"\\ud83")), (None, None));
        assert_eq!(mended("\"\\"), some("\"\\\\"));
    }

    #[test]
    fn marks_and_commas_that_were_left() {
        let parsed = |text: &str| {
            serde_json::from_str::<serde_json::Value>(&mended(text).unwrap()).unwrap().to_string()
        };
        assert_eq!(
            parsed(r#"{"a": "the "old" bridge", "b": [1, 2,],}"#),
            r#"{"a":"the \"old\" bridge","b":[1,2]}"#
        );
        assert_eq!(parsed(r#"{"a": "l\'eau C:\dir, ]"}"#), r#"{"a":"l'eau C:\\dir, ]"}"#);
    }
}
