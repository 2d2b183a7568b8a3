//! What a job would do, found out by reading the articles alone.

use super::{BatchJob, ReadArticle, articles};
use crate::cancel::CancelToken;
use crate::error::Result;
use crate::languages;
use crate::pipeline;
use crate::text::extract;
use crate::types::{Format, Lang};
use std::collections::BTreeMap;

/// An article of a job that was not run.
#[derive(Debug)]
#[doc(hidden)]
pub struct PreviewedArticle {
    /// Its id.
    pub id: String,
    /// Its format, its language and the name of its file below the output folder; or why it cannot
    /// be read.
    pub read: Result<(Format, Lang, String)>,
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

/// What the articles of a job have in common.
#[derive(Debug, Default)]
#[doc(hidden)]
pub struct Preview {
    /// What there is in each language.
    pub languages: BTreeMap<Lang, Volume>,
    /// Articles that cannot be read.
    pub unreadable: usize,
    /// Names of output files that only a hash keeps apart.
    pub clashes: usize,
    /// Files that were met and are not read, each with why.
    pub skipped: Vec<crate::io::articles::Skipped>,
}

pub(super) fn preview(
    batch: &BatchJob,
    cancel: &CancelToken,
    each: &mut dyn FnMut(PreviewedArticle) -> Result<()>,
) -> Result<Preview> {
    let mut preview = Preview {
        clashes: batch.names.clashes(),
        skipped: batch.found.skipped.clone(),
        ..Preview::default()
    };
    for (_, article) in articles(batch) {
        cancel.check()?;
        let (article, words) = look_at(batch, article);
        match &article.read {
            Ok((_, lang, _)) => {
                let volume = preview.languages.entry(lang.clone()).or_default();
                volume.articles += 1;
                volume.words += words;
            }
            Err(_) => preview.unreadable += 1,
        }
        each(article)?;
    }
    Ok(preview)
}

/// An article, and about how many words it has.
fn look_at(batch: &BatchJob, article: ReadArticle) -> (PreviewedArticle, usize) {
    let raw = match article {
        Ok(raw) => raw,
        Err(unread) => return (PreviewedArticle { id: unread.id, read: Err(unread.error) }, 0),
    };
    let job = &batch.options.job;
    let mut words = 0;
    let read = extract::extract(&raw).map(|article| {
        let lang = job.from.clone().unwrap_or_else(|| pipeline::detect(&article).code);
        words = count_words(&article.text(), &lang);
        let output = batch.names.name(&raw.id, job.to.as_ref().unwrap_or(&lang));
        (raw.source.format, lang, output)
    });
    (PreviewedArticle { id: raw.id, read }, words)
}

/// About how many words a text has; of scripts without spaces, two characters count as one.
fn count_words(text: &str, lang: &Lang) -> usize {
    if languages::is_spaceless(lang) {
        text.chars().filter(|c| c.is_alphanumeric()).count() / 2
    } else {
        text.split_whitespace().count()
    }
}
