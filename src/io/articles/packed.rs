//! Inputs that come packed by gzip or zstd, told by their first bytes, as a stream of what is in
//! them.

mod gunzip;
mod unzstd;

use super::reader::Input;
use gunzip::Gunzip;
use std::io::{self, BufRead, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use unzstd::Unzstd;

pub(super) use gunzip::MAGIC as GZIP;

/// Bytes from which on an input is refused that unpacks to [`MOST`] times as many as it has: no
/// text does, and it would go on for hours.
const PATIENCE: u64 = 256 << 20;
/// See [`PATIENCE`].
const MOST: u64 = 250;

/// Bytes that were read and are kept to be looked at again.
const KEPT: usize = 64 << 10;

/// Flags about a packed input, raised as it is read.
#[derive(Clone, Debug, Default)]
pub(super) struct Damage {
    /// There are data after its end, zeros apart; they are not read.
    pub junk: Arc<AtomicBool>,
    /// A part of it in the middle cannot be unpacked, and is left out.
    pub gap: Arc<AtomicBool>,
}

/// What an input holds, and what is wrong with it. An error when its first bytes, `head`, are not
/// those of a packed one: then it comes back.
pub(super) fn unpack(head: &[u8], input: Input) -> Result<(Input, Damage), Input> {
    let damage = Damage::default();
    let taken = Arc::new(AtomicU64::new(0));
    let is_gzip = head.starts_with(gunzip::MAGIC);
    if !is_gzip && !unzstd::is_start(head) {
        return Err(input);
    }
    let packed = Packed { input, buffer: Vec::new(), at: 0, taken: Arc::clone(&taken) };
    let unpacked: Input = if is_gzip {
        Box::new(Filled::new(Gunzip::new(packed, damage.clone()), taken))
    } else {
        Box::new(Filled::new(Unzstd::new(packed, Arc::clone(&damage.junk)), taken))
    };
    Ok((unpacked, damage))
}

/// Whether an error is one of what is packed, and not of the disk: what came before it is good.
pub(super) fn is_torn(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    matches!(error.kind(), InvalidData | InvalidInput | UnexpectedEof)
}

/// A name without the ending that says that the file is packed.
pub fn plain_name(name: &str) -> &str {
    let is_end = |end: &str| {
        let start = name.len().checked_sub(end.len()).filter(|&at| name.is_char_boundary(at));
        start.is_some_and(|at| name[at..].eq_ignore_ascii_case(end))
    };
    let end = [".gz", ".zst"].into_iter().find(|end| is_end(end));
    end.map_or(name, |end| &name[..name.len() - end.len()])
}

/// One step of unpacking.
trait Step {
    /// The next bytes, perhaps none yet; `None` at the end.
    fn step(&mut self, out: &mut [u8]) -> io::Result<Option<usize>>;
}

/// What is unpacked step by step.
struct Filled<S> {
    steps: S,
    /// Bytes that were taken in, and handed out.
    taken: Arc<AtomicU64>,
    given: u64,
    ended: bool,
    /// An error after bytes that are handed out first.
    failed: Option<io::Error>,
}

impl<S: Step> Filled<S> {
    fn new(steps: S, taken: Arc<AtomicU64>) -> Filled<S> {
        Filled { steps, taken, given: 0, ended: false, failed: None }
    }

    fn step(&mut self, out: &mut [u8]) -> io::Result<Option<usize>> {
        let taken = self.taken.load(Ordering::Relaxed);
        if self.given > PATIENCE && self.given / MOST > taken {
            return Err(io::Error::other(format!(
                "it unpacks to more than {MOST} times its size, as no text does; the rest was not \
                 read"
            )));
        }
        self.steps.step(out)
    }
}

impl<S: Step> Read for Filled<S> {
    /// Fills the whole buffer if it can, so that what follows the end is known with the last bytes.
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut length = 0;
        while length < out.len() && self.failed.is_none() && !self.ended {
            match self.step(&mut out[length..]) {
                Ok(None) => self.ended = true,
                Ok(Some(more)) => length += more,
                Err(e) => self.failed = Some(e),
            }
        }
        self.given += length as u64;
        match self.failed.take() {
            Some(error) if length == 0 => {
                self.ended = true;
                Err(error)
            }
            failed => {
                self.failed = failed;
                Ok(length)
            }
        }
    }
}

/// The packed bytes, of which the next few can be looked at, and the last few again.
struct Packed {
    input: Input,
    buffer: Vec<u8>,
    /// The next byte in the buffer.
    at: usize,
    /// Bytes that were read.
    taken: Arc<AtomicU64>,
}

impl Packed {
    /// The bytes to come, `count` of them or more unless the input ends before.
    fn peek(&mut self, count: usize) -> io::Result<&[u8]> {
        const READ: usize = 32 << 10;
        while self.buffer.len() - self.at < count {
            let old = self.at.saturating_sub(KEPT);
            self.buffer.drain(..old);
            self.at -= old;
            let before = self.buffer.len();
            self.buffer.resize(before + READ, 0);
            let read = self.input.read(&mut self.buffer[before..]);
            let length = read.as_ref().map_or(0, |&length| length);
            self.buffer.truncate(before + length);
            self.taken.fetch_add(length as u64, Ordering::Relaxed);
            match read {
                Ok(0) => break,
                Err(e) if e.kind() != io::ErrorKind::Interrupted => return Err(e),
                _ => {}
            }
        }
        Ok(&self.buffer[self.at..])
    }

