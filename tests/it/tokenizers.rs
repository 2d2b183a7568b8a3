//! Tokenizers of encoder–decoder models against `transformers`: small vocabularies in the layout of
//! each family, whose ids and texts were written down by scripts/fixtures/make_tokenizers.py; and
//! broken files.

use crate::common::{fixture, fixtures, json};
use polygist::checkpoint::Config;
use polygist::token::{Piece, Tokenizer};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

#[derive(Deserialize)]
struct Expected {
    tokens: BTreeMap<String, u32>,
    cases: Vec<Case>,
    /// Texts with control tokens in them, as plain text.
    plain: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    prefix: String,
    text: String,
    ids: Vec<u32>,
    /// What is decoded, where that is not `ids`.
    written: Option<Vec<u32>>,
    decoded: Option<String>,
}

fn folders() -> Vec<PathBuf> {
    let folders = fixtures("tokenizers");
    assert_eq!(folders.len(), 18, "{folders:?}");
    folders
}

fn folder(name: &str) -> PathBuf {
    fixture("tokenizers").join(name)
}

fn config(folder: &Path) -> Config {
    Config::Json(json(folder.join("config.json")))
}

fn open(folder: &Path) -> Tokenizer {
    Tokenizer::from_folder(folder, &config(folder))
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
}

fn expected(folder: &Path) -> Expected {
    serde_json::from_value(json(folder.join("expected.json"))).unwrap()
}

