//! A look at all articles before the work begins: how many there are, and what is to be done with
//! them.

use super::BatchJob;
use super::groups::{id, source};
use super::keys::Keys;
use super::remaining::Count;
use super::todo::{Met, Why};
use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::io::articles::read;
use crate::io::journal::RecordId;
use crate::io::write::atomic;
use crate::types::Lang;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;

/// The file in the output folder that tells the settings of the last run, by the language.
const SETTINGS: &str = ".polygist.settings.json";

/// What there is to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Survey {
    /// All articles.
    pub articles: usize,
    /// Those to be done, by the reason.
    pub to_do: BTreeMap<Why, usize>,
    /// How many have no record in the languages that come after this one.
    pub later: BTreeMap<Lang, usize>,
    /// Bytes of their texts.
    pub bytes: usize,
    /// How many articles of each file have to be read for them: up to the last one that is to be
    /// done.
    pub again: Vec<usize>,
}

impl Survey {
    /// Articles to be done.
    pub fn to_do(&self) -> usize {
        self.to_do.values().sum()
    }

    /// The same by whether they have a record.
    pub fn count(&self) -> Count {
        let new = self.to_do.get(&Why::New).copied().unwrap_or_default();
        Count { new, again: self.to_do() - new }
    }
}

/// Meets all articles; what comes through a pipe cannot be looked at twice, and nothing is known of
/// it.
///
/// # Errors
/// [`Error::Interrupted`]; when the output folder cannot be written.
pub(super) fn survey(
    batch: &BatchJob,
    met: &mut Met,
    keys: &Keys<'_>,
    cancel: &CancelToken,
) -> Result<Option<Survey>> {
    let options = &batch.options;
    if batch.found.files.iter().any(|file| file.is_stdin()) {
        return Ok(None);
    }
    let jobs = batch.jobs();
    let later = jobs.into_iter().skip_while(|job| job.to != keys.job.to).skip(1);
    let later = later.filter(|_| !options.retry_failed).filter_map(|job| Some((job.to?, 0)));
    let mut survey = Survey { later: later.collect(), ..Survey::default() };
    let mut left = options.limit.unwrap_or(usize::MAX);
    for file in &batch.found.files {
        let (mut number, mut last, mut is_one) = (0, 0, false);
        for mut article in read(file, &options.reading).take(left) {
            cancel.check()?;
            number += 1;
            is_one |= id(&article) == file.id;
            if options.shard.is_some_and(|shard| !shard.takes(&source(&article).sha256)) {
                continue;
            }
            survey.articles += 1;
            if let Some(why) = met.meet(&mut article, file, batch, keys)? {
                *survey.to_do.entry(why).or_default() += 1;
                survey.bytes += article.as_ref().map_or(0, |raw| raw.text.len());
                last = number;
            }
            for (target, new) in &mut survey.later {
                let of = RecordId { id: id(&article), target: Some(target) };
                *new += usize::from(met.desk.journal.find(of).is_none());
            }
        }
        // Of several articles whose file could not be read before.
        if number > 0 && !is_one && options.limit.is_none() && !options.retry_failed {
            met.desk.forget_failed(file, keys.job.to.as_ref());
        }
        left -= number;
        survey.again.push(last);
    }
    Ok(Some(survey))
}

/// What a user should know before articles that were done are done again; none where none are.
pub(super) fn warning(survey: &Survey, changes: &[&str]) -> Option<String> {
    let again = *survey.to_do.get(&Why::Settings)?;
    let why = match changes {
        [] => "they were made with other models or settings".into(),
        changes => format!("{} changed since", changes.join(", ")),
    };
    let articles = if again == 1 { "1 article is" } else { &format!("{again} articles are") };
    Some(format!("{articles} done again: {why} (Ctrl-C stops; what is there stays until then)"))
}

/// Notes the settings of a run, and says what has changed since the last one.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn changes(out: &Path, target: Option<&Lang>, key: &Value) -> Result<Vec<&'static str>> {
    let path = out.join(SETTINGS);
    let read = std::fs::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    // A file that is not ours, or broken, tells nothing.
    let mut all: Map<String, Value> = read.unwrap_or_default();
    let name = target.map_or(String::new(), Lang::to_string);
    let old = all.insert(name, key.clone());
    if old.as_ref() == Some(key) {
        return Ok(Vec::new());
    }
    let json =
        serde_json::to_vec_pretty(&all).map_err(|e| Error::io("writing", &path)(e.into()))?;
    atomic(&path, &json)?;
    let Some(old) = old else { return Ok(Vec::new()) };
    let differs = |(field, _): &&(&str, &str)| old.get(field) != key.get(field);
    let mut words: Vec<&str> = NAMES.iter().filter(differs).map(|(_, word)| *word).collect();
    words.dedup();
    Ok(words)
}

/// The settings that a key holds, in words.
const NAMES: [(&str, &str); 16] = [
    ("key_version", "the version of polygist"),
    ("program", "the version of polygist"),
    ("translators", "the translation model"),
    ("readers", "the translation model"),
    ("summarizer", "the model of summaries"),
    ("encoder", "the ranking of sentences"),
    ("device", "the device"),
    ("precision", "the precision"),
    ("from", "--from"),
    ("to", "--to"),
    ("translation", "the settings of translations"),
    ("summary", "the settings of summaries"),
    ("text_field", "--text-field"),
    ("title_field", "--title-field"),
    ("columns", "--columns"),
    ("strict", "--strict"),
];
