//! Unpacking gzip as `gzip -d` does: any number of members, empty ones too, and whatever follows
//! the last one.

use super::reader::Input;
use flate2::bufread::GzDecoder;
use std::io::{self, BufRead, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The first bytes of a gzipped file.
pub(super) const MAGIC: &[u8] = b"\x1F\x8B";

/// The beginning of a member: the magic number, and the one method of compression in use.
const MEMBER: &[u8] = b"\x1F\x8B\x08";

/// The unpacked bytes of a gzipped input.
pub(super) struct Gunzip {
    state: State,
    /// Whether bytes of the open member were handed out, or it is the first one.
    begun: bool,
    /// An error after bytes that are handed out first.
    failed: Option<io::Error>,
    junk: Arc<AtomicBool>,
}

enum State {
    Between(Packed),
    Member(Box<GzDecoder<Packed>>),
    Done,
}

impl Gunzip {
    /// Unpacks an input. The flag is raised when data are found after the last member, zeros apart;
    /// they are not read.
    pub(super) fn new(input: Input) -> (Gunzip, Arc<AtomicBool>) {
        let junk = Arc::new(AtomicBool::new(false));
        let packed = Packed { input, buffer: Vec::new(), at: 0 };
        let gunzip = Gunzip {
            state: State::Between(packed),
            begun: true,
            failed: None,
            junk: Arc::clone(&junk),
        };
        (gunzip, junk)
    }

    /// Goes on to the next member, or to the end.
    fn next_member(&mut self, mut packed: Packed) -> io::Result<State> {
        loop {
            if packed.peek(MEMBER.len())?.starts_with(MEMBER) {
                return Ok(State::Member(Box::new(GzDecoder::new(packed))));
            }
            let buffer = packed.fill_buf()?;
            if buffer.is_empty() {
                return Ok(State::Done);
            }
            // Tapes and some writers fill the last block up with zeros, and may go on after it.
            let zeros = buffer.iter().take_while(|&&b| b == 0).count();
            if zeros == 0 {
                self.junk.store(true, Ordering::Relaxed);
                return Ok(State::Done);
            }
            packed.consume(zeros);
        }
    }

    fn step(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match std::mem::replace(&mut self.state, State::Done) {
            State::Done => Ok(0),
            State::Between(packed) => {
                self.state = self.next_member(packed)?;
                self.step(out)
            }
            State::Member(mut member) => match member.read(out) {
                // What begins like a member and is none follows the last one.
                Err(_) if !self.begun && member.header().is_none() => {
                    self.junk.store(true, Ordering::Relaxed);
                    Ok(0)
                }
                Err(e) => Err(e),
                Ok(0) => {
                    self.begun = false;
                    self.state = self.next_member(member.into_inner())?;
                    // Members may be empty, and there may be many of them.
                    Ok(0)
                }
                Ok(length) => {
                    self.begun = true;
                    self.state = State::Member(member);
                    Ok(length)
                }
            },
        }
    }
}

impl Read for Gunzip {
    /// Fills the whole buffer if it can, so that what follows the end is known with the last bytes.
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut length = 0;
        while length < out.len() && self.failed.is_none() {
            match self.step(&mut out[length..]) {
                Ok(0) if matches!(self.state, State::Done) => break,
                Ok(more) => length += more,
                Err(e) => self.failed = Some(e),
            }
        }
        match self.failed.take() {
            Some(error) if length == 0 => Err(told(error)),
            failed => {
                self.failed = failed;
                Ok(length)
            }
        }
    }
}

/// An error in the words of a user.
fn told(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "unexpected end of file inside of the gzip stream; it may have been cut off",
        ),
        _ => error,
    }
}

/// The packed bytes, of which the next few can be looked at.
struct Packed {
    input: Input,
    buffer: Vec<u8>,
    at: usize,
}

impl Packed {
    /// The bytes to come, `count` of them or more unless the input ends before.
    fn peek(&mut self, count: usize) -> io::Result<&[u8]> {
        const READ: usize = 32 << 10;
        while self.buffer.len() - self.at < count {
            self.buffer.drain(..self.at);
            self.at = 0;
            let before = self.buffer.len();
            self.buffer.resize(before + READ, 0);
            let read = self.input.read(&mut self.buffer[before..]);
            self.buffer.truncate(before + read.as_ref().map_or(0, |&length| length));
            match read {
                Ok(0) => break,
                Err(e) if e.kind() != io::ErrorKind::Interrupted => return Err(e),
                _ => {}
            }
        }
        Ok(&self.buffer[self.at..])
    }
}

impl BufRead for Packed {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.peek(1)
    }

    fn consume(&mut self, count: usize) {
        self.at = (self.at + count).min(self.buffer.len());
    }
}

impl Read for Packed {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let ready = self.fill_buf()?;
        let length = ready.len().min(out.len());
        out[..length].copy_from_slice(&ready[..length]);
        self.consume(length);
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Cursor, Write};

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// What is unpacked, whether the end is good, and whether something follows it.
    fn unpacked(packed: &[u8]) -> (String, bool, bool) {
        let (mut gunzip, junk) = Gunzip::new(Box::new(Cursor::new(packed.to_vec())));
        let (mut all, mut buffer) = (Vec::new(), [0; 7]);
        let good = loop {
            match gunzip.read(&mut buffer) {
                Ok(0) => break true,
                Ok(length) => all.extend_from_slice(&buffer[..length]),
                Err(_) => break false,
            }
        };
        (String::from_utf8(all).unwrap(), good, junk.load(Ordering::Relaxed))
    }

    #[test]
    fn members_and_what_follows_them() {
        let (one, two, none) = (gzip(b"one, "), gzip(b"and another one"), gzip(b""));
        let both = "one, and another one".to_string();
        let told = |parts: &[&[u8]]| unpacked(&parts.concat());
        assert_eq!(told(&[&one, &two]), (both.clone(), true, false));
        assert_eq!(told(&[&none, &one, &none, &two, &none]), (both.clone(), true, false));
        assert_eq!(told(&[&one, &two, &[0; 100_000]]), (both.clone(), true, false));
        assert_eq!(told(&[&one, &[0; 512], &two, &[0; 512]]), (both.clone(), true, false));
        assert_eq!(told(&[&one, &two, b"\nsome words"]), (both.clone(), true, true));
        assert_eq!(told(&[&one, &two, &[0; 9], b"\x1F\x8B\x07"]), (both.clone(), true, true));
        assert_eq!(told(&[&one, &two, &two[..5]]), (both.clone(), true, true));
        assert_eq!(told(&[&one, &two, b"\x1F\x8B\x08\xFF\xFF\xFF"]), (both.clone(), true, true));
        assert_eq!(told(&[&one[..5]]), (String::new(), false, false));
        assert_eq!(told(&[&one, &two[..two.len() - 3]]), (both, false, false));
        assert_eq!(told(&[&none.repeat(10_000), &one]), ("one, ".into(), true, false));
    }
}
