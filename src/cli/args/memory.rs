//! An amount of memory, as people write it.

use crate::error::{Error, Result};
use serde::Deserialize;
use std::str::FromStr;

/// Bytes of main memory: `6GB`, `1.5 GiB`, `800m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct MemoryArg(pub u64);

impl FromStr for MemoryArg {
    type Err = Error;

    fn from_str(text: &str) -> Result<MemoryArg> {
        let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let number: Option<f64> = text[..text.len() - unit.len()].parse().ok();
        let factor = match unit.trim().to_ascii_lowercase().as_str() {
            "m" | "mb" => Some(1e6),
            "g" | "gb" => Some(1e9),
            "t" | "tb" => Some(1e12),
            "mib" => Some(f64::from(1 << 20)),
            "gib" => Some(f64::from(1 << 30)),
            "tib" => Some((1u64 << 40) as f64),
            _ => None,
        };
        let bytes = number.zip(factor).map(|(number, factor)| number * factor);
        bytes.filter(|bytes| *bytes >= 1e6).map(|bytes| MemoryArg(bytes as u64)).ok_or_else(|| {
            Error::Usage(format!(
                "{text:?} is no amount of memory; expected such as 6GB, 1.5GiB or 800MB"
            ))
        })
    }
}

impl TryFrom<String> for MemoryArg {
    type Error = Error;

    fn try_from(text: String) -> Result<MemoryArg> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_people_write_them() {
        for (text, bytes) in [
            ("6GB", 6_000_000_000),
            ("1.5 GiB", 1_610_612_736),
            ("800m", 800_000_000),
            ("2tb", 2_000_000_000_000),
            ("512MiB", 536_870_912),
        ] {
            assert_eq!(text.parse::<MemoryArg>().unwrap().0, bytes, "{text}");
        }
        for wrong in ["", "6", "GB", "0.1MB", "-1GB", "6 GBs", "1e9GB", "1.2.3GB", "６GB"] {
            assert!(wrong.parse::<MemoryArg>().is_err(), "{wrong}");
        }
    }
}
