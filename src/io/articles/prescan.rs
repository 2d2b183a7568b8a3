//! The encoding that a page of HTML declares about itself, looked for as the HTML standard says
//! ("prescan a byte stream to determine its encoding"): in `<meta>` tags alone. What stands in
//! comments, in scripts and in the values of other attributes declares nothing.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252, X_USER_DEFINED};

/// Bytes that are looked at; the standard has 1,024, which many pages of newspapers exceed.
const LOOKED_AT: usize = 64 << 10;

/// The encoding that a page declares, other than those that its bytes have ruled out by now.
pub(super) fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = &bytes[..bytes.len().min(LOOKED_AT)];
    let found = xml_declaration(head).or_else(|| Scan { bytes: head, at: 0 }.run())?;
    // Bytes that are a superset of ASCII are not UTF-16; UTF-8 has been tried.
    match found {
        e if e == UTF_8 || e == UTF_16LE || e == UTF_16BE => None,
        e if e == X_USER_DEFINED => Some(WINDOWS_1252),
        e => Some(e),
    }
}

/// The encoding in the XML declaration of a page in XHTML.
fn xml_declaration(head: &[u8]) -> Option<&'static Encoding> {
    let rest = head.trim_ascii_start().strip_prefix(b"<?xml")?;
    let end = rest.iter().position(|&b| b == b'>')?;
    let mut scan = Scan { bytes: &rest[..end], at: 0 };
    while let Some((name, value)) = scan.attribute() {
        if name == b"encoding" {
            return Encoding::for_label(&value);
        }
    }
    None
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scan<'_> {
    fn run(mut self) -> Option<&'static Encoding> {
        while self.seek(b"<") {
            let rest = &self.bytes[self.at..];
            if rest.starts_with(b"<!--") {
                // `<!-->` is a comment of its own.
                self.at += 2;
                self.seek(b"-->").then(|| self.at += 3)?;
            } else if starts_with_name(rest, b"<meta") {
                self.at += b"<meta".len();
                if let Some(encoding) = self.meta() {
                    return Some(encoding);
                }
            } else if let Some(raw) = [&b"script"[..], b"style", b"textarea", b"title", b"template"]
                .into_iter()
                .find(|name| starts_with_name(&rest[1..], name))
            {
                self.at += 1 + raw.len();
                while self.attribute().is_some() {}
                self.skip_to_end_of(raw);
            } else if rest.get(1).is_some_and(|b| b.is_ascii_alphabetic() || *b == b'/') {
                self.at += 1;
                self.skip_name();
                while self.attribute().is_some() {}
            } else if matches!(rest.get(1), Some(b'!' | b'?')) {
                self.seek(b">");
            } else {
                self.at += 1;
            }
        }
        None
    }

    /// Moves to the next occurrence of some bytes, or to the end.
    fn seek(&mut self, wanted: &[u8]) -> bool {
        let found = self.bytes[self.at..].windows(wanted.len()).position(|w| w == wanted);
        self.at = found.map_or(self.bytes.len(), |offset| self.at + offset);
        found.is_some()
    }

    fn skip_name(&mut self) {
        while self.peek().is_some_and(|b| !b.is_ascii_whitespace() && b != b'>') {
            self.at += 1;
        }
    }

    /// Moves behind the text of an element that holds no tags.
    fn skip_to_end_of(&mut self, name: &[u8]) {
        while self.seek(b"</") {
            if starts_with_name(&self.bytes[self.at + 2..], name) {
                return;
            }
            self.at += 2;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// The encoding of a `<meta>` tag, whose attributes begin here.
    fn meta(&mut self) -> Option<&'static Encoding> {
        let (mut is_type, mut charset, mut content) = (false, None, None);
        while let Some((name, value)) = self.attribute() {
            match name.as_slice() {
                b"http-equiv" => is_type |= value.eq_ignore_ascii_case(b"content-type"),
                b"charset" => charset = charset.or_else(|| Encoding::for_label(&value)),
                b"content" => content = content.or_else(|| in_content(&value)),
                _ => {}
            }
        }
        charset.or(content.filter(|_| is_type))
    }

    /// The next attribute of the open tag, its name in lower case; none at the tag's end.
    fn attribute(&mut self) -> Option<(Vec<u8>, Vec<u8>)> {
        while self.peek().is_some_and(|b| b.is_ascii_whitespace() || b == b'/') {
            self.at += 1;
        }
        if self.peek()? == b'>' {
            return None;
        }
        let start = self.at;
        while self.peek().is_some_and(|b| {
            !(b.is_ascii_whitespace() || matches!(b, b'/' | b'>') || b == b'=' && self.at > start)
        }) {
            self.at += 1;
        }
        let name = self.bytes[start..self.at].to_ascii_lowercase();
        let mut ahead = self.at;
        while self.bytes.get(ahead).is_some_and(u8::is_ascii_whitespace) {
            ahead += 1;
        }
        if self.bytes.get(ahead) != Some(&b'=') {
            return Some((name, Vec::new()));
        }
        self.at = ahead + 1;
        while self.peek().is_some_and(|b| b.is_ascii_whitespace()) {
            self.at += 1;
        }
        let quote = self.peek().filter(|b| matches!(b, b'"' | b'\''));
        self.at += usize::from(quote.is_some());
        let start = self.at;
        while self.peek().is_some_and(|b| match quote {
            Some(quote) => b != quote,
            None => !b.is_ascii_whitespace() && b != b'>',
        }) {
            self.at += 1;
        }
        let value = self.bytes[start..self.at].to_vec();
        self.at += usize::from(quote.is_some() && self.at < self.bytes.len());
        Some((name, value))
    }
}

