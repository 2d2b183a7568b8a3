//! Tar archives: their members, one after the other as they stream in, with names that stay inside.

use super::file::shown_bytes;
use super::reader::Input;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes of a block: what a head has, and what the bytes of a member are filled up to.
const BLOCK: usize = 512;

/// Most bytes of a name, or of the fields before a head, that are read.
const LONGEST: u64 = 64 << 10;

/// Whether these are the first bytes of an archive.
pub(super) fn is_start(head: &[u8]) -> bool {
    head.get(..BLOCK).is_some_and(|head| &head[257..262] == b"ustar" && is_sound(head))
}

/// The members of an archive.
pub(super) struct Members {
    stream: Arc<Mutex<Stream>>,
}

/// A file in an archive.
pub(super) struct Member {
    /// Its path, with `/`; nothing in it leads out of a folder.
    pub name: String,
    /// Its bytes. They are passed over when the next member is asked for.
    pub input: Input,
}

/// The archive, at some place in a member.
struct Stream {
    input: Input,
    /// Bytes of the member that are left, and those that fill its last block.
    left: u64,
    filling: u64,
    /// Whether the archive ended inside of a member.
    torn: bool,
}

impl Members {
    pub(super) fn new(input: Input) -> Members {
        let stream = Stream { input, left: 0, filling: 0, torn: false };
        Members { stream: Arc::new(Mutex::new(stream)) }
    }

    /// The next regular file; none at the end. An archive that was cut off inside of a member has
    /// told so where that was read.
    ///
    /// # Errors
    /// When it cannot be read, or is no archive from here on.
    pub(super) fn next(&mut self) -> io::Result<Option<Member>> {
        let (mut name, mut size) = (None, None);
        loop {
            let mut stream = lock(&self.stream);
            if stream.torn || !stream.pass_over()? {
                return Ok(None);
            }
            let Some(head) = stream.head()? else { return Ok(None) };
            let length = number(&head[124..136]).ok_or_else(|| damaged("has no size"))?;
            stream.begin(length);
            match head[156] {
                // GNU's long name, and the fields of POSIX, for the member after them.
                b'L' => {
                    let bytes = stream.small()?;
                    name = Some(until_nul(&bytes).to_vec());
                }
                b'x' => {
                    let bytes = stream.small()?;
                    name = field(&bytes, b"path").map(<[u8]>::to_vec).or(name);
                    let told = field(&bytes, b"size");
                    let told = told.and_then(|told| std::str::from_utf8(told).ok()?.parse().ok());
                    size = told.or(size);
                }
                0 | b'0' | b'7' => {
                    if let Some(size) = size {
                        stream.begin(size);
                    }
                    let name = name.take().unwrap_or_else(|| written_name(&head));
                    let is_folder = name.ends_with(b"/");
                    size = None;
                    if !is_folder {
                        let input = Box::new(Bytes { stream: Arc::clone(&self.stream) });
                        return Ok(Some(Member { name: inside(&name), input }));
                    }
                }
                // Of the others a link's name goes before its head, and is for that alone.
                b'K' | b'g' => {}
                _ => (name, size) = (None, None),
            }
        }
    }
}

fn lock(stream: &Mutex<Stream>) -> MutexGuard<'_, Stream> {
    stream.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Stream {
    fn begin(&mut self, size: u64) {
        self.left = size;
        self.filling = size.wrapping_neg() % BLOCK as u64;
    }

    /// Goes to the next head; false where the archive ends before it, right behind a member: some
    /// writers leave out what fills its last block, but nobody half of it.
    fn pass_over(&mut self) -> io::Result<bool> {
        let rest = self.left.saturating_add(self.filling);
        let passed = io::copy(&mut (&mut self.input).take(rest), &mut io::sink())?;
        let is_end = passed == self.left;
        (self.left, self.filling) = (0, 0);
        if passed == rest || is_end { Ok(passed == rest) } else { Err(cut_off()) }
    }

    /// The next head; none where the archive ends.
    fn head(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut head = Vec::with_capacity(BLOCK);
        (&mut self.input).take(BLOCK as u64).read_to_end(&mut head)?;
        // Two empty blocks are the end, and many a writer leaves them out.
        if head.iter().all(|&b| b == 0) {
            return Ok(None);
        }
        if head.len() < BLOCK {
            return Err(cut_off());
        }
        if is_sound(&head) { Ok(Some(head)) } else { Err(damaged("has a wrong checksum")) }
    }

    /// The bytes of a member that belongs to the next one.
    fn small(&mut self) -> io::Result<Vec<u8>> {
        if self.left > LONGEST {
            return Err(damaged("has a name of more than 64 KiB"));
        }
        let mut bytes = Vec::new();
        (&mut self.input).take(self.left).read_to_end(&mut bytes)?;
        if (bytes.len() as u64) < self.left {
            return Err(cut_off());
        }
        self.left = 0;
        Ok(bytes)
    }
}

