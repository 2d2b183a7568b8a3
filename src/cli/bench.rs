//! `polygist bench`: how fast models are on this machine, on the user's articles or on random
//! weights.

mod texts;

use super::DONE;
use super::args::{Bench, BenchFormat, TaskArg};
use super::output::print;
use super::plan::Environment;
use crate::bench::{
    self, Baseline, Machine, Material, Measurement, Peak, Plan, Report, SHAPES, Sample, Setting,
};
use crate::error::{Error, Result};
use crate::generate::{DecodingOverrides, Engine, Request};
use crate::io::write::atomic;
use crate::kernel::Precision;
use crate::main_memory::Memory;
use crate::model::Runtime;
use crate::model_store::{OpenModels, Translators};
use crate::pipeline::{self, Job};
use crate::route::{Preferences, Preset};
use crate::task::{summarize, translate};
use crate::text::extract;
use crate::types::Lang;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;
use texts::Texts;

pub(super) fn run(env: &Environment, args: &Bench) -> Result<u8> {
    if args.synthetic.is_empty() && args.inputs.is_empty() {
        let known: Vec<&str> = SHAPES.iter().map(|shape| shape.name).collect();
        let message = "what is to be measured? Name files or folders with articles, or a shape with --synthetic, which needs no model";
        return Err(Error::Usage(format!("{message}: {}", known.join(", "))));
    }
    if args.synthetic.is_empty() && (args.sentences.is_some() || args.tokens.is_some()) {
        return Err(Error::Usage("--sentences and --tokens go with --synthetic; of articles, --limit N takes the first N".into()));
    }
    if !args.synthetic.is_empty() && args.tasks.len() > 1 {
        return Err(Error::Usage(
            "random weights do one task at a time: --task translate or --task summarize".into(),
        ));
    }
    if !args.references.is_empty() && args.tasks != [TaskArg::Translate] {
        return Err(Error::Usage("--ref goes with --task translate alone".into()));
    }
    let baseline = args.baseline.as_deref().map(read_baseline).transpose()?;
    let mut run =
        Run { env, args, usual: env.open_runtime()?, peaks: Vec::new(), measurements: Vec::new() };
    let machine = Machine::here();
    let sample = if args.synthetic.is_empty() { run.articles()? } else { run.shapes()? };
    run.compare_with_baseline(baseline.as_ref(), &sample);
    let report = Report {
        version: env!("CARGO_PKG_VERSION"),
        created: humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string(),
        machine,
        sample,
        warmup: args.warmup.into(),
        runs: args.runs.into(),
        peaks: run.peaks,
        measurements: run.measurements,
    };
    let text = match args.format {
        BenchFormat::Table => bench::table(&report),
        BenchFormat::Html => bench::page(&report),
        BenchFormat::Json => {
            let json = serde_json::to_string_pretty(&report);
            json.map_err(|e| Error::input("bench", format!("its result cannot be written: {e}")))?
                + "\n"
        }
    };
    match &args.out {
        Some(path) => atomic(path, text.as_bytes())?,
        None => print(&text)?,
    }
    Ok(DONE)
}

/// What a benchmark is made of, and what it has found out so far.
struct Run<'a> {
    env: &'a Environment,
    args: &'a Bench,
    /// What is not compared.
    usual: Runtime,
    peaks: Vec<Peak>,
    measurements: Vec<Measurement>,
}

/// Models, loaded, and what that took.
struct Loaded {
    models: OpenModels,
    seconds: f64,
    memory: Option<u64>,
}

/// One precision, with what to do in it.
struct Subject<'a> {
    model: String,
    runtime: Runtime,
    beams: Vec<Option<usize>>,
    /// What is read, and the language that it is translated into.
    texts: Option<(&'a Texts, Option<&'a Lang>)>,
    work: &'a dyn Fn(&Loaded, Option<usize>) -> Result<Work<'a>>,
}

/// What is done with a beam of some width.
enum Work<'a> {
    Requests(Vec<Request>),
    Articles(&'a Texts, Box<Job>),
}