/// Whether bytes begin with a name, in any case, that ends there.
fn starts_with_name(bytes: &[u8], name: &[u8]) -> bool {
    bytes.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
        && bytes.get(name.len()).is_none_or(|b| b.is_ascii_whitespace() || matches!(b, b'/' | b'>'))
}

/// The encoding in the value of a `content` attribute: `text/html; charset=koi8-r`.
fn in_content(value: &[u8]) -> Option<&'static Encoding> {
    let lower = value.to_ascii_lowercase();
    let mut rest = lower.as_slice();
    loop {
        let at = rest.windows(7).position(|w| w == b"charset")?;
        rest = rest[at + 7..].trim_ascii_start();
        if let Some(label) = rest.strip_prefix(b"=") {
            let label = label.trim_ascii_start();
            let bare = match label.first() {
                Some(&quote @ (b'"' | b'\'')) => label[1..].split(|b| *b == quote).next()?,
                _ => label.split(|b| b.is_ascii_whitespace() || *b == b';').next()?,
            };
            return Encoding::for_label(bare);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(page: &str) -> Option<&'static str> {
        declared(page.as_bytes()).map(Encoding::name)
    }

    #[test]
    fn meta_tags_declare() {
        for page in [
            "<meta charset=koi8-r>",
            "<!DOCTYPE html><html><head><META CharSet = 'KOI8-R' >",
            "<meta content='text/html; charset=koi8-r' http-equiv=Content-Type>",
            "<meta http-equiv='content-type' content='text/html;charset = \"koi8-r\"'/>",
            "<?xml version='1.0' encoding='koi8-r'?><html>",
            "<link title='>' /><p class=a/b><meta charset='koi8-r'",
        ] {
            assert_eq!(name(page), Some("KOI8-R"), "{page}");
        }
    }

    #[test]
    fn nothing_else_does() {
        let meta = "<meta charset='koi8-r'>";
        for before in [
            "<!-- <meta charset=big5> -->",
            "<script>var a = '<meta charset=big5>', b = 'charset=big5';</script>",
            "<script src='x.js' charset='big5'></script>",
            "<link rel=stylesheet charset=big5 href=a.css>",
            "<meta name=description content='all about charset=big5'>",
            "<a title='<meta charset=big5>'>",
            "<title>How to write <meta charset=big5></title>",
            "<meta name='a>b' content=\"<meta charset=big5>\">",
            "<!doctype charset=big5>",
        ] {
            assert_eq!(name(&format!("{before}{meta}")), Some("KOI8-R"), "{before}");
            assert_eq!(name(before), None, "{before}");
        }
        for page in
            ["", "<", "<meta", "<meta charset", "<meta charset=>", "<!--", "<script>", "<a b='"]
        {
            assert_eq!(name(page), None, "{page}");
        }
        assert_eq!(name("<meta charset=utf-8>"), None);
    }
}
