//! What services write around JSON: a call, so that a page can load it as a script (JSONP), or what
//! keeps a page from running it: `)]}',`, `while(1);`.

/// Statements and marks that keep a page from running JSON as a script.
const GUARDS: [&[u8]; 6] =
    [b")]}',", b")]}'", b"while(1);", b"while (1);", b"for(;;);", b"for (;;);"];

/// Longest name of a function that is called with JSON, comments before it included.
const LONGEST: usize = 200;

/// Bytes before the JSON that begins there; 0 where nothing is around it.
pub(in crate::io::articles::readers) fn length(head: &[u8]) -> usize {
    let start = head.trim_ascii_start();
    let before = GUARDS.iter().find(|guard| start.starts_with(guard)).map(|guard| guard.len());
    let Some(before) = before.or_else(|| call(start)) else { return 0 };
    let opens = start[before..].trim_ascii_start().first().is_some_and(|b| b"{[\"".contains(b));
    if opens { head.len() - start.len() + before } else { 0 }
}

/// The bytes without what is around them at their beginning.
pub(super) fn without(head: &[u8]) -> &[u8] {
    &head[length(head)..]
}

/// The length of the call that begins there, up to its bracket: `callback(`, `/**/a.b$1(`.
fn call(text: &[u8]) -> Option<usize> {
    let mut start = 0;
    while text[start..].starts_with(b"/*") {
        let near = &text[start..text.len().min(start + LONGEST)];
        start += near.windows(2).skip(2).position(|pair| pair == b"*/")? + 4;
        start += text[start..].iter().take_while(|b| b.is_ascii_whitespace()).count();
    }
    let is_name = |b: &&u8| b.is_ascii_alphanumeric() || b"_$.".contains(b);
    let name = text[start..].iter().take(LONGEST).take_while(is_name).count();
    let named = text.get(start).is_some_and(|b| !b.is_ascii_digit()) && name > 0;
    let end = start + name;
    (named && text.get(end) == Some(&b'(')).then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use super::length;

    #[test]
    fn guards_and_calls_are_passed_over() {
        for (text, rest) in [
            (")]}',\n{\"a\": 1}", "\n{\"a\": 1}"),
            (")]}'\n[{}]", "\n[{}]"),
            (" while(1);{\"a\": 1}", "{\"a\": 1}"),
            ("callback({\"a\": 1});", "{\"a\": 1});"),
            ("/**/ jQuery.cb_1$( [{}])", " [{}])"),
        ] {
            assert_eq!(&text[length(text.as_bytes())..], rest);
        }
        for whole in ["{\"a\": 1}", "See page (1)", "f(x)", "/* never ends", "1({})", "({})", ""] {
            assert_eq!(length(whole.as_bytes()), 0, "{whole}");
        }
    }
}
