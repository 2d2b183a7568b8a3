//! Pre-tokenizers of byte-level BPE: the rules, named by `tokenizer.ggml.pre`, that cut a text into
//! words before it merges.
//!
//! To add one, add a line to [`RULES`]: the names that llama.cpp's converter writes
//! (`convert_hf_to_gguf.py`, `get_vocab_base_pre`), and what the model's own `tokenizer.json` has
//! for its normalizer and pre-tokenizer. A word is never part of two tokens, so a rule that is
//! nearly right makes other tokens than the model was trained on: test it on a line of text.

use tokenizers::normalizers::unicode::NFC;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::tokenizer::normalizer::SplitDelimiterBehavior::Isolated;
use tokenizers::{NormalizerWrapper, PreTokenizerWrapper, Tokenizer};

/// A way to cut a text into words.
pub(super) struct Rule {
    /// The values of `tokenizer.ggml.pre` that mean it.
    names: &'static [&'static str],
    cut: Cut,
    /// Whether the text is brought into Unicode's form NFC first.
    nfc: bool,
    /// Whether a word that is a token is taken as it is, whatever the merges say.
    pub ignore_merges: bool,
    /// Whether the begin token stands before a text when the file does not say.
    pub begins: bool,
}

enum Cut {
    /// GPT-2's pattern.
    Gpt2,
    /// Each digit by itself, then GPT-2's pattern.
    Digits,
    /// Matches of a pattern and what stands between them.
    Pattern(&'static str),
    /// Matches of several patterns, each on the words of the one before.
    Patterns(&'static [&'static str]),
}

const RULES: &[Rule] = &[
    Rule::new(&["gpt-2", "gpt2"], Cut::Gpt2),
    Rule::new(&["smollm", "starcoder", "refact", "command-r", "codeshell"], Cut::Digits),
    Rule { nfc: true, ..Rule::new(&["qwen2", "deepseek-r1-qwen"], Cut::Pattern(QWEN2)) },
    Rule {
        ignore_merges: true,
        begins: true,
        ..Rule::new(
            &["llama-bpe", "llama3", "llama-v3", "falcon3", "pixtral", "lfm2"],
            Cut::Pattern(LLAMA3),
        )
    },
    Rule { ignore_merges: true, begins: true, ..Rule::new(&["tekken"], Cut::Pattern(TEKKEN)) },
    Rule::new(&["gpt-4o", "llama4"], Cut::Pattern(GPT_4O)),
    Rule::new(&["tiny_aya"], Cut::Patterns(&[TINY_AYA_DIGITS, GPT_4O])),
    Rule::new(&["hunyuan-dense", "deepseek-v3"], Cut::Patterns(HUNYUAN)),
    Rule::new(&["default"], Cut::Patterns(DEFAULT)),
];

/// Qwen2, Qwen2.5 and Qwen3 (their `tokenizer.json`).
const QWEN2: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
/// Llama 3 to 3.3: the same, but up to three digits make a word.
const LLAMA3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
/// Mistral Nemo and later: a word ends where small letters are followed by capital ones.
const TEKKEN: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
/// GPT-4o and Phi-4-mini: the same, with up to three digits, and `'s` and its like at the end of a
/// word.
const GPT_4O: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
/// Tiny Aya: digits in threes, counted from the end.
const TINY_AYA_DIGITS: &str = r"\d{1,3}(?=(?:\d{3})*\b)";
/// Hunyuan's dense models and DeepSeek V3.
const HUNYUAN: &[&str] = &[
    r"\p{N}{1,3}",
    r"[一-龥぀-ゟ゠-ヿ]+",
    r##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"##,
];
/// llama.cpp's own rule, for files that name it.
const DEFAULT: &[&str] = &[
    r"[\p{P}\$\+<=>\^~\|]+",
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)",
    r"\p{N}+",
    r"[0-9][0-9][0-9]",
];

