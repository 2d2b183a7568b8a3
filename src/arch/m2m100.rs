//! M2M100 (Fan et al. 2020), NLLB-200 (NLLB Team 2022) and SMaLL-100 (Mohammadshahi et al. 2022),
//! which are one graph with three ways of naming languages; reference: `transformers`'
//! `M2M100ForConditionalGeneration`.

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
    let class = numbers.text("tokenizer_class").unwrap_or_default();
    let variant = BartVariant {
        pre_norm: true,
        embedding_norm: false,
        final_norm: true,
        // Positions count from the one after the padding token's number.
        positions: PositionKind::SinusoidalFairseq { first: 2 },
        activation: "relu",
        scaled: true,
        language_prompt: if class.starts_with("SMALL100") {
            Box::new(small100)
        } else {
            Box::new(language_prompt)
        },
        ..BartVariant::default()
    };
    load_variant(variant, config, weights, backend)
}

/// The source language's token stands before the source, the target's begins the output.
fn language_prompt(from: &Lang, to: &Lang, has: &dyn Fn(&str) -> bool) -> Option<LanguagePrompt> {
    let find = |lang: &Lang| nllb(lang).into_iter().chain(m2m(lang)).find(|token| has(token));
    Some(LanguagePrompt { prefix: find(from)?, begin: Some(find(to)?) })
}

/// SMaLL-100 is told the target language alone, before the source.
fn small100(_: &Lang, to: &Lang, has: &dyn Fn(&str) -> bool) -> Option<LanguagePrompt> {
    let prefix = m2m(to).into_iter().find(|token| has(token))?;
    Some(LanguagePrompt { prefix, begin: None })
}

/// Tokens of M2M100: ISO 639-1.
fn m2m(lang: &Lang) -> Vec<String> {
    [lang.base()]
        .into_iter()
        .chain((lang.base() == "fil").then_some("tl"))
        .map(|code| format!("__{code}__"))
        .collect()
}

/// NLLB's codes (ISO 639-3 and script), where they do not follow from [`languages`]' aliases and
/// scripts.
const NLLB: &str = "
    af afr_Latn, am amh_Ethi, ar arb_Arab, as asm_Beng, az azj_Latn, ba bak_Cyrl, be bel_Cyrl, bg bul_Cyrl, bn ben_Beng, bo bod_Tibt,
    bs bos_Latn, ca cat_Latn, cs ces_Latn, cy cym_Latn, da dan_Latn, de deu_Latn, el ell_Grek, en eng_Latn, eo epo_Latn, es spa_Latn,
    et est_Latn, eu eus_Latn, fa pes_Arab, fi fin_Latn, fil tgl_Latn, fo fao_Latn, fr fra_Latn, ga gle_Latn, gd gla_Latn, gl glg_Latn,
    gn grn_Latn, gu guj_Gujr, ha hau_Latn, he heb_Hebr, hi hin_Deva, hr hrv_Latn, ht hat_Latn, hu hun_Latn, hy hye_Armn, id ind_Latn,
    ig ibo_Latn, is isl_Latn, it ita_Latn, ja jpn_Jpan, jv jav_Latn, ka kat_Geor, kk kaz_Cyrl, km khm_Khmr, kn kan_Knda, ko kor_Hang,
    ku kmr_Latn, ckb ckb_Arab, ky kir_Cyrl, lb ltz_Latn, lg lug_Latn, ln lin_Latn, lo lao_Laoo, lt lit_Latn, lv lvs_Latn, mg plt_Latn,
    mi mri_Latn, mk mkd_Cyrl, ml mal_Mlym, mn khk_Cyrl, mr mar_Deva, ms zsm_Latn, mt mlt_Latn, my mya_Mymr, ne npi_Deva, nl nld_Latn,
    nn nno_Latn, no nob_Latn, ny nya_Latn, oc oci_Latn, om gaz_Latn, or ory_Orya, pa pan_Guru, pl pol_Latn, ps pbt_Arab, pt por_Latn,
    qu quy_Latn, ro ron_Latn, ru rus_Cyrl, rw kin_Latn, sa san_Deva, sd snd_Arab, si sin_Sinh, sk slk_Latn, sl slv_Latn, sn sna_Latn,
    so som_Latn, sq als_Latn, sr srp_Cyrl, st sot_Latn, su sun_Latn, sv swe_Latn, sw swh_Latn, ta tam_Taml, te tel_Telu, tg tgk_Cyrl,
    th tha_Thai, ti tir_Ethi, tk tuk_Latn, tl tgl_Latn, tn tsn_Latn, tr tur_Latn, ts tso_Latn, tt tat_Cyrl, ug uig_Arab, uk ukr_Cyrl,
    ur urd_Arab, uz uzn_Latn, vi vie_Latn, wo wol_Latn, xh xho_Latn, yi ydd_Hebr, yo yor_Latn, yue yue_Hant, zh zho_Hans, zh-TW zho_Hant,
    zu zul_Latn";

/// Scripts by the names that [`languages`] uses, in the codes of ISO 15924.
const SCRIPTS: &[&str] = &["Latn", "Cyrl", "Arab", "Deva", "Beng", "Ethi", "Hebr", "Tibt"];

/// NLLB's tokens for a language, the likeliest first.
fn nllb(lang: &Lang) -> Vec<String> {
    let entry = |code: &str| {
        let mut pairs = NLLB.split(',').filter_map(|pair| pair.trim().split_once(' '));
        pairs.find(|(iso, _)| *iso == code).map(|(_, token)| token.to_string())
    };
    let listed = entry(lang.as_str()).or_else(|| entry(lang.base()));
    let aliases = languages::get(lang)
        .into_iter()
        .flat_map(|(_, l)| l.aliases.iter().map(String::as_str))
        .filter(|a| a.len() == 3);
    let guesses = aliases
        .chain([lang.base()])
        .flat_map(|code| SCRIPTS.iter().map(move |script| format!("{code}_{script}")));
    listed.into_iter().chain(guesses).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(from: &str, to: &str, tokens: &[&str]) -> Option<LanguagePrompt> {
        language_prompt(&Lang::parse(from).unwrap(), &Lang::parse(to).unwrap(), &|token| {
            tokens.contains(&token)
        })
    }

    #[test]
    fn languages_are_named_as_the_vocabulary_names_them() {
        let nllb = ["fra_Latn", "eng_Latn", "zho_Hans", "zho_Hant", "arb_Arab", "ast_Latn"];
        let both = |prefix: &str, begin: &str| {
            Some(LanguagePrompt { prefix: prefix.into(), begin: Some(begin.into()) })
        };
        assert_eq!(ask("fr", "en", &nllb), both("fra_Latn", "eng_Latn"));
        assert_eq!(ask("zh", "zh-TW", &nllb), both("zho_Hans", "zho_Hant"));
        assert_eq!(ask("ast", "ar", &nllb), both("ast_Latn", "arb_Arab"));
        assert_eq!(ask("fr", "de", &nllb), None);
        assert_eq!(ask("fr", "en", &["__fr__", "__en__"]), both("__fr__", "__en__"));
    }
}
