//! Languages by their codes, and what the detection says of them.

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// A language as people name it: a lower-case ISO 639 code, with a region or script where the
/// translation differs (`pt-BR`, `zh-TW`), or `und` for "not known" (BCP 47).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Lang(String);

impl Lang {
    /// The undetermined language, `und`.
    pub fn und() -> Self {
        Lang("und".into())
    }

    /// English.
    pub fn en() -> Self {
        Lang("en".into())
    }

    /// Reads a code in any case and with `_` or `-`; `None` when it is not of the form of a code.
    ///
    /// ```
    /// use polygist::types::Lang;
    /// assert_eq!(Lang::parse("PT_br").unwrap().as_str(), "pt-BR");
    /// assert_eq!(Lang::parse("fr").unwrap().base(), "fr");
    /// assert!(Lang::parse("what?").is_none());
    /// ```
    pub fn parse(code: &str) -> Option<Self> {
        let mut parts = code.trim().split(['-', '_']);
        let base = parts.next()?.to_ascii_lowercase();
        if !(2..=3).contains(&base.len()) || !base.bytes().all(|b| b.is_ascii_lowercase()) {
            return None;
        }
        let mut out = base;
        for part in parts {
            if !(2..=8).contains(&part.len()) || !part.bytes().all(|b| b.is_ascii_alphanumeric()) {
                return None;
            }
            out.push('-');
            match part.len() {
                2 => out.push_str(&part.to_ascii_uppercase()),
                4 => {
                    out.push_str(&part[..1].to_ascii_uppercase());
                    out.push_str(&part[1..].to_ascii_lowercase());
                }
                _ => out.push_str(&part.to_ascii_lowercase()),
            }
        }
        Some(Lang(out))
    }

    /// The whole code, as `pt-BR`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The language without region or script: `pt` of `pt-BR`.
    pub fn base(&self) -> &str {
        self.0.split('-').next().unwrap_or(&self.0)
    }

    /// Whether the language is not known.
    pub fn is_und(&self) -> bool {
        self.0 == "und"
    }

    /// Whether both name the same language, regions aside.
    pub fn same_base(&self, other: &Lang) -> bool {
        self.base() == other.base()
    }
}

impl FromStr for Lang {
    type Err = Error;

    /// Reads a code as [`Lang::parse`] does.
    ///
    /// # Errors
    /// [`Error::Usage`] when it is not of the form of a code.
    fn from_str(code: &str) -> Result<Lang> {
        Lang::parse(code).ok_or_else(|| {
            Error::Usage(format!(
                "{code:?} is not a language code; expected one such as fr or pt-BR"
            ))
        })
    }
}

impl TryFrom<&str> for Lang {
    type Error = Error;

    fn try_from(code: &str) -> Result<Lang> {
        code.parse()
    }
}

impl fmt::Display for Lang {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A language and how sure its detection is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Detection {
    /// The language; `und` when unsure.
    pub code: Lang,
    /// From 0 to 1.
    pub confidence: f32,
    /// The language that is written in Latin letters instead of its own, where the code is `und`
    /// for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub romanized: Option<Lang>,
    /// The near relatives that it may be, with the confidence of each, where that is in doubt.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub candidates: BTreeMap<Lang, f32>,
}

impl Detection {
    /// A language that was found or stated.
    pub fn new(code: Lang, confidence: f32) -> Detection {
        Detection { code, confidence, romanized: None, candidates: BTreeMap::new() }
    }

    /// No language, for want of words.
    pub fn none() -> Detection {
        Detection::new(Lang::und(), 0.0)
    }
}