    /// Goes back as far as [`KEPT`] allows, but for so many bytes at most.
    fn back(&mut self, most: u64) {
        let most = usize::try_from(most).unwrap_or(usize::MAX).min(KEPT);
        self.at = self.at.saturating_sub(most);
    }

    /// Bytes that were taken out of it in all.
    fn position(&self) -> u64 {
        self.taken.load(Ordering::Relaxed) - (self.buffer.len() - self.at) as u64
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
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};
    use std::io::{Cursor, Write};

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        compress_to_vec(bytes, CompressionLevel::Fastest)
    }

    /// What is unpacked, whether the end is good, and whether something follows it.
    fn unpacked(packed: &[u8]) -> (String, bool, bool) {
        let input: Input = Box::new(Cursor::new(packed.to_vec()));
        let Ok((mut unpacked, damage)) = unpack(packed, input) else { panic!("{packed:?}") };
        let (mut all, mut buffer) = (Vec::new(), [0; 7]);
        let good = loop {
            match unpacked.read(&mut buffer) {
                Ok(0) => break true,
                Ok(length) => all.extend_from_slice(&buffer[..length]),
                Err(_) => break false,
            }
        };
        (String::from_utf8(all).unwrap(), good, damage.junk.load(Ordering::Relaxed))
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

    #[test]
    fn after_a_torn_member_comes_the_next() {
        let lines = |name: &str| (0..300).map(|n| format!("{name} {n}\n")).collect::<String>();
        let [a, b, c] = ["one", "two", "three"].map(lines);
        let packed = [&a, &b, &c].map(|text| gzip(text.as_bytes()));
        let told = |parts: &[&[u8]]| {
            let all = parts.concat();
            let Ok((mut unpacked, damage)) = unpack(&all, Box::new(Cursor::new(all.clone())))
            else {
                panic!("it is packed")
            };
            let mut out = Vec::new();
            let error = unpacked.read_to_end(&mut out).err();
            (String::from_utf8_lossy(&out).into_owned(), error, damage.gap.load(Ordering::Relaxed))
        };
        for cut in [packed[1].len() / 2, packed[1].len() - 3, packed[1].len() - 8, 12] {
            let (text, error, has_gap) = told(&[&packed[0], &packed[1][..cut], &packed[2]]);
            assert!(text.starts_with(&a) && text.ends_with(&format!("\n{c}")), "{cut}: {text}");
            assert!(error.is_none() && has_gap, "{cut}: {error:?}");
        }
        let mut flipped = packed[1].clone();
        let checksum = flipped.len() - 5;
        flipped[checksum] ^= 1;
        let (text, error, has_gap) = told(&[&packed[0], &flipped, &packed[2]]);
        assert_eq!((text, error.is_none(), has_gap), (format!("{a}{b}\n{c}"), true, true));
        // Nothing comes after it.
        let (text, error, has_gap) = told(&[&packed[0], &packed[1][..packed[1].len() - 3]]);
        assert_eq!((text, error.is_some(), has_gap), (format!("{a}{b}"), true, false));
        // Heads without members end.
        let (_, error, _) = told(&[&packed[0], &packed[1][..10].repeat(5000)]);
        assert!(error.is_some());
    }

    #[test]
    fn frames_and_what_follows_them() {
        let (one, two, none) = (zstd(b"one, "), zstd(b"and another one"), zstd(b""));
        // A frame of 3 bytes that readers pass over.
        let skipped: &[u8] = b"\x53\x2A\x4D\x18\x03\0\0\0abc";
        let both = "one, and another one".to_string();
        let told = |parts: &[&[u8]]| unpacked(&parts.concat());
        assert_eq!(told(&[&one, &two]), (both.clone(), true, false));
        assert_eq!(told(&[skipped, &one, &none, skipped, &two]), (both.clone(), true, false));
        assert_eq!(told(&[&one, &two, b"\nsome words"]), (both.clone(), true, true));
        assert_eq!(told(&[&one[..5]]), (String::new(), false, false));
        assert!(!told(&[&one, &two[..two.len() - 2]]).1);
        assert_eq!(told(&[skipped]), (String::new(), true, false));
        assert!(!told(&[&skipped[..9]]).1);
        // A window of more than 128 MB is not made room for.
        let greedy = told(&[b"\x28\xB5\x2F\xFD\x00\xF8\x01\0\0"]);
        assert_eq!(greedy, (String::new(), false, false));
    }

    #[test]
    fn names_lose_one_ending() {
        let plain = ["a.txt.gz", "a.txt.ZST", "a.txt", "é.gz", "gz", ".gz"].map(plain_name);
        assert_eq!(plain, ["a.txt", "a.txt", "a.txt", "é", "gz", ""]);
    }

    #[test]
    fn what_unpacks_to_far_more_than_text_does_ends() {
        let packed = gzip(&vec![b'a'; 300 << 20]);
        let Ok((mut unpacked, _)) = unpack(&packed, Box::new(Cursor::new(packed.clone()))) else {
            panic!()
        };
        let error = io::copy(&mut unpacked, &mut io::sink()).unwrap_err().to_string();
        assert!(error.contains("250 times its size"), "{error}");
    }
}
