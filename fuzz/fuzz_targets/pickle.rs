//! The pickle machine.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| polygist::io::weights::fuzz::pickle(bytes));
