//! How a model is asked to translate: a translation model by its languages' tokens, a base language
//! model by parallel examples that show it what translation is (`models/prompts.toml`).

use crate::error::{Error, Result};
use crate::generate::{DecodingOptions, Generate, Request};
use crate::languages;
use crate::text::words;
use crate::types::Lang;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::Range;
use std::sync::LazyLock;

#[derive(Default, Deserialize)]
struct File {
    /// Each the same sentence in many languages.
    example: Vec<BTreeMap<String, String>>,
}

fn examples() -> &'static [BTreeMap<String, String>] {
    // The file is part of the binary, and a test reads it: this cannot fail at a user's.
    static FILE: LazyLock<File> = LazyLock::new(|| {
        toml::from_str(include_str!("../../models/prompts.toml")).unwrap_or_default()
    });
    &FILE.example
}

/// The code under which the examples have a language.
fn key(lang: &Lang) -> Option<&'static str> {
    let has = |code: &str| examples().first()?.get_key_value(code).map(|(code, _)| code.as_str());
    has(lang.as_str()).or_else(|| has(languages::get(lang)?.0)).or_else(|| has(lang.base()))
}

/// Languages that can be translated by examples, by code.
pub fn translatable_languages() -> Vec<Lang> {
    examples()
        .first()
        .into_iter()
        .flat_map(BTreeMap::keys)
        .filter_map(|code| Lang::parse(code))
        .collect()
}

/// What stands around a text to translate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Prompt {
    /// [`crate::generate::Request::prefix`]
    pub prefix: String,
    /// [`crate::generate::Request::suffix`]
    pub suffix: String,
    /// [`crate::generate::Request::begin`]
    pub begin: Option<String>,
    /// Whether a language model answers, which has to be kept to one line in one language.
    pub is_open_ended: bool,
}

impl Prompt {
    /// The request to translate a text into `to`.
    pub fn request(&self, text: &str, to: &Lang, options: DecodingOptions) -> Request {
        let Prompt { prefix, suffix, begin, is_open_ended } = self.clone();
        let stop = if is_open_ended { vec!["\n".into()] } else { Vec::new() };
        let language = is_open_ended.then(|| to.clone());
        Request {
            prefix,
            prompt: text.into(),
            suffix,
            begin,
            options: DecodingOptions { stop, language, ..options },
            ..Request::default()
        }
    }
}

/// Whether a model translates by the prompt of the examples, with them or, fine-tuned, without.
pub fn uses_examples(model: &dyn Generate) -> bool {
    model.is_prompted()
}

/// Whether a model translates without examples what base models need them for.
pub(super) fn is_fine_tuned(model: &dyn Generate) -> bool {
    model.is_taught()
}

/// Whether a model translates from one language into the other in one step. With examples, one of
/// the two is English.
pub(super) fn is_direct(model: &dyn Generate, from: &Lang, to: &Lang) -> bool {
    if !model.is_prompted() {
        return model.language_prompt(from, to).is_some();
    }
    (from.base() == "en" || to.base() == "en") && key(from).is_some() && key(to).is_some()
}

/// What a model is asked for a pair of languages; `which` of the examples are shown to one that
/// needs them.
///
/// # Errors
/// When the model does not know one of the languages.
pub(super) fn prompt(
    model: &dyn Generate,
    from: &Lang,
    to: &Lang,
    which: Range<usize>,
) -> Result<Prompt> {
    if model.is_prompted() {
        return few_shot(from, to, which);
    }
    let language_prompt =
        model.language_prompt(from, to).ok_or_else(|| refusal(model, from, to))?;
    Ok(Prompt { prefix: language_prompt.prefix, begin: language_prompt.begin, ..Prompt::default() })
}

/// The error of a model that does not translate from one language into the other.
pub(super) fn refusal(model: &dyn Generate, from: &Lang, to: &Lang) -> Error {
    if uses_examples(model)
        && let Some(unknown) = [from, to].into_iter().find(|lang| key(lang).is_none())
    {
        return no_examples(unknown);
    }
    let (from_name, to_name) = (languages::name(from), languages::name(to));
    let message = format!("does not translate from {from_name} ({from}) into {to_name} ({to})");
    Error::model(model.id(), message)
}

/// The prompt for a pair of languages with some of the examples.
///
/// # Errors
/// When there are no examples in one of the languages.
fn few_shot(from: &Lang, to: &Lang, which: Range<usize>) -> Result<Prompt> {
    let find = |lang: &Lang| key(lang).ok_or_else(|| no_examples(lang));
    let (from_key, to_key) = (find(from)?, find(to)?);
    let (from, to) = (languages::name(from), languages::name(to));
    let mut prefix = String::new();
    for example in examples().get(which).unwrap_or_default() {
        if let (Some(source), Some(target)) = (example.get(from_key), example.get(to_key)) {
            let _ = write!(prefix, "{from}: {source}\n{to}: {target}\n\n");
        }
    }
    let _ = write!(prefix, "{from}: ");
    Ok(Prompt { prefix, suffix: format!("\n{to}:"), begin: None, is_open_ended: true })
}

/// Whether a translation carries a stretch of words out of the examples that its own prompt did not
/// give reason for: small models fall back on them when they are at a loss.
pub(super) fn leaks(text: &str, to: &Lang) -> bool {
    /// Words in a row that do not agree by chance.
    const WORDS: usize = 5;
    let Some(key) = key(to) else { return false };
    let written = words::words(text);
    written.len() >= WORDS
        && examples().iter().filter_map(|example| example.get(key)).any(|example| {
            let example = words::words(example);
            example.windows(WORDS).any(|stretch| written.windows(WORDS).any(|w| w == stretch))
        })
}

fn no_examples(lang: &Lang) -> Error {
    let known: Vec<String> = translatable_languages().iter().map(Lang::to_string).collect();
    Error::Usage(format!(
        "the starter model cannot translate {} ({lang}); it has examples for {}. State the language with --from if it was guessed wrong",
        languages::name(lang),
        known.join(" ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_is_there_in_every_language() {
        assert!(examples().len() >= 8);
        let codes: Vec<&String> = examples()[0].keys().collect();
        assert!(codes.len() >= 31);
        for example in examples() {
            assert_eq!(example.keys().collect::<Vec<_>>(), codes);
            assert!(example.values().all(|text| !text.trim().is_empty() && !text.contains('\n')));
        }
        for code in codes {
            let lang = Lang::parse(code).expect("a code");
            assert!(languages::get(&lang).is_some(), "{code} has no name");
        }
    }

    #[test]
    fn stretches_of_examples_are_recognized() {
        let en = Lang::en();
        let example = &examples()[0]["en"];
        let stretch: Vec<&str> = example.split(' ').skip(1).take(6).collect();
        assert!(leaks(&format!("He said that {} yesterday.", stretch.join(" ")), &en));
        assert!(!leaks("The mayor said on Tuesday that the old bridge will be closed.", &en));
    }

    #[test]
    fn regions_find_their_language() {
        let (pt, en) = (Lang::parse("pt-BR").unwrap(), Lang::en());
        assert_eq!(few_shot(&pt, &en, 0..1).unwrap().prefix.matches('\n').count(), 3);
        assert!(few_shot(&Lang::parse("tlh").unwrap(), &en, 0..1).is_err());
    }
}
