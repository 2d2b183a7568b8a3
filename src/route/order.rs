//! The order of the models for one pair of languages.
//!
//! | first by | because |
//! |---|---|
//! | quality, 1 to 5 | the catalog says what published scores lead one to expect of news |
//! | published COMET, then chrF | they tell models of one pair and quality apart |
//! | the very script of the source | a model of `zh` reads `zh-TW`, one of `zh-TW` better |
//! | size | the smaller is the faster |
//! | place in the catalog | it is in order of preference |
//!
//! With [`Preset::Fast`], size goes before the scores. The model that the catalog has for
//! everything, its first, is the last resort.

use super::languages::{reads, serves};
use super::{LanguagePair, Preferences, Preset};
use crate::io::catalog::{Model, Release};
use crate::types::Lang;
use std::cmp::Reverse;

/// Whether a model can be used now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Availability {
    /// It is on this machine.
    Installed,
    /// It can be fetched: so many bytes.
    Fetchable(u64),
    /// It cannot be had, for this reason.
    Unavailable(String),
}

/// A model that may serve.
#[derive(Clone, Debug)]
pub struct Candidate<'a> {
    /// Its number in the catalog.
    pub number: usize,
    /// What the catalog says of it.
    pub entry: &'a Model,
    /// Whether it can be used.
    pub availability: Availability,
    /// Whether it is the model for what no other model serves.
    pub is_last_resort: bool,
}

/// The quality of a model of which nothing is known: the user has brought it.
const UNKNOWN_QUALITY: u8 = 3;

impl Candidate<'_> {
    /// How good it is said to be, from 1 to 5; 0 for the last resort.
    pub fn grade(&self) -> u8 {
        match self.entry.quality {
            _ if self.is_last_resort => 0,
            0 => UNKNOWN_QUALITY,
            quality => quality,
        }
    }

    /// The order: the least goes first.
    fn key(&self, (from, to): (&Lang, &Lang), preset: Preset) -> impl Ord + use<> {
        let thousandths = |score: f32| (score * 1000.0) as i64;
        let score = self.entry.score(from, to);
        let scores = score.map(|s| (s.comet.map(thousandths), thousandths(s.chrf)));
        let size = self.entry.size();
        let first = if preset == Preset::Fast { size } else { 0 };
        let other_script = !reads(self.entry, from);
        (Reverse(self.grade()), first, Reverse(scores), other_script, size, self.number)
    }

    /// Whether it may be used without being named. What is not here is fetched if it is made for
    /// few languages, not too large, and its terms allow all uses; the last resort is always.
    pub fn is_allowed(&self, preset: Preset) -> bool {
        let is_fetched = |size: u64| {
            let is_for_all = self.entry.reads().iter().any(|lang| lang.as_str() == "mul");
            let is_free = !self.entry.licence.is_non_commercial();
            self.is_last_resort || size <= preset.ceiling() && is_free && !is_for_all
        };
        match self.availability {
            Availability::Installed => true,
            Availability::Fetchable(size) => {
                self.entry.release != Release::Unreleased && is_fetched(size)
            }
            Availability::Unavailable(_) => false,
        }
    }

    /// Whether a configuration's name means it.
    pub fn is_named(&self, name: &str) -> bool {
        self.entry.id == name || self.entry.repo.as_deref() == Some(name)
    }

    /// Why it is the one, in a few words.
    fn why(&self, from: &Lang, to: &Lang) -> String {
        if self.is_last_resort {
            return "last resort: nothing else is here, or small enough to fetch unasked".into();
        }
        let mut words = match self.entry.quality {
            0 => "installed here".to_string(),
            quality => format!("quality {quality} of 5"),
        };
        if let Some(score) = self.entry.score(from, to) {
            words.push_str(&format!(", chrF {:.1} on {}", score.chrf, score.set));
        }
        words
    }
}

