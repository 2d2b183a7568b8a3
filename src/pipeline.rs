//! The whole flow for a group of articles, one line a stage: extract → detect → split → translate →
//! summarize → record.
//!
//! Articles go through in groups, so that the sentences of many are in the model at once and memory
//! does not grow with the folder.

use crate::error::{Error, Result};
use crate::generate::Generate;
use crate::languages;
use crate::task::summarize::{self, Input};
use crate::task::translate::{self, Segment, Step, Translation};
use crate::text::{extract, language, sentences};
use crate::types::{
    Article, BlockKind, Checks, Detection, ErrorRecord, Flag, Lang, RawArticle, ReadFailure,
    Record, SegmentAlignment, Source, Stats, Status, TitleRecord, TranslationRecord,
};
use std::time::Instant;

/// What is to be done with each article.
#[derive(Clone, Debug)]
pub struct Job {
    /// The articles' language; `None` to find it out.
    pub from: Option<Lang>,
    /// The language of the results; `None` for each article's own (there is nothing to translate
    /// then).
    pub to: Option<Lang>,
    /// Whether the translation is a result.
    pub translate: bool,
    /// The summary wanted, if one is.
    pub summary: Option<summarize::Settings>,
    /// How to translate.
    pub translating: translate::Settings,
    /// What to do with a sentence whose translation the checks reject.
    pub on_bad: OnBad,
}

/// What to do with a sentence whose translation is still bad after every attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnBad {
    /// Keep the best attempt; the record says what is wrong with it.
    #[default]
    Keep,
    /// Put the source sentence in its place: rather no translation than a bad one.
    Source,
}

/// The models of a run. A job that does not need one can do without.
#[derive(Clone, Copy, Default)]
pub struct Models<'a> {
    /// Translate; each pair of languages goes to the first that knows it.
    pub translators: &'a [&'a dyn Generate],
    /// Writes summaries.
    pub summarizer: Option<&'a dyn Generate>,
}

/// What the work is at; for progress bars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// So many of so many first attempts at the sentences of the group are made.
    Translating(usize, usize),
    /// So many of so many attempts are made at those that the checks rejected.
    TryingAgain(usize, usize),
    /// So many of so many requests for summaries are answered.
    Summarizing(usize, usize),
}

/// An article on its way: cleaned, its language known, cut into sentences.
struct Document {
    article: Article,
    key: String,
    language: Detection,
    /// The title's, then the blocks' sentences.
    units: Vec<Unit>,
    translations: Vec<Translation>,
}

/// A sentence and where it stands.
struct Unit {
    /// `None` for the title.
    block: Option<usize>,
    text: String,
    gap: String,
}

/// Runs a group of articles. The records stand in the order of the articles; an article that fails
/// has a record that says why, and stops no other.
///
/// `key` is called with each article and gives [`Record::key`]. `progress` returning `false` stops
/// the work.
///
/// # Errors
/// What stops the whole run: an interruption, a model that does not compute, a job that needs a
/// model which is not there.
pub fn run(
    articles: Vec<Result<RawArticle, ReadFailure>>,
    job: &Job,
    models: &Models<'_>,
    key: &dyn Fn(&Source) -> String,
    progress: &(dyn Fn(Progress) -> bool + Sync),
) -> Result<Vec<Record>> {
    let started = Instant::now();
    let prepared: Vec<Result<Document, Box<Record>>> =
        articles.into_iter().map(|a| prepare(a, job, models, key)).collect();
    let (mut documents, mut failed, mut order) = (Vec::new(), Vec::new(), Vec::new());
    for document in prepared {
        order.push(document.is_ok());
        match document {
            Ok(document) => documents.push(document),
            Err(record) => failed.push(*record),
        }
    }
    translate_all(&mut documents, job, models, progress)?;
    let summaries = summarize_all(&documents, job, models, progress)?;
    let mut done = Vec::with_capacity(documents.len());
    for (document, summary) in documents.into_iter().zip(summaries) {
        done.push(record(document, summary, job, models)?);
    }
    share_time(&mut done, started.elapsed().as_secs_f64());
    let (mut done, mut failed) = (done.into_iter(), failed.into_iter());
    Ok(order.into_iter().filter_map(|ok| if ok { done.next() } else { failed.next() }).collect())
}

