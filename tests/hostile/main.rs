//! Files that lie about themselves, and files changed at random. In a process of their own: these
//! tests measure the memory that the whole process takes, and other tests take plenty.

mod readers;
mod sentencepiece;
