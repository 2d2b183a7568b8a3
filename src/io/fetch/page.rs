//! A page of the web that a user names: fetched once, kept nowhere.

use super::http::Http;
use super::job::Failure;
use super::options::FetchOptions;
use crate::cancel::CancelToken;
use crate::error::{Error, Result};

const BYTE_ORDER_MARK: &[u8] = "\u{FEFF}".as_bytes();

/// The extensions of files of a media type, where an address has none that says more.
const EXTENSIONS: [(&str, &str); 9] = [
    ("text/html", "html"),
    ("application/xhtml+xml", "html"),
    ("text/plain", "txt"),
    ("text/markdown", "md"),
    ("application/pdf", "pdf"),
    ("application/json", "json"),
    ("application/rss+xml", "xml"),
    ("application/atom+xml", "xml"),
    ("text/xml", "xml"),
];

/// What stands at an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its bytes: a text whose encoding the server names is in UTF-8 with a byte-order mark, which
    /// every reader believes more than what the text says of itself; all else is as it was sent.
    pub bytes: Vec<u8>,
    /// The extension of a file that holds it; `None` where neither server nor address tell.
    pub extension: Option<String>,
}

/// Fetches what stands at an address of `http` or `https`, of at most `limit` bytes. Redirections
/// are followed.
///
/// # Errors
/// When it cannot be had, or is longer, or connections are not wanted.
pub fn page(
    options: &FetchOptions,
    address: &str,
    limit: usize,
    stop: &CancelToken,
) -> Result<Page> {
    let failed = |message: String| Error::Fetch { what: address.into(), message };
    if options.offline {
        return Err(failed(
            "--offline opens no connection; save the page and name the file".into(),
        ));
    }
    let hint = "; save the page in a browser and name the file";
    let found = Http { options, hint }.small(address, None, limit, stop);
    let found = found.map_err(|failure| match failure {
        Failure::Fatal(error) => error,
        Failure::Source(why) | Failure::Unreachable(why) => failed(why),
    })?;
    // Nothing but a question for changes is answered with none.
    let found = found.ok_or_else(|| failed("the server has nothing new to say".into()))?;
    let (media_type, charset) = found.content_type.as_deref().map(of_type).unwrap_or_default();
    let media_type = media_type.unwrap_or_default();
    let known = EXTENSIONS.iter().find(|(name, _)| *name == media_type);
    let extension = known.map(|(_, extension)| extension.to_string());
    let bytes = match charset.filter(|_| media_type.starts_with("text/")) {
        Some(charset) => in_utf8(found.bytes, &charset),
        None => found.bytes,
    };
    Ok(Page { bytes, extension: extension.or_else(|| extension_of(address)) })
}

/// Whether something answers at an address; else why not, in words.
///
/// # Errors
/// When the user stops it.
pub fn answers(
    options: &FetchOptions,
    address: &str,
    stop: &CancelToken,
) -> Result<std::result::Result<(), String>> {
    // A registry has a megabyte.
    const LIMIT: usize = 16 << 20;
    match (Http { options, hint: "" }).small(address, None, LIMIT, stop) {
        Ok(_) => Ok(Ok(())),
        Err(Failure::Source(why) | Failure::Unreachable(why)) => Ok(Err(why)),
        Err(Failure::Fatal(error)) => Err(error),
    }
}

/// A text in UTF-8, with a byte-order mark; as it is where the encoding is not known or not right.
fn in_utf8(bytes: Vec<u8>, charset: &str) -> Vec<u8> {
    let Some(encoding) = encoding_rs::Encoding::for_label(charset.as_bytes()) else {
        return bytes;
    };
    let (text, _, is_wrong) = encoding.decode(&bytes);
    if is_wrong { bytes } else { [BYTE_ORDER_MARK, text.as_bytes()].concat() }
}

/// The extension at the end of an address's path.
fn extension_of(address: &str) -> Option<String> {
    let path = address.split(['?', '#']).next()?;
    // The host's own name ends with no file's extension.
    let (_, name) = path.split_once("://")?.1.rsplit_once('/')?;
    let (_, extension) = name.rsplit_once('.')?;
    let is_one = (1..=8).contains(&extension.len())
        && extension.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_one.then(|| extension.to_ascii_lowercase())
}

/// The media type and charset of a `Content-Type` (RFC 9110, 8.3).
fn of_type(header: &str) -> (Option<String>, Option<String>) {
    let mut parts = header.split(';');
    let media_type = parts.next().map(|media_type| media_type.trim().to_ascii_lowercase());
    let charset = parts.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let is_charset = name.trim().eq_ignore_ascii_case("charset");
        is_charset.then(|| value.trim().trim_matches('"').to_string())
    });
    (media_type.filter(|media_type| !media_type.is_empty()), charset.filter(|c| !c.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_type_is_taken_apart() {
        let of = |header| {
            let (media_type, charset) = of_type(header);
            (media_type.unwrap_or_default(), charset.unwrap_or_default())
        };
        assert_eq!(of("Text/HTML; Charset=\"UTF-8\""), ("text/html".into(), "UTF-8".into()));
        let found = of("text/html;a=b; charset=windows-1251");
        assert_eq!(found, ("text/html".into(), "windows-1251".into()));
        assert_eq!(of("application/pdf"), ("application/pdf".into(), String::new()));
        assert_eq!(of(" ; charset="), (String::new(), String::new()));
    }

    #[test]
    fn an_address_may_have_an_extension() {
        let of = |address| extension_of(address).unwrap_or_default();
        assert_eq!(of("https://example.org/a/News.PDF?download=1#p.2"), "pdf");
        for none in
            ["https://example.org", "https://example.org/a.b/", "https://e.org/a.x-y", "https:/a.b"]
        {
            assert_eq!(of(none), "", "{none}");
        }
    }

    #[test]
    fn what_a_server_says_of_an_encoding_counts_where_it_is_right() {
        let marked = |text: &str| format!("\u{FEFF}{text}").into_bytes();
        assert_eq!(in_utf8(vec![0xCF, 0xF0], "windows-1251"), marked("Пр"));
        assert_eq!(in_utf8("é".into(), "UTF-8"), marked("é"));
        assert_eq!(in_utf8(vec![0xE9], "utf-8"), [0xE9]);
        assert_eq!(in_utf8(vec![0xE9], "no such"), [0xE9]);
    }
}
