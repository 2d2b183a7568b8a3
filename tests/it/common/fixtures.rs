//! Where the fixtures lie.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// A file or folder of the fixtures: `seq2seq/bart`.
pub fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(path)
}

/// What lies in a folder of the fixtures, sorted.
pub fn fixtures(folder: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        fs::read_dir(fixture(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!found.is_empty(), "{folder}");
    found.sort();
    found
}

/// What a JSON file says.
pub fn json(path: impl AsRef<Path>) -> Value {
    let path = path.as_ref();
    serde_json::from_slice(&fs::read(path).unwrap())
        .unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}
