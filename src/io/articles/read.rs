//! The articles of a file, as a stream: each good or bad by itself.

mod archive;

use super::decode::{self, HEAD};
use super::file::FoundFile;
use super::options::ReadOptions;
use super::packed::{self, Damage};
use super::reader::{Contents, Cut, Cutter, Input, Piece, ReadAs, Several};
use super::readers::{self, table};
use super::tar::Members;
use crate::document::{DocumentFormat, Settings};
use crate::error::Error;
use crate::io::files::sha256_hex;
use crate::types::{Block, Format, Markup, RawArticle, ReadFailure, Source};
use std::collections::HashSet;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Cursor, Read};
use std::sync::atomic::{AtomicBool, Ordering};

/// Plain text that a program has at hand as an article.
pub fn from_text(id: &str, text: &str) -> RawArticle {
    let source = Source {
        path: id.into(),
        format: Format::Text,
        bytes: text.len() as u64,
        sha256: sha256_hex(text.as_bytes()),
        notes: Vec::new(),
    };
    let (title, extra) = (None, serde_json::Map::new());
    RawArticle {
        id: id.into(),
        source,
        title,
        text: text.into(),
        markup: Markup::Plain,
        blocks: None,
        extra,
    }
}

/// The articles of a file, one after the other; a bad one is an error in its place. See [`read`].
pub struct Articles {
    file: FoundFile,
    options: ReadOptions,
    stream: Stream,
    /// Hashes of the ids given out, for files whose own ids are not unique.
    seen: HashSet<u64>,
    /// Whether anything was there at all.
    any: bool,
    /// What is wrong with a packed file.
    damage: Damage,
    /// Whether it is packed.
    is_packed: bool,
    /// Whether the file is a member of an archive.
    inside: bool,
    /// Whether the bytes are those of the file at its path.
    on_disk: bool,
}

enum Stream {
    Closed,
    Given(Input),
    Pieces(Box<dyn Cutter>, Several),
    /// An archive, and the member at hand.
    Members(Members, Option<Box<Articles>>),
    Done,
}

/// Reads the articles of a file, or of standard input: one of text, Markdown, HTML, a mail or a
/// single JSON object; several of a list in JSON, of JSON Lines, of a feed or a crawl. Opened at
/// the first article; holds one at a time.
pub fn read(file: &FoundFile, options: &ReadOptions) -> Articles {
    Articles { on_disk: true, ..Articles::new(file, options, Stream::Closed) }
}

/// Reads articles as [`read`] does, from any source of bytes; `file` gives the name and the format.
pub fn read_from(
    input: impl Read + Send + 'static,
    file: &FoundFile,
    options: &ReadOptions,
) -> Articles {
    Articles::new(file, options, Stream::Given(Box::new(input)))
}

impl Iterator for Articles {
    type Item = Result<RawArticle, Box<ReadFailure>>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            // Whatever goes wrong with the stream itself is the last item.
            match std::mem::replace(&mut self.stream, Stream::Done) {
                Stream::Done => return None,
                Stream::Closed => match self.open() {
                    Ok(input) => self.stream = Stream::Given(input),
                    Err(error) => return Some(self.fail_whole(error)),
                },
                Stream::Members(members, article) => {
                    if let Some(article) = self.next_member(members, article) {
                        return Some(article);
                    }
                }
                Stream::Given(input) => match self.start(input) {
                    Ok(Some(article)) => return Some(article),
                    Ok(None) => {}
                    Err(e) => {
                        return Some(self.fail_whole(Error::Io {
                            path: self.file.path.clone(),
                            action: "reading",
                            source: e,
                        }));
                    }
                },
                Stream::Pieces(mut cutter, kind) => {
                    let cut = cutter.next();
                    if matches!(cut.piece, Ok(Some(_))) {
                        self.stream = Stream::Pieces(cutter, kind);
                    }
                    return self.member(cut, kind);
                }
            }
        }
    }
}

impl Articles {
    fn new(file: &FoundFile, options: &ReadOptions, stream: Stream) -> Self {
        Articles {
            file: file.clone(),
            options: options.clone(),
            stream,
            seen: HashSet::new(),
            any: false,
            damage: Damage::default(),
            is_packed: false,
            inside: false,
            on_disk: false,
        }
    }

    fn open(&self) -> Result<Input, Error> {
        if self.file.is_stdin() {
            return Ok(Box::new(io::stdin()));
        }
        Ok(Box::new(File::open(&self.file.path).map_err(Error::io("reading", &self.file.path))?))
    }

