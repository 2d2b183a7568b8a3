//! `polygist batch`: a folder of articles as a job that can be stopped, resumed and repeated.

use super::args::{Batch, TaskArg};
use super::plan::{self, Setup};
use super::run::{in_groups, print};
use super::{DONE, SOME_FAILED};
use crate::error::{Error, Result};
use crate::generate::{Engine, Generate};
use crate::io::articles::Found;
use crate::io::catalog::Task;
use crate::io::fetch::{Lookup, ResolvedModel};
use crate::io::journal::Journal;
use crate::io::layout;
use crate::io::write::{OutputNames, atomic, atomic_with};
use crate::pipeline::{self, Job, Models, Unread};
use crate::report;
use crate::task::summarize;
use crate::text::extract;
use crate::types::{ErrorRecord, Lang, RawArticle, Record, Source, Status};
use std::collections::BTreeMap;

/// What a run is made of, once arguments and configuration are read.
struct Run<'a> {
    setup: &'a Setup,
    args: &'a Batch,
    job: Job,
    found: Found,
    names: OutputNames,
    /// Names of the models that the job needs.
    translators: Vec<String>,
    summarizer: Option<String>,
}

pub(super) fn run(setup: &Setup, args: &Batch) -> Result<u8> {
    let has = |task| args.tasks.contains(&task);
    let to = setup.target(args.to.as_ref(), &args.translating.model)?;
    if to.is_none() && !has(TaskArg::Summarize) {
        return Err(Error::Usage("into which language? Say it with --to, as --to en".into()));
    }
    let summarizing = has(TaskArg::Summarize).then_some(&args.summarizing);
    let job = plan::job(setup, &args.translating, to, has(TaskArg::Translate), summarizing);
    let found = plan::find_files(&args.inputs, &args.reading, Some(&args.out))?;
    let names = OutputNames::new(found.files.iter().map(|f| f.id.as_str()));
    let named = args.summarizing.summary_model.is_some() || setup.config.summary_model.is_some();
    let writes = job.summary.is_some()
        && !args.summarizing.extractive
        && (named || job.to.as_ref().is_none_or(summarize::is_abstractive));
    let translators = if job.to.is_some() {
        setup.translator_names(&args.translating.model)?
    } else {
        Vec::new()
    };
    let summary_model = args.summarizing.summary_model.as_deref();
    let summarizer =
        writes.then(|| setup.model_name(Task::Summarize, summary_model)).transpose()?;
    let run = Run { setup, args, job, found, names, translators, summarizer };
    for skipped in &run.found.skipped {
        setup.reporter.say(&format!("skipped {}: {}", skipped.path.display(), skipped.reason));
    }
    if args.dry_run { run.explain() } else { run.execute() }
}

/// How many articles ended how.
#[derive(Default)]
struct Tally {
    done: usize,
    failed: usize,
    before: usize,
    failed_before: usize,
}

