//! The commands that read something and print results: translate, summarize, detect.

use super::args::{Detect, OutputFormat, Reading, Summarize, Translate};
use super::beside::Sides;
use super::documents::Documents;
use super::given::given;
use super::output::{Output, print};
use super::plan::{self, Environment};
use super::welcome::language_of_system;
use super::{DONE, SOME_FAILED};
use crate::error::{Error, Result};
use crate::generate::Generate;
use crate::io::articles::FoundFile;
use crate::job::{bilingual, in_groups, translated};
use crate::languages;
use crate::model_store::{ModelChoice, OpenModels};
use crate::pipeline::{self, Job, Models};
use crate::report;
use crate::text::{extract, language};
use crate::types::{Detection, RawArticle, Record, Source, Status};

/// Articles that go through the pipeline together in one-off commands.
const GROUP: usize = 16;

/// Models that are there until the program ends, which gives back their memory at once: taking a
/// large vocabulary apart takes as long as translating a sentence.
fn opened(env: &Environment, job: &Job, models: ModelChoice) -> Result<&'static OpenModels> {
    Ok(Box::leak(Box::new(env.open(job, models)?)))
}

/// The models of `translate`, which have what the flags ask for.
pub(super) fn translators(
    env: &Environment,
    args: &Translate,
    job: &Job,
) -> Result<&'static OpenModels> {
    if args.align && args.plain_format() != OutputFormat::Json {
        return Err(Error::Usage(
            "--align needs --format json: text has no place for alignments".into(),
        ));
    }
    let translating = &args.translating;
    let translators = env.translators(&translating.model, env.preferences(translating)?)?;
    let models = env.models(translators, None, true, translating.adapter.as_deref());
    let models = opened(env, job, models)?;
    let prompted = models.translators.iter().find(|model| model.is_decoder_only());
    if let Some(model) = prompted.filter(|_| args.align) {
        let message = "--align needs translation models proper, which have an encoder (`polygist models list --task translate`)";
        return Err(Error::Usage(format!("{message}; {} is prompted", model.id())));
    }
    Ok(models)
}

/// What `translate` does with an article or a line.
pub(super) fn translation_job(env: &Environment, args: &Translate) -> Result<Job> {
    let translators =
        env.translators(&args.translating.model, env.preferences(&args.translating)?)?;
    let to = env
        .target(args.to.as_ref(), &translators)?
        .or_else(|| args.into_own.then(language_of_system))
        .ok_or_else(|| Error::Usage("into which language? Say it with --to, as --to en".into()))?;
    let mut job = plan::job(env, &args.translating, Some(to), true, None)?;
    job.translating.align = args.align;
    Ok(job)
}

pub(super) fn translate_files(env: &Environment, args: &Translate) -> Result<u8> {
    let mut job = translation_job(env, args)?;
    let sides = Sides::of(env, args, &mut job)?;
    // A misspelled name is told before a model is loaded.
    let given = given(env, &args.inputs)?;
    let files = &given.files;
    let models = translators(env, args, &job)?;
    let documents = Documents::of(args, &sides, files)?;
    let listener = env.listener();
    let mut code =
        models.with(&listener, |models| documents.run(env, &job, &sides.with(models)))?;
    let files = documents.articles;
    if !files.is_empty() {
        let reading = &args.inputs.reading;
        let output = Output::Printed;
        let one_off = OneOff { env, files: &files, reading, job: &job, sides: &sides, output };
        code = code.max(one_off.run_with(models, args.plain_format(), translated)?);
    }
    sides.finish(env, &job)?;
    Ok(code)
}

pub(super) fn summarize_files(env: &Environment, args: &Summarize) -> Result<u8> {
    let (translating, summary_model) = plan::summary_models(env, args)?;
    let translators = env.translators(&translating, env.preferences(&args.translating)?)?;
    let to = env.target(args.to.as_ref(), &translators)?;
    let job = plan::job(env, &args.translating, to, false, Some(&args.summarizing))?;
    let given = given(env, &args.inputs)?;
    let files = &given.files;
    let models = env.models(
        translators,
        summary_model.as_deref(),
        args.summarizing.extractive,
        args.translating.adapter.as_deref(),
    );
    let models = opened(env, &job, models)?;
    let (reading, sides) = (&args.inputs.reading, &Sides::default());
    let output = Output::to(args.output.as_deref());
    let one_off = OneOff { env, files, reading, job: &job, sides, output };
    one_off.run_with(models, args.format, summary)
}

fn summary(record: &Record, _: &RawArticle) -> Result<String> {
    Ok(record.summary.as_ref().map_or_else(String::new, |s| s.text.clone()))
}

fn json_line(record: &Record) -> Result<String> {
    let line = report::json_line(record)
        .map_err(|e| Error::input(&record.id, format!("its record cannot be written: {e}")))?;
    Ok(line + "\n")
}

/// Says which pairs of languages a better model would serve.
pub(super) fn tell_choices(env: &Environment, models: &OpenModels) {
    let chooser = models.pool.iter().map(|pool| pool.chooser());
    chooser.flat_map(|chooser| chooser.remarks()).for_each(|remark| env.reporter.say(&remark));
}

/// Says what was missing or broken in a source.
fn tell_notes(env: &Environment, source: &Source) {
    for note in &source.notes {
        env.reporter.say(&format!("{} {note}", source.path));
    }
}

/// Articles that go through the pipeline and come out on standard output.
struct OneOff<'a> {
    env: &'a Environment,
    files: &'a [FoundFile],
    reading: &'a Reading,
    job: &'a Job,
    sides: &'a Sides,
    output: Output<'a>,
}

