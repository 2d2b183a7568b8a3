//! Program code in prose, which is no evidence for a language.

use std::borrow::Cow;
use std::ops::Range;

/// Marks of code that a text needs before any of it counts as code, unless every other word is one.
const FEWEST: usize = 3;
/// Tokens between two marks of code that are code, too.
const GAP: usize = 3;
/// Bytes of a token that are looked at; no word is as long.
const LONGEST: usize = 400;

/// Words of programming languages, of SQL and of shells, which are code beside a mark of code.
const KEYWORDS: &[&str] = &[
    "SELECT", "INSERT", "UPDATE", "DELETE", "FROM", "WHERE", "ORDER", "GROUP", "LIMIT", "JOIN",
    "TABLE", "CREATE", "VALUES", "AND", "BY", "IN", "apt", "async", "await", "bash", "bool",
    "break", "cargo", "cat", "cd", "chmod", "class", "const", "curl", "def", "docker", "echo",
    "elif", "else", "enum", "except", "export", "false", "fi", "final", "float", "fn", "for",
    "from", "func", "function", "git", "go", "grep", "if", "impl", "import", "in", "include",
    "install", "int", "kubectl", "let", "ls", "make", "mut", "new", "node", "not", "npm", "null",
    "pip", "print", "private", "pub", "public", "python", "python3", "range", "return", "run",
    "self", "static", "string", "struct", "sudo", "switch", "this", "throw", "true", "try", "use",
    "var", "void", "while", "with", "yield",
];

/// Words that begin statements of SQL, and those that go on with them.
const STATEMENTS: [&str; 7] = ["SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "ALTER", "GRANT"];
const SQL: [&str; 18] = [
    "SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "ALTER", "GRANT", "FROM", "INTO", "SET",
    "TABLE", "WHERE", "ORDER", "GROUP", "BY", "VALUES", "HAVING", "JOIN",
];

/// Whether a text with small letters, too, has a statement of SQL in it.
fn is_sql(text: &str) -> bool {
    let has = |word: &&&str| text.contains(**word);
    STATEMENTS.iter().any(|word| text.contains(word))
        && SQL.iter().filter(has).count() >= 2
        && 2 * text.bytes().filter(u8::is_ascii_uppercase).count()
            < text.chars().filter(|c| c.is_alphabetic()).count() + 40
        && text.contains(char::is_lowercase)
}

/// The text without the program code in it.
pub(super) fn without(text: &str) -> Cow<'_, str> {
    let is_sql = is_sql(text);
    let signs = ['(', '{', '=', ';', '_', '/', '-', '<', '$', '|'];
    if !is_sql && !text.contains(signs) {
        return Cow::Borrowed(text);
    }
    let tokens = tokens(text);
    let is_code = |token: &str| is_mark(token) || is_sql && SQL.contains(&token);
    let mut code: Vec<bool> = tokens.iter().map(|token| is_code(&text[token.clone()])).collect();
    let marks = code.iter().filter(|is| **is).count();
    let mostly = marks > 1 && 2 * marks >= code.len();
    if marks < FEWEST && !mostly {
        return Cow::Borrowed(text);
    }
    join(&mut code, |i| !ends_sentence(&text[tokens[i].clone()]));
    let is_keyword =
        |i: usize| KEYWORDS.contains(&text[tokens[i].clone()].trim_end_matches([',', ':']));
    for i in 1..code.len() {
        code[i] |= code[i - 1] && is_keyword(i);
    }
    for i in (1..code.len()).rev() {
        code[i - 1] |= code[i] && is_keyword(i - 1);
    }
    join(&mut code, |i| !ends_sentence(&text[tokens[i].clone()]));
    let kept = tokens.iter().zip(code).filter(|(_, is_code)| !is_code);
    let mut out = String::with_capacity(text.len());
    for (token, _) in kept {
        out.push_str(&text[token.clone()]);
        out.push(' ');
    }
    Cow::Owned(out)
}

fn tokens(text: &str) -> Vec<Range<usize>> {
    let start = text.as_ptr() as usize;
    let at = |token: &str| token.as_ptr() as usize - start;
    text.split_whitespace().map(|token| at(token)..at(token) + token.len()).collect()
}

/// Counts what stands between two near marks of code as code.
fn join(code: &mut [bool], may_be: impl Fn(usize) -> bool) {
    let mut last = None;
    for i in 0..code.len() {
        if !code[i] {
            continue;
        }
        if let Some(last) = last
            && i - last <= GAP + 1
            && (last + 1..i).all(&may_be)
        {
            code[last + 1..i].fill(true);
        }
        last = Some(i);
    }
}

