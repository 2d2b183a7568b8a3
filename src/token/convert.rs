//! Tokenizers of the `tokenizers` crate put together from a family's vocabulary files, as
//! `transformers` does it.

use super::files;
use super::language_codes;
use super::sentencepiece::charsmap::Charsmap;
use super::sentencepiece::model_file::{Algorithm, Kind, Spm, SpmPiece};
use super::tokenizer_config::{Family, TokenizerConfig};
use crate::error::{Error, Result};
use std::collections::HashMap;
use std::path::Path;
use tokenizers::decoders::byte_level::ByteLevel;
use tokenizers::models::bpe::{BPE, Merges, Vocab};
use tokenizers::models::unigram::Unigram;
use tokenizers::normalizers::precompiled::Precompiled;
use tokenizers::normalizers::replace::{Replace, ReplacePattern};
use tokenizers::normalizers::utils::Sequence as Normalizers;
use tokenizers::pre_tokenizers::metaspace::{Metaspace, PrependScheme};
use tokenizers::pre_tokenizers::sequence::Sequence as PreTokenizers;
use tokenizers::pre_tokenizers::whitespace::WhitespaceSplit;
use tokenizers::{AddedToken, ModelWrapper, NormalizerWrapper};

/// Pegasus numbers its pieces from here; below are tokens of its training.
const PEGASUS_OFFSET: usize = 103;
/// T5's tokens for gaps.
const T5_EXTRA_IDS: usize = 100;

fn wrong(error: impl ToString) -> Error {
    Error::Tokenizer(error.to_string())
}

/// A finished tokenizer and the id of its unknown token.
pub(super) type Built = (tokenizers::Tokenizer, Option<u32>);

/// A family's tokenizer out of the SentencePiece model in `file`.
pub(super) fn from_sentencepiece(file: &Path, settings: &TokenizerConfig) -> Result<Built> {
    from_spm(&Spm::open(file)?, settings, &file.display().to_string())
}

/// A family's tokenizer out of a SentencePiece model in memory; `name` is its file's.
pub(super) fn from_spm(spm: &Spm, settings: &TokenizerConfig, name: &str) -> Result<Built> {
    let broken = |message: String| Error::model(name, message);
    let family = settings.family;
    // Where pieces move, the first ones are replaced: the unknown one must be where the family's
    // models have it.
    let expected = match family {
        Family::Pegasus => 2..usize::MAX,
        Family::MBart | Family::MBart50 | Family::Nllb => 0..3,
        _ => 0..usize::MAX,
    };
    if !expected.contains(&spm.unknown) {
        return Err(broken(format!(
            "its unknown piece is number {}, which no tokenizer of the kind {family:?} has",
            spm.unknown
        )));
    }
    let Vocabulary { tokens, unknown, special } = match family {
        Family::T5 => Vocabulary::t5(spm, settings),
        Family::Pegasus => Vocabulary::pegasus(spm, settings),
        Family::MBart | Family::MBart50 | Family::Nllb => Vocabulary::fairseq(spm, settings),
        _ => return Err(broken(
            "no family of tokenizers that is known is built from it; a tokenizer.json would help"
                .into(),
        )),
    };
    let model: ModelWrapper = match spm.algorithm {
        Algorithm::Unigram => {
            Unigram::from(tokens, Some(unknown), false).map_err(|e| broken(e.to_string()))?.into()
        }
        Algorithm::Bpe => {
            merged(spm, &tokens, named(settings, "unk_token", "<unk>")).map_err(broken)?.into()
        }
    };
    let mut inner = tokenizers::Tokenizer::new(model);
    if let Some(normalizer) = normalizer(spm, family).map_err(broken)? {
        inner.with_normalizer(Some(normalizer)).map_err(wrong)?;
    }
    let metaspace = Metaspace::new('▁', PrependScheme::Always, true);
    match family {
        Family::T5 | Family::MBart => inner.with_pre_tokenizer(Some(PreTokenizers::new(vec![
            WhitespaceSplit.into(),
            metaspace.clone().into(),
        ]))),
        _ => inner.with_pre_tokenizer(Some(metaspace.clone())),
    };
    inner.with_decoder(Some(metaspace));
    add(&mut inner, settings, special)?;
    Ok((inner, u32::try_from(unknown).ok()))
}

