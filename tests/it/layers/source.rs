//! The text of a source file, as far as the rules of the house look at it.

/// The code alone: string literals lose all but their line
/// breaks; comments are left out, or kept as they are.
pub fn code(text: &str, comments: bool) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let after_word = code.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(literal) = literal(rest, after_word) {
            let breaks = rest[..literal].matches('\n').count();
            code.extend(["\"", &"\n".repeat(breaks), "\""]);
            rest = &rest[literal..];
            continue;
        } else {
            code.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        };
        if comments {
            code.push_str(&rest[..length]);
        }
        rest = &rest[length..];
    }
    code
}

/// The length of the string or character literal that the text begins with.
fn literal(text: &str, after_word: bool) -> Option<usize> {
    let bytes = text.as_bytes();
    let prefix = if after_word { 0 } else { text.find(|c| c != 'b' && c != 'r')? };
    let is_raw = text[..prefix].contains('r');
    let hashes = if is_raw { text[prefix..].bytes().take_while(|b| *b == b'#').count() } else { 0 };
    let open = prefix + hashes;
    match bytes.get(open)? {
        b'"' if is_raw => {
            let close = format!("\"{}", &text[prefix..open]);
            Some(open + 1 + text[open + 1..].find(&close)? + close.len())
        }
        quote @ (b'"' | b'\'') => {
            // A lifetime has no second quote right after its first letter.
            let is_char = || {
                let mut letters = text[open + 1..].chars();
                letters.next() == Some('\\') || letters.next() == Some('\'')
            };
            if *quote == b'\'' && !is_char() {
                return None;
            }
            let mut at = open + 1;
            while bytes.get(at)? != quote {
                at += if bytes[at] == b'\\' { 2 } else { 1 };
            }
            Some(at + 1)
        }
        _ => None,
    }
}

/// Code without the items that only tests have.
pub fn without_tests(code: &str) -> String {
    let mut kept = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = rest.find("#[cfg(test)]") {
        kept.push_str(&rest[..at]);
        let mut depth = 0;
        let end = rest[at..].find(|c| {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            depth == 0 && (c == '}' || c == ';')
        });
        rest = end.map_or("", |end| &rest[at + end + 1..]);
    }
    kept + rest
}

/// Words, `::`, and every other sign by itself.
pub fn tokens(code: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let length = match first {
            _ if is_word(first) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            ':' if rest.starts_with("::") => 2,
            _ => first.len_utf8(),
        };
        tokens.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    tokens
}
