//! The Hub's layout: which files of a repository or folder make up a model.

use crate::error::{Error, Result as IoResult};
use std::fs;
use std::path::{Path, PathBuf};

/// A format of weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `*.safetensors`.
    Safetensors,
    /// `pytorch_model.bin`: a pickle and the numbers of tensors.
    Torch,
    /// `*.gguf`: weights, configuration and tokenizer in one.
    Gguf,
    /// `model.*.bin` of Marian's: weights and configuration in one.
    Marian,
}

/// The files that hold a model's weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeightFiles {
    /// Their format.
    pub format: Format,
    /// The file that says in which shard a weight is, if there are shards.
    pub index: Option<String>,
    /// The weights, in order.
    pub files: Vec<String>,
}

impl WeightFiles {
    fn one(format: Format, name: &str) -> WeightFiles {
        WeightFiles { format, index: None, files: vec![name.to_string()] }
    }
}

/// Chooses among the names of a folder or repository: safetensors before PyTorch's files, a whole
/// file before shards, then a single safetensors file of another name, then GGUF. Copies in other
/// precisions and for other programs are left aside.
///
/// # Errors
/// Says what is missing and what was found.
pub fn weights(names: &[String]) -> Result<WeightFiles, String> {
    weights_or(names, &|file| file.to_string())
}

/// [`weights`], where `naming` says how to name one file of several.
fn weights_or(names: &[String], naming: &dyn Fn(&str) -> String) -> Result<WeightFiles, String> {
    let mut incomplete = Vec::new();
    if let Some(files) = usual_weights(names, &mut incomplete) {
        return Ok(files);
    }
    if let [one] = other_safetensors(names).as_slice() {
        return Ok(WeightFiles::one(Format::Safetensors, one));
    }
    let sorted = |is: fn(&str) -> bool| {
        let mut chosen: Vec<&str> = names.iter().map(String::as_str).filter(|n| is(n)).collect();
        chosen.sort_unstable();
        chosen
    };
    let (gguf, students) = (sorted(is_gguf), sorted(is_student));
    match (gguf.as_slice(), students.as_slice()) {
        ([one], _) => Ok(WeightFiles::one(Format::Gguf, one)),
        ([first, ..], _) => Err(format!(
            "it holds several models; name one, as in `{}`. There are: {}",
            naming(first),
            gguf.join(", ")
        )),
        ([], [one]) => Ok(WeightFiles::one(Format::Marian, one)),
        ([], [_, ..]) => Err(format!(
            "it holds several models of Marian's, {}; keep one in the folder",
            students.join(", ")
        )),
        ([], []) if !incomplete.is_empty() => {
            Err(format!("its weights are not complete: {}", incomplete.join("; ")))
        }
        ([], []) => {
            let packed = names.iter().any(|n| n.strip_suffix(".gz").is_some_and(is_student));
            let hint = if packed {
                "; unpack its .gz files first (gzip -d), or let `polygist models import` do it"
            } else {
                ""
            };
            Err(format!(
                "there are no weights in it that polygist reads (model.safetensors, pytorch_model.bin, *.gguf or shards of them, model.*.bin of \
                 Marian's); {}{hint}",
                found(names)
            ))
        }
    }
}

/// The weights under the names that `transformers` gives them, whole or in shards; adds to
/// `incomplete` what is there in part.
fn usual_weights(names: &[String], incomplete: &mut Vec<String>) -> Option<WeightFiles> {
    let has = |name: &str| names.iter().any(|n| n == name);
    for (format, stem, ending) in
        [(Format::Safetensors, "model", "safetensors"), (Format::Torch, "pytorch_model", "bin")]
    {
        let file = format!("{stem}.{ending}");
        if has(&file) {
            return Some(WeightFiles::one(format, &file));
        }
        let index = format!("{file}.index.json");
        match shards(names, stem, ending) {
            Ok(files) if !files.is_empty() && has(&index) => {
                return Some(WeightFiles { format, index: Some(index), files });
            }
            Ok(files) if !files.is_empty() => {
                incomplete.push(format!("{index} is missing, which says what is in which shard"))
            }
            Ok(_) if has(&index) => {
                incomplete.push(format!("the shards that {index} lists are missing"))
            }
            Ok(_) => {}
            Err(why) => incomplete.push(why),
        }
    }
    None
}

