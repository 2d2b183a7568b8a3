//! Cutting a stream of XML into the elements of some names, without parsing what is in them: one of
//! any size streams past, and a broken one does not take its neighbours with it.

use crate::io::articles::reader::{Input, Piece};
use std::io::{self, BufRead, BufReader};

/// Longest name that is looked at, in bytes.
const LONGEST_NAME: usize = 64;

/// The elements of some names in a stream, the outermost ones.
pub(super) struct Elements {
    reader: BufReader<Input>,
    names: &'static [&'static str],
    max: usize,
    scan: Scan,
    /// Elements that are open around the next one.
    depth: usize,
    /// Whether the element read last was the document's outermost one.
    root: bool,
}

impl Elements {
    /// The elements of these names, without their prefixes and in lower case.
    pub(super) fn new(
        reader: BufReader<Input>,
        names: &'static [&'static str],
        max: usize,
    ) -> Self {
        Elements { reader, names, max, scan: Scan::default(), depth: 0, root: false }
    }

    /// Whether the element read last was the whole document.
    pub(super) fn is_root(&self) -> bool {
        self.root
    }

    /// The next element, with its tags.
    pub(super) fn next_piece(&mut self) -> io::Result<Option<Piece>> {
        let mut taken = Taken::default();
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                return Ok(taken.name.is_some().then_some(Piece::Torn));
            }
            let mut done = false;
            let mut used = 0;
            for &byte in buffer {
                used += 1;
                let begins = byte == b'<' && self.scan.is_text();
                let token = self.scan.step(byte);
                taken.push(byte, begins, self.max);
                let Some(token) = token else { continue };
                done = match &mut taken.name {
                    Some(name) if *name == self.scan.name => match token {
                        Token::Start => {
                            taken.depth += 1;
                            false
                        }
                        Token::Empty => false,
                        Token::End => {
                            taken.depth -= 1;
                            taken.depth == 0
                        }
                    },
                    Some(_) => false,
                    None => {
                        self.root = self.depth == 0;
                        let wanted = self.scan.is_one_of(self.names);
                        match token {
                            Token::Start if wanted => {
                                (taken.name, taken.depth) = (Some(self.scan.name.clone()), 1);
                            }
                            Token::Start => self.depth += 1,
                            Token::End => self.depth = self.depth.saturating_sub(1),
                            Token::Empty => {}
                        }
                        false
                    }
                };
                if done {
                    break;
                }
            }
            self.reader.consume(used);
            if done {
                return Ok(Some(match taken.large {
                    true => Piece::TooLarge,
                    false => Piece::Whole(taken.bytes),
                }));
            }
        }
    }
}

/// What was taken in of an element.
#[derive(Default)]
struct Taken {
    /// Its name, once its tag has been read.
    name: Option<Vec<u8>>,
    /// Elements of the same name that are open, itself included.
    depth: usize,
    bytes: Vec<u8>,
    large: bool,
}

impl Taken {
    fn push(&mut self, byte: u8, begins: bool, max: usize) {
        if self.name.is_none() && begins {
            (self.bytes, self.large) = (Vec::new(), false);
        }
        if self.bytes.len() < max {
            self.bytes.push(byte);
        } else if !self.large {
            (self.bytes, self.large) = (Vec::new(), true);
        }
        if self.large {
            self.bytes.clear();
        }
    }
}

/// A tag that has ended.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Token {
    Start,
    Empty,
    End,
}

/// Where in a document a byte stands.
#[derive(Default)]
struct Scan {
    state: State,
    /// The name of the tag that is or was last read.
    name: Vec<u8>,
    /// The bytes before this one, as far as ends are looked for in them.
    last: [u8; 2],
}

#[derive(Clone, Copy, Default, PartialEq)]
enum State {
    #[default]
    Text,
    /// After `<`.
    Open,
    /// In the name of a tag, or after it.
    Tag {
        named: bool,
        quote: Option<u8>,
        closing: bool,
    },
    /// After `<!`, with the bytes of it that are known.
    Declaration(usize),
    Comment,
    Data,
    Instruction,
    /// A document type, and how many brackets are open in it.
    DocumentType(usize),
}

