//! API keys: who may use the server, and how often.

use crate::error::{Error, Result};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Most bytes of a file of keys.
const LARGEST_FILE: u64 = 16 << 20;
/// Shortest key that is taken.
const SHORTEST: usize = 16;

/// The keys of a server. Of each only its hash is held, so that neither a dump of the memory nor
/// the time of a comparison tells one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    keys: Vec<Key>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    hash: [u8; 32],
    /// Requests a minute; `None` for those of all.
    per_minute: Option<u32>,
}

/// A key that was shown and is known: its number, and its own limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownKey {
    pub number: usize,
    pub per_minute: Option<u32>,
}

impl Keys {
    /// Reads a file with a key a line; after it may stand how many requests a minute it allows, and
    /// after `#` a remark.
    ///
    /// # Errors
    /// When it cannot be read, holds no key, or a line is wrong; the message has no key in it.
    pub fn open(path: &Path) -> Result<Keys> {
        let mut text = String::new();
        let file = File::open(path).map_err(Error::io("reading", path))?;
        file.take(LARGEST_FILE).read_to_string(&mut text).map_err(Error::io("reading", path))?;
        let mut keys = Keys::default();
        for (line, number) in text.lines().zip(1..) {
            let line = line.split_once('#').map_or(line, |(line, _)| line);
            let mut words = line.split_whitespace();
            let Some(key) = words.next() else { continue };
            let wrong = |why: &str| Error::input(format!("{}:{number}", path.display()), why);
            let per_minute = words.next().map(|word| {
                let limit = word.parse().ok().filter(|limit: &u32| *limit > 0);
                limit.ok_or_else(|| {
                    wrong("expected a number of requests a minute after the key, or nothing")
                })
            });
            let per_minute = per_minute.transpose()?;
            if words.next().is_some() {
                return Err(wrong(
                    "expected a key and a number of requests, found more; a remark \
                                  begins with #",
                ));
            }
            keys.add(key, per_minute).map_err(|why| wrong(&why))?;
        }
        if keys.is_empty() {
            let message = "holds no key; expected one a line, of at least 16 characters";
            return Err(Error::input(path.display().to_string(), message));
        }
        Ok(keys)
    }

    /// Adds a key.
    ///
    /// # Errors
    /// When it is too short to be none that is guessed.
    pub fn add(&mut self, key: &str, per_minute: Option<u32>) -> Result<(), String> {
        if key.chars().count() < SHORTEST {
            return Err(format!("a key has at least {SHORTEST} characters; this one is shorter"));
        }
        self.keys.push(Key { hash: hash(key), per_minute });
        Ok(())
    }

    /// Whether there are none: everybody may use the server.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The key that was shown, if it is one of these. It takes the same time whichever it is, and
    /// whether it is one.
    pub fn find(&self, shown: &str) -> Option<KnownKey> {
        let shown = hash(shown);
        let mut found = None;
        for (number, key) in self.keys.iter().enumerate() {
            let difference = shown.iter().zip(&key.hash).fold(0, |all, (a, b)| all | (a ^ b));
            if std::hint::black_box(difference) == 0 {
                found = Some(KnownKey { number, per_minute: key.per_minute });
            }
        }
        found
    }
}

fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Keys> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys");
        std::fs::write(&path, text).unwrap();
        Keys::open(&path)
    }

    #[test]
    fn a_file_has_a_key_a_line_with_its_limit_and_a_remark() {
        let keys = read("# ours\nabcdefghijklmnop\n\nqrstuvwxyz0123456 30 # the desk\n").unwrap();
        let first = keys.find("abcdefghijklmnop").unwrap();
        assert_eq!((first.number, first.per_minute), (0, None));
        assert_eq!(keys.find("qrstuvwxyz0123456").unwrap().per_minute, Some(30));
        for shown in ["", "abcdefghijklmno", "abcdefghijklmnopq", "ABCDEFGHIJKLMNOP", "30"] {
            assert_eq!(keys.find(shown), None, "{shown}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_without_the_key() {
        for (text, says) in [
            ("", "holds no key"),
            ("short-secret", ":1: a key has at least 16"),
            ("\nabcdefghijklmnop many", ":2: expected a number"),
            ("abcdefghijklmnop 0", "expected a number"),
            ("abcdefghijklmnop 3 4", "found more"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
            assert!(!error.contains("abcdefgh") && !error.contains("secret"), "{error}");
        }
    }
}