/// All the files of a model: its weights, and what goes with them. `naming` says how to name one
/// file of several.
///
/// # Errors
/// When weights, `config.json` or the tokenizer are missing: says what is, and what was found.
pub fn select(names: &[String], naming: &dyn Fn(&str) -> String) -> Result<Vec<String>, String> {
    let WeightFiles { format, index, files } = weights_or(names, naming)?;
    if format == Format::Marian {
        let vocabularies = student_vocabularies(names)?;
        let shortlists = names.iter().filter(|n| is_shortlist(n) || is_licence(n)).cloned();
        let mut chosen: Vec<String> =
            files.into_iter().chain(vocabularies).chain(shortlists).collect();
        chosen.sort();
        return Ok(chosen);
    }
    // A GGUF file needs nothing beside it.
    let missing: Vec<&str> = [
        ("config.json", names.iter().any(|n| n == "config.json")),
        (
            "a tokenizer (tokenizer.json, *.spm, *.model, vocab.json or vocab.txt)",
            names.iter().any(|n| is_tokenizer(n)),
        ),
    ]
    .into_iter()
    .filter(|(_, there)| !there && format != Format::Gguf)
    .map(|(what, _)| what)
    .collect();
    if !missing.is_empty() {
        return Err(format!(
            "{} is missing; {}. Is it a translation or language model in the Hub's layout?",
            missing.join(" and "),
            found(names)
        ));
    }
    let mut chosen: Vec<String> = names.iter().filter(|n| is_companion(n)).cloned().collect();
    // The same in two formats.
    if names.iter().any(|name| name == DENSE_WEIGHTS) {
        chosen.retain(|name| name != DENSE_PICKLE);
    }
    chosen.extend(index);
    chosen.extend(files);
    chosen.sort();
    Ok(chosen)
}

/// The folder of a model in files, and the names of those that belong to it: one GGUF file, or what
/// a folder in the Hub's layout has.
pub(super) fn files_of(path: &Path) -> IoResult<(PathBuf, Vec<String>)> {
    let wrong = |why: &str| Error::model(path.display().to_string(), why);
    // Links are followed: the Hub's own cache folder is made of them.
    if !fs::metadata(path).map_err(Error::io("reading", path))?.is_dir() {
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        return match is_gguf(name) {
            true => {
                Ok((path.parent().unwrap_or(Path::new("")).to_path_buf(), vec![name.to_string()]))
            }
            false => Err(wrong(
                "is no .gguf file; for other formats name the folder that has the weights, config.json and the tokenizer",
            )),
        };
    }
    let entries = fs::read_dir(path).and_then(|entries| entries.collect::<Result<Vec<_>, _>>());
    let files = entries
        .map_err(Error::io("reading the folder", path))?
        .into_iter()
        .filter(|entry| entry.path().is_file());
    let mut names: Vec<String> =
        files.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    let parts = SENTENCE_PARTS.iter().filter(|part| path.join(part).is_file());
    names.extend(parts.map(|part| part.to_string()));
    let chosen =
        select(&names, &|file| path.join(file).display().to_string()).map_err(|why| wrong(&why))?;
    Ok((path.to_path_buf(), chosen))
}

/// A file of a folder: its name there, and the one that it has once it is unpacked.
pub(super) struct FolderFile {
    /// The name that it has.
    pub name: String,
    /// Without `.gz` or `.zst`.
    pub plain: String,
}