/// The bytes of a member.
struct Bytes {
    stream: Arc<Mutex<Stream>>,
}

impl Read for Bytes {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut stream = lock(&self.stream);
        let most = usize::try_from(stream.left).unwrap_or(usize::MAX).min(out.len());
        if most == 0 {
            return Ok(0);
        }
        let read = stream.input.read(&mut out[..most]);
        match read {
            Ok(length) if length > 0 => stream.left -= length as u64,
            Ok(_) => {
                stream.torn = true;
                return Err(cut_off());
            }
            Err(_) => stream.torn = true,
        }
        read
    }
}

fn cut_off() -> io::Error {
    let why = "unexpected end of file inside of the archive; it may have been cut off";
    io::Error::new(io::ErrorKind::UnexpectedEof, why)
}

fn damaged(what: &str) -> io::Error {
    let why = format!("the archive is damaged: the head of a member {what}");
    io::Error::new(io::ErrorKind::InvalidData, why)
}

/// Whether a head has the sum that it says, of its bytes with blanks in that place.
fn is_sound(head: &[u8]) -> bool {
    let sum = |place: usize, byte: u8| {
        if (148..156).contains(&place) { u64::from(b' ') } else { u64::from(byte) }
    };
    let found: u64 = head.iter().enumerate().map(|(place, &byte)| sum(place, byte)).sum();
    number(&head[148..156]) == Some(found)
}

/// A number in octal digits, or in binary after a byte with its highest bit set.
fn number(field: &[u8]) -> Option<u64> {
    if let [0x80, rest @ ..] = field {
        let (high, low) = rest.split_at(rest.len().saturating_sub(8));
        let number = u64::from_be_bytes(low.try_into().ok()?);
        return (high.iter().all(|&b| b == 0) && number <= i64::MAX as u64).then_some(number);
    }
    let text = std::str::from_utf8(until_nul(field)).ok()?.trim();
    if text.is_empty() { Some(0) } else { u64::from_str_radix(text, 8).ok() }
}

fn until_nul(field: &[u8]) -> &[u8] {
    field.split(|&b| b == 0).next().unwrap_or_default()
}

/// The name in a head.
fn written_name(head: &[u8]) -> Vec<u8> {
    let name = until_nul(&head[..100]);
    let prefix = if &head[257..263] == b"ustar\0" { until_nul(&head[345..500]) } else { b"" };
    if prefix.is_empty() { name.to_vec() } else { [prefix, b"/", name].concat() }
}

/// A field of POSIX's: `28 path=…` and a line break, whose length counts itself; the last of a
/// name.
fn field<'a>(mut fields: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let mut found = None;
    while let Some(at) = fields.iter().position(|&b| b == b' ') {
        let length = std::str::from_utf8(&fields[..at]).ok().and_then(|n| n.parse::<usize>().ok());
        let Some(line) = length.and_then(|length| fields.get(at + 1..length)) else { break };
        fields = &fields[at + 1 + line.len()..];
        let value = line.strip_prefix(name).and_then(|rest| rest.strip_prefix(b"="));
        found = value.map(|value| value.strip_suffix(b"\n").unwrap_or(value)).or(found);
    }
    found
}

