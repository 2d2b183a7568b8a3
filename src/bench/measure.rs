//! Doing the same several times and looking at the clock.

use super::results::{Measurement, Setting, Spread, Stages};
use crate::error::{Error, Result};
use crate::generate::{
    Alignment, Capability, DecodingOptions, Engine, Finish, Generate, LanguagePrompt, OnText,
    Output, Request,
};
use crate::main_memory::Memory;
use crate::pipeline::{self, Job, Models};
use crate::report;
use crate::task::translate::Named;
use crate::types::{Lang, RawArticle, Status, TokenAlignment};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// What is worked on.
pub enum Material<'a> {
    /// Requests for the first of the translators.
    Requests(&'a [Request]),
    /// Articles, as many at once as the number says.
    Articles(&'a [RawArticle], &'a Job, usize),
}

/// How often.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Runs before the ones that count.
    pub warmup: usize,
    /// Runs that count, at least one.
    pub runs: usize,
}

/// Is told how much of all runs is done, and how much there is; says whether to go on.
pub type Progress<'a> = &'a (dyn Fn(usize, usize) -> bool + Sync);

/// Requests whose first token is waited for.
const FIRST_TOKENS: usize = 5;

/// What went through the models in a run.
#[derive(Clone, Debug, Default)]
struct Tally {
    requests: usize,
    source_tokens: usize,
    target_tokens: usize,
    operations: f64,
    generate: f64,
    tokenize: f64,
    /// The first few of the requests, with the model that got them.
    examples: Vec<(usize, Request)>,
}

/// An engine that counts.
struct Counted<'a> {
    /// Among the models of the run.
    number: usize,
    engine: &'a Engine,
    tally: &'a Mutex<Tally>,
}

impl Counted<'_> {
    fn tally(&self) -> std::sync::MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Operations, and source tokens, of one answer.
    fn count(&self, request: &Request, output: &Output) -> Result<(f64, usize)> {
        let work = self.engine.work(&request.options)?;
        let source = request.source.as_ref().map_or(output.prompt_tokens, Vec::len);
        // The end token is chosen too. The first one's choice follows from what was read, the
        // others' each from the one before.
        let chosen = output.tokens + usize::from(output.finish == Finish::Stop);
        let beams = request.options.num_beams.max(1);
        let steps = if chosen == 0 { 0 } else { (chosen - 1) * beams };
        let before = if self.engine.is_decoder_only() { source } else { 1 };
        let products = source as f64 * work.source as f64
            + (before + steps) as f64 * work.token as f64
            + (usize::from(chosen > 0) + steps) as f64 * work.output as f64;
        Ok((2.0 * products, source))
    }

    fn timed(
        &self,
        requests: &[Request],
        generate: impl FnOnce() -> Result<Vec<Output>>,
    ) -> Result<Vec<Output>> {
        let begun = Instant::now();
        let outputs = generate()?;
        let seconds = begun.elapsed().as_secs_f64();
        let counts = requests
            .iter()
            .zip(&outputs)
            .map(|(request, output)| self.count(request, output))
            .collect::<Result<Vec<_>>>()?;
        let mut tally = self.tally();
        tally.generate += seconds;
        tally.requests += outputs.len();
        tally.target_tokens += outputs.iter().map(|output| output.tokens).sum::<usize>();
        tally.operations += counts.iter().map(|(operations, _)| operations).sum::<f64>();
        tally.source_tokens += counts.iter().map(|(_, source)| source).sum::<usize>();
        let missing = FIRST_TOKENS.saturating_sub(tally.examples.len());
        tally
            .examples
            .extend(requests.iter().take(missing).map(|request| (self.number, request.clone())));
        Ok(outputs)
    }
}