#[test]
fn ids_and_texts_are_those_of_transformers() {
    let mut wrong = Vec::new();
    let mut checked = 0;
    for folder in folders() {
        let tokenizer = open(&folder);
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        for case in expected(&folder).cases {
            checked += 1;
            let ids = tokenizer.encode_source(&case.prefix, &case.text).unwrap();
            if ids != case.ids {
                wrong.push(format!(
                    "{name} {:?} {:?}: expected {:?}, found {ids:?}",
                    case.prefix, case.text, case.ids
                ));
            }
            let decoded = tokenizer.decode(case.written.as_ref().unwrap_or(&case.ids)).unwrap();
            // Where a text is written otherwise than it is read.
            if let Some(written) = &case.written {
                let mut ids = tokenizer.encode_target("", &case.text).unwrap();
                ids.extend(tokenizer.ends());
                if ids != *written {
                    wrong.push(format!(
                        "{name} {:?}: expected {written:?} written, found {ids:?}",
                        case.text
                    ));
                }
            }
            if Some(&decoded) != case.decoded.as_ref() {
                wrong.push(format!(
                    "{name} {:?}: expected the text {:?}, found {decoded:?}",
                    case.text, case.decoded
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {checked}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn control_tokens_in_a_text_from_outside_are_plain_text() {
    let mut wrong = Vec::new();
    for folder in folders() {
        let tokenizer = open(&folder);
        for case in expected(&folder).plain {
            let ids = tokenizer.encode_source(&case.prefix, &case.text).unwrap();
            if ids != case.ids {
                wrong.push(format!(
                    "{} {:?} {:?}: expected {:?}, found {ids:?}",
                    folder.display(),
                    case.prefix,
                    case.text,
                    case.ids
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn tokens_are_found_by_name() {
    for folder in folders() {
        let tokenizer = open(&folder);
        let expected = expected(&folder);
        for (token, id) in &expected.tokens {
            assert_eq!(tokenizer.token_id(token), Some(*id), "{token} of {}", folder.display());
        }
        assert_eq!(tokenizer.token_id("no such token"), None);
        assert!(tokenizer.is_end(expected.tokens["</s>"]), "{}", folder.display());
        if let Some(pad) = expected.tokens.get("<pad>") {
            assert_eq!(tokenizer.pad(), Some(*pad), "{}", folder.display());
        }
    }
}

#[test]
fn pieces_write_what_they_say() {
    // With separate vocabularies, tokens are looked up in the source's, and the target's are
    // written.
    for folder in folders().into_iter().filter(|f| !f.join("target_vocab.json").exists()) {
        let tokenizer = open(&folder);
        let pieces: BTreeMap<u32, Piece> = tokenizer.pieces().into_iter().collect();
        assert!(pieces.len() > 300, "{}", folder.display());
        for (token, id) in
            expected(&folder).tokens.iter().filter(|(token, _)| !token.starts_with("<2"))
        {
            assert!(
                matches!(pieces.get(id), Some(Piece::Control) | None),
                "{token} of {}: {:?}",
                folder.display(),
                pieces.get(id)
            );
        }
        if let Some(space) = tokenizer.token_id("▁") {
            assert_eq!(
                pieces.get(&space).unwrap_or(&Piece::Text(" ".into())),
                &Piece::Text(" ".into()),
                "{}",
                folder.display()
            );
        }
    }
}

#[test]
fn generation_config_adds_end_tokens() {
    let temporary = tempfile::tempdir().unwrap();
    for name in ["config.json", "tokenizer.json"] {
        fs::copy(folder("bart_json").join(name), temporary.path().join(name)).unwrap();
    }
    assert!(!open(temporary.path()).is_end(7));
    fs::write(
        temporary.path().join("generation_config.json"),
        r#"{"eos_token_id": [7, 8], "pad_token_id": 9}"#,
    )
    .unwrap();
    let tokenizer = open(temporary.path());
    assert!([2, 7, 8].into_iter().all(|id| tokenizer.is_end(id)));
    assert_eq!(tokenizer.pad(), Some(9));
}

#[test]
fn a_saved_limit_does_not_cut_texts_off() {
    let temporary = tempfile::tempdir().unwrap();
    fs::copy(folder("bart_json").join("config.json"), temporary.path().join("config.json"))
        .unwrap();
    let mut whole: serde_json::Value = serde_json::from_str(
        &fs::read_to_string(folder("bart_json").join("tokenizer.json")).unwrap(),
    )
    .unwrap();
    whole["truncation"] = serde_json::json!({"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0});
    fs::write(temporary.path().join("tokenizer.json"), whole.to_string()).unwrap();
    let text = "The harbour reopened on Tuesday after three days of storm.";
    assert_eq!(
        open(temporary.path()).encode_source("", text).unwrap(),
        open(&folder("bart_json")).encode_source("", text).unwrap()
    );
}

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

    fn text(&mut self) -> String {
        let marks = [
            "</s>",
            "<s>",
            "<pad>",
            "<unk>",
            "<mask>",
            "<2de>",
            "__fr__",
            "fr_XX",
            "fra_Latn",
            ">>fra<<",
            "<extra_id_0>",
            "▁",
            "  ",
            "\n",
            "<0x41>",
        ];
        let mut text = String::new();
        for _ in 0..self.below(30) {
            match self.below(4) {
                0 => text.push_str(marks[self.below(marks.len())]),
                1 => text.push(char::from(self.below(128) as u8)),
                2 => text.extend(char::from_u32(self.below(0x3100) as u32)),
                _ => text.extend(char::from_u32(self.below(0x11_0000) as u32)),
            }
        }
        text
    }
}

#[test]
fn no_text_from_outside_becomes_a_control_token() {
    let mut random = Random(1);
    for folder in folders() {
        let tokenizer = open(&folder);
        let expected = expected(&folder);
        let control: BTreeSet<u32> = expected
            .tokens
            .iter()
            .filter(|(token, _)| *token != "<unk>")
            .map(|(_, id)| *id)
            .collect();
        let longs = ["ab".repeat(5000), "水".repeat(3000), "🙂".repeat(2000), "</s>".repeat(2000)];
        for text in longs.into_iter().chain((0..400).map(|_| random.text())) {
            let ids = tokenizer.encode_plain(&text).unwrap();
            assert!(
                !ids.iter().any(|id| control.contains(id)),
                "{}: {text:?} became {ids:?}",
                folder.display()
            );
            tokenizer.decode(&ids).unwrap();
            let whole = tokenizer.encode_source("", &text).unwrap();
            let inside = whole.iter().filter(|id| control.contains(id)).count();
            let empty = tokenizer.encode_source("", "").unwrap().len();
            assert!(inside <= empty, "{}: {text:?} became {whole:?}", folder.display());
        }
        tokenizer.decode(&[0, 1, 2, 3, u32::MAX, 1 << 20]).unwrap();
    }
}

#[test]
fn errors_say_what_is_missing() {
    let temporary = tempfile::tempdir().unwrap();
    let open = |config: &str| {
        let config = Config::Json(serde_json::from_str(config).unwrap());
        Tokenizer::from_folder(temporary.path(), &config)
            .err()
            .expect("an empty folder has no tokenizer")
            .to_string()
    };
    assert!(open(r#"{"model_type": "marian"}"#).contains("source.spm"));
    assert!(open(r#"{"model_type": "t5"}"#).contains("spiece.model"));
    assert!(open(r#"{"model_type": "bart"}"#).contains("merges.txt"));
    assert!(open("{}").contains("tokenizer.json"));
    fs::write(temporary.path().join("spiece.model"), "PK\x03\x04").unwrap();
    assert!(open(r#"{"model_type": "t5"}"#).contains("expected a SentencePiece model"));
    // A table of replacements that points outside of itself, in a tokenizer.json.
    let model = r#"{"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0]]}"#;
    let normalizer = r#"{"type": "Precompiled", "precompiled_charsmap": "BAAAAAD8//8="}"#;
    fs::write(
        temporary.path().join("tokenizer.json"),
        format!(r#"{{"version": "1.0", "normalizer": {normalizer}, "model": {model}}}"#),
    )
    .unwrap();
    assert!(open("{}").contains("replacements"), "{}", open("{}"));
}

#[test]
fn what_is_not_known_of_a_tokenizer_is_named() {
    let temporary = tempfile::tempdir().unwrap();
    let error = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut tokenizer = json(fixture("models/llama").join("tokenizer.json"));
        change(&mut tokenizer);
        fs::write(temporary.path().join("tokenizer.json"), tokenizer.to_string()).unwrap();
        let config = Config::Json(json(fixture("models/llama").join("config.json")));
        Tokenizer::from_folder(temporary.path(), &config).err().map(|error| error.to_string())
    };
    assert_eq!(error(&|_| {}), None);
    // Parts of a type that is not known, the last of them inside another; one with its fields
    // wrong; no model at all.
    for (key, value, parts) in [
        (
            "/model/type",
            "\"SuperBPE\"",
            ["its model is of the type \"SuperBPE\"", "known are BPE, "],
        ),
        (
            "/pre_tokenizer",
            r#"{"type": "Jieba"}"#,
            ["its pre_tokenizer is of the type \"Jieba\"", ""],
        ),
        ("/decoder", r#"{"type": "Morse"}"#, ["its decoder is of the type \"Morse\"", "Fuse"]),
        ("/post_processor", r#"{"type": "Odd"}"#, ["its post_processor is of", "\"Odd\""]),
        (
            "/normalizer",
            r#"{"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Emoji"}]}"#,
            ["its normalizer is of the type \"Emoji\"", "NFKC"],
        ),
        ("/normalizer", r#"{"type": "Prepend"}"#, ["its normalizer (Prepend) cannot be read", ""]),
        ("/model", "null", ["it has no model", "found "]),
        ("", r#"{"architectures": []}"#, ["it has no model", "found architectures"]),
    ] {
        let found = error(&|tokenizer| {
            *tokenizer.pointer_mut(key).unwrap() = serde_json::from_str(value).unwrap()
        });
        let found = found.unwrap_or_else(|| panic!("{key} {value} was opened"));
        assert!(parts.iter().all(|part| found.contains(part)), "{key}: {found}");
        assert!(found.contains("tokenizer.json"), "{found}");
    }
}
