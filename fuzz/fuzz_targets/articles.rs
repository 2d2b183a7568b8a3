//! The articles of a file: what format it has, and the cutting of JSON into articles.
#![no_main]

use polygist::io::articles::{FoundFile, ReadOptions, read_from};
use polygist::types::Format;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let options = ReadOptions { max_bytes: 1 << 20, ..ReadOptions::default() };
    for format in [None, Some(Format::Json), Some(Format::Jsonl)] {
        let file = FoundFile { path: "a".into(), id: "a".into(), format, copy_of: None };
        let _ = read_from(std::io::Cursor::new(bytes.to_vec()), &file, &options).count();
    }
});