/// The content of a token that has a name.
fn named(settings: &TokenizerConfig, name: &str, default: &str) -> String {
    settings.token(name, default).map_or(default.to_string(), |t| t.content)
}

/// A family's vocabulary.
struct Vocabulary {
    /// Tokens and their scores, in the order of their ids.
    tokens: Vec<(String, f64)>,
    /// Id of the unknown token.
    unknown: usize,
    /// The special ones among the tokens, those aside that have a name.
    special: Vec<String>,
}

fn scored(piece: &SpmPiece) -> (String, f64) {
    (piece.text.clone(), f64::from(piece.score))
}

impl Vocabulary {
    /// The pieces, then the tokens for gaps, the last one first.
    fn t5(spm: &Spm, settings: &TokenizerConfig) -> Vocabulary {
        let extra =
            (0..settings.count("extra_ids", T5_EXTRA_IDS)).rev().map(|i| format!("<extra_id_{i}>"));
        let special: Vec<String> =
            extra.filter(|token| !spm.pieces.iter().any(|p| p.text == *token)).collect();
        let mut tokens: Vec<(String, f64)> = spm.pieces.iter().map(scored).collect();
        tokens.extend(special.iter().map(|token| (token.clone(), 0.0)));
        Vocabulary { tokens, unknown: spm.unknown, special }
    }

    /// Tokens of Pegasus' training, then the pieces but for the first two.
    fn pegasus(spm: &Spm, settings: &TokenizerConfig) -> Vocabulary {
        let offset = settings.count("offset", PEGASUS_OFFSET);
        let head = [
            named(settings, "pad_token", "<pad>"),
            named(settings, "eos_token", "</s>"),
            named(settings, "mask_token_sent", "<mask_1>"),
            named(settings, "mask_token", "<mask_2>"),
        ];
        let mut tokens: Vec<(String, f64)> = head.into_iter().map(|token| (token, 0.0)).collect();
        tokens.extend((2..offset).map(|i| (format!("<unk_{i}>"), -100.0)));
        let special = tokens[2..].iter().map(|(token, _)| token.clone()).collect();
        tokens.extend(spm.pieces.iter().map(scored).skip(2));
        Vocabulary { tokens, unknown: spm.unknown + offset, special }
    }

    /// fairseq's order: one more token than SentencePiece's `<unk>`, `<s>`, `</s>`, which stand
    /// elsewhere; the pieces; languages and mask.
    fn fairseq(spm: &Spm, settings: &TokenizerConfig) -> Vocabulary {
        let head = [
            named(settings, "bos_token", "<s>"),
            named(settings, "pad_token", "<pad>"),
            named(settings, "eos_token", "</s>"),
            named(settings, "unk_token", "<unk>"),
        ];
        let mut tokens: Vec<(String, f64)> = head.into_iter().map(|token| (token, 0.0)).collect();
        tokens.extend(spm.pieces.iter().map(scored).skip(3));
        let special: Vec<String> = match settings.family {
            Family::MBart => language_codes::MBART50
                .split(' ')
                .take(language_codes::MBART)
                .map(String::from)
                .collect(),
            Family::MBart50 => language_codes::MBART50.split(' ').map(String::from).collect(),
            _ => language_codes::NLLB.split(' ').map(String::from).collect(),
        };
        let mask = named(settings, "mask_token", "<mask>");
        tokens.extend(special.iter().cloned().chain([mask]).map(|token| (token, 0.0)));
        Vocabulary { tokens, unknown: 3, special }
    }
}

/// Replacements, then one space where several are. T5 and mBART cut at spaces instead.
fn normalizer(spm: &Spm, family: Family) -> Result<Option<Normalizers>, String> {
    let mut steps: Vec<NormalizerWrapper> = Vec::new();
    if !spm.charsmap.is_empty() {
        // The crate's reader trusts the table; ours has looked at it first.
        Charsmap::new(&spm.charsmap)?;
        steps.push(Precompiled::from(&spm.charsmap).map_err(|e| e.to_string())?.into());
    } else if family == Family::Pegasus {
        steps.push(Replace::new("\n", " ").map_err(|e| e.to_string())?.into());
    }
    let collapses = matches!(family, Family::Pegasus | Family::MBart50)
        || family == Family::Nllb && !spm.charsmap.is_empty();
    if collapses {
        steps.push(
            Replace::new(ReplacePattern::Regex(" {2,}".into()), " ")
                .map_err(|e| e.to_string())?
                .into(),
        );
    }
    Ok(if steps.is_empty() { None } else { Some(Normalizers::new(steps)) })
}

