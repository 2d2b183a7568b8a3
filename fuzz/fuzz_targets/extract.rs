//! Title and blocks of a text, plain, in Markdown or in HTML, and the sentences of the blocks.
#![no_main]

use polygist::text::{extract::extract, sentences::split};
use polygist::types::{Format, Lang, Markup, RawArticle, Source};

libfuzzer_sys::fuzz_target!(|text: &str| {
    for markup in
        [Markup::Plain, Markup::Markdown, Markup::Html, Markup::Fragment, Markup::Undeclared]
    {
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
            markup,
            blocks: None,
            extra: Default::default(),
        };
        let Ok(article) = extract(&raw) else { continue };
        for block in &article.blocks {
            let sentences = split(&block.text, &Lang::en());
            let joined: String =
                sentences.iter().flat_map(|s| [s.text.as_str(), s.gap.as_str()]).collect();
            assert_eq!(joined, block.text.trim_start());
        }
    }
});
