//! Reading a tokenizer's files, which come from outside: never more than a limit.

use crate::checkpoint::stand_in::stand_in;
use crate::error::{Error, Result};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Larger JSON files are refused. `tokenizer.json` of a vocabulary of 256,000 tokens has 33 MB.
const MAX_JSON: u64 = 256 << 20;

/// A whole file of at most `limit` bytes.
pub(super) fn read(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let file = File::open(path).map_err(Error::io("reading", path))?;
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(Error::io("reading", path))?;
    if bytes.len() as u64 > limit {
        let message =
            format!("the file has more than {} MB, which no tokenizer needs", limit >> 20);
        return Err(Error::model(path.display().to_string(), message));
    }
    Ok(bytes)
}

/// A text file.
pub(super) fn text(path: &Path) -> Result<String> {
    String::from_utf8(read(path, MAX_JSON)?)
        .map_err(|e| Error::model(path.display().to_string(), format!("expected UTF-8 text: {e}")))
}

/// A JSON file.
pub(super) fn json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T> {
    let bytes = read(path, MAX_JSON)?;
    serde_json::from_slice(&bytes).map_err(|e| {
        let why = || format!("not the JSON that was expected: {e}");
        Error::model(path.display().to_string(), stand_in(&bytes).unwrap_or_else(why))
    })
}

/// A JSON file, or nothing where there is none.
pub(super) fn json_if_any<T: serde::de::DeserializeOwned + Default>(path: &Path) -> Result<T> {
    if path.is_file() { json(path) } else { Ok(T::default()) }
}
