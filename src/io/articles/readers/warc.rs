//! Pages as a crawler keeps them: the responses in a WARC file that are pages of HTML.

use super::super::decode::{self, decode_labelled};
use super::super::options::ReadOptions;
use super::super::packed::GZIP;
use super::super::reader::{Contents, Cut, Cutter, Input, Piece, Reader, Several};
use crate::types::{Format, Markup};
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use std::io::{self, BufRead, BufReader, Read};

pub(super) const READER: Reader = Reader::several(
    Format::Warc,
    &["warc"],
    |head| head.starts_with(VERSION),
    Several {
        cut,
        parse,
        piece: "record",
        expected: "responses with status 200 that are pages of HTML",
    },
);

/// The beginning of every record.
const VERSION: &[u8] = b"WARC/";

/// Longest line of a head, in bytes, and most of the lines of one.
const LONGEST_LINE: u64 = 32 << 10;
const MOST_LINES: usize = 1000;

/// Bytes of a response that decide on whether it is read.
const HEAD: u64 = 64 << 10;

fn cut(_: &[u8], input: Input, options: &ReadOptions) -> Result<Box<dyn Cutter>, String> {
    let reader = BufReader::with_capacity(decode::HEAD, input);
    Ok(Box::new(Records { reader, max: options.max_bytes, number: 0 }))
}

/// The records of a file.
struct Records {
    reader: BufReader<Input>,
    max: usize,
    number: usize,
}

impl Cutter for Records {
    fn next(&mut self) -> Cut {
        let piece = self.next_page();
        Cut { number: self.number.max(1), alone: false, piece }
    }
}

impl Records {
    /// The next page: the lines of its record's head, and its block. Other records are passed over,
    /// and so is what is no record.
    fn next_page(&mut self) -> io::Result<Option<Piece>> {
        loop {
            let Some(line) = self.line()? else { return Ok(None) };
            if !line.starts_with(VERSION) {
                continue;
            }
            self.number += 1;
            let Some(head) = self.head()? else { return Ok(Some(Piece::Torn)) };
            let length = field(&head, "content-length").and_then(|v| v.parse::<u64>().ok());
            let Some(length) = length else { continue };
            let kind = field(&head, "warc-type").unwrap_or_default();
            let mut piece = head.clone();
            piece.extend_from_slice(b"\r\n");
            let start = piece.len();
            let is_response = kind.eq_ignore_ascii_case("response");
            let first = if is_response { length.min(HEAD) } else { 0 };
            let torn = (&mut self.reader).take(first).read_to_end(&mut piece)? < first as usize;
            let wanted = is_response && is_page(&piece[start..]);
            let rest = length - first;
            if wanted && length <= self.max as u64 && !torn {
                let read = (&mut self.reader).take(rest).read_to_end(&mut piece)?;
                let whole = read as u64 == rest;
                return Ok(Some(if whole { Piece::Whole(piece) } else { Piece::Torn }));
            }
            drop(piece);
            let passed = io::copy(&mut (&mut self.reader).take(rest), &mut io::sink())?;
            match wanted {
                true if torn || passed < rest => return Ok(Some(Piece::Torn)),
                true => return Ok(Some(Piece::TooLarge)),
                false => {}
            }
        }
    }

    /// The lines up to the first empty one; `None` when the file ends before.
    fn head(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut head = Vec::new();
        for _ in 0..MOST_LINES {
            match self.line()? {
                None => return Ok(None),
                Some(line) if line.trim_ascii().is_empty() => break,
                Some(line) => head.extend_from_slice(&line),
            }
        }
        Ok(Some(head))
    }

    /// The next line with its end; a long one in parts.
    fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let length = (&mut self.reader).take(LONGEST_LINE).read_until(b'\n', &mut line)?;
        Ok((length > 0).then_some(line))
    }
}

/// The value of a field in the lines of a head.
fn field(head: &[u8], name: &str) -> Option<String> {
    head.split(|&b| b == b'\n').find_map(|line| {
        let at = line.iter().position(|&b| b == b':')?;
        let is_it = line[..at].trim_ascii().eq_ignore_ascii_case(name.as_bytes());
        is_it.then(|| String::from_utf8_lossy(&line[at + 1..]).trim().to_string())
    })
}

/// Head and body of a response of HTTP.
fn divided(response: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = |mark: &[u8]| {
        response.windows(mark.len()).position(|w| w == mark).map(|at| (at, at + mark.len()))
    };
    let (head, body) = match (end(b"\r\n\r\n"), end(b"\n\n")) {
        (Some(a), Some(b)) => a.min(b),
        (a, b) => a.or(b)?,
    };
    Some((&response[..head], &response[body..]))
}

/// Whether a response is a page that was found.
fn is_page(response: &[u8]) -> bool {
    let Some((head, _)) = divided(response) else { return false };
    let status = head.split(|&b| b == b'\n').next().unwrap_or_default();
    let mut words = status.split(|&b| b == b' ').filter(|word| !word.is_empty());
    let is_found = words.next().is_some_and(|w| w.starts_with(b"HTTP/"))
        && words.next().is_some_and(|w| w.trim_ascii() == b"200");
    let kind = field(head, "content-type").unwrap_or_default().to_ascii_lowercase();
    is_found && ["text/html", "application/xhtml+xml"].iter().any(|html| kind.starts_with(html))
}

