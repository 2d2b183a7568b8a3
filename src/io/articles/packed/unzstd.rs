//! Unpacking Zstandard as `zstd -d` does: any number of frames, and those that are to be passed
//! over.

use super::{Packed, Step};
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};
use std::io::{self, BufRead, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The first bytes of a frame.
const MAGIC: &[u8] = b"\x28\xB5\x2F\xFD";

/// The window that a file may ask for: packers of today take 8 MB, 128 at the highest level.
const WINDOW: u64 = 128 << 20;

/// The unpacked bytes of an input.
pub(super) struct Unzstd {
    state: State,
    junk: Arc<AtomicBool>,
}

enum State {
    Between(Packed),
    Frame(Box<StreamingDecoder<Packed, FrameDecoder>>),
    Done,
}

/// Whether an input begins with a frame.
pub(super) fn is_start(head: &[u8]) -> bool {
    head.starts_with(MAGIC) || is_skipped(head)
}

/// Whether this is the beginning of a frame that holds no data.
fn is_skipped(head: &[u8]) -> bool {
    matches!(head, [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..])
}

impl Unzstd {
    /// Unpacks an input; raises the flag where data follow the last frame.
    pub(super) fn new(packed: Packed, junk: Arc<AtomicBool>) -> Unzstd {
        Unzstd { state: State::Between(packed), junk }
    }

    /// Goes on to the next frame, or to the end.
    fn next_frame(&mut self, mut packed: Packed) -> io::Result<State> {
        loop {
            let head = packed.peek(8)?;
            if head.starts_with(MAGIC) {
                let frame = StreamingDecoder::new_with_max_window_size(packed, WINDOW);
                return Ok(State::Frame(Box::new(frame.map_err(damaged)?)));
            }
            if is_skipped(head) {
                let length = head.get(4..8).and_then(|length| length.try_into().ok());
                let length = length.map(u32::from_le_bytes).ok_or_else(|| damaged("no length"))?;
                packed.consume(8);
                let passed = io::copy(&mut (&mut packed).take(length.into()), &mut io::sink())?;
                if passed < length.into() {
                    return Err(damaged("unexpected end of file"));
                }
                continue;
            }
            self.junk.fetch_or(!head.is_empty(), Ordering::Relaxed);
            return Ok(State::Done);
        }
    }
}

impl Step for Unzstd {
    fn step(&mut self, out: &mut [u8]) -> io::Result<Option<usize>> {
        match std::mem::replace(&mut self.state, State::Done) {
            State::Done => Ok(None),
            State::Between(packed) => {
                self.state = self.next_frame(packed)?;
                Ok(Some(0))
            }
            State::Frame(mut frame) => match frame.read(out).map_err(damaged)? {
                0 => {
                    let (told, found) = (
                        frame.decoder.get_checksum_from_data(),
                        frame.decoder.get_calculated_checksum(),
                    );
                    if told.is_some() && told != found {
                        return Err(damaged("its checksum is another"));
                    }
                    self.state = self.next_frame(frame.into_inner())?;
                    Ok(Some(0))
                }
                length => {
                    self.state = State::Frame(frame);
                    Ok(Some(length))
                }
            },
        }
    }
}

/// An error in the words of a user.
fn damaged(why: impl std::fmt::Display) -> io::Error {
    let why = format!("the zstd stream cannot be unpacked ({why}); it may have been cut off");
    io::Error::new(io::ErrorKind::InvalidData, why)
}
