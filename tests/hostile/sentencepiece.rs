//! Broken SentencePiece models.

use crate::fixtures::{fixture, json};
use polygist::checkpoint::Config;
use polygist::token::Tokenizer;
use std::fs;

/// SplitMix64 (Steele et al. 2014): the same numbers in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % limit as u64) as usize
    }
}

/// The most memory that this process has had so far, in MB; 0 where that is not to be found out.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find_map(|l| l.strip_prefix("VmHWM:"))
        .and_then(|l| l.split_whitespace().next());
    line.and_then(|kb| kb.parse::<u64>().ok()).unwrap_or(0) / 1024
}

#[test]
fn broken_sentencepiece_models_are_refused_or_work() {
    let temporary = tempfile::tempdir().unwrap();
    let before = peak();
    let mut random = Random(2);
    let (mut refused, mut opened) = (0, 0);
    for (family, file, rounds) in [
        ("pegasus", "spiece.model", 1500),
        ("m2m100", "sentencepiece.bpe.model", 1000),
        ("marian", "source.spm", 500),
    ] {
        // `POLYGIST_FUZZ_ROUNDS` asks for more.
        let rounds = std::env::var("POLYGIST_FUZZ_ROUNDS")
            .ok()
            .and_then(|n| n.parse().ok())
            .unwrap_or(rounds);
        let from = fixture("tokenizers").join(family);
        for name in fs::read_dir(&from)
            .unwrap()
            .map(|e| e.unwrap().file_name())
            .filter(|n| n != "expected.json")
        {
            fs::copy(from.join(&name), temporary.path().join(&name)).unwrap();
        }
        let config = Config::Json(json(from.join("config.json")));
        let good = fs::read(from.join(file)).unwrap();
        for round in 0..rounds {
            let mut bytes = good.clone();
            // Half of the changes are near one of the ends, where the settings and the lengths of
            // large parts stand.
            let spread = if round % 2 == 0 { bytes.len() } else { 400 };
            for _ in 0..1 + random.below(4) {
                let at = random.below(spread.min(bytes.len()));
                let at = if round % 4 == 1 { bytes.len() - 1 - at } else { at };
                match random.below(5) {
                    0 => bytes.truncate(at.max(1)),
                    1 => bytes[at] = random.below(256) as u8,
                    2 => bytes[at] ^= 1 << random.below(8),
                    3 => bytes[at] = 0xff,
                    _ => bytes.insert(at, random.below(256) as u8),
                }
            }
            fs::write(temporary.path().join(file), &bytes).unwrap();
            match Tokenizer::from_folder(temporary.path(), &config) {
                Ok(tokenizer) => {
                    opened += 1;
                    let text = "The harbour 水 ﬁ Ｆ e\u{301} ½ \u{a0}x </s>";
                    let ids = tokenizer.encode_source("", text).unwrap_or_default();
                    tokenizer.decode(&ids).unwrap();
                }
                Err(error) => {
                    refused += 1;
                    assert!(error.to_string().len() > 20, "{error}");
                }
            }
        }
        for entry in fs::read_dir(temporary.path()).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
    }
    assert!(
        refused > 500 && opened > 100,
        "{refused} refused, {opened} opened: the changes are too strong or too weak"
    );
    assert!(peak() - before < 600, "{} MB for models of at most 0.3 MB", peak() - before);
}
