//! The JSON files of a model's folder, read up to a limit.

use crate::checkpoint::stand_in::{error_in, stand_in};
use crate::error::{Error, Result};
use serde_json::Value;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Larger files are refused: `config.json` and the lists of shards have a few megabytes at most.
const JSON_LIMIT: u64 = 16 << 20;

/// A JSON file of a model's folder that may be missing: null then.
///
/// # Errors
/// When it is there, and cannot be read or is no JSON.
pub fn optional_json(folder: &Path, name: &str) -> Result<Value> {
    if !folder.join(name).exists() {
        return Ok(Value::Null);
    }
    json(folder, name, &folder.display().to_string())
}

/// A text file of a model's folder; `None` where there is none.
///
/// # Errors
/// When it is there, and cannot be read or is no text in UTF-8.
pub fn optional_text(folder: &Path, name: &str) -> Result<Option<String>> {
    if !folder.join(name).exists() {
        return Ok(None);
    }
    let model = folder.display().to_string();
    String::from_utf8(bytes(folder, name, &model)?)
        .map(Some)
        .map_err(|e| Error::model(model, format!("{name} is not UTF-8: {e}")))
}

/// A JSON file of a model's folder; `model` names the model in messages.
pub(super) fn json(folder: &Path, name: &str, model: &str) -> Result<Value> {
    let bytes = bytes(folder, name, model)?;
    let read: serde_json::Result<Value> = serde_json::from_slice(&bytes);
    // A configuration may be any object, but none of a server's errors.
    let stands_in = match &read {
        Ok(value) => error_in(value).and_then(|_| stand_in(&bytes)),
        Err(_) => stand_in(&bytes),
    };
    if let Some(what) = stands_in {
        return Err(Error::model(model, format!("{name}: {what}")));
    }
    read.map_err(|e| Error::model(model, format!("{name} is not JSON: {e}")))
}

/// The bytes of a file of at most [`JSON_LIMIT`].
fn bytes(folder: &Path, name: &str, model: &str) -> Result<Vec<u8>> {
    let path = folder.join(name);
    let file = File::open(&path).map_err(Error::io("reading", &path))?;
    let mut text = Vec::new();
    file.take(JSON_LIMIT + 1).read_to_end(&mut text).map_err(Error::io("reading", &path))?;
    if text.len() as u64 > JSON_LIMIT {
        return Err(Error::model(
            model,
            format!("{name} has more than {JSON_LIMIT} bytes; it belongs to no model"),
        ));
    }
    Ok(text)
}
