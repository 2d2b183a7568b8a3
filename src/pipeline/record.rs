//! From a document to its record.

use super::laid_out::LaidOut;
use super::{Document, Job, Models};
use crate::error::{Error, Result};
use crate::task::translate::{Hop, Route, Translation};
use crate::text::unread;
use crate::types::{
    Article, Checks, Detection, ErrorRecord, Flag, RawArticle, Record, SegmentAlignment, Source,
    Stats, Status, StepRecord, Terms, TitleRecord, TranslationRecord,
};

/// The record of a document that worked.
///
/// # Errors
/// When a tokenizer fails.
pub(super) fn record(document: Document<'_>, job: &Job, models: &Models<'_>) -> Result<Record> {
    let (mut checks, stats) = (document.checks(job), document.stats(models)?);
    let (translation, title) = (document.translation(job, &mut checks), document.title(job));
    let (segments, passages) = (document.segments(job), document.passages(job));
    Ok(Record {
        id: document.article.id,
        key: document.key,
        target: None,
        source: document.article.source,
        language: document.language,
        passages,
        title,
        translation,
        segments,
        summary: document.summary.map(|s| s.record),
        checks,
        stats,
        status: Status::Ok,
        error: None,
        output: None,
        document: None,
        removed: document.article.removed,
        excerpt: None,
        extra: document.article.extra,
    })
}

impl Document<'_> {
    /// The findings of the checks.
    fn checks(&self, job: &Job) -> Checks {
        let mut checks = Checks::default();
        for (segment, translation) in self.translations.iter().enumerate() {
            checks.segments += 1;
            checks.retried += usize::from(translation.retried);
            let unit = &self.units[segment];
            let text = self.chosen(segment, job);
            if !translation.problems.is_empty() && text == unit.text {
                checks.untranslated.push(segment);
            }
            let flag = |&problem| Flag { problem, segment, text: text.into() };
            checks.flagged.extend(translation.problems.iter().map(flag));
        }
        let trusted: Vec<f32> = self.translations.iter().filter_map(|t| t.confidence).collect();
        checks.confidence =
            (!trusted.is_empty()).then(|| trusted.iter().sum::<f32>() / trusted.len() as f32);
        if self.route.as_ref().is_some_and(|route| !route.hops().is_empty()) {
            checks.kept = self.article.blocks.iter().flat_map(unread::texts).collect();
        }
        if let Some(summary) = &self.summary {
            checks.rejected = summary.rejected.clone();
        }
        checks
    }

    /// Counts of tokens, by the model that reads the article first.
    ///
    /// # Errors
    /// When that model's tokenizer fails.
    fn stats(&self, models: &Models<'_>) -> Result<Stats> {
        let (mut stats, mut unread) = (Stats::default(), 0);
        let translator = self.route.as_ref().and_then(|route| Some(route.hops().first()?.model));
        let first = translator.or(models.summarizer).or(models.translators.counter());
        if let Some(model) = first {
            for unit in &self.units {
                stats.source_tokens += model.count_tokens(&unit.text)?;
            }
        }
        for translation in &self.translations {
            stats.output_tokens += translation.output_tokens;
            unread += translation.unread_tokens;
        }
        if let Some(summary) = &self.summary {
            stats.output_tokens += summary.output_tokens;
            unread += summary.unread_tokens;
        }
        stats.read_tokens = stats.source_tokens.saturating_sub(unread);
        stats.truncated = stats.read_tokens < stats.source_tokens;
        Ok(stats)
    }

    /// The terms of all segments.
    fn terms(&self, job: &Job) -> Terms {
        let mut all = Terms::default();
        for (segment, translation) in self.translations.iter().enumerate() {
            let mut terms = translation.terms.clone();
            if self.chosen(segment, job) != translation.text {
                terms.give_up();
            }
            let found = terms.applied.iter_mut().chain(&mut terms.missed);
            found.for_each(|term| term.segment = Some(segment));
            all.extend(terms);
        }
        all
    }

    /// The translated body, where it is a result. The checks are told what stays as it is.
    fn translation(&self, job: &Job, checks: &mut Checks) -> Option<TranslationRecord> {
        let to = self.target(job).filter(|_| job.translate)?;
        let of_segment = |(segment, translation): (usize, &Translation)| {
            let alignments = translation.alignments.clone().into_iter();
            let numbered = alignments.map(move |alignment| SegmentAlignment { segment, alignment });
            numbered.collect::<Vec<_>>()
        };
        let route = self.route.as_ref();
        let step = |hop: &Hop<'_>| {
            Some(StepRecord { model: hop.model.id().into(), why: hop.why.clone()? })
        };
        let steps = route.map_or(&[][..], Route::hops).iter().filter_map(step).collect();
        let languages = route.map_or_else(Vec::new, Route::languages);
        let mut models = route.map_or_else(Vec::new, Route::ids);
        for id in self.own_routes.values().flat_map(Route::ids) {
            if !models.contains(&id) {
                models.push(id);
            }
        }
        let LaidOut { text, blocks, left } = self.laid_out(to, job);
        checks.kept.extend(left);
        Some(TranslationRecord {
            language: to.clone(),
            text,
            model: models.join(" + "),
            route: languages,
            steps,
            alignments: self.translations.iter().enumerate().flat_map(of_segment).collect(),
            terms: self.terms(job),
            blocks,
        })
    }

    /// The title, with its translation where there is one.
    fn title(&self, job: &Job) -> Option<TitleRecord> {
        let source = self.article.title.clone()?;
        let is_translated = self.translations.len() == self.units.len();
        let translation = is_translated.then(|| self.translated_title(job));
        let translation = translation.filter(|text| !text.is_empty());
        Some(TitleRecord { source, translation })
    }

    /// The title's translation; empty if there is no title.
    pub(super) fn translated_title(&self, job: &Job) -> String {
        // It has several units where a quotation in it is in another language.
        let titles = (0..self.units.len()).filter(|&number| self.units[number].block.is_none());
        titles.flat_map(|number| [self.chosen(number, job), &self.units[number].gap]).collect()
    }
}

