//! Plain text: wrapped lines, page numbers, glued paragraphs.
#![no_main]

use polygist::text::extract::extract;
use polygist::types::{Format, Markup, RawArticle, Source};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let source = Source {
        path: "a".into(),
        format: Format::Text,
        bytes: 0,
        sha256: String::new(),
        notes: Vec::new(),
    };
    let raw = RawArticle {
        id: "a".into(),
        source,
        title: None,
        text: text.into(),
        markup: Markup::Plain,
        extra: Default::default(),
    };
    let _ = extract(&raw);
});