impl OneOff<'_> {
    /// Prints what comes out, and on standard error what to know of the models that were chosen.
    fn run_with(
        &self,
        models: &OpenModels,
        format: OutputFormat,
        text: fn(&Record, &RawArticle) -> Result<String>,
    ) -> Result<u8> {
        let listener = self.env.listener();
        let form = self.sides.form();
        let output = &self.output;
        form.map_or(Ok(()), |form| output.write(&(form.start)()))?;
        let code =
            models.with(&listener, |models| self.run(&self.sides.with(models), format, text))?;
        form.map_or(Ok(()), |form| output.write(form.end))?;
        output.finish()?;
        tell_choices(self.env, models);
        Ok(code)
    }

    /// Prints what comes out, in order; `text` says what of a record is printed as text.
    fn run(
        &self,
        models: &Models<'_>,
        format: OutputFormat,
        text: fn(&Record, &RawArticle) -> Result<String>,
    ) -> Result<u8> {
        let mut code = DONE;
        let reading = plan::read_options(self.reading);
        let (limit, cancel) = (self.reading.limit, &self.env.cancel);
        in_groups(self.files, &reading, limit, GROUP, cancel, |group| {
            let sources: Vec<Option<RawArticle>> =
                group.iter().map(|article| article.as_ref().ok().cloned()).collect();
            let show = self.env.reporter.stages("", cancel);
            let key = |source: &Source| source.sha256.clone();
            let records = pipeline::run(group, self.job, models, &key, &show);
            self.env.reporter.end();
            for (record, source) in records?.iter().zip(&sources) {
                if let (Status::Failed, Some(error)) = (record.status, &record.error) {
                    self.env.reporter.warn(&error.message);
                    code = SOME_FAILED;
                }
                tell_notes(self.env, &record.source);
                self.sides.take(record);
                match (format, source) {
                    (OutputFormat::Json, _) => self.output.write(&json_line(record)?)?,
                    (OutputFormat::Text, Some(source)) if record.status == Status::Ok => {
                        self.output.write(&match self.sides.form() {
                            Some(form) => bilingual(form, record, source)?,
                            None => self.headed(record, &text(record, source)?),
                        })?;
                    }
                    (OutputFormat::Text, _) => {}
                }
                if format == OutputFormat::Text
                    && let Some(about) = report::about_summary(record)
                {
                    self.env.reporter.say(&format!("{}: {about}", record.id));
                }
                if format == OutputFormat::Text && report::is_doubtful(record) {
                    let doubts = report::doubts(record);
                    self.env.reporter.say(&format!("{}:\n{}", record.id, doubts.trim_end()));
                }
            }
            Ok(())
        })?;
        Ok(code)
    }

    /// A result under its article's id, where there may be several.
    fn headed(&self, record: &Record, text: &str) -> String {
        if is_one_of_several(self.files, &record.id) {
            format!("==> {} <==\n{text}\n\n", record.id)
        } else {
            format!("{text}\n")
        }
    }
}

/// Whether there are several files, or the article is one of several of a file: its own id then
/// follows the file's.
fn is_one_of_several(files: &[FoundFile], id: &str) -> bool {
    files.iter().any(|file| file.id != id)
}

/// `detect`: language and confidence of each article, or of each of its paragraphs.
pub(super) fn detect(env: &Environment, args: &Detect) -> Result<u8> {
    let given = given(env, &args.inputs)?;
    let files = &given.files;
    let mut code = DONE;
    in_groups(
        files,
        &plan::read_options(&args.inputs.reading),
        args.inputs.reading.limit,
        1,
        &env.cancel,
        |group| {
            for article in group {
                let found = article.map_err(|unread| unread.error).and_then(|raw| {
                    tell_notes(env, &raw.source);
                    let text = &raw.text;
                    if !text.contains(char::is_alphabetic)
                        && text.contains(|c: char| c.is_alphanumeric() || c.is_ascii_punctuation())
                    {
                        // Figures have no language, which is an answer too.
                        return Ok((raw.id, vec![(raw.text, Detection::none())]));
                    }
                    let article = extract::extract(&raw)?;
                    let paragraphs = article
                        .blocks
                        .iter()
                        .filter(|b| b.notation.is_running())
                        .map(|b| b.text.trim())
                        .filter(|text| !text.is_empty());
                    let found = if args.paragraphs {
                        paragraphs.map(|text| (text.to_string(), language::detect(text))).collect()
                    } else {
                        vec![(article.text(), pipeline::detect(&article))]
                    };
                    Ok((raw.id, found))
                });
                match found {
                    Ok((id, texts)) => {
                        let several = is_one_of_several(files, &id);
                        for (text, found) in texts {
                            print(&detection_line(args, several, &id, &found, &text))?;
                        }
                    }
                    Err(error) => {
                        env.reporter.warn(&error.to_string());
                        code = SOME_FAILED;
                    }
                }
            }
            Ok(())
        },
    )?;
    Ok(code)
}

fn detection_line(args: &Detect, several: bool, id: &str, found: &Detection, text: &str) -> String {
    let Detection { code, confidence, romanized, candidates } = found;
    let code = languages::canonical(code);
    if args.format == OutputFormat::Json {
        let mut json = serde_json::json!({"id": id, "language": code, "confidence": confidence});
        if let Some(romanized) = romanized {
            json["romanized"] = romanized.as_str().into();
        }
        if !candidates.is_empty() {
            json["candidates"] = serde_json::json!(candidates);
        }
        if args.paragraphs {
            json["text"] = text.into();
        }
        return format!("{json}\n");
    }
    let mut line = format!("{code}\t{confidence:.2}");
    if several {
        line.push_str(&format!("\t{id}"));
    }
    if args.paragraphs {
        let start: String = text.chars().take(60).collect();
        line.push_str(&format!("\t{start}{}", if start.len() < text.len() { "…" } else { "" }));
    }
    line + "\n"
}