impl Generate for Counted<'_> {
    fn id(&self) -> &str {
        self.engine.id()
    }

    fn fingerprint(&self) -> &str {
        self.engine.fingerprint()
    }

    fn context_length(&self) -> usize {
        self.engine.context_length()
    }

    fn macs(&self) -> u64 {
        self.engine.macs()
    }

    fn prompt_length(&self) -> usize {
        self.engine.prompt_length()
    }

    fn language_prompt(&self, from: &Lang, to: &Lang) -> Option<LanguagePrompt> {
        self.engine.language_prompt(from, to)
    }

    fn capabilities(&self) -> &[Capability] {
        self.engine.capabilities()
    }

    fn defaults(&self) -> DecodingOptions {
        self.engine.defaults()
    }

    fn count_tokens(&self, text: &str) -> Result<usize> {
        let begun = Instant::now();
        let count = self.engine.count_tokens(text);
        self.tally().tokenize += begun.elapsed().as_secs_f64();
        count
    }

    fn aligns(&self) -> bool {
        self.engine.aligns()
    }

    fn align(&self, pairs: &[(&Request, &[u32])], layer: Option<usize>) -> Result<Vec<Alignment>> {
        self.engine.align(pairs, layer)
    }

    fn relate(&self, pairs: &[(&str, &str)]) -> Result<Vec<Option<TokenAlignment>>> {
        self.engine.relate(pairs)
    }

    fn score(
        &self,
        pairs: &[(&Request, &str)],
        on_done: &(dyn Fn(usize) -> bool + Sync),
    ) -> Result<Vec<f32>> {
        let begun = Instant::now();
        let scores = self.engine.score(pairs, on_done);
        self.tally().generate += begun.elapsed().as_secs_f64();
        scores
    }

    fn generate(
        &self,
        requests: &[Request],
        on_done: &(dyn Fn(usize, &Output) -> bool + Sync),
    ) -> Result<Vec<Output>> {
        self.timed(requests, || self.engine.generate(requests, on_done))
    }

    fn stream(
        &self,
        requests: &[Request],
        on_text: OnText<'_>,
        on_done: &(dyn Fn(usize, &Output) -> bool + Sync),
    ) -> Result<Vec<Output>> {
        self.timed(requests, || self.engine.stream(requests, on_text, on_done))
    }
}

/// One run.
struct Run {
    seconds: f64,
    tally: Tally,
    failed: usize,
    /// Sentences, where there are any.
    sentences: usize,
    text: f64,
    write: f64,
    /// Of articles, the translations in their order; nothing of one that failed.
    translations: Vec<String>,
}

/// The models, with what counts what goes through them.
struct Counting<'a> {
    translators: Vec<Counted<'a>>,
    summarizer: Option<Counted<'a>>,
    tally: &'a Mutex<Tally>,
}

impl Counting<'_> {
    fn run(
        &self,
        material: &Material<'_>,
        progress: &(dyn Fn(usize) -> bool + Sync),
    ) -> Result<Run> {
        *self.tally.lock().unwrap_or_else(PoisonError::into_inner) = Tally::default();
        let mut run = match material {
            Material::Requests(requests) => self.answer(requests, progress)?,
            Material::Articles(articles, job, group) => {
                self.articles(articles, job, *group, progress)?
            }
        };
        run.tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner).clone();
        run.text = (run.text - run.tally.generate - run.tally.tokenize).max(0.0);
        Ok(run)
    }

    fn answer(
        &self,
        requests: &[Request],
        progress: &(dyn Fn(usize) -> bool + Sync),
    ) -> Result<Run> {
        let model =
            self.translators.first().ok_or_else(|| Error::Usage("no model to measure".into()))?;
        let done = AtomicUsize::new(0);
        let begun = Instant::now();
        model.generate(requests, &|_, _| progress(done.fetch_add(1, Ordering::Relaxed) + 1))?;
        let seconds = begun.elapsed().as_secs_f64();
        Ok(Run {
            seconds,
            tally: Tally::default(),
            failed: 0,
            sentences: requests.len(),
            text: seconds,
            write: 0.0,
            translations: Vec::new(),
        })
    }

    fn articles(
        &self,
        articles: &[RawArticle],
        job: &Job,
        group: usize,
        progress: &(dyn Fn(usize) -> bool + Sync),
    ) -> Result<Run> {
        let translators: Vec<&dyn Generate> =
            self.translators.iter().map(|model| model as &dyn Generate).collect();
        let models = Models {
            translators: &Named(&translators),
            summarizer: self.summarizer.as_ref().map(|model| model as &dyn Generate),
            ..Models::default()
        };
        let mut run = Run {
            seconds: 0.0,
            tally: Tally::default(),
            failed: 0,
            sentences: 0,
            text: 0.0,
            write: 0.0,
            translations: Vec::new(),
        };
        for (number, articles) in articles.chunks(group.max(1)).enumerate() {
            let before = number * group.max(1);
            let input = articles.iter().cloned().map(Ok).collect();
            let begun = Instant::now();
            let records =
                pipeline::run(input, job, &models, &|source| source.sha256.clone(), &|_| {
                    progress(before)
                })?;
            let thought = begun.elapsed().as_secs_f64();
            for record in &records {
                let line = report::json_line(record).map_err(|e| {
                    Error::input(&record.id, format!("its record cannot be written: {e}"))
                })?;
                std::hint::black_box(((report::MARKDOWN.write)(record), line));
            }
            let whole = begun.elapsed().as_secs_f64();
            run.text += thought;
            run.write += whole - thought;
            run.seconds += whole;
            run.failed += records.iter().filter(|record| record.status == Status::Failed).count();
            run.sentences += records.iter().map(|record| record.checks.segments).sum::<usize>();
            run.translations.extend(
                records
                    .into_iter()
                    .map(|record| record.translation.map_or_else(String::new, |t| t.text)),
            );
            if !progress(before + articles.len()) {
                return Err(Error::Interrupted);
            }
        }
        Ok(run)
    }

    /// Seconds until each of a few requests has its first token.
    fn first_tokens(
        &self,
        examples: &[(usize, Request)],
        progress: &(dyn Fn(usize) -> bool + Sync),
    ) -> Result<Vec<f64>> {
        let first = |(number, request): &(usize, Request)| {
            let Some(model) = self
                .translators
                .iter()
                .chain(&self.summarizer)
                .find(|model| model.number == *number)
            else {
                return Ok(0.0);
            };
            // What the output is given to begin with is not waited for.
            let one =
                1 + usize::from(request.begin.is_some() || request.options.forced_begin.is_some());
            let options =
                DecodingOptions { max_tokens: one, min_tokens: one, ..request.options.clone() };
            let request = Request { options, ..request.clone() };
            let begun = Instant::now();
            model.engine.generate(std::slice::from_ref(&request), &|_, _| progress(0))?;
            Ok(begun.elapsed().as_secs_f64())
        };
        examples.iter().map(first).collect()
    }
}

