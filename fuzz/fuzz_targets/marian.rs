//! The headers and the configuration of a binary file of Marian's.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| polygist::io::weights::fuzz::marian(bytes));
