//! The flow of a group of articles: extract → detect → split → translate → summarize → record.
//!
//! Articles go through in groups, so that the sentences of many are in the model at once and memory
//! does not grow with the folder.

mod laid_out;
mod meant;
mod progress;
mod quoted;
mod record;
mod reread;
mod segments;
mod units;

use crate::embed::SentenceEncoder;
use crate::error::{Error, Result};
use crate::generate::Generate;
use crate::languages;
use crate::task::checks;
use crate::task::summarize::{self, Input, Plan, Summary};
use crate::task::translate::{self, Known, Named, Route, Routed, Router, Step, Translation};
use crate::task::uses_examples;
use crate::text::{extract, language, words};
use crate::types::{
    Article, BlockKind, Detection, Lang, Origin, Problem, RawArticle, ReadFailure, Record, Source,
};
use meant::Meant;
pub use progress::Progress;
use quoted::{Quoting, quotings};
use record::{failure, failure_of, failure_of_raw, record, share_time};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use units::{Unit, contexts, fit};

/// The work to be done with each article.
#[derive(Clone, Debug, Default)]
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
    /// Settings of the translation.
    pub translating: translate::Settings,
    /// The fate of a sentence whose translation the checks reject; `None` to leave it to the
    /// models, see [`OnBad::refuses`].
    pub on_bad: Option<OnBad>,
    /// Whether records have the segments of translations.
    pub segments: bool,
}

/// The fate of a sentence whose translation is still bad after every attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnBad {
    /// Keep the best attempt; the record says what is wrong with it.
    #[default]
    Keep,
    /// Put the source sentence in its place: rather no translation than a bad one.
    Source,
}

impl OnBad {
    /// Whether the source stands in the place of a translation with these problems. Without a wish
    /// of the user's, what nothing in the source supports never stands; nor does what the checks
    /// reject where the model `invents`: a small language model that continues examples, or was
    /// fine-tuned on them, makes up news where it fails. What such a model merely doubts is still
    /// worth reading, and so is what other models write.
    pub fn refuses(wish: Option<OnBad>, problems: &[Problem], invents: bool) -> bool {
        match wish {
            Some(OnBad::Keep) => false,
            Some(OnBad::Source) => !problems.is_empty(),
            None => {
                problems.contains(&Problem::Unsupported)
                    || invents && checks::deserve_retry(problems)
            }
        }
    }
}

/// The models of a run, and what is known without asking them. A job that does not need one can do
/// without.
#[derive(Clone, Copy)]
pub struct Models<'a> {
    /// Chooses the models that translate.
    pub translators: &'a dyn Router,
    /// Writes summaries.
    pub summarizer: Option<&'a dyn Generate>,
    /// Tells what of an article is central, for summaries.
    pub encoder: Option<&'a SentenceEncoder>,
    /// Translations that were made before.
    pub known: Known<'a>,
}

impl Default for Models<'_> {
    fn default() -> Self {
        Models {
            translators: &Named(&[]),
            summarizer: None,
            encoder: None,
            known: Known::default(),
        }
    }
}

/// An article on its way: cleaned, its language known, cut into sentences.
struct Document<'a> {
    article: Article,
    key: String,
    language: Detection,
    /// The way into the language wanted, where it is another than the article's.
    route: Option<Route<'a>>,
    /// The same for those of its units that are in other languages than it.
    own_routes: BTreeMap<Lang, Route<'a>>,
    /// The title's, then the blocks' sentences.
    units: Vec<Unit>,
    /// Its sentences with quotations in the language wanted.
    quotings: Vec<Quoting>,
    /// The translations of the units, once they are made.
    translations: Vec<Translation>,
    /// The summary, once it is made.
    summary: Option<Summary>,
}

