//! The keys of the articles of a job, without opening a model.

use super::ReadArticle;
use super::groups::source;
use super::key::JobKey;
use crate::error::{Error, Result};
use crate::event::OnEvent;
use crate::io::journal::Languages;
use crate::model_store::Chooser;
use crate::pipeline::{self, Job};
use crate::text::extract;
use crate::types::Lang;
use std::sync::Arc;

/// The keys of the articles of a job.
pub(super) struct Keys<'a> {
    /// Of all of them, but for the models that are chosen for each.
    pub key: JobKey,
    pub job: &'a Job,
    pub chooser: Option<Arc<Chooser>>,
    pub on_event: OnEvent<'a>,
}

impl Keys<'_> {
    /// The key of an article. Where the models are chosen, its language is found out for that.
    ///
    /// # Errors
    /// When the work is cancelled.
    pub fn of(&self, article: &ReadArticle) -> Result<String> {
        let languages = match (&self.chooser, &self.job.to, article) {
            (Some(_), Some(to), Ok(raw)) => extract::extract(raw).ok().map(|article| {
                let found = || pipeline::detect(&article).code;
                let own = self.job.from.clone().unwrap_or_else(found);
                let passages = pipeline::passages(&article, &own, to);
                Languages { own, passages }
            }),
            _ => None,
        };
        self.with(languages.as_ref(), &source(article).sha256)
    }

    /// The key of an article in these languages, if they are known, with these bytes.
    ///
    /// # Errors
    /// When the work is cancelled.
    pub fn with(&self, languages: Option<&Languages>, sha256: &str) -> Result<String> {
        let (Some(chooser), Some(to)) = (&self.chooser, &self.job.to) else {
            return Ok(self.key.of(sha256));
        };
        let choose = |from: &Lang| match chooser.choose(from, to, self.on_event) {
            Ok(choice) => Ok(choice),
            Err(Error::Interrupted) => Err(Error::Interrupted),
            // The article fails for the same reason, and its record says so; a passage stays.
            Err(_) => Ok(None),
        };
        let known = languages.filter(|known| !known.own.is_und());
        let Some(Languages { own, passages }) = known else {
            return Ok(self.key.with_translators(self.job, None, &[]).of(sha256));
        };
        let choice = if own.same_base(to) { None } else { choose(own)? };
        let of_passage = |lang: &Lang| Ok((lang.clone(), choose(lang)?));
        let passages = passages.iter().map(of_passage).collect::<Result<Vec<_>>>()?;
        Ok(self.key.with_translators(self.job, choice.as_deref(), &passages).of(sha256))
    }
}