fn prepare(
    article: Result<RawArticle, ReadFailure>,
    job: &Job,
    models: &Models<'_>,
    key: &dyn Fn(&Source) -> String,
) -> Result<Document, Box<Record>> {
    let raw = article
        .map_err(|unread| failure(unread.id, key(&unread.source), unread.source, &unread.error))?;
    let key = key(&raw.source);
    let (id, source) = (raw.id.clone(), raw.source.clone());
    let fail = |error: Error| failure(id.clone(), key.clone(), source.clone(), &error);
    let article = extract::extract(&raw).map_err(fail)?;
    let language = match &job.from {
        Some(from) => Detection { code: from.clone(), confidence: 1.0 },
        None => detect(&article),
    };
    if let Some(to) = &job.to {
        check_pair(&raw.id, &language.code, to, models).map_err(fail)?;
    }
    let units = units(&article, &language.code);
    Ok(Document { article, key: key.clone(), language, units, translations: Vec::new() })
}

/// The language of an article, by its title and text.
pub fn detect(article: &Article) -> Detection {
    let mut text = article.text();
    if let Some(title) = &article.title {
        text = format!("{title}\n{text}");
    }
    let found = language::detect(&text);
    Detection { code: languages::canonical(&found.code), ..found }
}

/// Whether there is a way from one language to the other.
fn check_pair(input: &str, from: &Lang, to: &Lang, models: &Models<'_>) -> Result<()> {
    if from.is_und() {
        return Err(Error::input(input, "its language could not be told; state it with --from"));
    }
    if models.translators.is_empty() || translate::route(models.translators, from, to).is_some() {
        return Ok(());
    }
    let (from_name, to_name) = (languages::name(from), languages::name(to));
    let ids: Vec<&str> = models.translators.iter().map(|m| m.id()).collect();
    let mut message = format!(
        "it is in {from_name} ({from}), and {} cannot translate that into {to_name} ({to}); name a model that can with --model. If the \
         language was guessed wrong, state it with --from",
        ids.join(", ")
    );
    if models.translators.iter().any(|m| m.is_prompted()) {
        let known = crate::task::translatable_languages();
        let known: Vec<&str> = known.iter().map(Lang::as_str).collect();
        message.push_str(&format!(". It translates {}", known.join(" ")));
    }
    Err(Error::input(input, message))
}

fn units(article: &Article, lang: &Lang) -> Vec<Unit> {
    let title = article.title.iter().map(|title| Unit {
        block: None,
        text: title.clone(),
        gap: String::new(),
    });
    let body =
        article.blocks.iter().enumerate().filter(|(_, block)| block.kind != BlockKind::Verbatim);
    let body = body.flat_map(|(number, block)| {
        sentences::split(&block.text, lang).into_iter().map(move |s| Unit {
            block: Some(number),
            text: s.text,
            gap: s.gap,
        })
    });
    title.chain(body).collect()
}

impl Progress {
    /// What it is, how much of it is done, and how much there is.
    pub fn parts(self) -> (&'static str, usize, usize) {
        match self {
            Progress::Translating(done, all) => ("translating", done, all),
            Progress::TryingAgain(done, all) => ("trying doubtful sentences again", done, all),
            Progress::Summarizing(done, all) => ("summarizing", done, all),
        }
    }
}

impl From<Step> for Progress {
    fn from(step: Step) -> Progress {
        match step {
            Step::First(done, all) => Progress::Translating(done, all),
            Step::Again(done, all) => Progress::TryingAgain(done, all),
        }
    }
}

impl Document {
    /// Whether the job wants this article in another language than its own.
    fn target<'a>(&self, job: &'a Job) -> Option<&'a Lang> {
        job.to.as_ref().filter(|to| !to.same_base(&self.language.code))
    }

    /// The translated body, laid out as the source.
    fn translated_text(&self, to: &Lang, on_bad: OnBad) -> String {
        let from = &self.language.code;
        let mut texts = vec![String::new(); self.article.blocks.len()];
        for (unit, translation) in self.units.iter().zip(&self.translations) {
            if let Some(block) = unit.block {
                texts[block].push_str(chosen(unit, translation, on_bad));
                texts[block].push_str(translate::gap(&unit.gap, from, to));
            }
        }
        let blocks = self.article.blocks.iter().zip(texts);
        blocks
            .map(|(block, text)| {
                let text =
                    if block.kind == BlockKind::Verbatim { &block.text } else { text.trim_end() };
                format!("{}{text}{}", block.prefix, block.suffix)
            })
            .collect()
    }
}