/// Runs a group of articles. The records stand in the order of the articles; an article that fails
/// has a record that says why, and stops no other.
///
/// `key` is called with each article and gives [`Record::key`]. `progress` returning `false` stops
/// the work.
///
/// # Errors
/// Whatever stops the whole run: an interruption, a model that does not compute, a job that needs a
/// model which is not there.
pub fn run(
    articles: Vec<Result<RawArticle, Box<ReadFailure>>>,
    job: &Job,
    models: &Models<'_>,
    key: &dyn Fn(&Source) -> String,
    progress: &(dyn Fn(Progress) -> bool + Sync),
) -> Result<Vec<Record>> {
    let started = Instant::now();
    let mut documents: Vec<Result<Document<'_>, Box<Record>>> =
        articles.into_iter().map(|article| prepare(article, job, key)).collect();
    find_routes(&mut documents, job, models)?;
    translate_all(&mut documents, job, models, progress)?;
    summarize_all(&mut documents, job, models, progress)?;
    let mut records = Vec::with_capacity(documents.len());
    for document in documents {
        records.push(match document {
            Ok(document) => record(document, job, models)?,
            Err(failed) => *failed,
        });
    }
    records.iter_mut().for_each(|record| record.target.clone_from(&job.to));
    share_time(&mut records, started.elapsed().as_secs_f64());
    Ok(records)
}

fn prepare<'a>(
    article: Result<RawArticle, Box<ReadFailure>>,
    job: &Job,
    key: &dyn Fn(&Source) -> String,
) -> Result<Document<'a>, Box<Record>> {
    let raw = article.map_err(|unread| {
        let ReadFailure { id, source, error } = *unread;
        failure(id, key(&source), source, &error)
    })?;
    let key = key(&raw.source);
    let article =
        extract::extract(&raw).map_err(|error| failure_of_raw(&raw, key.clone(), &error))?;
    let language = match &job.from {
        Some(from) => Detection::new(from.clone(), 1.0),
        None => detect(&article),
    };
    let units = units::units(&article, &language.code, job.to.as_ref());
    let quotings = job.to.as_ref().map_or_else(Vec::new, |to| quotings(&units, to));
    let (route, own_routes) = (None, BTreeMap::new());
    let (translations, summary) = (Vec::new(), None);
    Ok(Document {
        article,
        key,
        language,
        route,
        own_routes,
        units,
        quotings,
        translations,
        summary,
    })
}

/// Finds the way of each article; one that has none fails.
///
/// # Errors
/// When the work is cancelled meanwhile.
fn find_routes<'a>(
    documents: &mut [Result<Document<'a>, Box<Record>>],
    job: &Job,
    models: &Models<'a>,
) -> Result<()> {
    let Some(to) = &job.to else { return Ok(()) };
    for place in documents {
        let Ok(document) = place else { continue };
        match route(&document.article.id, &document.language.code, to, models) {
            Ok(route) => {
                document.route = route;
                document.own_routes = own_routes(document, to, models)?;
            }
            Err(Error::Interrupted) => return Err(Error::Interrupted),
            Err(error) => {
                let Document { article, key, language, .. } = document;
                let (article, key) = (article.clone(), key.clone());
                *place = Err(failure_of(article, key, language.clone(), &error));
            }
        }
    }
    Ok(())
}

/// The language of an article, by its title and text.
pub fn detect(article: &Article) -> Detection {
    let mut text = article.text();
    let has_title = article.blocks.iter().any(|block| block.is_title);
    if let Some(title) = article.title.as_ref().filter(|_| !has_title) {
        text = format!("{title}\n{text}");
    }
    let found = language::detect(&text);
    Detection { code: languages::canonical(&found.code), ..found }
}

/// The languages of an article's passages other than its own and the one that it is translated
/// into.
pub fn passages(article: &Article, language: &Lang, to: &Lang) -> Vec<Lang> {
    units::passages(&units::units(article, language, Some(to)), language, to)
}

/// The way from the language of an article to the other; none where there are no models.
///
/// # Errors
/// When the language is not known, or the models have no way.
fn route<'a>(
    input: &str,
    from: &Lang,
    to: &Lang,
    models: &Models<'a>,
) -> Result<Option<Route<'a>>> {
    if from.is_und() {
        return Err(Error::input(input, "its language could not be told; state it with --from"));
    }
    if let Some(route) = models.translators.route(from, to)? {
        return Ok(Some(route));
    }
    let Some(why) = models.translators.refusal(from, to) else { return Ok(None) };
    let name = languages::name(from);
    let message = format!(
        "it is in {name} ({from}), and {why}. If the language was guessed wrong, state it with --from"
    );
    Err(Error::input(input, message))
}

