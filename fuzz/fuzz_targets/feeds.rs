//! Articles of the format `Xml`: cutting, parsing, and what comes of their text.
#![no_main]

use polygist::types::Format;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| polygist::io::articles::fuzz::articles(
    bytes,
    Some(Format::Xml)
));
