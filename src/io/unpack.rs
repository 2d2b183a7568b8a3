//! Files that come packed by gzip or zstd, or plain: told apart by their first bytes, unpacked
//! within a limit.

use super::files::disk;
use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use flate2::read::MultiGzDecoder;
use ruzstd::decoding::StreamingDecoder;
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read, Seek, Write};
use std::path::Path;

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// The window that a packed file may ask for: packers of today take 8 MB, 128 at the highest level.
const WINDOW: u64 = 128 << 20;

/// Unpacks a file into another, of at most `limit` bytes; returns how many there are. The inner
/// error says what is wrong with the packed file, as a phrase.
pub(super) fn unpack(
    from: &Path,
    to: &Path,
    limit: u64,
    stop: &CancelToken,
) -> Result<Result<u64, String>> {
    let reading = || Error::io("reading", from);
    let mut file = File::open(from).map_err(reading())?;
    let mut head = Vec::new();
    Read::by_ref(&mut file).take(4).read_to_end(&mut head).map_err(reading())?;
    file.rewind().map_err(reading())?;
    let file = BufReader::with_capacity(1 << 18, file);
    let mut source: Box<dyn Read> = if head.starts_with(&GZIP) {
        Box::new(MultiGzDecoder::new(file))
    } else if head == ZSTD {
        match StreamingDecoder::new_with_max_window_size(file, WINDOW) {
            Ok(decoder) => Box::new(decoder),
            Err(e) => return Ok(Err(format!("cannot be unpacked ({e})"))),
        }
    } else {
        Box::new(file)
    };
    let mut target = File::create(to).map_err(disk("writing", to))?;
    let (mut buffer, mut size) = (vec![0; 1 << 18], 0u64);
    loop {
        stop.check()?;
        let n = match source.read(&mut buffer) {
            Ok(0) => return Ok(Ok(size)),
            Ok(n) => n,
            Err(e) if e.kind() == ErrorKind::Interrupted => continue,
            Err(e) => {
                return Ok(Err(format!("cannot be unpacked ({e}); it is cut off or damaged")));
            }
        };
        size += n as u64;
        if size > limit {
            return Ok(Err(format!("unpacks to more than {limit} bytes")));
        }
        target.write_all(&buffer[..n]).map_err(disk("writing", to))?;
    }
}
