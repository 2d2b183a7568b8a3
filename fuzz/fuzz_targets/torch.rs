//! `pytorch_model.bin` in both forms: the directory of its zip archive, and the pickles.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| polygist::io::weights::fuzz::torch(bytes));