impl Rule {
    const fn new(names: &'static [&'static str], cut: Cut) -> Rule {
        Rule { names, cut, nfc: false, ignore_merges: false, begins: false }
    }

    /// The rule of that name.
    pub fn find(name: &str) -> Option<&'static Rule> {
        RULES.iter().find(|rule| rule.names.contains(&name))
    }

    /// The names of all rules, for messages.
    pub fn known() -> String {
        RULES.iter().map(|rule| rule.names[0]).collect::<Vec<_>>().join(", ")
    }

    /// Sets up normalizer, pre-tokenizer and decoder.
    pub fn apply(&self, tokenizer: &mut Tokenizer) -> tokenizers::Result<()> {
        if self.nfc {
            tokenizer.with_normalizer(Some(NormalizerWrapper::from(NFC)))?;
        }
        let bytes = |pattern| ByteLevel::new(false, true, pattern);
        let split = |pattern: &str| -> tokenizers::Result<PreTokenizerWrapper> {
            Ok(Split::new(SplitPattern::Regex(pattern.into()), Isolated, false)?.into())
        };
        let steps: Vec<PreTokenizerWrapper> = match self.cut {
            Cut::Gpt2 => vec![bytes(true).into()],
            Cut::Digits => vec![Digits::new(true).into(), bytes(true).into()],
            Cut::Pattern(pattern) => vec![split(pattern)?, bytes(false).into()],
            Cut::Patterns(patterns) => {
                let mut steps =
                    patterns.iter().map(|p| split(p)).collect::<tokenizers::Result<Vec<_>>>()?;
                steps.push(bytes(false).into());
                steps
            }
        };
        tokenizer.with_pre_tokenizer(Some(Sequence::new(steps)));
        tokenizer.with_decoder(Some(bytes(true)));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokenizers::models::bpe::BPE;
    use tokenizers::{OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer};

    /// The words of a text, as they stand in it.
    fn words(rule: &str, text: &str) -> Vec<String> {
        let mut tokenizer = Tokenizer::new(BPE::default());
        Rule::find(rule).unwrap().apply(&mut tokenizer).unwrap();
        let mut cut = PreTokenizedString::from(text);
        tokenizer.get_pre_tokenizer().unwrap().pre_tokenize(&mut cut).unwrap();
        cut.get_splits(OffsetReferential::Original, OffsetType::Byte)
            .into_iter()
            .map(|(_, (from, to), _)| text[from..to].to_string())
            .collect()
    }

    #[test]
    fn every_rule_cuts_as_its_model_was_trained() {
        let text = "It's 12345 km, DON'T…\n\n  Größe:  naïve!\r\n 北京2024年";
        for (rule, expected) in [
            (
                "qwen2",
                &[
                    "It", "'s", " ", "1", "2", "3", "4", "5", " km", ",", " DON", "'T", "…\n\n",
                    " ", " Größe", ":", " ", " naïve", "!\r\n", " 北京", "2", "0", "2", "4", "年",
                ][..],
            ),
            (
                "llama-bpe",
                &[
                    "It", "'s", " ", "123", "45", " km", ",", " DON", "'T", "…\n\n", " ", " Größe",
                    ":", " ", " naïve", "!\r\n", " 北京", "202", "4", "年",
                ],
            ),
            (
                "gpt-2",
                &[
                    "It", "'s", " 12345", " km", ",", " DON", "'", "T", "…", "\n\n ", " Größe",
                    ":", " ", " naïve", "!", "\r\n", " 北京", "2024", "年",
                ],
            ),
            (
                "smollm",
                &[
                    "It", "'s", " ", "1", "2", "3", "4", "5", " km", ",", " DON", "'", "T", "…",
                    "\n\n ", " Größe", ":", " ", " naïve", "!", "\r\n", " 北京", "2", "0", "2",
                    "4", "年",
                ],
            ),
            (
                "tekken",
                &[
                    "It", "'s", " ", "1", "2", "3", "4", "5", " km", ",", " DON", "'T", "…\n\n",
                    " ", " Größe", ":", " ", " naïve", "!\r\n", " 北京", "2", "0", "2", "4", "年",
                ],
            ),
            (
                "gpt-4o",
                &[
                    "It's", " ", "123", "45", " km", ",", " DON'T", "…\n\n", " ", " Größe", ":",
                    " ", " naïve", "!\r\n", " 北京", "202", "4", "年",
                ],
            ),
            (
                "tiny_aya",
                &[
                    "It's", " ", "12", "345", " km", ",", " DON'T", "…\n\n", " ", " Größe", ":",
                    " ", " naïve", "!\r\n", " 北京", "202", "4", "年",
                ],
            ),
            (
                "hunyuan-dense",
                &[
                    "It", "'s", " ", "123", "45", " km", ",", " DON", "'T", "…\n\n", " ", " Größe",
                    ":", " ", " naïve", "!\r\n", " ", "北京", "202", "4", "年",
                ],
            ),
        ] {
            assert_eq!(words(rule, text), expected, "{rule}");
        }
        for (rule, expected) in [
            ("tekken", &["i", "Phone", "User", "'s", " .", "name", " कहानी", "、です"][..]),
            ("gpt-4o", &["i", "Phone", "User's", " .", "name", " कहानी", "、です"][..]),
            ("hunyuan-dense", &["iPhoneUser", "'s", " .", "name", " कहानी", "、", "です"][..]),
        ] {
            assert_eq!(words(rule, "iPhoneUser's .name कहानी、です"), expected, "{rule}");
        }
        assert_eq!(words("default", "a 12345, b"), ["a", " ", "123", "45", ",", " b"]);
    }

    #[test]
    fn every_rule_has_patterns_that_compile_and_names_of_its_own() {
        let mut names: Vec<&str> = RULES.iter().flat_map(|rule| rule.names).copied().collect();
        for rule in RULES {
            rule.apply(&mut Tokenizer::new(BPE::default())).unwrap();
        }
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        assert!(Rule::find("morse").is_none() && Rule::known().contains("qwen2"));
    }
}
