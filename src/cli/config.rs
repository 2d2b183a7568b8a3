//! The configuration file: defaults for flags.

use super::args::{self, MemoryArg, PrecisionArg};
use crate::error::{Error, Result};
use crate::io::folders;
use crate::route::{LanguagePair, Preset};
use crate::types::Lang;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What the file may say; each key is the flag of that name, and the flag wins.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// `--to`
    pub to: Option<String>,
    /// `--model`
    pub model: Option<String>,
    /// `--fast` and `--best`
    pub preset: Preset,
    /// Models for pairs of languages (`fr-en = "opus-mt-fr-en"`), whatever else there is, where
    /// `model` is left to the program.
    pub route: BTreeMap<String, String>,
    /// `--adapter`
    pub adapter: Option<PathBuf>,
    /// `--summary-model`
    pub summary_model: Option<String>,
    /// `--device`
    pub device: Option<String>,
    /// `--threads`
    pub threads: Option<u16>,
    /// `--memory`
    pub memory: Option<MemoryArg>,
    /// `--precision`
    pub precision: Option<PrecisionArg>,
    /// `--cache-dir`
    pub cache_dir: Option<PathBuf>,
    /// `--offline`
    pub offline: bool,
    /// `POLYGIST_FIREFOX_MODELS`: an address or folder that has Firefox's models
    #[serde(alias = "firefox_models")]
    pub firefox_models: Option<String>,
    /// `POLYGIST_FIREFOX_RECORDS`: the address of the records that go with them
    #[serde(alias = "firefox_records")]
    pub firefox_records: Option<String>,
}

impl Config {
    /// Reads the file that is named, or the one in the usual place if there is one.
    pub fn load(named: Option<&Path>) -> Result<Config> {
        let path = match named {
            Some(path) => path.to_path_buf(),
            None => match Config::usual_place().filter(|path| path.is_file()) {
                Some(path) => path,
                None => return Ok(Config::default()),
            },
        };
        let text = std::fs::read_to_string(&path)
            .map_err(Error::io("reading the configuration", &path))?;
        toml::from_str(&text).map_err(|e| Error::Usage(format!("{}: {e}", path.display())))
    }

    /// The models for pairs of languages.
    ///
    /// # Errors
    /// When a key of `route` is not a pair of languages.
    pub fn route(&self) -> Result<BTreeMap<LanguagePair, String>> {
        let read = |(pair, model): (&String, &String)| match pair.parse() {
            Ok(pair) => Ok((pair, model.clone())),
            Err(why) => Err(Error::Usage(format!("configuration: route: {why}"))),
        };
        self.route.iter().map(read).collect()
    }

    /// `config.toml` in [`folders::config`].
    pub fn usual_place() -> Option<PathBuf> {
        folders::config().map(|folder| folder.join("config.toml"))
    }

    /// The language of `to`.
    pub fn to(&self) -> Result<Option<Lang>> {
        let parse = |code: &String| {
            args::lang(code).map_err(|why| Error::Usage(format!("configuration: to: {why}")))
        };
        self.to.as_ref().map(parse).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_keys_are_errors() {
        assert_eq!(toml::from_str::<Config>("to = 'en'\nthreads = 2").unwrap().threads, Some(2));
        assert!(toml::from_str::<Config>("langauge = 'en'").is_err());
        let text = "preset = 'fast'\n[route]\nfr-en = 'own'\nen-zh-TW = 'other'";
        let config = toml::from_str::<Config>(text).unwrap();
        let pair: LanguagePair = "fr-en".parse().unwrap();
        assert_eq!((config.preset, &config.route().unwrap()[&pair][..]), (Preset::Fast, "own"));
        let wrong = toml::from_str::<Config>("[route]\nfrench = 'own'").unwrap();
        assert!(wrong.route().unwrap_err().to_string().contains("route: \"french\""));
    }
}
