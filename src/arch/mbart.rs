//! mBART and mBART-50 (Liu et al. 2020, Tang et al. 2020); reference: `transformers`'
//! `MBartForConditionalGeneration`.

use super::bart::{BartVariant, load_variant};
use super::{LanguagePrompt, Model, Numbers};
use crate::checkpoint::{Config, Weights};
use crate::error::Result;
use crate::nn::Backend;
use crate::types::Lang;

pub(super) fn load(
    config: &Config,
    weights: &dyn Weights,
    backend: &Backend,
) -> Result<Box<dyn Model>> {
    let numbers = Numbers::of_hub(config, weights);
    let class = numbers.text("tokenizer_class").unwrap_or_default();
    let variant = BartVariant {
        pre_norm: true,
        final_norm: true,
        language_prompt: if class.starts_with("MBartTokenizer") {
            Box::new(target_begins)
        } else {
            Box::new(language_prompt)
        },
        ..BartVariant::default()
    };
    load_variant(variant, config, weights, backend)
}

/// A language with the region whose text it was trained on, as its tokens name it.
const CODES: &[&str] = &[
    "ar_AR", "cs_CZ", "de_DE", "en_XX", "es_XX", "et_EE", "fi_FI", "fr_XX", "gu_IN", "hi_IN",
    "it_IT", "ja_XX", "kk_KZ", "ko_KR", "lt_LT", "lv_LV", "my_MM", "ne_NP", "nl_XX", "ro_RO",
    "ru_RU", "si_LK", "tr_TR", "vi_VN", "zh_CN", "af_ZA", "az_AZ", "bn_IN", "fa_IR", "he_IL",
    "hr_HR", "id_ID", "ka_GE", "km_KH", "mk_MK", "ml_IN", "mn_MN", "mr_IN", "pl_PL", "ps_AF",
    "pt_XX", "sv_SE", "sw_KE", "ta_IN", "te_IN", "th_TH", "tl_XX", "uk_UA", "ur_PK", "xh_ZA",
    "gl_ES", "sl_SI",
];

fn code(lang: &Lang) -> Option<&'static str> {
    CODES.iter().copied().find(|code| code.split('_').next() == Some(lang.base()))
}

/// The prompt of models before mBART-50, each fine-tuned for one pair: decoding starts with the
/// target language's token, as `config.json` says.
fn target_begins(from: &Lang, to: &Lang, has: &dyn Fn(&str) -> bool) -> Option<LanguagePrompt> {
    language_prompt(from, to, has)
        .map(|language_prompt| LanguagePrompt { begin: None, ..language_prompt })
}

/// The prompt of mBART-50: the source language's token stands before the source, the target's
/// begins the output.
fn language_prompt(from: &Lang, to: &Lang, has: &dyn Fn(&str) -> bool) -> Option<LanguagePrompt> {
    let (from, to) = (code(from)?, code(to)?);
    (has(from) && has(to)).then(|| LanguagePrompt { prefix: from.into(), begin: Some(to.into()) })
}