    /// Unpacks, finds out the format, and reads the article, or sets up the stream of several.
    fn start(&mut self, input: Input) -> io::Result<Option<<Self as Iterator>::Item>> {
        let (mut head, mut input) = self.peek(input)?;
        match packed::unpack(&head, input) {
            Ok((unpacked, damage)) => {
                (self.damage, self.is_packed) = (damage, true);
                (head, input) = self.peek(unpacked)?;
            }
            Err(plain) => input = plain,
        }
        if head.is_empty() {
            return Ok(Some(self.fail_whole(self.bad("is empty; expected an article".into()))));
        }
        let reader = readers::of_content(self.file.format, &decode::narrow_head(&head));
        self.file.format = Some(reader.format);
        match reader.read {
            ReadAs::Whole(parse) => self.whole(input, &parse).map(Some),
            ReadAs::Archive if self.inside => {
                let message = "is an archive inside of an archive; unpack it first".into();
                Ok(Some(self.fail_whole(self.bad(message))))
            }
            ReadAs::Archive => {
                self.stream = Stream::Members(Members::new(input), None);
                Ok(None)
            }
            ReadAs::Document(_) if self.options.rows && self.holds_rows(&head) => {
                self.file.format = Some(Format::Table);
                Ok(self.pieces((table::ROWS.cut)(&head, input, &self.options), table::ROWS))
            }
            ReadAs::Document(document) => {
                let settings = self.settings();
                self.whole(input, &|bytes, _| read_document(document, &bytes, &settings)).map(Some)
            }
            ReadAs::Several(kind) => {
                let on_disk = reader.on_disk.filter(|_| !self.is_packed && self.is_on_disk());
                let cutter = match on_disk {
                    Some(open) => open(File::open(&self.file.path)?, &self.options),
                    None => (kind.cut)(&head, input, &self.options),
                };
                Ok(self.pieces(cutter, kind))
            }
        }
    }

    /// Whether the bytes that are read are those of a file.
    fn is_on_disk(&self) -> bool {
        self.on_disk && self.file.path.is_file()
    }

    /// Whether this is a table whose rows are articles.
    fn holds_rows(&self, head: &[u8]) -> bool {
        self.file.format == Some(Format::Csv) && table::holds_articles(head, &self.options)
    }

    /// Sets up the stream of several articles; what is told instead where it cannot be.
    fn pieces(
        &mut self,
        cutter: Result<Box<dyn Cutter>, String>,
        kind: Several,
    ) -> Option<<Self as Iterator>::Item> {
        match cutter {
            Ok(cutter) => {
                self.stream = Stream::Pieces(cutter, kind);
                None
            }
            Err(message) => Some(self.fail_whole(self.bad(message))),
        }
    }

    /// How a document is read.
    fn settings(&self) -> Settings {
        Settings {
            max_bytes: self.options.max_bytes,
            columns: self.options.columns.clone(),
            ..Settings::default()
        }
    }

