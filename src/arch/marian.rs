//! Marian's models (Junczys-Dowmunt et al. 2018; opus-mt, Tiedemann and Thottingal 2020); reference: `transformers`' `MarianMTModel`.

use super::bart::{Variant, load_variant};
use super::encoder_decoder::PositionKind;
use super::{Address, Model, Numbers};
use crate::error::Result;
use crate::languages;
use crate::nn::{Backend, Config, Weights};
use crate::types::Lang;

pub(super) fn load(config: &Config, weights: &dyn Weights, backend: &Backend) -> Result<Box<dyn Model>> {
    let numbers = Numbers { config, model: weights.model(), gguf_prefix: "" };
    let pair = Pair::of(config);
    let variant = Variant {
        pre_norm: false,
        embedding_norm: false,
        final_norm: false,
        positions: PositionKind::Sinusoidal,
        activation: "swish",
        separate_vocabularies: !numbers.flag("share_encoder_decoder_embeddings", true),
        address: Box::new(move |from, to, has| pair.allows(from, to).then(|| address(to, has)).flatten()),
        ..Variant::default()
    };
    load_variant(variant, config, weights, backend)
}

/// The languages that a model was trained on, as its `tokenizer_config.json` states them; `None` for groups (`mul`, `ROMANCE`, `gmw`).
struct Pair {
    source: Option<Lang>,
    target: Option<Lang>,
}

impl Pair {
    fn of(config: &Config) -> Pair {
        let read = |key: &str| {
            let Config::Json(json) = config else { return None };
            let lang = languages::canonical(&Lang::parse(json.get(key)?.as_str()?)?);
            languages::get(&lang).map(|_| lang)
        };
        Pair { source: read("source_lang"), target: read("target_lang") }
    }

    fn allows(&self, from: &Lang, to: &Lang) -> bool {
        let fits = |known: &Option<Lang>, asked: &Lang| known.as_ref().is_none_or(|known| known.same_base(asked));
        fits(&self.source, from) && fits(&self.target, to)
    }
}

/// Models with several target languages have a token for each, `>>fra<<`, some of them with a script, `>>cmn_Hans<<`; the others
/// know one pair and are told nothing.
fn address(to: &Lang, has: &dyn Fn(&str) -> bool) -> Option<Address> {
    let token = codes(to).into_iter().map(|code| format!(">>{code}<<")).find(|token| has(token));
    if token.is_some() {
        return Some(Address { prefix: token? + " ", begin: None });
    }
    // A model that has such tokens, but not this one, does not know the language.
    let multilingual = ["eng", "fra", "deu", "spa", "ita", "por", "rus", "fin", "swe", "dan", "nld", "fr", "de", "es", "pt", "it"];
    if multilingual.iter().any(|code| has(&format!(">>{code}<<"))) { None } else { Some(Address::default()) }
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
    let aliases = known.iter().flat_map(|(_, language)| &language.aliases).filter(|a| a.len() == 3).cloned();
    special.iter().map(|s| (*s).to_string()).chain(aliases).chain([lang.as_str().replace('-', "_"), lang.base().to_string()]).collect()
}