/// A path without what leads out of its folder.
fn inside(name: &[u8]) -> String {
    let name = shown_bytes(name);
    let parts = name.split('/').filter(|part| !part.is_empty() && *part != ".");
    let parts: Vec<&str> = parts.map(|part| if part == ".." { "_" } else { part }).collect();
    parts.join("/")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::io::Cursor;

    /// An archive with these members: type, name, bytes.
    pub(in crate::io::articles) fn archive(members: &[(u8, &str, &[u8])]) -> Vec<u8> {
        let mut out = Vec::new();
        for (kind, name, bytes) in members {
            let mut head = [0; BLOCK];
            head[..name.len().min(100)].copy_from_slice(&name.as_bytes()[..name.len().min(100)]);
            head[124..135].copy_from_slice(format!("{:011o}", bytes.len()).as_bytes());
            head[156] = *kind;
            head[257..265].copy_from_slice(b"ustar\x0000");
            head[148..156].fill(b' ');
            let sum: u32 = head.iter().map(|&b| u32::from(b)).sum();
            head[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
            out.extend_from_slice(&head);
            out.extend_from_slice(bytes);
            out.resize(out.len().next_multiple_of(BLOCK), 0);
        }
        out.extend_from_slice(&[0; 2 * BLOCK]);
        out
    }

    /// Names and texts of the members, and the error that ends them.
    fn told(bytes: &[u8]) -> Vec<String> {
        let mut members = Members::new(Box::new(Cursor::new(bytes.to_vec())));
        let mut told = Vec::new();
        loop {
            match members.next() {
                Ok(None) => return told,
                Ok(Some(mut member)) => {
                    let mut text = String::new();
                    match member.input.read_to_string(&mut text) {
                        Ok(_) => told.push(format!("{}={text}", member.name)),
                        Err(e) => told.push(format!("{}!{e}", member.name)),
                    }
                }
                Err(e) => {
                    told.push(format!("!{e}"));
                    return told;
                }
            }
        }
    }

    #[test]
    fn files_have_their_names_and_the_rest_is_passed_over() {
        let long = format!("{}/x.txt", "long".repeat(40));
        let pax = format!("{} path={long}\n", long.len() + 10);
        assert_eq!(pax.len(), long.len() + 10);
        let bytes = archive(&[
            (b'5', "folder/", b""),
            (b'0', "folder/a.txt", b"one"),
            (b'2', "link.txt", b""),
            (b'L', "././@LongLink", format!("{long}\0").as_bytes()),
            (b'0', "cut", &[b'x'; 513]),
            (b'x', "PaxHeaders/x", pax.as_bytes()),
            (b'0', "cut", b"three"),
            (b'0', "/../../etc/./passwd", b""),
        ]);
        let x = "x".repeat(513);
        let whole = [
            "folder/a.txt=one".into(),
            format!("{long}={x}"),
            format!("{long}=three"),
            "_/_/etc/passwd=".into(),
        ];
        assert_eq!(told(&bytes), whole);
        assert!(is_start(&bytes) && !is_start(&bytes[1..]) && !is_start(&bytes[..100]));
        // The end may lack its blocks.
        assert_eq!(told(&bytes[..bytes.len() - 2 * BLOCK]), whole);
    }

    #[test]
    fn what_is_cut_off_or_hostile_is_told_once() {
        let bytes = archive(&[(b'0', "a.txt", &[b'a'; 600]), (b'0', "b.txt", b"two")]);
        let cut = told(&bytes[..700]);
        assert!(cut.len() == 1 && cut[0].contains("a.txt!unexpected end"), "{cut:?}");
        let mut broken = bytes.clone();
        broken[1600] ^= 1;
        let broken = told(&broken);
        assert!(broken.len() == 2 && broken[1].contains("wrong checksum"), "{broken:?}");
        let named = archive(&[(b'L', "x", &[b'n'; 70_000]), (b'0', "b.txt", b"two")]);
        assert!(told(&named)[0].contains("more than 64 KiB"));
        for field in [[0xFFu8; 12].as_slice(), b"\x80\0\0\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", b"9x"]
        {
            assert_eq!(number(field), None);
        }
        assert_eq!(number(b"\x80\0\0\0\0\0\0\0\0\0\x01\0"), Some(256));
    }
}
