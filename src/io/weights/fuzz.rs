//! Entry points for fuzzing: each reader of foreign bytes, fed from memory. Not a part of the API.

use super::{gguf, marian, pickle, safetensors, torch};
use std::io::Cursor;
use std::path::Path;

fn cursor(bytes: &[u8]) -> (Cursor<&[u8]>, u64) {
    (Cursor::new(bytes), bytes.len() as u64)
}

/// The pickle machine.
pub fn pickle(bytes: &[u8]) {
    let _ = pickle::Pickle::load(bytes, 0);
}

/// `pytorch_model.bin` in both forms: the directory of the zip archive and the pickles in it.
pub fn torch(bytes: &[u8]) {
    let (mut file, size) = cursor(bytes);
    let _ = torch::read(&mut file, size);
}

/// The header of a safetensors file.
pub fn safetensors(bytes: &[u8]) {
    let (mut file, size) = cursor(bytes);
    let _ = safetensors::read(&mut file, size);
}

/// The header of a GGUF file.
pub fn gguf(bytes: &[u8]) {
    let (mut file, size) = cursor(bytes);
    let _ = gguf::read_header(&mut file, size, Path::new("fuzz.gguf"));
}

/// The headers and the configuration of a binary file of Marian's.
pub fn marian(bytes: &[u8]) {
    let (mut file, size) = cursor(bytes);
    let _ = marian::read(&mut file, size);
}