/// The ways of units that are in another language than their article. What is in the language
/// wanted stays as it is, and so does what no model translates, or none that can be had.
///
/// # Errors
/// When the work is cancelled meanwhile.
fn own_routes<'a>(
    document: &Document<'_>,
    to: &Lang,
    models: &Models<'a>,
) -> Result<BTreeMap<Lang, Route<'a>>> {
    let mut routes = BTreeMap::new();
    for Unit { language, .. } in &document.units {
        if *language == document.language.code || routes.contains_key(language) {
            continue;
        }
        let stays = language.is_und() || language.same_base(to);
        let found = match (!stays).then(|| models.translators.route(language, to)) {
            Some(Err(Error::Interrupted)) => return Err(Error::Interrupted),
            Some(Ok(found)) => found,
            Some(Err(_)) | None => None,
        };
        routes.insert(language.clone(), found.unwrap_or_else(|| Route::none(language)));
    }
    Ok(routes)
}

impl Document<'_> {
    /// The language that the job wants this article in, if it, or a passage of it, is in another.
    fn target<'a>(&self, job: &'a Job) -> Option<&'a Lang> {
        let own = &self.language.code;
        let has_passages = |to: &Lang| !units::passages(&self.units, own, to).is_empty();
        let is_work = |to: &&Lang| !to.same_base(own) || self.route.is_some() && has_passages(to);
        job.to.as_ref().filter(is_work)
    }

    /// See [`Record::passages`].
    fn passages(&self, job: &Job) -> Vec<Lang> {
        let own = &self.language.code;
        self.target(job).map_or_else(Vec::new, |to| units::passages(&self.units, own, to))
    }

    /// Takes the translations of the sentences with quotations that stay, in their order.
    fn quote(&mut self, whole: impl Iterator<Item = Translation>, job: &Job, to: &Lang) {
        let Document { quotings, units, translations, own_routes, .. } = self;
        for (quoting, whole) in quotings.iter().zip(whole) {
            let is_kept = own_routes.get(&quoting.language).is_some_and(|r| r.hops().is_empty());
            let refused = OnBad::refuses(job.on_bad, &whole.problems, true);
            if !is_kept && !refused {
                quoting.fill(&whole, units, translations, to);
            }
        }
    }

    /// Complains of units that stay in another language than the one wanted, for want of a model.
    /// A few words in another script are a name.
    fn note_untranslated(&mut self, to: &Lang) {
        const NAME: usize = 4;
        for (unit, translation) in self.units.iter().zip(&mut self.translations) {
            let Unit { language, text, .. } = unit;
            let is_kept = self.own_routes.get(language).is_some_and(|way| way.hops().is_empty());
            let is_name = language.is_und() && words::words(text).len() < NAME;
            if is_kept && !is_name && !language.same_base(to) {
                translation.problems.push(Problem::Copy);
            }
        }
    }

    /// The text that stands for a unit in the result, by its number: its translation, or itself.
    fn chosen(&self, number: usize, job: &Job) -> &str {
        let (unit, translation) = (&self.units[number], &self.translations[number]);
        let route = self.own_routes.get(&unit.language).or(self.route.as_ref());
        let is_by_model = translation.origin == Origin::Model;
        let invents = is_by_model
            && route.is_some_and(|route| route.hops().iter().any(|hop| uses_examples(hop.model)));
        let refused = OnBad::refuses(job.on_bad, &translation.problems, invents);
        if refused { &unit.text } else { &translation.text }
    }
}

