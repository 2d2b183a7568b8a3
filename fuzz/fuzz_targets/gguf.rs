//! The header of a GGUF file.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| polygist::io::weights::fuzz::gguf(bytes));