    /// The first bytes, and the input with them still to be read.
    fn peek(&self, mut input: Input) -> io::Result<(Vec<u8>, Input)> {
        let mut head = Vec::new();
        let mut buffer = [0; 8 << 10];
        while head.len() < HEAD {
            let length = match input.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => length,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) if head.is_empty() => return Err(e),
                // What came before the error is read first; the error has its place after it.
                Err(e) => {
                    return Ok((head.clone(), Box::new(Cursor::new(head).chain(Broken(Some(e))))));
                }
            };
            head.extend_from_slice(&buffer[..length]);
            // Whoever feeds lines through a pipe waits for the answer to the first.
            if self.file.is_stdin() && head.contains(&b'\n') {
                break;
            }
        }
        Ok((head.clone(), Box::new(Cursor::new(head).chain(input))))
    }

    /// What an input holds, unpacked if it is packed.
    fn unpacked(&self, input: Input) -> io::Result<Input> {
        let (head, input) = self.peek(input)?;
        Ok(packed::unpack(&head, input).map_or_else(|plain| plain, |(unpacked, _)| unpacked))
    }

    /// All bytes of an input; none where they are too many.
    fn bytes(&self, input: Input) -> io::Result<Option<Vec<u8>>> {
        let max = self.options.max_bytes;
        let mut bytes = Vec::new();
        input.take((max as u64).saturating_add(1)).read_to_end(&mut bytes)?;
        Ok((bytes.len() <= max).then_some(bytes))
    }

    /// The whole input as one article; of a packed file that is torn, what comes before the tear,
    /// if that can be read.
    fn whole(&self, input: Input, parse: &ParseWith<'_>) -> io::Result<<Self as Iterator>::Item> {
        let max = self.options.max_bytes;
        let mut bytes = Vec::new();
        let read = input.take((max as u64).saturating_add(1)).read_to_end(&mut bytes);
        if bytes.len() > max {
            return Ok(self.fail_whole(self.bad(self.too_large())));
        }
        let torn = match read {
            Ok(_) => None,
            Err(e) if self.is_packed && packed::is_torn(&e) && !bytes.is_empty() => Some(e),
            Err(e) => return Err(e),
        };
        if torn.is_some() {
            bytes.truncate(whole_characters(&bytes));
        }
        let mut source = self.source(&bytes);
        source.notes.extend(torn.as_ref().map(|e| format!("{TORN} ({e})")));
        let id = self.file.id.clone();
        let contents = parse(bytes, &mut source.notes);
        // What is no article without its end is told as what it is.
        if let (Some(error), Err(_)) = (torn, &contents) {
            return Err(error);
        }
        Ok(match contents {
            Ok(contents) if contents.text.trim().is_empty() && contents.blocks.is_some() => {
                let error = self.bad("holds no text that is to be translated".into());
                Err(Box::new(ReadFailure { id, source, error }))
            }
            Ok(contents) if contents.text.trim().is_empty() => {
                let error = self.bad("holds white space only; expected an article".into());
                Err(Box::new(ReadFailure { id, source, error }))
            }
            Ok(contents) => Ok(article(id, source, contents)),
            Err(message) => Err(Box::new(ReadFailure { id, source, error: self.bad(message) })),
        })
    }

    /// One article of several.
    fn member(&mut self, cut: Cut, kind: Several) -> Option<<Self as Iterator>::Item> {
        let Cut { number, alone, piece } = cut;
        let (bytes, message) = match piece {
            Ok(None) if self.any => return None,
            Ok(None) => {
                let message = format!("holds no article; expected {}", kind.expected);
                return Some(self.fail_whole(self.bad(message)));
            }
            Ok(Some(Piece::Whole(bytes))) => (bytes, None),
            Ok(Some(Piece::TooLarge)) => (Vec::new(), Some(self.too_large())),
            Ok(Some(Piece::Torn)) => (
                Vec::new(),
                Some(
                    "is not complete: the file ends in the middle of it; it may have been cut off"
                        .into(),
                ),
            ),
            Err(e) => (Vec::new(), Some(format!("could not be read: {e}"))),
        };
        self.any = true;
        let mut source = self.source(&bytes);
        let contents = match message {
            Some(message) => Err(message),
            None => (kind.parse)(bytes, &self.options, &mut source.notes),
        };
        let own_id = contents.as_ref().ok().and_then(|c| c.id.clone());
        let id = if alone { self.file.id.clone() } else { self.member_id(own_id, number) };
        Some(match contents {
            Ok(contents) => Ok(article(id, source, contents)),
            Err(message) => {
                let place = if alone { String::new() } else { format!("{} {number} ", kind.piece) };
                let error = self.bad(format!("{place}{message}"));
                Err(Box::new(ReadFailure { id, source, error }))
            }
        })
    }

    /// `file#id`, or `file#number` without an id; an id that was there before gets the number too.
    fn member_id(&mut self, own: Option<String>, number: usize) -> String {
        let mut id = format!("{}#{}", self.file.id, own.unwrap_or_else(|| number.to_string()));
        while !self.seen.insert(hash(&id)) {
            id = format!("{id}~{number}");
        }
        id
    }

    fn fail_whole(&self, error: Error) -> <Self as Iterator>::Item {
        Err(Box::new(ReadFailure { id: self.file.id.clone(), source: self.source(&[]), error }))
    }

    fn bad(&self, message: String) -> Error {
        Error::input(self.file.name(), message)
    }

    fn too_large(&self) -> String {
        let max = self.options.max_bytes;
        let size =
            if max >= 1 << 20 { format!("{} MB", max >> 20) } else { format!("{max} bytes") };
        format!(
            "is larger than {size}, the limit for one article (after decompression); raise the limit with --max-bytes"
        )
    }

    fn source(&self, bytes: &[u8]) -> Source {
        let format = self.file.format.unwrap_or(Format::Text);
        // Said once.
        let told = |flag: &AtomicBool, note: &str| {
            flag.swap(false, Ordering::Relaxed).then(|| note.to_string())
        };
        let notes = [told(&self.damage.gap, GAP), told(&self.damage.junk, JUNK)];
        Source {
            path: self.file.name(),
            format,
            bytes: bytes.len() as u64,
            sha256: sha256_hex(bytes),
            notes: notes.into_iter().flatten().collect(),
        }
    }
}