impl Scan {
    fn is_text(&self) -> bool {
        self.state == State::Text
    }

    fn is_one_of(&self, names: &[&str]) -> bool {
        let local = self.name.rsplit(|&b| b == b':').next().unwrap_or_default();
        names.iter().any(|name| local.eq_ignore_ascii_case(name.as_bytes()))
    }

    fn step(&mut self, byte: u8) -> Option<Token> {
        let [before, last] = self.last;
        self.last = [last, byte];
        let mut token = None;
        self.state = match self.state {
            State::Text if byte == b'<' => State::Open,
            State::Text => State::Text,
            State::Open => match byte {
                b'!' => State::Declaration(0),
                b'?' => State::Instruction,
                b'<' => State::Open,
                b'/' => self.begin(None),
                b if b.is_ascii_alphabetic() || b == b'_' || b >= 0x80 => self.begin(Some(b)),
                _ => State::Text,
            },
            State::Tag { named, quote, closing } => match (quote, byte) {
                (Some(mark), byte) => {
                    State::Tag { named, quote: quote.filter(|_| byte != mark), closing }
                }
                (None, b'>') => {
                    token = Some(match (closing, last) {
                        (true, _) => Token::End,
                        (false, b'/') => Token::Empty,
                        (false, _) => Token::Start,
                    });
                    State::Text
                }
                (None, b'"' | b'\'') if !closing => {
                    State::Tag { named: true, quote: Some(byte), closing }
                }
                (None, b) if named || b == b'/' || b.is_ascii_whitespace() => {
                    State::Tag { named: true, quote, closing }
                }
                (None, b) => {
                    if self.name.len() < LONGEST_NAME {
                        self.name.push(b);
                    }
                    State::Tag { named, quote, closing }
                }
            },
            State::Declaration(known) => match (known, byte) {
                (0, b'-') => State::Declaration(1),
                (1, b'-') => State::Comment,
                (0, b'[') => State::Declaration(2),
                // `[CDATA[`
                (2, b'[') => State::Data,
                (2, b) if b.is_ascii_alphabetic() => State::Declaration(2),
                (_, b'>') => State::Text,
                _ => State::DocumentType(0),
            },
            State::Comment if (before, last, byte) == (b'-', b'-', b'>') => State::Text,
            State::Data if (before, last, byte) == (b']', b']', b'>') => State::Text,
            State::Instruction if (last, byte) == (b'?', b'>') => State::Text,
            State::DocumentType(open) => match byte {
                b'[' => State::DocumentType(open + 1),
                b']' => State::DocumentType(open.saturating_sub(1)),
                b'>' if open == 0 => State::Text,
                _ => State::DocumentType(open),
            },
            state => state,
        };
        token
    }

    fn begin(&mut self, first: Option<u8>) -> State {
        self.name.clear();
        self.name.extend(first);
        State::Tag { named: false, quote: None, closing: first.is_none() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str, max: usize) -> Vec<String> {
        // A tiny buffer puts every seam somewhere.
        let input: Input = Box::new(io::Cursor::new(text.to_string()));
        let mut elements = Elements::new(BufReader::with_capacity(3, input), &["item"], max);
        std::iter::from_fn(|| elements.next_piece().unwrap())
            .map(|piece| match piece {
                Piece::Whole(bytes) => String::from_utf8(bytes).unwrap(),
                other => format!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn elements_are_cut_out() {
        let text = "<?xml version='1.0'?><!DOCTYPE rss [<!ENTITY a '<item>'>]>\n<rss><!-- <item> -->\
            <item a='</item>'>1 < 2<b/><![CDATA[</item>]]></item>\n<item/><x:item><item>in</item></x:item>\
            <items><item>last</item></items></rss>";
        assert_eq!(
            pieces(text, 99),
            [
                "<item a='</item>'>1 < 2<b/><![CDATA[</item>]]></item>",
                "<x:item><item>in</item></x:item>",
                "<item>last</item>"
            ]
        );
        assert_eq!(
            pieces("<a><item>1234567890</item><item>1</item><item>2", 20),
            ["TooLarge", "<item>1</item>", "Torn"]
        );
        assert_eq!(pieces("no tags at all", 99), Vec::<String>::new());
    }
}