impl Run<'_> {
    fn execute(&self) -> Result<u8> {
        let models = self.setup.resolve_all(
            &self.translators,
            self.summarizer.as_deref(),
            self.args.translating.adapter.as_deref(),
        )?;
        let settings = self.result_settings(&models.0, models.1.as_ref());
        let key = |source: &Source| {
            crate::io::sha256_hex(format!("{}\n{settings}", source.sha256).as_bytes())
        };
        let mut journal = Journal::open(&self.args.out)?;
        if journal.damaged() > 0 {
            self.setup.reporter.say(&format!(
                "{} damaged lines of results.jsonl are done again",
                journal.damaged()
            ));
        }
        let mut engines: Option<(Vec<Engine>, Option<Engine>)> = None;
        let mut tally = Tally::default();
        let outcome = in_groups(
            &self.found.files,
            &plan::read_options(&self.args.reading),
            self.args.reading.limit,
            usize::from(self.args.jobs),
            |group| {
                let group = self.still_to_do(group, &mut journal, &key, &mut tally);
                if group.is_empty() {
                    return Ok(());
                }
                // The models are loaded when the first article is found that needs them, and not
                // for one that only failed to be read.
                if engines.is_none() && group.iter().any(Result::is_ok) {
                    engines = Some(self.setup.open_all(&models, &self.setup.runtime()?)?);
                }
                let (translators, summarizer) =
                    engines.as_ref().map_or((&[][..], None), |(t, s)| (&t[..], s.as_ref()));
                let models = Models {
                    translators: &plan::faces(translators),
                    summarizer: summarizer.map(|m| m as &dyn Generate),
                };
                for record in self.process(group, &models, &key, &tally)? {
                    self.keep(record, &mut journal, &mut tally)?;
                }
                Ok(())
            },
        );
        // What is done is kept and shown, also after an interruption.
        journal.compact()?;
        self.report(&journal)?;
        outcome?;
        self.conclude(&tally);
        Ok(if tally.failed + tally.failed_before > 0 { SOME_FAILED } else { DONE })
    }

    /// Everything besides the article that changes its result.
    fn result_settings(
        &self,
        translators: &[ResolvedModel],
        summarizer: Option<&ResolvedModel>,
    ) -> String {
        let version = env!("CARGO_PKG_VERSION");
        let translators: Vec<&str> = translators.iter().map(|m| m.fingerprint.as_str()).collect();
        let (translators, summarizer) =
            (translators.join(","), summarizer.map_or("", |m| m.fingerprint.as_str()));
        let fields = (&self.args.reading.text_field, &self.args.reading.title_field);
        format!(
            "{version}\n{fields:?}\n{translators}\n{summarizer}\n{:?}\n{}\n{}",
            self.job,
            self.setup.result_settings(),
            self.args.strict
        )
    }

    fn still_to_do(
        &self,
        group: Vec<Result<RawArticle, Unread>>,
        journal: &mut Journal,
        key: &dyn Fn(&Source) -> String,
        tally: &mut Tally,
    ) -> Vec<Result<RawArticle, Unread>> {
        let mut waiting = |article: &Result<RawArticle, Unread>| {
            let (id, source) = match article {
                Ok(raw) => (&raw.id, &raw.source),
                Err(unread) => (&unread.id, &unread.source),
            };
            let before = journal.done(id, &key(source));
            match before {
                Some(Status::Ok) if !self.args.force => {
                    tally.before += 1;
                    false
                }
                Some(Status::Failed) if !self.args.force && !self.args.retry_failed => {
                    tally.failed_before += 1;
                    false
                }
                _ => true,
            }
        };
        group.into_iter().filter(|article| waiting(article)).collect()
    }

    fn process(
        &self,
        group: Vec<Result<RawArticle, Unread>>,
        models: &Models<'_>,
        key: &dyn Fn(&Source) -> String,
        tally: &Tally,
    ) -> Result<Vec<Record>> {
        let reporter = &self.setup.reporter;
        let first = tally.done + tally.failed + tally.before + tally.failed_before + 1;
        let articles = format!("articles {first}–{}", first + group.len() - 1);
        let show = reporter.stages(&articles);
        let records = pipeline::run(group, &self.job, models, key, &show);
        reporter.end();
        records
    }

    /// Writes an article's file, then its record.
    fn keep(&self, mut record: Record, journal: &mut Journal, tally: &mut Tally) -> Result<()> {
        if self.args.strict
            && record.status == Status::Ok
            && (record.stats.truncated || !record.checks.flagged.is_empty())
        {
            record.status = Status::Failed;
            let message = match record.stats.truncated {
                true => "not read whole (--strict)".to_string(),
                false => format!(
                    "{} sentences with a doubtful translation (--strict)",
                    record.checks.flagged.len()
                ),
            };
            record.error = Some(ErrorRecord { kind: "strict".into(), message });
        }
        if record.translation.is_some() || record.summary.is_some() {
            let language = self.job.to.as_ref().unwrap_or(&record.language.code);
            let name = self.names.name(&record.id, language);
            atomic(&self.args.out.join(&name), report::markdown(&record).as_bytes())?;
            record.output = Some(name);
        }
        match (&record.status, &record.error) {
            (Status::Failed, Some(error)) => {
                tally.failed += 1;
                // Most messages name the file themselves.
                let named = error.message.contains(&record.id);
                let message = if named {
                    error.message.clone()
                } else {
                    format!("{}: {}", record.id, error.message)
                };
                self.setup.reporter.warn(&message);
            }
            _ => tally.done += 1,
        }
        journal.append(&record)
    }

    fn report(&self, journal: &Journal) -> Result<()> {
        journal.records()?;
        let meta = report::Meta {
            title: self
                .args
                .inputs
                .iter()
                .map(|p| p.display().to_string())
                .collect::<Vec<_>>()
                .join(", "),
            created: humantime::format_rfc3339_seconds(std::time::SystemTime::now())
                .to_string()
                .replace('T', " ")
                .replace('Z', " UTC"),
            target: self.job.to.clone(),
            notes: Vec::new(),
            ..report::Meta::default()
        };
        let records = || journal.records().into_iter().flatten();
        atomic_with(&self.args.out.join("report.html"), |out| report::html(records, &meta, out))
    }

    fn conclude(&self, tally: &Tally) {
        let mut parts = Vec::new();
        let mut part = |n: usize, what: &str| {
            if n > 0 {
                parts.push(format!("{n} {what}"));
            }
        };
        part(tally.done, "done");
        part(tally.failed, "failed");
        part(tally.before, "done before");
        part(tally.failed_before, "failed before (--retry-failed tries them again)");
        if parts.is_empty() {
            let places: Vec<String> =
                self.args.inputs.iter().map(|path| path.display().to_string()).collect();
            let matching = self
                .args
                .reading
                .pattern
                .as_ref()
                .map_or(String::new(), |pattern| format!(" that match {pattern}"));
            parts.push(format!(
                "no articles{matching} in {} (.txt .md .html .json .jsonl, each also as .gz)",
                places.join(", ")
            ));
        } else if tally.done + tally.failed == 0 {
            parts.insert(0, "nothing to do".into());
        }
        self.setup.reporter.say(&format!(
            "{}; see {}",
            parts.join(", "),
            self.args.out.join("report.html").display()
        ));
    }

    /// `--dry-run`: what would be read, in which languages, with which models, what is missing,
    /// what would collide.
    fn explain(&self) -> Result<u8> {
        let mut languages_found: BTreeMap<Lang, usize> = BTreeMap::new();
        let mut failed = 0;
        let say = |line: String| print(&(line + "\n"));
        say(format!("{:<48} {:<9} {:<6} OUTPUT", "ARTICLE", "FORMAT", "LANG"))?;
        in_groups(
            &self.found.files,
            &plan::read_options(&self.args.reading),
            self.args.reading.limit,
            1,
            |group| {
                for article in group {
                    let read =
                        article.map_err(|unread| (unread.id, unread.error)).and_then(|raw| {
                            let format = raw.source.format;
                            extract::extract(&raw)
                                .map(|article| (article, format))
                                .map_err(|error| (raw.id, error))
                        });
                    match read {
                        Ok((article, format)) => {
                            let lang = self
                                .job
                                .from
                                .clone()
                                .unwrap_or_else(|| pipeline::detect(&article).code);
                            let output =
                                self.names.name(&article.id, self.job.to.as_ref().unwrap_or(&lang));
                            let format = format!("{format:?}").to_lowercase();
                            say(format!(
                                "{:<48} {format:<9} {:<6} {output}",
                                article.id,
                                lang.as_str()
                            ))?;
                            *languages_found.entry(lang).or_default() += 1;
                        }
                        Err((id, error)) => {
                            failed += 1;
                            say(format!("{id:<48} unreadable: {error}"))?;
                        }
                    }
                }
                Ok(())
            },
        )?;
        let counts: Vec<String> =
            languages_found.iter().map(|(lang, n)| format!("{n} {lang}")).collect();
        say(format!(
            "\nlanguages: {}",
            if counts.is_empty() { "none".into() } else { counts.join(", ") }
        ))?;
        let translators = self.translators.iter().map(|name| ("translation", name));
        for (task, name) in
            translators.chain(self.summarizer.iter().map(|name| ("summaries", name)))
        {
            let state = match self.setup.lookup(name)? {
                Lookup::Ready(model) => format!("installed in {}", model.folder.display()),
                Lookup::Missing(wanted) => {
                    let size = wanted
                        .size()
                        .map_or(String::new(), |bytes| format!(", {:.0} MB", bytes as f64 / 1e6));
                    format!("missing; will be fetched{size} (`{}`)", wanted.command())
                }
            };
            say(format!("{task}: {name}, {state}"))?;
        }
        if let Some(folder) = self.setup.adapter(self.args.translating.adapter.as_deref()) {
            layout::adapter(folder)
                .map_err(|why| Error::model(folder.display().to_string(), why))?;
            say(format!("adapter: {}", folder.display()))?;
        }
        for skipped in &self.found.skipped {
            say(format!("skipped: {}: {}", skipped.path.display(), skipped.reason))?;
        }
        let clashes = self.names.clashes();
        let names = if clashes == 0 {
            "no two collide".into()
        } else {
            format!("{clashes} would collide; a hash keeps them apart")
        };
        say(format!("output names: {names}"))?;
        Ok(if failed > 0 { SOME_FAILED } else { DONE })
    }
}
