//! What a user wants of the choice.

use crate::error::{Error, Result};
use crate::generate::DecodingOverrides;
use crate::languages::canonical;
use crate::types::Lang;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// Between quick and good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// The likeliest token each time, out of a shortlist where there is one; nothing is read back.
    Fast,
    /// As the models' files say.
    #[default]
    Balanced,
    /// Larger models may be fetched, and a beam is four wide. Nothing is read back that is not by
    /// the model's own files: it costs Firefox's models three times the beam, for nothing
    /// (docs/quality.md).
    Best,
}

impl Preset {
    /// Most bytes that are fetched for one step of a pair, without being asked.
    pub(crate) fn ceiling(self) -> u64 {
        match self {
            Preset::Fast | Preset::Balanced => 100_000_000,
            Preset::Best => 500_000_000,
        }
    }

    /// Options of decoding with those of the preset where none is stated.
    pub(crate) fn apply(self, stated: DecodingOverrides) -> DecodingOverrides {
        match self {
            Preset::Balanced => stated,
            Preset::Fast => DecodingOverrides {
                num_beams: stated.num_beams.or(Some(1)),
                channel_weight: stated.channel_weight.or(Some(0.0)),
                shortlist: stated.shortlist.or(Some(true)),
                ..stated
            },
            Preset::Best => DecodingOverrides { num_beams: stated.num_beams.or(Some(4)), ..stated },
        }
    }
}

/// Two languages: that of a text, and that of its translation. Written `fr-en` or `en-zh-TW`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LanguagePair {
    /// The language of the text.
    pub from: Lang,
    /// That of the translation.
    pub to: Lang,
}

impl LanguagePair {
    /// The pair of two codes, each as polygist writes it.
    pub fn new(from: &Lang, to: &Lang) -> LanguagePair {
        LanguagePair { from: canonical(from), to: canonical(to) }
    }
}

impl fmt::Display for LanguagePair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} → {}", self.from, self.to)
    }
}

impl FromStr for LanguagePair {
    type Err = Error;

    /// Reads a pair. A part of two or three small letters begins a code; regions and scripts have
    /// capitals.
    ///
    /// # Errors
    /// [`Error::Usage`] when it is not of that form.
    fn from_str(text: &str) -> Result<LanguagePair> {
        let is_base = |part: &str| {
            (2..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_lowercase())
        };
        let mut codes: Vec<String> = Vec::new();
        for part in text.split('-') {
            match codes.last_mut() {
                Some(code) if !is_base(part) => *code = format!("{code}-{part}"),
                _ => codes.push(part.into()),
            }
        }
        let langs: Option<Vec<Lang>> = codes.iter().map(|code| Lang::parse(code)).collect();
        match langs.as_deref() {
            Some([from, to]) => Ok(LanguagePair::new(from, to)),
            _ => Err(Error::Usage(format!(
                "{text:?} is not a pair of languages; expected one such as fr-en or en-zh-TW"
            ))),
        }
    }
}

/// What a user wants of the choice of models.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preferences {
    /// Between quick and good.
    pub preset: Preset,
    /// Models that are to be used for pairs of languages, whatever the order says.
    pub pairs: BTreeMap<LanguagePair, String>,
    /// Whether the model of the other direction is wanted beside each, to read back.
    pub reads_back: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_read_with_their_regions() {
        let read = |text: &str| text.parse::<LanguagePair>().map(|pair| pair.to_string()).ok();
        assert_eq!(read("fr-en").unwrap(), "fr → en");
        assert_eq!(read("en-zh-TW").unwrap(), "en → zh-TW");
        assert_eq!(read("zh-Hant-en").unwrap(), "zh-TW → en");
        // As polygist calls it.
        assert_eq!(read("pt-BR-en").unwrap(), "pt → en");
        for wrong in ["fr", "fr-en-de", "French-English", "", "-"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_preset_fills_in_what_is_not_stated() {
        let stated = DecodingOverrides { num_beams: Some(2), ..DecodingOverrides::default() };
        assert_eq!(Preset::Best.apply(stated).num_beams, Some(2));
        let best = Preset::Best.apply(DecodingOverrides::default());
        assert_eq!((best.num_beams, best.channel_weight), (Some(4), None));
        let fast = Preset::Fast.apply(DecodingOverrides::default());
        assert_eq!(
            (fast.num_beams, fast.channel_weight, fast.shortlist),
            (Some(1), Some(0.0), Some(true))
        );
        let usual = Preset::Balanced.apply(DecodingOverrides::default());
        assert_eq!(usual, DecodingOverrides::default());
    }
}
