//! Unpacking gzip as `gzip -d` does: any number of members, empty ones too, and whatever follows
//! the last one. After a member that is torn, the next one that is whole is looked for.

use super::{Damage, Packed, Step, is_torn};
use flate2::bufread::GzDecoder;
use std::io::{self, BufRead, Read};
use std::sync::atomic::Ordering;

/// The first bytes of a gzipped file.
pub(in crate::io::articles) const MAGIC: &[u8] = b"\x1F\x8B";

/// The beginning of a member: the magic number, and the one method of compression in use.
const MEMBER: &[u8] = b"\x1F\x8B\x08";

/// Bytes of a member's head that are looked at.
const HEAD: usize = 10;

/// Bytes that are unpacked at once: those in front of a tear are lost with it.
const AT_ONCE: usize = 1024;

/// Gaps after which no further member is looked for.
const MOST_GAPS: usize = 1000;

/// The unpacked bytes of a gzipped input.
pub(super) struct Gunzip {
    state: State,
    /// Whether bytes of the open member were handed out, or it is the first one.
    begun: bool,
    /// Where the open member begins.
    start: u64,
    gaps: usize,
    damage: Damage,
}

enum State {
    Between(Packed),
    Member(Box<GzDecoder<Packed>>),
    Done,
}

impl Gunzip {
    /// Unpacks an input; says what is wrong with it.
    pub(super) fn new(packed: Packed, damage: Damage) -> Gunzip {
        Gunzip { state: State::Between(packed), begun: true, start: 0, gaps: 0, damage }
    }

    /// Goes on to the next member, or to the end.
    fn next_member(&mut self, mut packed: Packed) -> io::Result<State> {
        loop {
            if packed.peek(MEMBER.len())?.starts_with(MEMBER) {
                return Ok(self.member(packed));
            }
            let buffer = packed.fill_buf()?;
            if buffer.is_empty() {
                return Ok(State::Done);
            }
            // Tapes and some writers fill the last block up with zeros, and may go on after it.
            let zeros = buffer.iter().take_while(|&&b| b == 0).count();
            if zeros == 0 {
                self.damage.junk.store(true, Ordering::Relaxed);
                return Ok(State::Done);
            }
            packed.consume(zeros);
        }
    }

    /// Opens the member that begins here.
    fn member(&mut self, packed: Packed) -> State {
        self.start = packed.position();
        State::Member(Box::new(GzDecoder::new(packed)))
    }

    /// Goes on with the next member after one that is torn; `None` where there is none. What tore
    /// it may have cost its end, so that the next one was read as a part of it: the bytes that were
    /// taken last are looked at, too.
    fn after_gap(&mut self, mut packed: Packed) -> io::Result<Option<State>> {
        self.gaps += 1;
        if self.gaps > MOST_GAPS {
            return Ok(None);
        }
        packed.back(packed.position().saturating_sub(self.start + 1));
        loop {
            let bytes = packed.peek(HEAD)?;
            if bytes.len() < HEAD {
                return Ok(None);
            }
            match bytes.windows(HEAD).position(is_head) {
                Some(at) => {
                    packed.consume(at);
                    self.damage.gap.store(true, Ordering::Relaxed);
                    return Ok(Some(self.member(packed)));
                }
                None => {
                    let passed = bytes.len() - HEAD + 1;
                    packed.consume(passed);
                }
            }
        }
    }
}

/// As much of a buffer as is filled at once.
fn at_once(out: &mut [u8]) -> &mut [u8] {
    let length = out.len().min(AT_ONCE);
    &mut out[..length]
}

/// Whether these bytes begin a member: nothing is in them that no packer writes (RFC 1952).
fn is_head(bytes: &[u8]) -> bool {
    let (flags, level, system) = (bytes[3], bytes[8], bytes[9]);
    bytes.starts_with(MEMBER)
        && flags & 0xE0 == 0
        && matches!(level, 0 | 2 | 4)
        && matches!(system, 0..=13 | 255)
}

impl Step for Gunzip {
    fn step(&mut self, out: &mut [u8]) -> io::Result<Option<usize>> {
        match std::mem::replace(&mut self.state, State::Done) {
            State::Done => Ok(None),
            State::Between(packed) => {
                self.state = self.next_member(packed)?;
                Ok(Some(0))
            }
            State::Member(mut member) => match member.read(at_once(out)) {
                // What begins like a member and is none follows the last one.
                Err(_) if !self.begun && member.header().is_none() => {
                    self.damage.junk.store(true, Ordering::Relaxed);
                    Ok(None)
                }
                Err(e) if is_torn(&e) => match self.after_gap(member.into_inner())? {
                    Some(state) => {
                        self.state = state;
                        // Lines before and after a gap are not one.
                        out[0] = b'\n';
                        Ok(Some(1))
                    }
                    None => Err(told(e)),
                },
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
