//! What a job would do, found out by reading the articles and the output folder alone.

use super::groups::{id, source};
use super::keys::Keys;
use super::prepared::Prepared;
use super::todo::{Desk, Fate, Why};
use super::{BatchJob, ReadArticle, articles};
use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::languages;
use crate::model_store::ModelStore;
use crate::pipeline::{self, Job};
use crate::text::extract;
use crate::types::{Format, Lang, RawArticle, Status};
use std::collections::BTreeMap;

/// Articles of a language that are kept to measure with, and bytes of their texts.
const SAMPLES: usize = 16;
const SAMPLE_BYTES: usize = 32 << 10;

/// An article of a job that was not run.
#[derive(Debug)]
#[doc(hidden)]
pub struct PreviewedArticle {
    /// Its id.
    pub id: String,
    /// Its format, its language and the name of its file below the output folder; or why it cannot
    /// be read.
    pub read: Result<(Format, Lang, String)>,
    /// Why it is to be done, in the first language that is asked for; none where it is done.
    pub why: Option<Why>,
}

/// Articles of one language.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[doc(hidden)]
pub struct Volume {
    /// How many.
    pub articles: usize,
    /// About how many words they have.
    pub words: usize,
}

impl Volume {
    fn add(&mut self, words: usize) {
        self.articles += 1;
        self.words += words;
    }
}

/// What there is to do for one language.
#[derive(Debug, Default)]
#[doc(hidden)]
pub struct Planned {
    /// What has a result.
    pub done: usize,
    /// What failed and is not tried again.
    pub failed: usize,
    /// What is not asked for.
    pub left: usize,
    /// What is to be done, by the reason.
    pub to_do: BTreeMap<Why, usize>,
    /// The same by the article's language, as far as it can be read.
    pub languages: BTreeMap<Lang, Volume>,
    /// Some of these articles, to measure with.
    pub samples: BTreeMap<Lang, Vec<RawArticle>>,
    /// Whether models that are still to be fetched may make it other: then the bytes of articles
    /// alone decide what is done.
    pub lacks_models: bool,
}

/// What the articles of a job have in common.
#[derive(Debug, Default)]
#[doc(hidden)]
pub struct Preview {
    /// Bytes of all articles.
    pub bytes: u64,
    /// What there is in each language.
    pub languages: BTreeMap<Lang, Volume>,
    /// What there is to do, for each language that is asked for.
    pub planned: Vec<Planned>,
    /// Articles that cannot be read.
    pub unreadable: usize,
    /// Names of output files that only a hash keeps apart.
    pub clashes: usize,
    /// Files that were met and are not read, each with why.
    pub skipped: Vec<crate::io::articles::Skipped>,
}

pub(super) fn preview(
    batch: &BatchJob,
    store: &ModelStore,
    cancel: &CancelToken,
    each: &mut dyn FnMut(PreviewedArticle) -> Result<()>,
) -> Result<Preview> {
    let mut preview = Preview {
        clashes: batch.names.clashes(),
        skipped: batch.found.skipped.clone(),
        ..Preview::default()
    };
    let desk = Desk::look(&batch.options.out)?;
    let jobs = batch.jobs();
    let mut keys = Vec::new();
    for job in &jobs {
        keys.push(known_keys(batch, job, store, cancel)?);
        let lacks_models = keys.last().is_some_and(Option::is_none);
        preview.planned.push(Planned { lacks_models, ..Planned::default() });
    }
    for (file, mut article) in articles(batch, None) {
        cancel.check()?;
        preview.bytes += source(&article).bytes;
        if let Some(desk) = &desk {
            desk.give_id(&mut article, file);
        }
        let mut fates = Vec::new();
        for (job, keys) in jobs.iter().zip(&keys) {
            let new = || Ok(Fate::ToDo(Why::New));
            let of_desk = |desk: &Desk| desk.fate(&article, batch, job, keys.as_ref());
            fates.push(desk.as_ref().map_or_else(new, of_desk)?);
        }
        let (read, words) = look_at(batch, &article);
        match &read {
            Ok((_, lang, _)) => preview.languages.entry(lang.clone()).or_default().add(words),
            Err(_) => preview.unreadable += 1,
        }
        let volume = read.as_ref().ok().map(|(_, lang, _)| (lang, words));
        for (planned, fate) in preview.planned.iter_mut().zip(&fates) {
            planned.take(fate, volume, article.as_ref().ok());
        }
        let why = fates.first().and_then(Fate::why);
        let id = id(&article).to_string();
        each(PreviewedArticle { id, read: read.map_err(|()| failure(article)), why })?;
    }
    Ok(preview)
}

/// The keys of a job, where the models are here that they depend on.
fn known_keys<'a>(
    batch: &BatchJob,
    job: &'a Job,
    store: &ModelStore,
    cancel: &CancelToken,
) -> Result<Option<Keys<'a>>> {
    let silent = &|_: crate::event::Event<'_>| {};
    match Prepared::new(batch, job, &store.looked_at(), cancel, silent) {
        Ok(prepared) => Ok(Some(prepared.keys(batch, silent))),
        Err(error @ (Error::Interrupted | Error::Io { .. })) => Err(error),
        Err(_) => Ok(None),
    }
}

impl Planned {
    fn take(&mut self, fate: &Fate, read: Option<(&Lang, usize)>, article: Option<&RawArticle>) {
        match fate {
            Fate::Done(Status::Failed) => self.failed += 1,
            Fate::Done(Status::Ok) | Fate::Rewrite => self.done += 1,
            Fate::Left => self.left += 1,
            Fate::ToDo(why) => {
                *self.to_do.entry(*why).or_default() += 1;
                let Some((lang, words)) = read else { return };
                self.languages.entry(lang.clone()).or_default().add(words);
                let samples = self.samples.entry(lang.clone()).or_default();
                let bytes: usize = samples.iter().map(|raw| raw.text.len()).sum();
                if let Some(raw) = article
                    .filter(|raw| samples.len() < SAMPLES && bytes + raw.text.len() <= SAMPLE_BYTES)
                {
                    samples.push(raw.clone());
                }
            }
        }
    }
}

/// Format, language and file of an article, and about how many words it has.
fn look_at(batch: &BatchJob, article: &ReadArticle) -> (Result<(Format, Lang, String), ()>, usize) {
    let Ok(raw) = article else { return (Err(()), 0) };
    let job = &batch.options.job;
    let Ok(article) = extract::extract(raw) else { return (Err(()), 0) };
    let lang = job.from.clone().unwrap_or_else(|| pipeline::detect(&article).code);
    let words = count_words(&article.text(), &lang);
    let output = batch.names.name(&raw.id, job.to.as_ref().unwrap_or(&lang));
    (Ok((raw.source.format, lang, output)), words)
}

/// Why an article cannot be read.
fn failure(article: ReadArticle) -> Error {
    match article {
        Err(unread) => unread.error,
        Ok(raw) => match extract::extract(&raw) {
            Err(error) => error,
            Ok(_) => Error::input(&raw.id, "holds no text"),
        },
    }
}

/// About how many words a text has; of scripts without spaces, two characters count as one.
pub(super) fn count_words(text: &str, lang: &Lang) -> usize {
    if languages::is_spaceless(lang) {
        text.chars().filter(|c| c.is_alphanumeric()).count() / 2
    } else {
        text.split_whitespace().count()
    }
}