/// Makes an article of a record's head and block.
fn parse(
    bytes: Vec<u8>,
    options: &ReadOptions,
    notes: &mut Vec<String>,
) -> Result<Contents, String> {
    const NOT_READ: &str = "is no response of HTTP that can be read";
    let (record, response) = divided(&bytes).ok_or(NOT_READ)?;
    let (head, body) = divided(response).ok_or(NOT_READ)?;
    let body = unpacked(head, body, options.max_bytes)?;
    let kind = field(head, "content-type").unwrap_or_default();
    let charset = kind.split(';').find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches(['"', '\'']))
    });
    let text = decode_labelled(body, charset, true, notes)?;
    let address = field(record, "warc-target-uri").unwrap_or_default();
    let address = address.trim_matches(['<', '>']);
    let mut contents = Contents::of_text(text, Markup::Html);
    contents.id = Some(address.to_string()).filter(|id| !id.is_empty());
    contents.set("url", address);
    contents.set("crawled", &field(record, "warc-date").unwrap_or_default());
    if let Some(why) = field(record, "warc-truncated") {
        notes.push(format!("has this page cut off by the crawler ({why})"));
    }
    Ok(contents)
}

/// The body as its author wrote it.
fn unpacked(head: &[u8], body: &[u8], max: usize) -> Result<Vec<u8>, String> {
    let is = |name: &str, value: &str| {
        field(head, name).is_some_and(|v| v.to_ascii_lowercase().contains(value))
    };
    // Many crawlers keep the fields of what they have unpacked themselves.
    let joined = if is("transfer-encoding", "chunked") { dechunked(body) } else { None };
    let body = joined.unwrap_or_else(|| body.to_vec());
    let limited = |unpacker: &mut dyn Read| {
        let mut out = Vec::new();
        unpacker
            .take(max as u64 + 1)
            .read_to_end(&mut out)
            .ok()
            .filter(|_| !out.is_empty())
            .map(|_| out)
    };
    let packed = field(head, "content-encoding").unwrap_or_default().to_ascii_lowercase();
    let out = match packed.as_str() {
        "gzip" | "x-gzip" if body.starts_with(GZIP) => limited(&mut MultiGzDecoder::new(&*body)),
        "deflate" => limited(&mut ZlibDecoder::new(&*body))
            .or_else(|| limited(&mut DeflateDecoder::new(&*body))),
        "br" | "zstd" if std::str::from_utf8(&body).is_err() => {
            return Err(format!("is packed as `{packed}`, which is not read"));
        }
        _ => None,
    };
    match out {
        Some(out) if out.len() > max => Err(format!(
            "is larger than {max} bytes when it is unpacked; raise the limit with --max-bytes"
        )),
        Some(out) => Ok(out),
        None => Ok(body),
    }
}

/// A body that was sent in chunks, put together; `None` when it is not in chunks.
fn dechunked(mut body: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    loop {
        let end = body.iter().take(1 << 10).position(|&b| b == b'\n')?;
        let size = std::str::from_utf8(&body[..end]).ok()?.split(';').next()?.trim();
        let size = usize::from_str_radix(size, 16).ok()?;
        body = &body[end + 1..];
        if size == 0 || body.is_empty() {
            return Some(out);
        }
        let chunk = &body[..size.min(body.len())];
        out.extend_from_slice(chunk);
        body = &body[chunk.len()..];
        body = body.strip_prefix(b"\r\n").or(body.strip_prefix(b"\n")).unwrap_or(body);
        if body.is_empty() {
            return Some(out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn record(kind: &str, uri: &str, block: &[u8]) -> Vec<u8> {
        let head = format!(
            "WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {uri}\r\nContent-Length: {}\r\n\r\n",
            block.len()
        );
        [head.as_bytes(), block, b"\r\n\r\n"].concat()
    }

    fn told(file: Vec<u8>, max: usize) -> Vec<String> {
        let options = ReadOptions { max_bytes: max, ..ReadOptions::default() };
        let mut records = cut(&[], Box::new(Cursor::new(file)), &options).unwrap();
        std::iter::from_fn(|| records.next().piece.unwrap())
            .map(|piece| match piece {
                Piece::Whole(bytes) => parse(bytes, &options, &mut Vec::new())
                    .map_or_else(|e| e, |c| format!("{} {}", c.id.unwrap_or_default(), c.text)),
                other => format!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn pages_are_read_and_the_rest_passed_over() {
        let page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=windows-1251\r\n\r\n<p>\xC4\xE0</p>";
        let chunked = b"HTTP/1.1 200\r\ncontent-type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n<p>a\r\n5;x\r\nb</p>\r\n0\r\n\r\n";
        let large =
            [b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n".as_slice(), &[b'a'; 900]]
                .concat();
        let file = [
            record("warcinfo", "", b"software: x"),
            record("request", "u1", b"GET / HTTP/1.1\r\n\r\n"),
            record("response", "u1", page),
            record(
                "response",
                "u2",
                b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\n\r\n<p>no</p>",
            ),
            record("response", "u3", b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n\x89PNG"),
            b"junk between\r\n".to_vec(),
            record("response", "u4", chunked),
            record("response", "u5", &large),
        ]
        .concat();
        assert_eq!(told(file.clone(), 500), ["u1 <p>Да</p>", "u4 <p>ab</p>", "TooLarge"]);
        assert_eq!(
            told(file[..file.len() - 100].to_vec(), 5000),
            ["u1 <p>Да</p>", "u4 <p>ab</p>", "Torn"]
        );
        assert_eq!(
            told(b"WARC/1.0\r\nContent-Length: 99999999999999999999\r\n\r\n".to_vec(), 500),
            Vec::<String>::new()
        );
        assert_eq!(told(b"WARC/1.0\r\nWARC-Type: response\r\nContent-Length: 18446744073709551615\r\n\r\nHTTP/1.1 200\r\nContent-Type: text/html\r\n\r\n".to_vec(), 500), ["Torn"]);
    }
}
