//! Text as it is written: what is certain of an output before it is finished.

use super::{DecodingOptions, rules};
use crate::error::Result;
use crate::token::Tokenizer;

/// What has been handed out of one output. The pieces, one after the other, are the beginning of
/// its text.
#[derive(Default)]
pub(super) struct TextStream {
    shown: String,
}

impl TextStream {
    /// What becomes certain with the tokens `written`: none of it changes, whatever comes next.
    /// `None` when that is nothing new.
    pub(super) fn delta(
        &mut self,
        options: &DecodingOptions,
        tokenizer: &Tokenizer,
        written: &[u32],
    ) -> Result<Option<String>> {
        // Bytes in a row are a text or none as a whole, so the row has to end first; marks write
        // nothing and do not end it.
        let certain =
            written.iter().rposition(|&id| tokenizer.ends_bytes(id)).map_or(0, |last| last + 1);
        let text = rules::text(options, tokenizer, &written[..certain])?;
        // A part of a character, which may be completed.
        let whole = text.trim_end_matches('\u{fffd}');
        // What may become a stop text.
        let begins_stop =
            |at: usize| options.stop.iter().any(|stop| stop.starts_with(&whole[at..]));
        let end = whole
            .char_indices()
            .map(|(at, _)| at)
            .find(|&at| begins_stop(at))
            .unwrap_or(whole.len());
        Ok(self.show(&whole[..end]))
    }

    /// What is left of the finished text.
    pub(super) fn rest(&mut self, text: &str) -> Option<String> {
        self.show(text)
    }

    fn show(&mut self, text: &str) -> Option<String> {
        let new = text.strip_prefix(self.shown.as_str()).filter(|new| !new.is_empty())?.to_string();
        self.shown.push_str(&new);
        Some(new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::Config;
    use crate::io::weights::{Gguf, optional_json};
    use std::path::{Path, PathBuf};

    /// Every tokenizer of the fixtures.
    fn tokenizers() -> Vec<(PathBuf, Tokenizer)> {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
        let folders = ["tokenizers", "seq2seq", "models"].map(|part| fixtures.join(part));
        let mut found: Vec<(PathBuf, Tokenizer)> = Vec::new();
        for folder in folders.iter().flat_map(|folder| std::fs::read_dir(folder).unwrap()) {
            let folder = folder.unwrap().path();
            let gguf = folder.join("model.gguf");
            let config = Config::Json(optional_json(&folder, "config.json").unwrap_or_default());
            if gguf.is_file() {
                let config = Gguf::open(&gguf).unwrap().0;
                found.push((gguf, Tokenizer::from_gguf(&config, "gguf").unwrap()));
            }
            if let Ok(tokenizer) = Tokenizer::from_folder(&folder, &config) {
                found.push((folder, tokenizer));
            }
        }
        assert!(found.len() > 20, "only {}", found.len());
        found
    }

    const TEXTS: [&str; 9] = [
        "The river rose by 40 centimetres on Monday; the town closed its oldest bridge.",
        "  leading, trailing  and   inner   spaces \n\nand lines\r\n\t ",
        "日本語の文、混ざった English と数字１２３。",
        "👩‍👩‍👧‍👦 family 🇫🇷🇩🇪 flags 🏴󠁧󠁢󠁥󠁮󠁧󠁿 é e\u{301} ﷽ \u{200f}עברית\u{200e}",
        "\u{fffd}\u{fffd} replacement \u{fffd}",
        "<0xE4><0x41> </s> <|im_end|> ▁▁ Ġ <unk> >>fra<< __fr__",
        "don't , do n't . stop ! a b ab aab END END",
        "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 \u{0} \u{1} \u{7f} ",
        "Ω≈ç√∫˜µ≤≥÷ ﬁ ﬂ ½ ² Ⅻ ㍿",
    ];

    /// Ids that no text has: drawn from the vocabulary, every other one of single bytes.
    fn noise(tokenizer: &Tokenizer, seed: u64) -> Vec<u32> {
        let all: Vec<u32> = tokenizer.pieces().into_iter().map(|(id, _)| id).collect();
        let bytes: Vec<u32> = all.iter().copied().filter(|&id| !tokenizer.ends_bytes(id)).collect();
        let mut state = seed;
        let mut draw = |from: &[u32]| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            from.get((state >> 33) as usize % from.len().max(1)).copied()
        };
        (0..60).filter_map(|i| if i % 8 < 4 { draw(&bytes) } else { draw(&all) }).collect()
    }

    #[test]
    fn the_pieces_are_the_text() {
        let stops: [&[&str]; 4] = [&[], &["\n"], &["END", "stop !"], &["aab", "ab", "é"]];
        for (path, tokenizer) in tokenizers() {
            let mut sequences: Vec<Vec<u32>> =
                TEXTS.iter().map(|text| tokenizer.encode_plain(text).unwrap()).collect();
            sequences.extend((0..60).map(|seed| noise(&tokenizer, seed)));
            for (ids, stop) in sequences.iter().flat_map(|ids| stops.map(|stop| (ids, stop))) {
                let options = DecodingOptions {
                    stop: stop.iter().map(|s| s.to_string()).collect(),
                    ..DecodingOptions::default()
                };
                let mut stream = TextStream::default();
                let mut pieces = Vec::new();
                for end in 0..=ids.len() {
                    pieces.extend(stream.delta(&options, &tokenizer, &ids[..end]).unwrap());
                }
                let text = rules::text(&options, &tokenizer, ids).unwrap();
                pieces.extend(stream.rest(&text));
                assert_eq!(pieces.concat(), text, "{}, {stop:?}, {ids:?}", path.display());
            }
        }
    }

    /// What is certain comes at once, not at the end.
    #[test]
    fn text_comes_as_it_is_written() {
        for (path, tokenizer) in tokenizers() {
            let ids = tokenizer.encode_plain(TEXTS[0]).unwrap();
            let mut stream = TextStream::default();
            let mut pieces = 0;
            for end in 1..=ids.len() {
                pieces += usize::from(
                    stream
                        .delta(&DecodingOptions::default(), &tokenizer, &ids[..end])
                        .unwrap()
                        .is_some(),
                );
                if tokenizer.ends_bytes(ids[end - 1]) {
                    let text = tokenizer.decode(&ids[..end]).unwrap();
                    assert_eq!(
                        stream.shown,
                        text.trim_end_matches('\u{fffd}'),
                        "{}",
                        path.display()
                    );
                }
            }
            let text = tokenizer.decode(&ids).unwrap();
            assert!(
                pieces > 1 || text.split_whitespace().count() < 3,
                "{}: {text:?}",
                path.display()
            );
        }
    }
}
