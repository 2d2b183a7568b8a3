//! A table of replacements, and a text through it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| polygist::token::fuzz::charsmap(bytes));