/// BPE whose merges are every way to put a piece together out of two others, in the order of the
/// pieces.
fn merged(spm: &Spm, vocabulary: &[(String, f64)], unknown: String) -> Result<BPE, String> {
    let rank: HashMap<&str, usize> =
        spm.pieces.iter().enumerate().map(|(id, p)| (p.text.as_str(), id)).collect();
    let mut merges: Vec<(usize, usize, &str, &str)> = Vec::new();
    for (id, piece) in spm.pieces.iter().enumerate().filter(|(_, p)| p.kind == Kind::Normal) {
        for (at, _) in piece.text.char_indices().skip(1) {
            let (left, right) = piece.text.split_at(at);
            if rank.contains_key(left) && rank.contains_key(right) {
                merges.push((id, left.chars().count(), left, right));
            }
        }
    }
    merges.sort_unstable();
    let merges: Merges = merges
        .into_iter()
        .map(|(_, _, left, right)| (left.to_string(), right.to_string()))
        .collect();
    let ids: Vocab =
        vocabulary.iter().enumerate().map(|(id, (token, _))| (token.clone(), id as u32)).collect();
    let bpe = BPE::builder().vocab_and_merges(ids, merges).unk_token(unknown).fuse_unk(true);
    bpe.build().map_err(|e| e.to_string())
}

/// BART's byte-level BPE out of `vocab.json` and `merges.txt`.
pub(super) fn byte_level(folder: &Path, settings: &TokenizerConfig) -> Result<Built> {
    let vocabulary: HashMap<String, u32> = files::json(&folder.join("vocab.json"))?;
    let path = folder.join("merges.txt");
    let text = files::text(&path)?;
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with("#version"));
    let pair = |line: &str| match line.split_once(' ') {
        Some((left, right)) if !right.contains(' ') => Ok((left.to_string(), right.to_string())),
        _ => Err(Error::model(
            path.display().to_string(),
            format!("the line {line:?} is not two tokens"),
        )),
    };
    let merges = lines.map(pair).collect::<Result<Merges>>()?;
    let unknown =
        settings.token("unk_token", "<unk>").and_then(|t| vocabulary.get(&t.content).copied());
    let bpe = BPE::builder().vocab_and_merges(vocabulary.into_iter().collect::<Vocab>(), merges);
    let bpe = bpe.build().map_err(|e| Error::model(path.display().to_string(), e.to_string()))?;
    let mut inner = tokenizers::Tokenizer::new(bpe);
    inner.with_pre_tokenizer(Some(ByteLevel::new(settings.flag("add_prefix_space"), true, true)));
    inner.with_decoder(Some(ByteLevel::default()));
    add(&mut inner, settings, Vec::new())?;
    Ok((inner, unknown))
}

/// Marks the special tokens, and appends those that the vocabulary does not have.
fn add(
    inner: &mut tokenizers::Tokenizer,
    settings: &TokenizerConfig,
    special: Vec<String>,
) -> Result<()> {
    let defaults: &[(&str, &str)] = match settings.family {
        Family::T5 | Family::Pegasus => {
            &[("eos_token", "</s>"), ("unk_token", "<unk>"), ("pad_token", "<pad>")]
        }
        _ => &[
            ("bos_token", "<s>"),
            ("eos_token", "</s>"),
            ("unk_token", "<unk>"),
            ("sep_token", "</s>"),
            ("pad_token", "<pad>"),
            ("cls_token", "<s>"),
            ("mask_token", "<mask>"),
        ],
    };
    let named = defaults.iter().filter_map(|(name, default)| settings.token(name, default));
    let given = settings.added.values().cloned();
    let extra = settings
        .extra()
        .into_iter()
        .chain(special.into_iter().map(|token| AddedToken::from(token, true)));
    let mut tokens: Vec<AddedToken> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for token in given.chain(named.map(|t| t.special(true))).chain(extra) {
        if seen.insert(token.content.clone()) {
            tokens.push(token);
        }
    }
    inner.add_tokens(tokens).map_err(wrong)?;
    Ok(())
}
