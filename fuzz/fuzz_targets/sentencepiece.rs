//! A SentencePiece model, and a text through what it holds.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| polygist::token::fuzz::sentencepiece(bytes));
