//! Unpacking gzip as `gzip -d` does: any number of members, empty ones too, and whatever follows
//! the last one.

use super::{Packed, Step};
use flate2::bufread::GzDecoder;
use std::io::{self, BufRead, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The first bytes of a gzipped file.
pub(in crate::io::articles) const MAGIC: &[u8] = b"\x1F\x8B";

/// The beginning of a member: the magic number, and the one method of compression in use.
const MEMBER: &[u8] = b"\x1F\x8B\x08";

/// The unpacked bytes of a gzipped input.
pub(super) struct Gunzip {
    state: State,
    /// Whether bytes of the open member were handed out, or it is the first one.
    begun: bool,
    junk: Arc<AtomicBool>,
}

enum State {
    Between(Packed),
    Member(Box<GzDecoder<Packed>>),
    Done,
}

impl Gunzip {
    /// Unpacks an input; raises the flag where data follow the last member.
    pub(super) fn new(packed: Packed, junk: Arc<AtomicBool>) -> Gunzip {
        Gunzip { state: State::Between(packed), begun: true, junk }
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
}

impl Step for Gunzip {
    fn step(&mut self, out: &mut [u8]) -> io::Result<Option<usize>> {
        match std::mem::replace(&mut self.state, State::Done) {
            State::Done => Ok(None),
            State::Between(packed) => {
                self.state = self.next_member(packed)?;
                Ok(Some(0))
            }
            State::Member(mut member) => match member.read(out) {
                // What begins like a member and is none follows the last one.
                Err(_) if !self.begun && member.header().is_none() => {
                    self.junk.store(true, Ordering::Relaxed);
                    Ok(None)
                }
                Err(e) => Err(told(e)),
                Ok(0) => {
                    self.begun = false;
                    self.state = self.next_member(member.into_inner())?;
                    // Members may be empty, and there may be many of them.
                    Ok(Some(0))
                }
                Ok(length) => {
                    self.begun = true;
                    self.state = State::Member(member);
                    Ok(Some(length))
                }
            },
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