/// As [`files_of`], of a model whose files may be packed.
pub(super) fn packed_files_of(path: &Path) -> IoResult<(PathBuf, Vec<FolderFile>)> {
    let mut packed = Vec::new();
    if path.is_dir() {
        let entries = fs::read_dir(path).and_then(|entries| entries.collect::<Result<Vec<_>, _>>());
        for entry in entries.map_err(Error::io("reading the folder", path))? {
            let Ok(name) = entry.file_name().into_string() else { continue };
            let plain = [".gz", ".zst"].iter().find_map(|ending| name.strip_suffix(ending));
            if let Some(plain) = plain.filter(|_| entry.path().is_file()) {
                packed.push(FolderFile { plain: plain.into(), name });
            }
        }
    }
    // One that lies there plain too needs no unpacking.
    packed.retain(|file| !path.join(&file.plain).exists());
    let is_student = packed.iter().any(|file| is_student(&file.plain))
        || packed.iter().any(|file| is_shortlist(&file.plain) || file.plain.ends_with(".spm"));
    if !is_student {
        let (folder, names) = files_of(path)?;
        let plain = |name: String| FolderFile { plain: name.clone(), name };
        return Ok((folder, names.into_iter().map(plain).collect()));
    }
    let entries = fs::read_dir(path).map_err(Error::io("reading the folder", path))?;
    let there = entries.flatten().filter(|entry| entry.path().is_file());
    let there = there.filter_map(|entry| entry.file_name().into_string().ok());
    let plain = |name: String| FolderFile { plain: name.clone(), name };
    let mut all: Vec<FolderFile> =
        there.filter(|name| packed.iter().all(|file| file.name != *name)).map(plain).collect();
    all.extend(packed);
    let names: Vec<String> = all.iter().map(|file| file.plain.clone()).collect();
    let chosen = select(&names, &|file| path.join(file).display().to_string())
        .map_err(|why| Error::model(path.display().to_string(), why))?;
    all.retain(|file| chosen.contains(&file.plain));
    Ok((path.to_path_buf(), all))
}

/// Says how large an adapter is and what it was trained on.
pub const ADAPTER_CONFIG: &str = "adapter_config.json";
/// An adapter's matrices.
pub const ADAPTER_WEIGHTS: &str = "adapter_model.safetensors";
/// Instructions for using a model with the adapter; a file of ours that may be missing.
pub const ADAPTER_USE: &str = "polygist.json";
/// Divisors of the inputs of layers before they are rounded to 8 bits; a file of ours that may
/// be missing.
pub const ADAPTER_SMOOTHING: &str = "smoothing.safetensors";
/// The tokens that text of a language is made of; a file of ours that may be missing.
pub const ADAPTER_SHORTLIST: &str = "shortlist.json";

/// The files of the LoRA adapter in a folder, as PEFT saves it.
///
/// # Errors
/// When there is none: says which file is missing.
pub fn adapter(folder: &Path) -> Result<Vec<PathBuf>, String> {
    if let Some(file) =
        [ADAPTER_CONFIG, ADAPTER_WEIGHTS].into_iter().find(|name| !folder.join(name).is_file())
    {
        return Err(format!(
            "{file} is missing; expected a folder with {ADAPTER_CONFIG} and {ADAPTER_WEIGHTS}, as PEFT saves a LoRA adapter"
        ));
    }
    Ok([ADAPTER_CONFIG, ADAPTER_WEIGHTS, ADAPTER_USE, ADAPTER_SMOOTHING, ADAPTER_SHORTLIST]
        .map(|name| folder.join(name))
        .into_iter()
        .filter(|file| file.is_file())
        .collect())
}

/// Whether a file of that name holds weights in a format that can be read.
pub fn is_weights(name: &str) -> bool {
    is_gguf(name)
        || is_student(name)
        || ends(name, ".safetensors")
        || (name.starts_with("pytorch_model") && ends(name, ".bin"))
}