/// Gives each article that worked a share of the time, by the tokens that were read and written for
/// it: those of a group are in the works together.
pub(super) fn share_time(records: &mut [Record], seconds: f64) {
    let weight = |stats: &Stats| (stats.source_tokens + stats.output_tokens) as f64 + 1.0;
    let worked = |record: &&mut Record| record.status == Status::Ok;
    let total: f64 = records.iter_mut().filter(worked).map(|r| weight(&r.stats)).sum();
    for record in records.iter_mut().filter(worked) {
        record.stats.seconds = (seconds * weight(&record.stats) / total * 1000.0).round() / 1000.0;
    }
}

/// The record of an article that failed.
pub(super) fn failure(id: String, key: String, source: Source, error: &Error) -> Box<Record> {
    Box::new(Record {
        id,
        key,
        target: None,
        source,
        language: Detection::none(),
        passages: Vec::new(),
        title: None,
        translation: None,
        segments: None,
        summary: None,
        checks: Checks::default(),
        stats: Stats::default(),
        status: Status::Failed,
        error: Some(ErrorRecord { kind: error.kind().into(), message: error.to_string() }),
        output: None,
        document: None,
        removed: Vec::new(),
        excerpt: None,
        extra: serde_json::Map::new(),
    })
}

/// The record of a text in which no article was found.
pub(super) fn failure_of_raw(raw: &RawArticle, key: String, error: &Error) -> Box<Record> {
    let failed = failure(raw.id.clone(), key, raw.source.clone(), error);
    Box::new(Record { excerpt: excerpt(&raw.text), ..*failed })
}

/// The record of an article that was read, and failed afterwards: with what is known of it.
pub(super) fn failure_of(
    article: Article,
    key: String,
    language: Detection,
    error: &Error,
) -> Box<Record> {
    let excerpt = excerpt(&article.text());
    let title = article.title.map(|source| TitleRecord { source, translation: None });
    Box::new(Record {
        language,
        title,
        removed: article.removed,
        excerpt,
        extra: article.extra,
        ..*failure(article.id, key, article.source, error)
    })
}

/// The start of a text, enough to tell what it is; none of what is no text.
fn excerpt(text: &str) -> Option<String> {
    const LENGTH: usize = 600;
    let text = text.trim();
    let start: String = text.chars().take(LENGTH).collect();
    let is_strange = |c: &char| *c == char::REPLACEMENT_CHARACTER || c.is_control();
    let strange = start.chars().filter(|c| is_strange(c) && !c.is_whitespace()).count();
    let is_text = !start.is_empty() && strange * 10 < start.chars().count();
    let more = if start.len() < text.len() { "…" } else { "" };
    is_text.then(|| start + more)
}

#[cfg(test)]
mod tests {
    use super::excerpt;

    #[test]
    fn an_excerpt_is_the_start_of_a_text_and_of_nothing_else() {
        assert_eq!(excerpt(" Ein Satz.\n\nNoch einer.\n").unwrap(), "Ein Satz.\n\nNoch einer.");
        let long = excerpt(&"é".repeat(9000)).unwrap();
        assert!(long.ends_with("é…") && long.chars().count() == 601);
        assert_eq!(excerpt(" \n"), None);
        assert_eq!(excerpt("PK\u{3}\u{4}\u{FFFD}\u{FFFD}abc"), None);
    }
}
