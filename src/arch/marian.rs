//! Marian's models (Junczys-Dowmunt et al. 2018; opus-mt, Tiedemann and Thottingal 2020);
//! reference: `transformers`' `MarianMTModel`.

use super::bart::{BartVariant, load_variant};
use super::family::PositionKind;
use super::{LanguagePrompt, Model, Numbers};
use crate::checkpoint::{Config, Weights};
use crate::error::Result;
use crate::languages;
use crate::nn::Backend;
use crate::types::Lang;

pub(super) fn load(
    config: &Config,
    weights: &dyn Weights,
    backend: &Backend,
) -> Result<Box<dyn Model>> {
    let numbers = Numbers::of_hub(config, weights);
    let pair = Pair::of(&numbers);
    let variant = BartVariant {
        embedding_norm: false,
        positions: PositionKind::Sinusoidal,
        activation: "swish",
        separate_vocabularies: !numbers.flag("share_encoder_decoder_embeddings", true),
        language_prompt: Box::new(move |from, to, has| {
            pair.allows(from, to).then(|| language_prompt(to, has)).flatten()
        }),
        ..BartVariant::default()
    };
    load_variant(variant, config, weights, backend)
}

/// The languages that a model was trained on, as its `tokenizer_config.json` states them: codes of
/// languages or of groups.
pub(super) struct Pair {
    source: Option<String>,
    target: Option<String>,
}

/// The groups of opus-mt's models, and those of their languages that [`languages`] knows. `mul` and
/// groups that are not here count as "any".
const GROUPS: &[(&str, &str)] = &[
    ("ROMANCE", "fr es it pt ro ca gl oc"),
    ("roa", "fr es it pt ro ca gl oc"),
    ("itc", "fr es it pt ro ca gl oc la"),
    ("zle", "ru uk be"),
    ("zls", "bg hr sr sl mk bs"),
    ("zlw", "pl cs sk"),
    ("sla", "ru uk be bg hr sr sl mk bs pl cs sk"),
    ("gmw", "en de nl af lb yi fy"),
    ("gmq", "da sv no nn is fo"),
    ("NORWAY", "no nn"),
    ("SCANDINAVIA", "da sv no nn"),
    ("gem", "en de nl af lb yi fy da sv no nn is fo"),
    ("cel", "ga cy gd br"),
    ("bat", "lt lv"),
    ("inc", "hi bn ur mr gu pa ne si as or sd"),
    ("dra", "ta te ml kn"),
    ("trk", "tr az kk ky uz tk tt ug"),
    ("fiu", "fi et hu"),
    ("urj", "fi et hu"),
    ("sem", "ar he mt am ti"),
];

impl Pair {
    pub(super) fn of(numbers: &Numbers<'_>) -> Pair {
        let read = |key: &str| numbers.text(key).map(String::from);
        Pair { source: read("source_lang"), target: read("target_lang") }
    }

    pub(super) fn allows(&self, from: &Lang, to: &Lang) -> bool {
        let fits = |code: &Option<String>, asked: &Lang| {
            code.as_ref().is_none_or(|code| covers(code, asked))
        };
        fits(&self.source, from) && fits(&self.target, to)
    }
}

/// Whether a language, or a group, as opus-mt names it holds a language.
fn covers(code: &str, asked: &Lang) -> bool {
    if let Some((_, members)) = GROUPS.iter().find(|(group, _)| *group == code) {
        return members.split(' ').any(|member| member == asked.base());
    }
    match Lang::parse(code) {
        Some(lang) if code != "mul" => {
            let lang = languages::canonical(&lang);
            // A code of three letters that stands for no known language is a group's, or a language
            // that nobody asks for by another name.
            lang.same_base(asked) || (code.len() == 3 && languages::get(&lang).is_none())
        }
        _ => true,
    }
}

/// Models with several target languages have a token for each, `>>fra<<`, some of them with a
/// script, `>>cmn_Hans<<`; the others know one pair and are told nothing.
fn language_prompt(to: &Lang, has: &dyn Fn(&str) -> bool) -> Option<LanguagePrompt> {
    let token = |lang: &Lang| {
        codes(lang).into_iter().map(|code| format!(">>{code}<<")).find(|token| has(token))
    };
    if let Some(token) = token(to) {
        return Some(LanguagePrompt { prefix: token + " ", begin: None });
    }
    // A model that has such tokens, but not this one, does not know the language.
    let multilingual = languages::all()
        .keys()
        .filter_map(|code| Lang::parse(code))
        .any(|lang| token(&lang).is_some());
    (!multilingual).then(LanguagePrompt::default)
}

/// Codes that Marian's training sets use for a language, the likeliest first.
fn codes(lang: &Lang) -> Vec<String> {
    let special: &[&str] = match lang.as_str() {
        "zh" => &["cmn_Hans", "zho_Hans", "cmn", "zho", "zh_cn", "zh_CN"],
        "zh-TW" => &["cmn_Hant", "zho_Hant", "zh_tw", "zh_TW", "cmn"],
        "no" => &["nob", "nor", "nb"],
        "pt-BR" => &["pob", "por", "pt_br", "pt_BR", "pt"],
        "sr" => &["srp_Cyrl", "srp", "srp_Latn"],
        "fa" => &["pes", "fas"],
        "ar" => &["ara", "arb", "ara_Arab"],
        "ms" => &["zsm_Latn", "zlm_Latn", "msa"],
        "id" => &["ind"],
        "kk" => &["kaz_Cyrl", "kaz"],
        "uz" => &["uzb_Latn", "uzb", "uzb_Cyrl"],
        "az" => &["aze_Latn", "aze"],
        "ja" => &["jpn", "jpn_Jpan"],
        "ko" => &["kor", "kor_Hang"],
        _ => &[],
    };
    let known = languages::get(lang);
    let aliases =
        known.iter().flat_map(|(_, language)| &language.aliases).filter(|a| a.len() == 3).cloned();
    special
        .iter()
        .map(|s| (*s).to_string())
        .chain(aliases)
        .chain([lang.as_str().replace('-', "_"), lang.base().to_string()])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lang(code: &str) -> Lang {
        Lang::parse(code).unwrap()
    }

    #[test]
    fn pairs_and_groups_hold_their_languages() {
        for (code, member, stranger) in [
            ("fr", "fr", "de"),
            ("ROMANCE", "pt", "de"),
            ("zle", "uk", "fr"),
            ("NORWAY", "nb", "sv"),
        ] {
            let canonical = languages::canonical(&lang(member));
            assert!(covers(code, &canonical) && !covers(code, &lang(stranger)), "{code}");
        }
        assert!(covers("mul", &lang("sw")) && covers("eng", &Lang::en()));
    }

    #[test]
    fn target_languages_are_named_as_the_vocabulary_names_them() {
        let ask = |to: &str, tokens: &[&str]| {
            language_prompt(&lang(to), &|token| tokens.contains(&token))
        };
        assert_eq!(ask("fr", &[]), Some(LanguagePrompt::default()));
        assert_eq!(ask("fr", &[">>fra<<", ">>spa<<"]).unwrap().prefix, ">>fra<< ");
        assert_eq!(ask("zh", &[">>cmn_Hans<<"]).unwrap().prefix, ">>cmn_Hans<< ");
        assert_eq!(ask("de", &[">>hin<<", ">>ben<<"]), None);
    }
}