/// Whether a file of that name is a binary model of Marian's, as Firefox has them
/// (`model.enfr.intgemm.alphas.bin`).
pub(super) fn is_student(name: &str) -> bool {
    name.starts_with("model.") && name != "model.bin" && ends(name, ".bin")
}

/// Whether a file of that name is the lexical shortlist of such a model.
pub fn is_shortlist(name: &str) -> bool {
    name.starts_with("lex.") && ends(name, ".bin")
}

/// The vocabularies of such a model: one for both sides, or that of the source and that of the
/// target.
///
/// # Errors
/// Says what is missing and what was found.
pub fn student_vocabularies(names: &[String]) -> Result<Vec<String>, String> {
    let named = |start: &str| {
        names.iter().filter(|n| n.starts_with(start) && ends(n, ".spm")).min().cloned()
    };
    match (named("srcvocab."), named("trgvocab."), named("vocab.")) {
        (Some(source), Some(target), _) => Ok(vec![source, target]),
        (_, _, Some(both)) => Ok(vec![both]),
        _ => Err(format!(
            "its vocabulary (vocab.*.spm, or srcvocab.*.spm and trgvocab.*.spm) is missing; {}",
            found(names)
        )),
    }
}

/// Whether a file of that name is a GGUF file.
pub fn is_gguf(name: &str) -> bool {
    ends(name, ".gguf")
}

/// The folder of the layer that follows the pooling of an encoder of sentences, if one does.
pub const DENSE: &str = "2_Dense";
const DENSE_WEIGHTS: &str = "2_Dense/model.safetensors";
const DENSE_PICKLE: &str = "2_Dense/pytorch_model.bin";

/// The files of an encoder of sentences that lie in folders of their own, as sentence-transformers
/// has them.
const SENTENCE_PARTS: [&str; 4] =
    ["1_Pooling/config.json", "2_Dense/config.json", DENSE_WEIGHTS, DENSE_PICKLE];

/// Whether a file of that path belongs to a model though it does not lie beside its weights.
pub(super) fn is_sentence_part(path: &str) -> bool {
    SENTENCE_PARTS.contains(&path)
}

/// Whether a file of that name goes with the weights: configuration, tokenizer, terms.
pub fn is_companion(name: &str) -> bool {
    const CONFIGURATION: &[&str] = &[
        "config.json",
        "generation_config.json",
        "chat_template.json",
        "sentence_bert_config.json",
        "config_sentence_transformers.json",
    ];
    CONFIGURATION.contains(&name)
        || is_sentence_part(name)
        || ends(name, ".jinja")
        || is_tokenizer(name)
        || goes_with_tokenizer(name)
        || is_licence(name)
}

/// Whether a file of that name is a tokenizer, or the vocabulary of one.
fn is_tokenizer(name: &str) -> bool {
    name == "tokenizer.json"
        || ends(name, ".spm")
        || ends(name, ".model")
        || name == "vocab.json"
        || name == "vocab.txt"
}

fn goes_with_tokenizer(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "tokenizer_config.json",
        "special_tokens_map.json",
        "added_tokens.json",
        "merges.txt",
        "dict.txt",
    ];
    NAMES.contains(&name)
        || name.ends_with("vocab.json")
        || (name.starts_with("dict.") && ends(name, ".txt"))
}

/// Whether a file of that name states the terms of what it lies beside.
pub fn is_licence(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    ["license", "licence", "notice", "copying", "use_policy"].iter().any(|s| lower.starts_with(s))
}

fn ends(name: &str, ending: &str) -> bool {
    name.len() > ending.len() && name.to_ascii_lowercase().ends_with(ending)
}