/// [`Parse`](super::reader::Parse), with what it needs to know besides.
type ParseWith<'a> = dyn Fn(Vec<u8>, &mut Vec<String>) -> Result<Contents, String> + 'a;

/// A document as an article.
fn read_document(
    document: &DocumentFormat,
    bytes: &[u8],
    settings: &Settings,
) -> Result<Contents, String> {
    let blocks = document.read(bytes, settings).map_err(|error| match error {
        Error::Input { message, .. } => message,
        other => other.to_string(),
    })?;
    let shown = |b: &Block| format!("{}{}{}", b.prefix, b.text, b.suffix);
    let text = blocks.iter().map(shown).collect();
    let blocks = Some(blocks);
    Ok(Contents { blocks, ..Contents::of_text(text, Markup::Plain) })
}

/// A file's bytes as a document of a format, whatever the file's name says.
///
/// # Errors
/// When they are no such document, or hold no text.
pub fn from_document(
    file: &FoundFile,
    document: &'static DocumentFormat,
    bytes: Vec<u8>,
    options: &ReadOptions,
) -> Result<RawArticle, Box<ReadFailure>> {
    let format = Format::of_name(document.name).or(file.format);
    let file = FoundFile { format, ..file.clone() };
    let articles = Articles::new(&file, options, Stream::Done);
    let settings = articles.settings();
    let parse = |bytes: Vec<u8>, _: &mut Vec<String>| read_document(document, &bytes, &settings);
    articles.whole(Box::new(Cursor::new(bytes)), &parse).unwrap_or_else(|e| {
        let error = Error::Io { path: file.path.clone(), action: "reading", source: e };
        articles.fail_whole(error)
    })
}

/// All bytes of a file of one article, or of standard input, unpacked.
///
/// # Errors
/// When it cannot be read, or is larger than the limit.
pub fn whole(file: &FoundFile, max_bytes: usize) -> Result<Vec<u8>, Error> {
    let options = ReadOptions { max_bytes, ..ReadOptions::default() };
    let articles = Articles::new(file, &options, Stream::Done);
    let reading = |e| Error::io("reading", &file.path)(e);
    let input = articles.open().and_then(|input| articles.unpacked(input).map_err(reading))?;
    articles.bytes(input).map_err(reading)?.ok_or_else(|| articles.bad(articles.too_large()))
}

/// The bytes of a file as they were when it was read, by their SHA-256 in hex.
///
/// # Errors
/// When it cannot be read, or has changed.
pub fn read_again(file: &FoundFile, sha256: &str, max_bytes: usize) -> Result<Vec<u8>, Error> {
    let found = if file.format == Some(Format::Tar) {
        archive::member_again(file, sha256, max_bytes)?
    } else {
        Some(whole(file, max_bytes)?)
    };
    if let Some(bytes) = found.filter(|bytes| sha256_hex(bytes) == sha256) {
        return Ok(bytes);
    }
    let message = "has changed while it was translated, so that its document was not written; run \
        the same command again";
    Err(Error::input(file.name(), message))
}

/// The note about data that was not read.
const JUNK: &str = "has data after the end of its packed stream, which was not read";
/// The note about a gap in a file.
const GAP: &str = "is damaged: a part of its packed stream is missing or wrong, and was left out";
/// The note about a file whose end is missing.
const TORN: &str = "is damaged: its packed stream breaks off, and what comes before was read";

/// The length of a text without the beginning of a character at its end.
fn whole_characters(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Err(e) if e.error_len().is_none() => e.valid_up_to(),
        _ => bytes.len(),
    }
}

pub(super) fn article(id: String, mut source: Source, contents: Contents) -> RawArticle {
    let Contents { id: _, title, text, markup, blocks, extra } = contents;
    let broken = text.chars().chain(title.iter().flat_map(|t| t.chars()));
    let broken = broken.filter(|&c| c == char::REPLACEMENT_CHARACTER).count();
    if broken > 0 {
        source.notes.push(format!(
            "has characters that cannot be decoded ({broken}); U+FFFD stands for each"
        ));
    }
    RawArticle { id, source, title, text, markup, blocks, extra }
}

