//! Members of gzip and what follows them.
#![no_main]

use polygist::types::Format;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let packed = [b"\x1F\x8B\x08", bytes].concat();
    polygist::io::articles::fuzz::articles(&packed, Some(Format::Jsonl));
});