/// The best of some models for one step from a language to another, and why; the one that the
/// preferences name, if they name one.
pub fn best<'a, 'c>(
    candidates: &'a [Candidate<'c>],
    (from, to): (&Lang, &Lang),
    preferences: &Preferences,
) -> Option<(&'a Candidate<'c>, String)> {
    let usable = |c: &&Candidate<'_>| !matches!(c.availability, Availability::Unavailable(_));
    if let Some(name) = preferences.pairs.get(&LanguagePair::new(from, to)) {
        let named = candidates.iter().find(|c| c.is_named(name)).filter(usable)?;
        return Some((named, "named for it in the configuration".into()));
    }
    let preset = preferences.preset;
    candidates
        .iter()
        .filter(|c| c.is_allowed(preset) && serves(c.entry, from, to))
        .min_by_key(|c| c.key((from, to), preset))
        .map(|best| (best, best.why(from, to)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::catalog::Catalog;

    /// A catalog in a few lines: name, from, to, quality, chrF, megabytes, more.
    fn catalog(lines: &[(&str, &str, &str, u8, f32, u64, &str)]) -> Catalog {
        let entry = |(id, from, to, quality, chrf, mb, more): &(_, _, _, _, _, _, &str)| {
            let scores = if *chrf > 0.0 {
                format!("[[model.score]]\nset='s'\nby='b'\nbleu=1.0\nchrf={chrf:.1}\n")
            } else {
                String::new()
            };
            format!(
                "[[model]]\nid='{id}'\nname='N'\ntasks=['translate']\nfrom={from}\nto={to}\n\
                 architecture='a'\nquality={quality}\nrepo='o/{id}'\nsize_mb={mb}\n{more}\n\
                 licence={{name='MIT',url='u'}}\n{scores}"
            )
        };
        let text: String = lines.iter().map(entry).collect();
        Catalog::parse(&text, "test").unwrap()
    }

    fn first(
        catalog: &Catalog,
        installed: &[&str],
        pair: (&str, &str),
        preferences: &Preferences,
    ) -> Option<(String, String)> {
        let candidate = |(number, entry)| {
            let entry: &Model = entry;
            let installed = installed.contains(&entry.id.as_str());
            let fetched = Availability::Fetchable(entry.size());
            let availability = if installed { Availability::Installed } else { fetched };
            Candidate { number, entry, availability, is_last_resort: number == 0 }
        };
        let candidates: Vec<Candidate<'_>> =
            catalog.models().iter().enumerate().map(candidate).collect();
        let (from, to) = (Lang::parse(pair.0).unwrap(), Lang::parse(pair.1).unwrap());
        let (best, why) = best(&candidates, (&from, &to), preferences)?;
        Some((best.entry.id.clone(), why))
    }

    #[test]
    fn the_order_is_that_of_the_table() {
        let all = catalog(&[
            ("starter", "['mul']", "['mul']", 1, 0.0, 280, "prompt='few-shot'"),
            ("tiny", "['fr']", "['en']", 4, 66.0, 20, ""),
            ("base", "['fr']", "['en']", 4, 68.0, 40, ""),
            ("secret", "['fr']", "['en']", 5, 70.0, 40, "release='unreleased'"),
            ("opus", "['fr']", "['en']", 4, 0.0, 300, ""),
            ("many", "['mul']", "['mul']", 4, 0.0, 5000, ""),
            ("great", "['de']", "['en']", 5, 0.0, 5000, ""),
            ("german", "['de']", "['en']", 4, 0.0, 200, ""),
            ("zh", "['zh']", "['en']", 4, 60.0, 20, ""),
            ("hant", "['zh-TW']", "['en']", 4, 60.0, 25, ""),
            ("to-zh", "['en']", "['zh']", 4, 30.0, 25, ""),
            ("serbian", "['bs', 'hr', 'sr']", "['en']", 4, 30.0, 25, ""),
        ]);
        let usual = Preferences::default();
        let with = |preset| Preferences { preset, ..Preferences::default() };
        let id = |installed: &[&str], from: &str, to: &str, preferences: &Preferences| {
            first(&all, installed, (from, to), preferences).map(|(id, _)| id).unwrap_or_default()
        };
        assert_eq!(id(&[], "fr", "en", &usual), "base");
        assert_eq!(id(&[], "fr-CA", "en", &with(Preset::Fast)), "tiny");
        // What is not for the public is used when the user has fetched it.
        assert_eq!(id(&["secret"], "fr", "en", &usual), "secret");
        assert_eq!(id(&["opus", "many"], "fr", "en", &usual), "base");
        // 5 GB are never fetched unasked, 200 MB where the best is wanted.
        assert_eq!(id(&[], "de", "en", &usual), "starter");
        assert_eq!(id(&[], "de", "en", &with(Preset::Best)), "german");
        assert_eq!(id(&["great"], "de", "en", &usual), "great");
        assert_eq!(id(&["many"], "sw", "en", &usual), "many");
        assert_eq!(id(&[], "sr", "en", &usual), "serbian");
        // Two ways of writing Chinese: both are read, the other is never written.
        assert_eq!(id(&[], "zh-Hant", "en", &usual), "hant");
        assert_eq!(id(&[], "zh", "en", &usual), "zh");
        assert_eq!(id(&[], "en", "zh-Hans", &usual), "to-zh");
        assert_eq!(id(&[], "en", "zh-TW", &usual), "");
        assert_eq!(id(&[], "fr", "de", &usual), "");
    }

    #[test]
    fn the_reason_is_told_and_the_configuration_is_obeyed() {
        let all = catalog(&[
            ("starter", "['mul']", "['mul']", 1, 0.0, 280, "prompt='few-shot'"),
            ("tiny", "['fr']", "['en']", 4, 66.0, 20, ""),
            ("own", "['fr']", "['en']", 0, 0.0, 2000, ""),
        ]);
        let mut preferences = Preferences::default();
        let found = |preferences: &Preferences, from| {
            first(&all, &["own"], (from, "en"), preferences).unwrap()
        };
        let (id, why) = found(&preferences, "fr");
        assert_eq!((id.as_str(), why.as_str()), ("tiny", "quality 4 of 5, chrF 66.0 on s"));
        let (id, why) = found(&preferences, "de");
        assert!(id == "starter" && why.starts_with("last resort"), "{why}");
        for name in ["own", "o/own"] {
            preferences.pairs.insert("fr-en".parse().unwrap(), name.into());
            let (id, why) = found(&preferences, "fr");
            assert_eq!((id.as_str(), why.as_str()), ("own", "named for it in the configuration"));
        }
        preferences.pairs.insert("fr-en".parse().unwrap(), "gone".into());
        assert_eq!(first(&all, &[], ("fr", "en"), &preferences), None);
    }
}