/// A reader that has failed already.
struct Broken(Option<io::Error>);

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

fn hash(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn all(
        name: &str,
        bytes: impl Into<Vec<u8>>,
        options: &ReadOptions,
    ) -> Vec<Result<RawArticle, Box<ReadFailure>>> {
        let file = FoundFile {
            path: name.into(),
            id: name.into(),
            format: readers::of_name(name),
            copy_of: None,
        };
        read_from(Cursor::new(bytes.into()), &file, options).collect()
    }

    /// `id=text`, or `id!message`.
    fn told(name: &str, bytes: impl Into<Vec<u8>>) -> Vec<String> {
        let tell = |item: Result<RawArticle, Box<ReadFailure>>| match item {
            Ok(article) => format!("{}={}", article.id, article.text),
            Err(failure) => format!("{}!{}", failure.id, failure.error),
        };
        all(name, bytes, &ReadOptions { max_bytes: 100, ..ReadOptions::default() })
            .into_iter()
            .map(tell)
            .collect()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_bad_line_is_an_error_in_its_place() {
        let lines = format!(
            "\u{FEFF}{{\"text\":\"one\"}}\n\nnonsense\n{{\"text\":\"{}\"}}\r\n{{\"id\":\"x\",\"text\":\"two\"}}\n{{\"id\":\"x\",\"text\":\"three\"}}",
            "y".repeat(200)
        );
        let told = told("a.jsonl", lines);
        assert_eq!(
            (told[0].as_str(), told[3].as_str(), told[4].as_str(), told.len()),
            ("a.jsonl#1=one", "a.jsonl#x=two", "a.jsonl#x~6=three", 5)
        );
        assert!(
            told[1].starts_with("a.jsonl#3!a.jsonl: line 3 expected a JSON object"),
            "{}",
            told[1]
        );
        assert!(
            told[2].starts_with("a.jsonl#4!a.jsonl: line 4 is larger than 100 bytes")
                && told[2].contains("--max-bytes"),
            "{}",
            told[2]
        );
    }

    #[test]
    fn json_files_hold_one_article_or_many() {
        assert_eq!(told("a.json", "{\"text\": \"one\"}\n"), ["a.json=one"]);
        assert_eq!(told("a.json", "[{\"text\": \"one\"}]"), ["a.json#1=one"]);
        assert_eq!(
            told("a.json", "{\"text\": \"one\"}\n{\"text\": \"two\"}"),
            ["a.json#1=one", "a.json#2=two"]
        );
        assert_eq!(
            told("a.json", "{\n\"text\": \"one\"\n}\n{\"text\": \"two\"}"),
            ["a.json#1=one", "a.json#2=two"]
        );
        let broken =
            told("a.json", "[{\"text\": }, {\"text\": \"two\"}, 3, 4, {\"text\": \"five\"}, {\"te");
        assert_eq!(
            (broken[1].as_str(), broken[3].as_str(), broken.len()),
            ("a.json#2=two", "a.json#5=five", 5)
        );
        assert!(
            broken[0].contains("article 1 expected")
                && broken[2].contains("article 3")
                && broken[4].contains("not complete")
        );
        assert!(told("a.json", " [ ]")[0].contains("holds no article"));
        assert_eq!(told("a.json", "<html><body>Not found, sorry</body></html>").len(), 1);
    }

    #[test]
    fn utf16_and_legacy_json() {
        let wide: Vec<u8> = "{\"text\":\"ночь\"}\n{\"text\":\"день\"}\n"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(told("a.jsonl", wide), ["a.jsonl#1=ночь", "a.jsonl#2=день"]);
        let (legacy, _, _) = encoding_rs::WINDOWS_1251
            .encode("{\"text\": \"Правительство объявило о новых мерах\"}");
        assert_eq!(
            told("a.json", legacy.into_owned()),
            ["a.json=Правительство объявило о новых мерах"]
        );
    }

    #[test]
    fn one_article_of_text_and_what_it_was() {
        let article =
            all("a.md.gz", gzip(b"# T\n\nabc"), &ReadOptions::default()).remove(0).unwrap();
        assert_eq!(
            (article.id.as_str(), article.text.as_str(), article.source.format),
            ("a.md.gz", "# T\n\nabc", Format::Markdown)
        );
        assert_eq!(
            (article.source.bytes, article.source.sha256.as_str()),
            (8, sha256_hex(b"# T\n\nabc").as_str())
        );
        let large = "слово ".repeat(1 << 20);
        assert_eq!(
            all("a.txt", large.as_bytes(), &ReadOptions::default()).remove(0).unwrap().text,
            large
        );
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        assert!(told("a.txt", "")[0].contains("is empty"));
        assert!(told("a.txt", " \n\t")[0].contains("white space only"));
        assert!(told("a.txt", vec![0; 50])[0].contains("binary data"));
        assert!(
            told("a.jsonl", [b"\x7FELF\x02\n".as_slice(), &[0; 50]].concat())[0]
                .contains("binary data")
        );
        assert!(told("a.xlsx", "PK\x03\x04\x14")[0].contains("office document"));
        assert!(told("a.docx", "PK\x03\x04\x14")[0].contains("Word document"));
        // A bomb is cut at the limit, in a line too.
        assert!(told("a.txt.gz", gzip(&vec![b'a'; 10 << 20]))[0].contains("larger than 100 bytes"));
        assert!(
            told("a.jsonl.gz", gzip(&vec![b'a'; 10 << 20]))[0].contains("larger than 100 bytes")
        );
        let cut = gzip("{\"text\":\"one\"}\n".repeat(3).as_bytes());
        let told = told("a.jsonl.gz", &cut[..cut.len() - 8]);
        assert_eq!(told.len(), 4);
        assert!(told[3].contains("line 4 could not be read"), "{told:?}");
        let missing = FoundFile {
            path: "no/such.txt".into(),
            id: "such.txt".into(),
            format: None,
            copy_of: None,
        };
        let failure = read(&missing, &ReadOptions::default()).next().unwrap().unwrap_err();
        assert_eq!((failure.error.kind(), failure.id.as_str()), ("io", "such.txt"));
    }

    #[test]
    fn of_torn_files_comes_what_is_whole() {
        let line = |n: usize| format!("Der Fährmann fährt zum {n}. Mal über den Fluß.\n");
        let text = (1..400).map(line).collect::<String>();
        let packed = gzip(text.as_bytes());
        let read = |name: &str, bytes: &[u8]| all(name, bytes, &ReadOptions::default());
        let torn = read("a.txt.gz", &packed[..packed.len() / 2]).remove(0).unwrap();
        assert!(text.starts_with(&torn.text) && torn.text.len() > 100, "{}", torn.text);
        assert!(torn.source.notes[0].contains("breaks off"), "{:?}", torn.source.notes);
        let line = |n: usize| format!("{{\"text\":\"article {n}\"}}\n");
        let half = |from| gzip((from..from + 300).map(line).collect::<String>().as_bytes());
        let (one, two) = (half(0), half(300));
        let found = read("a.jsonl.gz", &[&one[..one.len() / 2], &two].concat());
        let texts: Vec<&str> = found.iter().flatten().map(|a| a.text.as_str()).collect();
        assert!(texts.starts_with(&["article 0", "article 1"]), "{texts:?}");
        assert!(texts.contains(&"article 300") && texts.ends_with(&["article 599"]), "{texts:?}");
        let notes = found.iter().flatten().flat_map(|a| &a.source.notes).collect::<Vec<_>>();
        assert!(notes.len() == 1 && notes[0].contains("is damaged"), "{notes:?}");
        // What is nothing without its end is told as torn.
        let document = read("a.docx.gz", &gzip(b"PK\x03\x04\x14 and more of it")[..30]);
        let error = document[0].as_ref().unwrap_err().error.to_string();
        assert!(error.contains("cut off"), "{error}");
    }

    #[test]
    fn standard_input_is_told_by_its_content() {
        let tell = |bytes: &'static str| {
            let items = read_from(bytes.as_bytes(), &FoundFile::stdin(), &ReadOptions::default());
            items.map(|item| item.map(|a| (a.id, a.source.format)).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(tell("Just text."), [("<stdin>".to_string(), Format::Text)]);
        assert_eq!(tell("<!doctype html><p>x"), [("<stdin>".to_string(), Format::Html)]);
        assert_eq!(
            tell("{\"text\": \"a\"}\n{\"text\": \"b\"}\n"),
            [("<stdin>#1".to_string(), Format::Jsonl), ("<stdin>#2".to_string(), Format::Jsonl)]
        );
    }
}