fn translate_all(
    documents: &mut [Result<Document<'_>, Box<Record>>],
    job: &Job,
    models: &Models<'_>,
    progress: &(dyn Fn(Progress) -> bool + Sync),
) -> Result<()> {
    let waiting = |document: &&Document<'_>| document.target(job).is_some();
    let mut texts = Vec::new();
    let before = |document: &Document<'_>| contexts(&document.units, job.translating.context);
    let contexts: Vec<_> = documents.iter().flatten().filter(waiting).map(before).collect();
    for (document, before) in documents.iter().flatten().filter(waiting).zip(&contexts) {
        let route = document.route.as_ref();
        let route = route.ok_or_else(|| Error::Usage("translation needs a model".into()))?;
        let way = |language: &Lang| document.own_routes.get(language).unwrap_or(route);
        texts.extend(document.units.iter().zip(before).map(|(unit, before)| Routed {
            text: &unit.text,
            context: before,
            route: way(&unit.language),
            align: unit.aside.is_none()
                && unit.block.is_some_and(|block| document.has_markup(block)),
            kept: &unit.kept,
        }));
        texts.extend(document.quotings.iter().map(|sentence| Routed {
            text: &sentence.text,
            context: "",
            route: way(&sentence.language),
            align: false,
            kept: &[],
        }));
    }
    let show = |step: Step| progress(step.into());
    let translations = translate::translate_known(&texts, &job.translating, models.known, &show)?;
    let mut translations = translations.into_iter();
    for document in documents.iter_mut().flatten() {
        if let Some(to) = document.target(job) {
            document.translations = translations.by_ref().take(document.units.len()).collect();
            document.note_untranslated(to);
            fit(&document.units, &mut document.translations, to);
            document.quote(translations.by_ref(), job, to);
        }
    }
    Ok(())
}

/// The sentences that a summary is made of, and which language they are in.
struct Reading {
    sentences: Vec<String>,
    title: Option<String>,
    language: Lang,
    /// The number of each sentence's unit in [`Document::units`].
    places: Vec<usize>,
}

/// A summary is made of the text that its reader gets: of the translation where there is one.
fn reading(document: &Document<'_>, job: &Job) -> Reading {
    let target = document.target(job);
    let text = |i: usize| match target {
        Some(_) => document.chosen(i, job).to_string(),
        None => document.units[i].text.clone(),
    };
    let is_prose = |unit: &Unit| {
        unit.aside.is_none()
            && unit.block.is_some_and(|number| {
                let block = &document.article.blocks[number];
                block.kind != BlockKind::Heading && block.notation.is_running()
            })
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
        .flat_map(|&i| summarize::passages(&text(i), &language).into_iter().map(move |s| (s, i)));
    let (sentences, places) = split.unzip();
    Reading { sentences, title, language, places }
}

fn summarize_all(
    documents: &mut [Result<Document<'_>, Box<Record>>],
    job: &Job,
    models: &Models<'_>,
    progress: &(dyn Fn(Progress) -> bool + Sync),
) -> Result<()> {
    let Some(settings) = job.summary else { return Ok(()) };
    let readings: Vec<Reading> = documents.iter().flatten().map(|d| reading(d, job)).collect();
    let sources: Vec<&Document<'_>> = documents.iter().flatten().collect();
    let meant =
        models.encoder.map(|encoder| Meant::of(&sources, &readings, encoder)).transpose()?;
    let mut plans = (0..readings.len())
        .map(|number| {
            let meanings = meant.as_ref().and_then(|meant| meant.get(number));
            let input = Input { meanings, ..readings[number].input() };
            summarize::plan(input, settings, models.summarizer)
        })
        .collect::<Result<Vec<_>>>()?;
    if let Some(model) = models.summarizer {
        ask(&mut plans, model, progress)?;
    }
    let documents = documents.iter_mut().flatten();
    for (document, (plan, reading)) in documents.zip(plans.into_iter().zip(&readings)) {
        document.summary = Some(reading.numbered(summarize::finish(plan)));
    }
    Ok(())
}

/// Asks a model what the plans want to know, all of them together, until none has a question left.
fn ask(
    plans: &mut [Plan<'_>],
    model: &dyn Generate,
    progress: &(dyn Fn(Progress) -> bool + Sync),
) -> Result<()> {
    let done = AtomicUsize::new(0);
    loop {
        let requests: Vec<_> = plans.iter().flat_map(|p| p.requests.iter().cloned()).collect();
        if requests.is_empty() {
            return Ok(());
        }
        let all = done.load(Ordering::Relaxed) + requests.len();
        let outputs = model.generate(&requests, &|_, _| {
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            progress(Progress::Summarizing(done, all))
        })?;
        let mut outputs = outputs.into_iter();
        for plan in plans.iter_mut().filter(|plan| !plan.requests.is_empty()) {
            let asked = plan.requests.len();
            plan.answer(outputs.by_ref().take(asked).collect(), model)?;
        }
    }
}

impl Reading {
    fn input(&self) -> Input<'_> {
        let title = self.title.as_deref();
        let (sentences, language) = (self.sentences.as_slice(), &self.language);
        Input { sentences, title, language, meanings: None }
    }

    /// A summary whose sentences are numbered as the article's units are.
    fn numbered(&self, mut summary: Summary) -> Summary {
        let support = summary.record.sentences.iter_mut().flat_map(|s| &mut s.support);
        for number in support.chain(summary.rejected.iter_mut().map(|flag| &mut flag.segment)) {
            *number = self.places.get(*number).copied().unwrap_or(*number);
        }
        summary
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::{Capability, Output, Request};
    use crate::testing::Stub;
    use crate::types::{Format, Markup, Status};

    fn article(id: &str, text: &str) -> Result<RawArticle, Box<ReadFailure>> {
        let source = Source {
            path: id.into(),
            format: Format::Text,
            bytes: text.len() as u64,
            sha256: String::new(),
            notes: Vec::new(),
        };
        if text.is_empty() {
            let error = Error::input(id, "empty");
            return Err(Box::new(ReadFailure { id: id.into(), source, error }));
        }
        let (title, extra) = (None, serde_json::Map::new());
        let markup = Markup::Plain;
        Ok(RawArticle {
            id: id.into(),
            source,
            title,
            text: text.into(),
            markup,
            blocks: None,
            extra,
        })
    }

    fn job(to: &str, summary: bool) -> Job {
        Job {
            from: Lang::parse("fr"),
            to: Lang::parse(to),
            translate: true,
            summary: summary.then(summarize::Settings::default),
            translating: translate::Settings::default(),
            on_bad: Some(OnBad::Keep),
            segments: true,
        }
    }

    const FRENCH: &str = "Le pont est fermé depuis lundi. Les travaux vont durer un mois.";

    fn records(texts: [&str; 3], job: &Job, models: &[&dyn Generate]) -> Result<Vec<Record>> {
        let ids = ["a", "b", "c"];
        let articles = ids.iter().zip(texts).map(|(id, text)| article(id, text)).collect();
        let summarizer = models.first().copied();
        let models = Models { translators: &Named(models), summarizer, ..Models::default() };
        run(articles, job, &models, &|source| source.path.clone(), &|_| true)
    }

    #[test]
    fn records_stand_in_the_order_of_the_articles_and_failures_in_their_places() {
        let model = Stub::answering(|_| "The bridge is closed.");
        let found = records([FRENCH, "", FRENCH], &job("en", true), &[&model]).unwrap();
        let keys: Vec<&str> = found.iter().map(|record| record.key.as_str()).collect();
        assert_eq!(keys, ["a", "b", "c"]);
        let ok = found.iter().map(|record| record.status == Status::Ok).collect::<Vec<_>>();
        assert_eq!(ok, [true, false, true]);
        let translation = found[2].translation.as_ref().unwrap();
        assert_eq!((translation.model.as_str(), translation.route.len()), ("stub", 2));
        assert!(found[0].summary.is_some() && found[1].summary.is_none());
        assert_eq!(found[1].stats.seconds, 0.0);
    }

    #[test]
    fn what_a_model_leaves_out_is_counted() {
        let reads = |left_out: usize| {
            move |request: &Request| {
                let tokens = request.prompt.split_whitespace().count();
                let prompt_tokens = tokens - left_out;
                Output { prompt_tokens, ..Output::of("The bridge has been closed since Monday.") }
            }
        };
        // Two sentences of six tokens each.
        for (left_out, read) in [(0, 12), (1, 10)] {
            let model = Stub::writing(reads(left_out));
            let stats = &records([FRENCH, "", ""], &job("en", false), &[&model]).unwrap()[0].stats;
            assert_eq!((stats.source_tokens, stats.read_tokens), (12, read));
            assert_eq!(stats.truncated, left_out > 0);
        }
    }

    #[test]
    fn what_is_in_another_language_than_its_article_goes_its_own_way() {
        let english = "The council will meet again on Thursday in the old customs house.";
        let italian = "Il traghetto partirà ogni venti minuti, ha detto il sindaco.";
        let text = format!("{FRENCH}\n\n{english}\n\n{italian}");
        // It says in which language it was asked.
        let echo = Stub::answering(|request| match request.suffix.as_str() {
            _ if request.prefix.ends_with("Italian: ") => "The ferry leaves every twenty minutes.",
            _ => "The bridge has been closed since Monday.",
        });
        let job = Job { on_bad: None, ..job("en", false) };
        let record = records([&text, "", ""], &job, &[&echo]).unwrap().remove(0);
        let translated = record.translation.unwrap().text;
        let blocks: Vec<&str> = translated.split("\n\n").map(str::trim).collect();
        assert_eq!(blocks[1..], [english, "The ferry leaves every twenty minutes."]);
        assert!(record.checks.untranslated.is_empty(), "{:?}", record.checks);

        // What no model translates stays and is complained of.
        let telugu = "మంత్రి సోమవారం చర్చలు కొనసాగుతాయని విలేకరులకు చెప్పారు.";
        let text = text.replace(italian, telugu);
        let record = records([&text, "", ""], &job, &[&echo]).unwrap().remove(0);
        let translated = record.translation.unwrap().text;
        assert!(translated.contains(english) && translated.contains(telugu), "{translated}");
        let flags: Vec<_> =
            record.checks.flagged.iter().map(|flag| (flag.problem, flag.segment)).collect();
        assert_eq!(flags, [(Problem::Copy, 3)]);
        assert_eq!(record.checks.untranslated, [3]);
    }

    #[test]
    fn a_passage_is_translated_in_an_article_of_the_language_wanted() {
        let english = "The council will meet again on Thursday in the old customs house.";
        let text = format!("{english}\n\nThere it was founded.\n\n{FRENCH}");
        let model = Stub::answering(|_| "The bridge has been closed since Monday.");
        let of = |text: &str| {
            let job = Job { from: Lang::parse("en"), on_bad: None, ..job("en", false) };
            records([text, "", ""], &job, &[&model]).unwrap().remove(0)
        };
        let record = of(&text);
        assert_eq!(record.passages, [Lang::parse("fr").unwrap()]);
        let translation = record.translation.unwrap();
        assert_eq!(translation.model, "stub");
        assert!(translation.text.contains("There it was founded."), "{}", translation.text);
        assert!(!translation.text.contains("Le pont"), "{}", translation.text);
        assert!(of(english).translation.is_none());
    }

    #[test]
    fn words_around_a_quotation_are_translated_as_a_sentence() {
        let quotation = "« We will never give up on this »";
        let text = format!("{FRENCH}\n\nIl a dit : {quotation}, puis il est parti.");
        let model = |whole: &'static str| {
            Stub::answering(move |request| match request.prompt.as_str() {
                text if text.contains("X1") => whole,
                text if text.starts_with("Il a dit") => "Did he say:",
                text if text.starts_with("puis") => "Then gone.",
                _ => "The bridge has been closed since Monday.",
            })
        };
        let job = Job { on_bad: None, ..job("en", false) };
        let last = |model: &Stub| {
            let record = records([&text, "", ""], &job, &[model]).unwrap().remove(0);
            let text = record.translation.unwrap().text;
            text.rsplit("\n\n").next().unwrap().trim().to_string()
        };
        assert_eq!(
            last(&model("He said, \"X1,\" and then he left.")),
            "He said, \"We will never give up on this\", and then he left."
        );
        // Where the quotation has lost its place, the parts are what there is.
        let parts = last(&model("He said that he would stay, and then he left."));
        assert!(parts.contains("\"We will never give up on this\""), "{parts}");
        assert!(parts.contains("Did he say"), "{parts}");
    }

    #[test]
    fn invented_news_never_stands_in_a_result() {
        let smoke = "\"We saw the smoke from the school, and within minutes the whole street was \
            dark,\" said Marta Belden, a teacher who lives nearby.";
        let model = Stub::answering(move |_| smoke);
        let job = Job { on_bad: None, ..job("en", false) };
        let record = records([FRENCH, "", ""], &job, &[&model]).unwrap().remove(0);
        assert_eq!(record.translation.as_ref().unwrap().text.trim(), FRENCH);
        assert!(record.checks.flagged.iter().any(|flag| flag.problem == Problem::Unsupported));
        assert_eq!(record.checks.untranslated, [0, 1]);
        // The notes do not quote it either.
        assert!(!crate::report::json_line(&record).unwrap().contains("Belden"));
        assert!(!crate::report::doubts(&record).contains("Belden"));
    }

    #[test]
    fn what_a_small_language_model_gets_wrong_stays_as_it_was_unless_one_wants_to_see_it() {
        // Forty became fifty.
        let source = "Le pont a coûté 40 millions de dollars.";
        let wrong = "The bridge cost 50 million dollars.";
        let model = Stub::answering(move |_| wrong);
        let template = crate::generate::ChatTemplate::chatml();
        let chats = Stub::answering(move |_| wrong).with([Capability::Chat(template)]);
        let text = |model: &Stub, on_bad| {
            let job = Job { on_bad, ..job("en", false) };
            let record = records([source, "", ""], &job, &[model]).unwrap().remove(0);
            assert_eq!(record.checks.flagged.len(), 1);
            record.translation.unwrap().text.trim().to_string()
        };
        assert_eq!(text(&model, None), source);
        assert_eq!(text(&model, Some(OnBad::Keep)), wrong);
        assert_eq!(text(&chats, None), wrong);
        assert_eq!(text(&chats, Some(OnBad::Source)), source);
    }

    #[test]
    fn what_was_exchanged_is_tried_again_and_marked() {
        for (source, wrong, right, problem) in [
            (
                "Le pont est fermé depuis vendredi.",
                "The bridge has been closed since Thursday.",
                "The bridge has been closed since Friday.",
                Problem::Date,
            ),
            (
                "Le camion a perdu 50 litres d'huile.",
                "The truck lost 50 gallons of oil.",
                "The truck lost 50 litres of oil.",
                Problem::Unit,
            ),
            (
                "Le pont de Belfast est fermé.",
                "The bridge in Atlanta is closed.",
                "The bridge in Belfast is closed.",
                Problem::Name,
            ),
        ] {
            let marked = |answers: [&'static str; 2]| {
                let asked = std::sync::atomic::AtomicUsize::new(0);
                let model = Stub::answering(move |_| {
                    answers[asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed).min(1)]
                });
                let job = Job { on_bad: Some(OnBad::Keep), ..job("en", false) };
                let record = records([source, "", ""], &job, &[&model]).unwrap().remove(0);
                let problems: Vec<Problem> =
                    record.checks.flagged.iter().map(|flag| flag.problem).collect();
                (record.translation.unwrap().text.trim().to_string(), problems)
            };
            assert_eq!(marked([wrong, wrong]), (wrong.to_string(), vec![problem]));
            assert_eq!(marked([wrong, right]), (right.to_string(), vec![]));
        }
    }

    #[test]
    fn a_translation_needs_a_model_and_nothing_else_does() {
        let error = records([FRENCH, "", ""], &job("en", false), &[]).unwrap_err();
        assert!(error.to_string().contains("needs a model"), "{error}");
        let same = records([FRENCH, "", ""], &job("fr", true), &[]).unwrap();
        assert!(same[0].status == Status::Ok && same[0].translation.is_none());
    }

    #[test]
    fn chat_models_read_the_sentences_before_of_the_same_article() {
        let asked: std::sync::Arc<std::sync::Mutex<Vec<(String, String)>>> = Default::default();
        let heard = asked.clone();
        let model = Stub::answering(move |request| {
            let context = request.context.lines().next().unwrap_or_default().to_owned();
            heard.lock().unwrap().push((context, request.prompt.clone()));
            "The bridge has been closed since Monday."
        });
        let model = model.with([Capability::Chat(crate::generate::ChatTemplate::chatml())]);
        let mut job = job("en", false);
        job.translating.context = 1;
        let [first, second] =
            ["Le pont est fermé depuis lundi.", "Les travaux vont durer un mois."];
        let paragraphs = format!("{first} {second}\n\nLa ville attend le nouveau pont.");
        records([&paragraphs, "", second], &job, &[&model]).unwrap();
        let mut asked = asked.lock().unwrap().clone();
        asked.truncate(4);
        let expected = [
            ("", first),
            (first, second),
            (second, "La ville attend le nouveau pont."),
            ("", second),
        ];
        assert_eq!(asked, expected.map(|(context, text)| (context.to_owned(), text.to_owned())));
    }
}