/// The shards `stem-00001-of-00003.ending`, all of them or none.
fn shards(names: &[String], stem: &str, ending: &str) -> Result<Vec<String>, String> {
    let numbers = |name: &str| {
        let (number, of) = name
            .strip_prefix(stem)?
            .strip_prefix('-')?
            .strip_suffix(ending)?
            .strip_suffix('.')?
            .split_once("-of-")?;
        let plain = |text: &str| text.len() == 5 && text.bytes().all(|b| b.is_ascii_digit());
        (plain(number) && plain(of)).then(|| of.parse::<usize>().ok())?
    };
    let Some(total) = names.iter().filter_map(|name| numbers(name)).max() else {
        return Ok(Vec::new());
    };
    let expected = || (1..=total).map(|n| format!("{stem}-{n:05}-of-{total:05}.{ending}"));
    match expected().find(|shard| !names.contains(shard)) {
        Some(missing) => Err(format!("shard {missing} is missing")),
        None => Ok(expected().collect()),
    }
}

/// Safetensors files under other names than the usual one; not those of adapters, which are no
/// model by themselves, and no shards.
fn other_safetensors(names: &[String]) -> Vec<&str> {
    let other =
        |n: &&str| ends(n, ".safetensors") && !n.starts_with("adapter") && !n.contains("-of-");
    let other = |n: &&str| other(n) && !n.contains('/');
    names.iter().map(String::as_str).filter(other).collect()
}