/// The text that stands for a unit in the result.
fn chosen<'a>(unit: &'a Unit, translation: &'a Translation, on_bad: OnBad) -> &'a str {
    let bad = on_bad == OnBad::Source && !translation.problems.is_empty();
    if bad { &unit.text } else { &translation.text }
}

fn translate_all(
    documents: &mut [Document],
    job: &Job,
    models: &Models<'_>,
    progress: &(dyn Fn(Progress) -> bool + Sync),
) -> Result<()> {
    let mut segments = Vec::new();
    for document in documents.iter() {
        if let Some(to) = document.target(job) {
            let segment = |unit: &Unit| Segment {
                text: unit.text.clone(),
                from: document.language.code.clone(),
                to: to.clone(),
            };
            segments.extend(document.units.iter().map(segment));
        }
    }
    if segments.is_empty() {
        return Ok(());
    }
    let show = |step: Step| progress(step.into());
    let mut translations =
        translate::translate(models.translators, &segments, job.translating, &show)?.into_iter();
    for document in documents {
        if document.target(job).is_some() {
            document.translations = translations.by_ref().take(document.units.len()).collect();
        }
    }
    Ok(())
}

/// The sentences that a summary is made of, and which language they are in.
struct Reading {
    sentences: Vec<String>,
    title: Option<String>,
    language: Lang,
    /// Where each sentence stands in [`Document::units`].
    places: Vec<usize>,
}

/// A summary is made of the text that its reader gets: of the translation where there is one.
fn reading(document: &Document, job: &Job) -> Reading {
    let target = document.target(job);
    let text = |i: usize| match target {
        Some(_) => chosen(&document.units[i], &document.translations[i], job.on_bad).to_string(),
        None => document.units[i].text.clone(),
    };
    let is_prose = |unit: &Unit| {
        unit.block.is_some_and(|b| document.article.blocks[b].kind != BlockKind::Heading)
    };
    let places: Vec<usize> =
        (0..document.units.len()).filter(|&i| is_prose(&document.units[i])).collect();
    // An article of headings alone is summarized by them.
    let places = if places.is_empty() { (0..document.units.len()).collect() } else { places };
    // A summary is not made of sentences that are known to be wrong, if there are others.
    let is_sound = |i: &usize| document.translations.get(*i).is_none_or(|t| t.problems.is_empty());
    let sound: Vec<usize> = places.iter().copied().filter(is_sound).collect();
    let places = if sound.is_empty() { places } else { sound };
    let language = target.unwrap_or(&document.language.code).clone();
    let title = document.units.iter().position(|u| u.block.is_none()).map(text);
    // A translation may be of several sentences, and a summary is counted in those of its own
    // language.
    let split = places
        .iter()
        .flat_map(|&i| sentences::split(&text(i), &language).into_iter().map(move |s| (s.text, i)));
    let (sentences, places) = split.unzip();
    Reading { sentences, title, language, places }
}

fn summarize_all(
    documents: &[Document],
    job: &Job,
    models: &Models<'_>,
    progress: &(dyn Fn(Progress) -> bool + Sync),
) -> Result<Vec<Option<summarize::Summary>>> {
    let Some(settings) = job.summary else { return Ok(documents.iter().map(|_| None).collect()) };
    let readings: Vec<Reading> = documents.iter().map(|d| reading(d, job)).collect();
    fn plan<'a>(
        r: &'a Reading,
        settings: summarize::Settings,
        models: &Models<'_>,
    ) -> Result<summarize::Plan<'a>> {
        let input =
            Input { sentences: &r.sentences, title: r.title.as_deref(), language: &r.language };
        summarize::plan(input, settings, models.summarizer)
    }
    let plans = readings.iter().map(|r| plan(r, settings, models)).collect::<Result<Vec<_>>>()?;
    let requests: Vec<_> = plans.iter().flat_map(|p| p.requests.iter().cloned()).collect();
    let mut outputs = Vec::new().into_iter();
    if let Some(model) = models.summarizer.filter(|_| !requests.is_empty()) {
        let done = std::sync::atomic::AtomicUsize::new(0);
        outputs = model
            .generate(&requests, &|_, _| {
                let done = done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
                progress(Progress::Summarizing(done, requests.len()))
            })?
            .into_iter();
    }
    let finish = |(plan, reading): (&summarize::Plan<'_>, &Reading)| {
        let outputs: Vec<_> = outputs.by_ref().take(plan.requests.len()).collect();
        let mut summary = summarize::finish(plan, &outputs);
        // From here on sentences are numbered as the article's units are.
        let support = summary.record.sentences.iter_mut().flat_map(|s| &mut s.support);
        for number in support.chain(summary.rejected.iter_mut().map(|flag| &mut flag.segment)) {
            *number = reading.places.get(*number).copied().unwrap_or(*number);
        }
        Some(summary)
    };
    Ok(plans.iter().zip(&readings).map(finish).collect())
}

