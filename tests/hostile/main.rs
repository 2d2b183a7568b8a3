//! Files that lie about themselves, and files changed at random. In a process of their own: these
//! tests measure the memory that the whole process takes, and other tests take plenty.

#[allow(dead_code)] // what only the other tests need
#[path = "../it/common/fixtures.rs"]
mod fixtures;

mod articles;
mod readers;
mod sentencepiece;