/// The result of an earlier benchmark.
fn read_baseline(path: &Path) -> Result<Baseline> {
    let text = std::fs::read_to_string(path).map_err(Error::io("reading", path))?;
    Baseline::parse(&text).map_err(|e| {
        Error::Usage(format!(
            "{} is no result of `polygist bench --format json`: {e}",
            path.display()
        ))
    })
}

impl Run<'_> {
    /// Says of each measurement how it stands to an earlier one.
    fn compare_with_baseline(&mut self, baseline: Option<&Baseline>, sample: &str) {
        let Some(baseline) = baseline else { return };
        if baseline.sample != sample {
            self.env.reporter.warn(&format!(
                "the baseline is of something else: it was {}, it is {sample}",
                baseline.sample
            ));
        }
        for measurement in &mut self.measurements {
            measurement.times_baseline = baseline.times(measurement);
        }
        if self.measurements.iter().all(|measured| measured.times_baseline.is_none()) {
            self.env.reporter.warn("the baseline has none of these models and settings");
        }
    }

    fn is_cpu(&self) -> bool {
        self.usual.device.is_cpu()
    }

    /// The precisions to compare.
    fn runtimes(&self) -> Result<Vec<Runtime>> {
        if self.args.precision.is_empty() {
            return Ok(vec![self.usual.clone()]);
        }
        let all = self.args.precision.iter().map(|&p| Precision::from(p));
        all.map(|precision| self.usual.clone().with_precision(precision)).collect()
    }

    /// Has a model loaded, by the clock.
    fn load(&self, open: impl FnOnce() -> Result<OpenModels>) -> Result<Loaded> {
        let (memory, begun) = (Memory::begin(), Instant::now());
        let opened = open();
        let (seconds, memory) = (begun.elapsed().as_secs_f64(), memory.peak());
        self.env.reporter.end();
        Ok(Loaded { models: opened?, seconds, memory })
    }

    /// Measures shapes with random weights; says on what.
    fn shapes(&mut self) -> Result<String> {
        let summaries = self.args.tasks == [TaskArg::Summarize];
        let (lengths, kind) = if summaries {
            (Sample::ARTICLES, "articles")
        } else {
            (Sample::SENTENCES, "sentences")
        };
        let count =
            self.args.sentences.map_or(if summaries { 8 } else { 64 }, |count| count as usize);
        let tokens = self.args.tokens.unwrap_or(if summaries { 64 } else { 32 });
        let beams: Vec<Option<usize>> =
            if self.args.beam.is_empty() { vec![Some(1)] } else { beams(&self.args.beam) };
        for &shape in &self.args.synthetic {
            for runtime in self.runtimes()? {
                let loaded = self.load(|| {
                    self.env.reporter.step(&format!("making {}", shape.name));
                    Ok(OpenModels {
                        translators: vec![bench::open(shape, &runtime)?],
                        ..OpenModels::default()
                    })
                })?;
                let work = |loaded: &Loaded, beam: Option<usize>| {
                    let model = loaded.models.translators.first().ok_or(Error::Interrupted)?;
                    Ok(Work::Requests(bench::requests(
                        model,
                        Sample { count, lengths, tokens, beams: beam.unwrap_or(1) },
                    )?))
                };
                let subject = Subject {
                    model: shape.name.into(),
                    runtime,
                    beams: beams.clone(),
                    texts: None,
                    work: &work,
                };
                self.compare(&subject, loaded)?;
            }
        }
        let (shortest, longest) = lengths;
        Ok(format!(
            "random weights, {count} {kind} of {shortest} to {longest} random tokens, {tokens} tokens written for each"
        ))
    }

    /// Measures the pipeline on the user's articles; says on what.
    fn articles(&mut self) -> Result<String> {
        let (env, args) = (self.env, self.args);
        let has = |task| args.tasks.contains(&task);
        let preset = env.preset(args.fast, args.best);
        let preferences =
            Preferences { preset, pairs: env.config.route()?, ..Preferences::default() };
        let further = args.against.iter().map(|chain| chain.split(',').map(String::from).collect());
        let choices: Vec<Vec<String>> = [args.model.clone()].into_iter().chain(further).collect();
        let first = env.translators(&args.model, preferences.clone())?;
        let to = env.target(args.to.as_ref(), &first)?;
        if to.is_none() && has(TaskArg::Translate) {
            return Err(Error::Usage(
                "into which language? Say it with --to, as --to en; or measure --task summarize"
                    .into(),
            ));
        }
        let texts = Texts::read(env, args)?;
        for named in choices {
            let translators = env.translators(&named, preferences.clone())?;
            self.choice(translators, &named, to.as_ref(), preset, &texts)?;
        }
        Ok(texts.in_words())
    }

    /// Measures one choice of models on articles.
    fn choice(
        &mut self,
        translators: Translators,
        named: &[String],
        to: Option<&Lang>,
        preset: Preset,
        texts: &Texts,
    ) -> Result<()> {
        let (env, args) = (self.env, self.args);
        let has = |task| args.tasks.contains(&task);
        // Where nothing is translated, --model names what writes.
        let summarizer = args
            .summary_model
            .as_deref()
            .or_else(|| named.first().filter(|_| to.is_none()).map(String::as_str));
        let job = |beams: Option<usize>| {
            let stated = DecodingOverrides { num_beams: beams, ..DecodingOverrides::default() };
            let decoding = preset.apply(stated);
            // As in a batch: where something is translated, the flags are for that.
            let summarizing = if to.is_some() { DecodingOverrides::default() } else { decoding };
            Job {
                from: texts.from.clone(),
                to: to.cloned(),
                translate: has(TaskArg::Translate),
                summary: has(TaskArg::Summarize).then(|| summarize::Settings {
                    decoding: summarizing,
                    seed: env.seed,
                    ..summarize::Settings::default()
                }),
                translating: translate::Settings {
                    seed: env.seed,
                    decoding,
                    ..translate::Settings::default()
                },
                on_bad: None,
                segments: false,
            }
        };
        let models = env.models(translators, summarizer, false, args.adapter.as_deref());
        let names = models.for_job(&job(None), &env.models)?;
        let models = names.resolve(&env.models, &env.listener(), &env.cancel)?;
        let models = match to {
            Some(to) => models.chosen_for(&languages(texts), to, &env.listener())?,
            None => models,
        };
        let ids = models.translators.iter().chain(&models.summarizer).map(|m| m.id.as_str());
        let model = ids.collect::<Vec<_>>().join(" + ");
        let work = |_: &Loaded, beam: Option<usize>| Ok(Work::Articles(texts, Box::new(job(beam))));
        let beams = if args.beam.is_empty() { vec![None] } else { beams(&args.beam) };
        for runtime in self.runtimes()? {
            let loaded = self.load(|| models.open(&runtime, &env.listener()))?;
            let (model, beams) = (model.clone(), beams.clone());
            let (runtime, texts) = (runtime.clone(), Some((texts, to)));
            self.compare(&Subject { model, runtime, beams, texts, work: &work }, loaded)?;
        }
        Ok(())
    }

    /// Measures every combination of threads, batch and beam.
    fn compare(&mut self, subject: &Subject<'_>, mut loaded: Loaded) -> Result<()> {
        let usual = &subject.runtime;
        let mut threads: Vec<usize> = self.args.threads.iter().map(|&n| n.into()).collect();
        if threads.is_empty() {
            threads = vec![usual.threads];
        }
        let batches =
            if self.args.batch.is_empty() { vec![usual.batch] } else { self.args.batch.clone() };
        for &threads in &threads {
            let peak = self.peak(usual, threads)?;
            for &batch in &batches {
                loaded = loaded.under(&Runtime { threads, batch, ..usual.clone() })?;
                for &beam in &subject.beams {
                    let measured = self.measure(subject, &loaded, &peak, (threads, batch, beam))?;
                    self.measurements.push(measured);
                }
            }
        }
        Ok(())
    }

    fn measure(
        &self,
        subject: &Subject<'_>,
        loaded: &Loaded,
        peak: &Peak,
        (threads, batch, beam): (usize, usize, Option<usize>),
    ) -> Result<Measurement> {
        let reporter = &self.env.reporter;
        let tasks: Vec<&str> = self
            .args
            .tasks
            .iter()
            .map(|task| if *task == TaskArg::Translate { "translate" } else { "summarize" })
            .collect();
        let device = &subject.runtime.device;
        let setting = Setting {
            model: subject.model.clone(),
            task: tasks.join(","),
            device: if device.is_cpu() {
                "cpu"
            } else if device.is_cuda() {
                "cuda"
            } else {
                "metal"
            }
            .into(),
            precision: peak.precision.clone(),
            threads,
            batch,
            beam,
        };
        let beam = beam.map_or(String::new(), |beam| format!(", beam {beam}"));
        let label = format!(
            "{} {}, threads {threads}, batch {batch}{beam}",
            setting.model, setting.precision
        );
        let work = (subject.work)(loaded, setting.beam)?;
        let material = match &work {
            Work::Requests(requests) => Material::Requests(requests),
            Work::Articles(texts, job) => Material::Articles(&texts.articles, job, texts.at_once),
        };
        let size = match &work {
            Work::Requests(requests) => requests.len(),
            Work::Articles(texts, _) => texts.articles.len(),
        };
        let plan = Plan { warmup: self.args.warmup.into(), runs: self.args.runs.into() };
        reporter.count(&label, (size * (plan.warmup + plan.runs)) as u64);
        let progress = |done: usize, _: usize| {
            reporter.at(done as u64);
            !self.env.cancel.is_cancelled()
        };
        let measured = bench::measure(
            setting,
            &loaded.models.translators,
            loaded.models.summarizer.as_ref(),
            &material,
            plan,
            &progress,
        );
        reporter.end();
        let (mut measured, translations) = measured?;
        measured.load_seconds = loaded.seconds;
        measured.load_memory = loaded.memory;
        measured.share_of_peak =
            (measured.operations > 0.0).then(|| measured.gops.median / peak.gops);
        if let Some((texts, to)) = subject.texts {
            measured.stages.read = Some(texts.read);
            texts.judge(&mut measured, &translations, to);
        }
        Ok(measured)
    }

    /// What the device can do at best; it is measured once.
    fn peak(&mut self, runtime: &Runtime, threads: usize) -> Result<Peak> {
        self.env.cancel.check()?;
        let precision = bench::precision_name(&runtime.device, runtime.precision);
        if let Some(known) = self.peaks.iter().find(|known| {
            known.precision == precision && (known.threads == threads || !self.is_cpu())
        }) {
            return Ok(known.clone());
        }
        self.env.reporter.step("measuring what the device can do");
        let peak = bench::peak(&runtime.device, runtime.precision, threads);
        self.env.reporter.end();
        let peak = peak?;
        self.peaks.push(peak.clone());
        Ok(peak)
    }
}

impl Loaded {
    /// The same models with other threads and another batch.
    fn under(self, runtime: &Runtime) -> Result<Loaded> {
        let under = |engine: Engine| engine.with_settings(runtime.settings());
        let OpenModels { translators, summarizer, pool, encoder } = self.models;
        let translators = translators.into_iter().map(under).collect::<Result<_>>()?;
        let summarizer = summarizer.map(under).transpose()?;
        Ok(Loaded { models: OpenModels { translators, summarizer, pool, encoder }, ..self })
    }
}

/// The languages of articles; the one that is known, if one is.
fn languages(texts: &Texts) -> BTreeSet<Lang> {
    let detected = texts
        .articles
        .iter()
        .filter_map(|raw| extract::extract(raw).ok())
        .map(|article| pipeline::detect(&article).code);
    texts.from.as_ref().map_or_else(|| detected.collect(), |from| BTreeSet::from([from.clone()]))
}

fn beams(widths: &[u8]) -> Vec<Option<usize>> {
    widths.iter().map(|&width| Some(width.into())).collect()
}
