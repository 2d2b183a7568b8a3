//! What lies in a file's place where a download or a checkout went wrong: a pointer of Git-LFS, a
//! web page, a server's error message.

use serde_json::Value;
use std::io::Read;
use std::path::Path;

/// So much of a file's beginning shows what it is.
const FIRST: usize = 4096;
/// The longest message of a server that is quoted.
const QUOTED: usize = 120;

/// `why` a file cannot be read, or, where something else stands in its place, what that is and what
/// to do.
pub fn explain(path: &Path, why: String) -> String {
    let mut first = Vec::new();
    let read =
        std::fs::File::open(path).and_then(|file| file.take(FIRST as u64).read_to_end(&mut first));
    read.ok().and_then(|_| stand_in(&first)).unwrap_or(why)
}

/// What a file that begins with these bytes is, and what to do, if it only stands in for a model's
/// file.
pub fn stand_in(first: &[u8]) -> Option<String> {
    const FETCH: &str = "fetch the model again";
    let text = String::from_utf8_lossy(&first[..first.len().min(FIRST)]);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let lower = text.to_ascii_lowercase();
    if let Some(pointer) = text.strip_prefix("version https://git-lfs.github.com/spec/") {
        let size = pointer.lines().find_map(|line| line.strip_prefix("size "));
        let size = size.map_or(String::new(), |size| format!(" of {} bytes", quoted(size)));
        return Some(format!(
            "it is a Git-LFS pointer to a file{size}, not the file itself; \
             run `git lfs pull` where it was cloned, or {FETCH}"
        ));
    }
    if text.starts_with("/annex/objects/") {
        return Some(format!(
            "it is a git-annex pointer, not the file itself; run `git annex get`, or {FETCH}"
        ));
    }
    let between = |start: &str, end: &str| {
        let from = lower.find(start)? + start.len();
        let length = lower[from..].find(end)?;
        Some(quoted(&text[from..from + length]))
    };
    if ["<!doctype html", "<html", "<head", "<body"].iter().any(|start| lower.starts_with(start)) {
        let title = between("<title>", "</title>").filter(|title| !title.is_empty());
        let title = title.map_or(String::new(), |title| format!(" ({title:?})"));
        return Some(format!(
            "it is a web page{title}, not the file itself; the address may want a login or be that of a page about the file: {FETCH}"
        ));
    }
    if lower.starts_with("<?xml") || lower.starts_with("<error>") {
        let said = between("<message>", "</message>").or_else(|| between("<code>", "</code>"));
        let said = said.map_or(String::new(), |said| format!(" ({said:?})"));
        return Some(format!("it is a server's answer in XML{said}, not the file itself; {FETCH}"));
    }
    let said = match serde_json::from_str::<Value>(text) {
        Ok(value) => error_in(&value)?,
        // What the Hub says in plain text.
        Err(_) => [
            "entry not found",
            "repository not found",
            "invalid username or password",
            "invalid credentials",
            "access to model",
            "access denied",
            "unauthorized",
            "forbidden",
            "not found",
            "404: not found",
        ]
        .iter()
        .any(|start| lower.starts_with(start))
        .then(|| quoted(text.lines().next().unwrap_or_default()))?,
    };
    Some(format!("it is a server's error message ({said:?}), not the file itself; {FETCH}"))
}

/// The message of a server's error in JSON, which is a small object; those of models have none of
/// its fields.
pub fn error_in(value: &Value) -> Option<String> {
    let object = value.as_object().filter(|object| object.len() <= 6)?;
    let message = |key: &str| {
        let value = object.get(key)?;
        let text = value.as_str().or_else(|| value.get("message")?.as_str())?;
        Some(quoted(text))
    };
    ["error", "message", "detail", "errors"].iter().find_map(|key| message(key))
}

/// The beginning of a text, in one line and without control characters.
fn quoted(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = line.chars().filter(|c| !c.is_control()).take(QUOTED).collect();
    if short.len() < line.len() { short + "…" } else { short }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_for_a_file_is_named() {
        for (bytes, parts) in [
            (
                "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 988097824\n",
                &["Git-LFS pointer to a file of 988097824 bytes", "git lfs pull"][..],
            ),
            ("/annex/objects/SHA256E-s10--00.bin\n", &["git-annex"]),
            (
                "\u{feff}\n<!DOCTYPE html><html><title>Sign\n in</title>",
                &["web page (\"Sign in\")"],
            ),
            ("<HTML><body>", &["web page, not"]),
            (
                "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>",
                &["XML (\"AccessDenied\")"],
            ),
            ("{\"error\":\"Repository not found\"}", &["error message (\"Repository not found\")"]),
            ("{\"error\":{\"code\":401,\"message\":\"No\"}}", &["error message (\"No\")"]),
            ("Entry not found", &["error message (\"Entry not found\")", "fetch"]),
        ] {
            let found = stand_in(bytes.as_bytes()).unwrap_or_else(|| panic!("{bytes:?}"));
            assert!(parts.iter().all(|part| found.contains(part)), "{found}");
        }
        for bytes in
            [&b"GGUF\x03\0\0\0"[..], b"", b"{}", b"PK\x03\x04", b"{\"model_type\":\"llama\"}"]
        {
            assert_eq!(stand_in(bytes), None, "{bytes:?}");
        }
    }
}
