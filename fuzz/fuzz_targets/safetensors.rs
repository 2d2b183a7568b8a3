//! The header of a safetensors file.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| polygist::io::weights::fuzz::safetensors(bytes));