/// Whether a word ends a sentence or a part of it, as words of code do not.
fn ends_sentence(token: &str) -> bool {
    token.ends_with(['.', '!', '?', ':', '…'])
}

/// Whether a token has what only code has.
fn is_mark(token: &str) -> bool {
    let token = &token[..token.floor_char_boundary(LONGEST)];
    if token.len() <= 3 && token.chars().all(|c| "=+*<>|&{}()[]".contains(c)) {
        return true;
    }
    let bare =
        token.trim_matches(['"', '\'', '(', ')', ',', '.', ':', '“', '”', '«', '»', '!', '?']);
    let inside = |pattern: &str| bare.trim_matches('_').contains(pattern);
    let option = bare.strip_prefix('-').is_some_and(|rest| {
        let rest = rest.trim_start_matches('-');
        rest.starts_with(|c: char| c.is_ascii_alphabetic())
            && (rest.len() == 1 || bare.starts_with("--"))
    });
    option
        || bare.contains(['{', '}', '=', '$', '\\', '<', '>', '|', '`'])
        || token.ends_with(';') && token.is_ascii() && token.contains([')', ']', '"', '\''])
        || inside("_")
        || inside("::")
        || inside("->")
        || inside("&&")
        || ["()", "[]", "](", "(\"", "('", "[\"", "['", "++"]
            .iter()
            .any(|sign| token.contains(sign))
        || is_call(bare)
        || is_path(bare)
        || is_camel(bare)
}

/// `name(argument`, but not the `word(s)` and `(the)word` of prose.
fn is_call(token: &str) -> bool {
    let Some((name, argument)) = token.split_once(['(', '[']) else { return false };
    let is_name = |s: &str| {
        s.len() > 1 && s.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'))
    };
    is_name(name)
        && argument.chars().count() > 2
        && (name.contains('.') || !argument.ends_with([')', ']']))
        || is_name(name) && argument.contains(['(', '.', '"', '\''])
}

/// A path of ASCII names: `/data/in.csv`, `src/main.rs`; and the name of a file or a member.
fn is_path(token: &str) -> bool {
    if !token.is_ascii() {
        return false;
    }
    let slashes = token.matches('/').count();
    let dotted = |part: &str| {
        part.split_once('.').is_some_and(|(name, rest)| {
            name.len() > 1
                && rest.len() > 1
                && rest.starts_with(|c: char| c.is_ascii_lowercase())
                && name.ends_with(|c: char| c.is_ascii_alphanumeric())
        })
    };
    slashes > 1 || token.starts_with('/') && token.len() > 2 || dotted(token)
}

/// `getRange`, `SpreadsheetApp`; not `iPhone`, `McDonald` or `YouTube`, of which one alone does
/// not make code.
fn is_camel(token: &str) -> bool {
    token.is_ascii()
        && token.bytes().all(|b| b.is_ascii_alphanumeric())
        && token
            .as_bytes()
            .windows(2)
            .any(|w| w[0].is_ascii_lowercase() && w[1].is_ascii_uppercase())
        && token.len() > 5
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_taken_out_and_prose_stays() {
        for (text, prose) in [
            (
                "Guarde usted la hoja antes: function save() { var out = []; for (var i = 0; i < rows.length; i++) { out.push(rows[i]); } return out; } y avise.",
                "Guarde usted la hoja antes: y avise.",
            ),
            (
                "Vorher wird gezählt: SELECT opened_at FROM gates WHERE open = TRUE ORDER BY opened_at; danach darf man schreiben.",
                "Vorher wird gezählt: danach darf man schreiben.",
            ),
            (
                "On lance docker run --rm -v \"$PWD\":/data -e MODE=full site.example/app:1 --input /data/in.csv et on attend.",
                "On lance et on attend.",
            ),
            (
                "Con SELECT name FROM gates WHERE open ORDER BY name se obtiene la lista.",
                "Con name se obtiene la lista.",
            ),
        ] {
            assert_eq!(without(text).trim(), prose);
        }
    }

    #[test]
    fn prose_has_no_code() {
        for text in [
            "The minister (who was late) said: \"No; never\" – and left, and/or stayed in the U.S.",
            "L'élu(e) – M. X/Y – a dit : « Non ; jamais » ; l'iPhone, YouTube et McDonald's aussi.",
            "Am 12.05.2026 (Montag) stieg der Kurs um 3,5 %; Siemens/Alstom, T-Mobile und BMW-Chef.",
        ] {
            assert_eq!(without(text), text);
        }
    }
}