/// Runs the material through the models as often as planned. What the caller knows of loading,
/// reading files, the device's peak and references is left empty. With it come the translations of
/// articles, in their order, of the last run.
///
/// # Errors
/// What stops the work: an interruption, a model that does not compute.
pub fn measure(
    setting: Setting,
    translators: &[Engine],
    summarizer: Option<&Engine>,
    material: &Material<'_>,
    plan: Plan,
    progress: Progress<'_>,
) -> Result<(Measurement, Vec<String>)> {
    let tally = Mutex::default();
    let counted = |(number, engine)| Counted { number, engine, tally: &tally };
    let models = Counting {
        translators: translators.iter().enumerate().map(counted).collect(),
        summarizer: summarizer.map(|engine| counted((translators.len(), engine))),
        tally: &tally,
    };
    let size = match material {
        Material::Requests(requests) => requests.len(),
        Material::Articles(articles, ..) => articles.len(),
    };
    let all = size * (plan.warmup + plan.runs.max(1));
    let memory = Memory::begin();
    let mut runs = Vec::new();
    for number in 0..plan.warmup + plan.runs.max(1) {
        let run = models.run(material, &|done| progress(number * size + done, all))?;
        if number >= plan.warmup {
            runs.push(run);
        }
    }
    let peak_memory = memory.peak();
    let translations = runs.last_mut().map(|run| std::mem::take(&mut run.translations));
    let (Some(last), Some(translations)) = (runs.last(), translations) else {
        return Err(Error::Interrupted);
    };
    let seconds: Vec<f64> = runs.iter().map(|run| run.seconds).collect();
    let spread = |number: fn(&Run) -> f64| Spread::of(&runs.iter().map(number).collect::<Vec<_>>());
    let nothing = Spread { median: 0.0, min: 0.0, max: 0.0 };
    let time = Spread::of(&seconds).unwrap_or(nothing);
    let generate = spread(|run| run.tally.generate).unwrap_or(nothing);
    let articles = match material {
        Material::Requests(_) => None,
        Material::Articles(articles, ..) => Some(articles.len()),
    };
    let sentences = Some(last.sentences).filter(|&count| count > 0);
    let stage = |number| articles.and(spread(number)).map(|spread: Spread| spread.median);
    let first_tokens = models.first_tokens(&last.tally.examples, &|_| progress(all, all))?;
    let measurement = Measurement {
        setting,
        articles,
        failed: articles.map(|_| last.failed),
        sentences,
        requests: last.tally.requests,
        source_tokens: last.tally.source_tokens,
        target_tokens: last.tally.target_tokens,
        seconds: time,
        articles_per_second: articles.map(|count| time.rate(count as f64)),
        sentences_per_second: sentences.map(|count| time.rate(count as f64)),
        times_baseline: None,
        folder_seconds: None,
        bleu: None,
        chrf: None,
        source_tokens_per_second: time.rate(last.tally.source_tokens as f64),
        target_tokens_per_second: time.rate(last.tally.target_tokens as f64),
        first_token_seconds: Spread::of(&first_tokens),
        load_seconds: 0.0,
        load_memory: None,
        peak_memory,
        operations: last.tally.operations,
        gops: generate.rate(last.tally.operations / 1e9),
        share_of_peak: None,
        stages: Stages {
            read: None,
            text: stage(|run| run.text),
            tokenize: stage(|run| run.tally.tokenize),
            generate: generate.median,
            write: stage(|run| run.write),
        },
        runs: seconds,
    };
    Ok((measurement, translations))
}
