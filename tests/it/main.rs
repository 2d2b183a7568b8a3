//! Every test that goes through the program or the public items of the library, in one binary: it
//! is linked once. `cargo test --test it cli::` runs the tests of one topic.

mod adapters;
mod batch;
mod bench;
mod bergamot;
mod chat;
mod cli;
mod common;
mod cuda_kernels;
mod decoders;
mod decoding;
mod devices;
mod digest;
mod documents;
mod encoders;
mod eval;
mod fetch;
mod gguf;
mod hub;
mod inputs;
mod jobs;
mod layers;
mod markup;
mod memory;
mod models;
mod properties;
mod reference;
mod registry;
mod route;
mod scheduler;
mod seq2seq;
#[cfg(feature = "serve")]
mod serve;
mod setup;
mod sources;
mod stream;
mod structure;
mod student_shapes;
mod students;
mod terms;
mod tokenizers;
mod translation_memory;
mod translators;
mod weights;
