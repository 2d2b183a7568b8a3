//! The languages that polygist knows by name: `models/languages.toml`.

use crate::types::Lang;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Facts about a language.
#[derive(Clone, Debug, Deserialize)]
pub struct Language {
    /// English name.
    pub name: String,
    /// Name in the language itself.
    pub native: String,
    /// Whether the language is written from right to left.
    #[serde(default)]
    pub rtl: bool,
    /// Names of its scripts, the usual one first.
    #[serde(default)]
    pub scripts: Vec<String>,
    /// Other codes of the language (`nb` for `no`).
    #[serde(default)]
    pub aliases: Vec<String>,
}

/// The languages by code.
pub fn all() -> &'static BTreeMap<String, Language> {
    static ALL: LazyLock<BTreeMap<String, Language>> = LazyLock::new(|| {
        // The file is part of the binary, and a test reads it: this cannot fail at a user's.
        toml::from_str(include_str!("../models/languages.toml")).unwrap_or_default()
    });
    &ALL
}

/// The entry of a code, that of its alias or, failing both, that of the language without its
/// region.
pub fn get(lang: &Lang) -> Option<(&'static str, &'static Language)> {
    let exact = all().get_key_value(lang.as_str());
    let alias = || {
        all().iter().find(|(_, l)| l.aliases.iter().any(|a| a.eq_ignore_ascii_case(lang.as_str())))
    };
    let base = || all().get_key_value(lang.base());
    exact.or_else(alias).or_else(base).map(|(code, language)| (code.as_str(), language))
}

/// The code that polygist uses for a language: `no` for `nb`, `zh` for `zh-Hans`. Unknown codes are
/// returned as they are.
///
/// ```
/// use polygist::{languages, types::Lang};
/// assert_eq!(languages::canonical(&Lang::parse("nb").unwrap()).as_str(), "no");
/// ```
pub fn canonical(lang: &Lang) -> Lang {
    if all().contains_key(lang.as_str()) {
        return lang.clone();
    }
    let alias =
        all().iter().find(|(_, l)| l.aliases.iter().any(|a| a.eq_ignore_ascii_case(lang.as_str())));
    alias.and_then(|(code, _)| Lang::parse(code)).unwrap_or_else(|| lang.clone())
}

/// Whether both codes name the same language in the same script: Chinese in simplified and in
/// traditional characters are two, regions that write alike are one.
pub fn is_same_written(a: &Lang, b: &Lang) -> bool {
    canonical(a).same_base(&canonical(b)) && is_traditional(a) == is_traditional(b)
}

/// Whether a language is Chinese in traditional characters.
pub fn is_traditional(lang: &Lang) -> bool {
    let traditional = |tag| matches!(tag, "Hant" | "TW" | "HK" | "MO");
    lang.base() == "zh" && lang.as_str().split('-').any(traditional)
}

/// English name of a language, or its code where the name is not known.
pub fn name(lang: &Lang) -> &str {
    get(lang).map_or(lang.as_str(), |(_, l)| l.name.as_str())
}

/// Whether a language is written without spaces between words.
pub fn is_spaceless(lang: &Lang) -> bool {
    matches!(lang.base(), "zh" | "ja" | "th" | "lo" | "km" | "my" | "yue" | "bo")
}

/// What stands between two sentences: nothing in Chinese and Japanese, else a space; Thai and its
/// neighbours, without spaces between words, have one there.
pub fn sentence_gap(lang: &Lang) -> &'static str {
    if matches!(lang.base(), "zh" | "ja" | "yue") { "" } else { " " }
}

/// The mark that a statement ends with; none in Thai and Lao.
pub fn full_stop(lang: &Lang) -> &'static str {
    match lang.base() {
        "zh" | "ja" | "yue" => "。",
        "hi" | "bn" | "ne" | "as" | "or" | "pa" | "sa" | "mai" => "।",
        "ur" | "ug" | "ks" => "۔",
        "am" | "ti" => "።",
        "hy" => "։",
        "my" => "။",
        "km" => "។",
        "bo" | "dz" => "།",
        "th" | "lo" => "",
        _ => ".",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_is_written_in_two_ways() {
        let same = |a, b| is_same_written(&Lang::parse(a).unwrap(), &Lang::parse(b).unwrap());
        assert!(same("zh", "zh-CN") && same("zh-TW", "zh-Hant") && same("pt", "pt-BR"));
        assert!(!same("zh", "zh-TW") && !same("zh-HK", "zh-Hans") && !same("fr", "de"));
    }

    #[test]
    fn the_table_is_readable_and_its_codes_are_codes() {
        assert!(all().len() >= 50);
        for (code, language) in all() {
            assert_eq!(Lang::parse(code).map(|l| l.to_string()).as_deref(), Some(code.as_str()));
            assert!(!language.name.is_empty() && !language.native.is_empty(), "{code}");
        }
    }
}