/// The files that there are instead, for messages.
fn found(names: &[String]) -> String {
    const LISTED: usize = 12;
    let mut names: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|n| !n.starts_with('.') && !n.eq_ignore_ascii_case("README.md"))
        .collect();
    names.sort_unstable();
    let more = names.len().saturating_sub(LISTED);
    names.truncate(LISTED);
    match (names.is_empty(), more) {
        (true, _) => "nothing was found".into(),
        (false, 0) => format!("found: {}", names.join(", ")),
        (false, _) => format!("found: {} and {more} more", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(names: &[&str]) -> Result<Vec<String>, String> {
        let names: Vec<String> = names.iter().map(|n| n.to_string()).collect();
        select(&names, &|file| format!("owner/name:{file}"))
    }

    #[test]
    fn what_translation_models_have_on_the_hub() {
        let marian = [
            ".gitattributes",
            "README.md",
            "config.json",
            "generation_config.json",
            "metadata.json",
            "pytorch_model.bin",
            "rust_model.ot",
            "source.spm",
            "special_tokens_map.json",
            "target.spm",
            "target_vocab.json",
            "tf_model.h5",
            "flax_model.msgpack",
            "tokenizer_config.json",
            "vocab.json",
        ];
        let wanted = [
            "config.json",
            "generation_config.json",
            "pytorch_model.bin",
            "source.spm",
            "special_tokens_map.json",
            "target.spm",
            "target_vocab.json",
            "tokenizer_config.json",
            "vocab.json",
        ];
        assert_eq!(chosen(&marian).unwrap(), wanted);
        // Safetensors go before the pickle; other precisions and shards of the same stay away.
        let both = [
            &marian[..],
            &[
                "model.safetensors",
                "model.fp16.safetensors",
                "pytorch_model.fp16.bin",
                "training_args.bin",
            ],
        ]
        .concat();
        let files = chosen(&both).unwrap();
        assert!(
            files.contains(&"model.safetensors".into())
                && !files.iter().any(|f| f.contains("fp16") || f.contains(".bin")),
            "{files:?}"
        );
        let bart = [
            "config.json",
            "merges.txt",
            "vocab.json",
            "tokenizer.json",
            "model.safetensors",
            "pytorch_model.bin.index.json",
        ];
        assert_eq!(
            chosen(&bart).unwrap(),
            ["config.json", "merges.txt", "model.safetensors", "tokenizer.json", "vocab.json"]
        );
        let one = ["config.json", "spiece.model", "mt5.safetensors", "adapter_model.safetensors"];
        assert_eq!(chosen(&one).unwrap(), ["config.json", "mt5.safetensors", "spiece.model"]);
    }

    #[test]
    fn what_firefox_has() {
        let base = [
            "model.enfr.intgemm.alphas.bin",
            "vocab.enfr.spm",
            "lex.50.50.enfr.s2t.bin",
            "metadata.json",
            "README.md",
        ];
        assert_eq!(
            chosen(&base).unwrap(),
            ["lex.50.50.enfr.s2t.bin", "model.enfr.intgemm.alphas.bin", "vocab.enfr.spm"]
        );
        let each = ["model.enja.intgemm8.bin", "srcvocab.enja.spm", "trgvocab.enja.spm"];
        assert_eq!(chosen(&each).unwrap(), each);
        assert!(chosen(&each[..2]).unwrap_err().contains("trgvocab.*.spm) is missing"));
        assert!(chosen(&[base[0], each[0], base[1]]).unwrap_err().contains("several models"));
        assert!(
            chosen(&["model.enfr.intgemm.alphas.bin.gz", "vocab.enfr.spm.gz"])
                .unwrap_err()
                .contains("gzip -d")
        );
        // Another program's file of a similar name is none, and a model in the Hub's layout goes
        // before.
        assert!(chosen(&["model.bin", "config.json", "vocab.json"]).is_err());
        let both = ["model.enfr.bin", "model.safetensors", "config.json", "source.spm"];
        assert_eq!(chosen(&both).unwrap(), ["config.json", "model.safetensors", "source.spm"]);
    }

    #[test]
    fn shards_come_with_their_list_and_all_of_them() {
        let base = ["config.json", "sentencepiece.bpe.model"];
        let torch = [
            "pytorch_model-00001-of-00002.bin",
            "pytorch_model-00002-of-00002.bin",
            "pytorch_model.bin.index.json",
        ];
        let tensors = [
            "model-00001-of-00002.safetensors",
            "model-00002-of-00002.safetensors",
            "model.safetensors.index.json",
        ];
        assert_eq!(
            chosen(&[&base[..], &torch, &tensors].concat()).unwrap(),
            ["config.json", tensors[0], tensors[1], tensors[2], base[1]]
        );
        assert_eq!(chosen(&[&base[..], &torch, &tensors[1..]].concat()).unwrap()[1..4], torch);
        let error = chosen(&[&base[..], &tensors[1..]].concat()).unwrap_err();
        assert!(error.contains("model-00001-of-00002.safetensors is missing"), "{error}");
        let error = chosen(&[&base[..], &tensors[..2]].concat()).unwrap_err();
        assert!(error.contains("model.safetensors.index.json is missing"), "{error}");
        let error = chosen(&[&base[..], &tensors[2..]].concat()).unwrap_err();
        assert!(error.contains("the shards that model.safetensors.index.json lists"), "{error}");
    }

    #[test]
    fn what_is_missing_and_what_was_found_is_said() {
        let error =
            chosen(&["config.json", "vocab.json", "tf_model.h5", "rust_model.ot"]).unwrap_err();
        assert!(
            error.contains("no weights")
                && error.contains("found: config.json, rust_model.ot, tf_model.h5, vocab.json"),
            "{error}"
        );
        let error = chosen(&["model.safetensors", "README.md"]).unwrap_err();
        assert!(
            error.contains("config.json and a tokenizer")
                && error.contains("found: model.safetensors"),
            "{error}"
        );
        let error = chosen(&["model.safetensors", "config.json"]).unwrap_err();
        assert!(error.starts_with("a tokenizer"), "{error}");
        assert_eq!(chosen(&["a.gguf", "LICENSE"]).unwrap(), ["LICENSE", "a.gguf"]);
        let error = chosen(&["b.gguf", "a.gguf"]).unwrap_err();
        assert!(error.contains("owner/name:a.gguf") && error.contains("a.gguf, b.gguf"), "{error}");
        assert!(chosen(&[]).unwrap_err().contains("nothing was found"));
    }
}
