//! Parts of a container that are XML: decoded, changed, and written back in their encoding.

use super::edits::Edits;
use super::encoded::Encoded;
use super::package::{Package, bad};
use crate::error::{Error, Result};
use regex::bytes::Regex;
use std::sync::LazyLock;

static DECLARED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})"#)
        .expect("the pattern is constant and tested")
});

/// The encoding that the declaration of an XML file names.
pub(super) fn declared(head: &[u8]) -> Option<&str> {
    std::str::from_utf8(DECLARED.captures(head)?.get(1)?.as_bytes()).ok()
}

/// The text of a part; `None` if there is no such part.
///
/// # Errors
/// Those of [`Package::read`], and when it is no text.
pub(super) fn read(package: &mut Package, name: &str, edits: &Edits) -> Result<Option<String>> {
    let Some(bytes) = package.read(name)? else { return Ok(None) };
    let encoded = Encoded::open(&bytes, edits.settings, declared);
    Ok(Some(encoded.map_err(|e| inside(name, e))?.text))
}

/// Changes a part; nothing happens if there is none of that name, or `change` changes nothing.
///
/// # Errors
/// Those of [`Package::read`] and of `change`, with the name of the part; and when it is no text.
pub(super) fn change(
    package: &mut Package,
    name: &str,
    edits: &mut Edits,
    change: impl FnOnce(&str, &mut Edits) -> Result<String>,
) -> Result<()> {
    let Some(bytes) = package.read(name)? else { return Ok(()) };
    let in_part = |e| inside(name, e);
    let encoded = Encoded::open(&bytes, edits.settings, declared).map_err(in_part)?;
    let new = change(&encoded.text, edits).map_err(in_part)?;
    if new != encoded.text {
        package.replace(name, encode(&encoded, new));
    }
    Ok(())
}

/// Markup in the encoding that it came in, what that lacks as references.
pub(super) fn encode(encoded: &Encoded, mut markup: String) -> Vec<u8> {
    if !encoded.can_hold(&markup) {
        let of = |c: char| match encoded.can_hold(c.encode_utf8(&mut [0; 4])) {
            true => c.to_string(),
            false => format!("&#{};", u32::from(c)),
        };
        markup = markup.chars().map(of).collect();
    }
    encoded.encode(&markup, false)
}

/// An error about a part, with its name.
fn inside(name: &str, error: Error) -> Error {
    match error {
        Error::Input { input, message } if input.is_empty() => bad(format!("{message} ({name})")),
        error => error,
    }
}