fn record(
    document: Document,
    summary: Option<summarize::Summary>,
    job: &Job,
    models: &Models<'_>,
) -> Result<Record> {
    let to = document.target(job).cloned();
    let mut checks = Checks::default();
    let mut stats = Stats::default();
    let mut unread = 0;
    for (i, (unit, translation)) in document.units.iter().zip(&document.translations).enumerate() {
        checks.segments += 1;
        checks.retried += usize::from(translation.retried);
        let text = chosen(unit, translation, OnBad::Keep);
        checks.flagged.extend(translation.problems.iter().map(|&problem| Flag {
            problem,
            segment: i,
            text: text.into(),
        }));
        stats.output_tokens += translation.output_tokens;
        unread += translation.unread_tokens;
    }
    let translator = to
        .as_ref()
        .and_then(|to| translate::first(models.translators, &document.language.code, to));
    if let Some(model) = translator.or(models.summarizer).or(models.translators.first().copied()) {
        for unit in &document.units {
            stats.source_tokens += model.count_tokens(&unit.text)?;
        }
    }
    if let Some(summary) = &summary {
        checks.rejected = summary.rejected.clone();
        stats.output_tokens += summary.output_tokens;
        unread += summary.unread_tokens;
    }
    stats.read_tokens = stats.source_tokens.saturating_sub(unread);
    stats.truncated = stats.read_tokens < stats.source_tokens;
    let trusted: Vec<f32> =
        document.translations.iter().filter_map(|translation| translation.confidence).collect();
    checks.confidence =
        (!trusted.is_empty()).then(|| trusted.iter().sum::<f32>() / trusted.len() as f32);

    let of_segment = |(segment, translation): (usize, &Translation)| {
        let alignments = translation.alignments.clone().into_iter();
        alignments.map(move |alignment| SegmentAlignment { segment, alignment }).collect::<Vec<_>>()
    };
    let alignments = document.translations.iter().enumerate().flat_map(of_segment).collect();
    let translation = to.as_ref().filter(|_| job.translate).map(|to| TranslationRecord {
        language: to.clone(),
        text: document.translated_text(to, job.on_bad),
        model: translate::ids(models.translators, &document.language.code, to).join(" + "),
        route: translate::route(models.translators, &document.language.code, to)
            .unwrap_or_default(),
        alignments,
    });
    let translated_title =
        document.units.iter().zip(&document.translations).find(|(u, _)| u.block.is_none());
    let title = document.article.title.clone().map(|source| TitleRecord {
        source,
        translation: translated_title
            .map(|(unit, translation)| chosen(unit, translation, job.on_bad).to_string()),
    });
    Ok(Record {
        id: document.article.id,
        key: document.key,
        source: document.article.source,
        language: document.language,
        title,
        translation,
        summary: summary.map(|s| s.record),
        checks,
        stats,
        status: Status::Ok,
        error: None,
        output: None,
        extra: document.article.extra,
    })
}

/// The articles of a group are in the works at the same time; each gets a share of it by the tokens
/// that were read and written for it.
fn share_time(records: &mut [Record], seconds: f64) {
    let weight = |stats: &Stats| (stats.source_tokens + stats.output_tokens) as f64 + 1.0;
    let total: f64 = records.iter().map(|r| weight(&r.stats)).sum();
    for record in records {
        record.stats.seconds = (seconds * weight(&record.stats) / total * 1000.0).round() / 1000.0;
    }
}

fn failure(id: String, key: String, source: Source, error: &Error) -> Box<Record> {
    Box::new(Record {
        id,
        key,
        source,
        language: Detection { code: Lang::und(), confidence: 0.0 },
        title: None,
        translation: None,
        summary: None,
        checks: Checks::default(),
        stats: Stats::default(),
        status: Status::Failed,
        error: Some(ErrorRecord { kind: error.kind().into(), message: error.to_string() }),
        output: None,
        extra: serde_json::Map::new(),
    })
}
