//! The commands that read something and print results: translate, summarize, detect.

use super::args::{Detect, OutputFormat, Reading, Summarize, Translate};
use super::output::print;
use super::plan::{self, Environment};
use super::{DONE, SOME_FAILED};
use crate::error::{Error, Result};
use crate::generate::Generate;
use crate::io::articles::{FoundFile, ReadOptions, read};
use crate::job::in_groups;
use crate::languages;
use crate::model_store::{ModelChoice, OpenModels};
use crate::pipeline::{self, Job, Models, OnBad};
use crate::report;
use crate::task::translate::{self, Segment, Translation};
use crate::text::language::{self, Languages};
use crate::text::{extract, protect};
use crate::types::{
    Detection, Format, Lang, RawArticle, Record, Source, Status, TranslationRecord,
};

/// Articles that go through the pipeline together in one-off commands.
const GROUP: usize = 16;

/// Models that are there until the program ends, which gives back their memory at once: taking a
/// large vocabulary apart takes as long as translating a sentence.
fn opened(env: &Environment, job: &Job, models: ModelChoice) -> Result<&'static OpenModels> {
    Ok(Box::leak(Box::new(env.open(job, models)?)))
}

/// The models of `translate`, which have what the flags ask for.
fn translators(env: &Environment, args: &Translate, job: &Job) -> Result<&'static OpenModels> {
    if args.align && args.format != OutputFormat::Json {
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
fn translation_job(env: &Environment, args: &Translate) -> Result<Job> {
    let translators =
        env.translators(&args.translating.model, env.preferences(&args.translating)?)?;
    let to = env
        .target(args.to.as_ref(), &translators)?
        .ok_or_else(|| Error::Usage("into which language? Say it with --to, as --to en".into()))?;
    let mut job = plan::job(env, &args.translating, Some(to), true, None);
    job.translating.align = args.align;
    Ok(job)
}

pub(super) fn translate_files(env: &Environment, args: &Translate) -> Result<u8> {
    let job = translation_job(env, args)?;
    // A misspelled name is told before a model is loaded.
    let files = plan::one_off_files(&args.inputs)?;
    let models = translators(env, args, &job)?;
    let one_off = OneOff { env, files: &files, reading: &args.inputs.reading, job: &job };
    one_off.run_with(models, args.format, translated)
}

pub(super) fn summarize_files(env: &Environment, args: &Summarize) -> Result<u8> {
    let (translating, summary_model) = plan::summary_models(env, args)?;
    let translators = env.translators(&translating, env.preferences(&args.translating)?)?;
    let to = env.target(args.to.as_ref(), &translators)?;
    let job = plan::job(env, &args.translating, to, false, Some(&args.summarizing));
    let files = plan::one_off_files(&args.inputs)?;
    let models = env.models(
        translators,
        summary_model.as_deref(),
        args.summarizing.extractive,
        args.translating.adapter.as_deref(),
    );
    let models = opened(env, &job, models)?;
    let one_off = OneOff { env, files: &files, reading: &args.inputs.reading, job: &job };
    one_off.run_with(models, args.format, summary)
}

/// The translation in the form of the source; what is in the target language already comes out as
/// it is.
fn translated(record: &Record, source: &RawArticle) -> Result<String> {
    if record.translation.is_some() {
        return Ok(report::translated(record, title_gap(source)));
    }
    let (language, text) = (record.language.code.clone(), extract::extract(source)?.text());
    let same = TranslationRecord {
        language,
        text,
        model: String::new(),
        route: Vec::new(),
        steps: Vec::new(),
        alignments: Vec::new(),
    };
    Ok(report::translated(&Record { translation: Some(same), ..record.clone() }, title_gap(source)))
}

/// What stands between the title and the text: in plain text whether a line was left blank.
fn title_gap(source: &RawArticle) -> &'static str {
    let follows = |line: &str| !line.trim().is_empty();
    let close = source.source.format == Format::Text
        && source.text.trim_start().lines().nth(1).is_some_and(follows);
    if close { "\n" } else { "\n\n" }
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
fn tell_choices(env: &Environment, models: &OpenModels) {
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
        let code = models.with(&listener, |models| self.run(models, format, text))?;
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
                match (format, source) {
                    (OutputFormat::Json, _) => print(&json_line(record)?)?,
                    (OutputFormat::Text, Some(source)) if record.status == Status::Ok => {
                        print(&self.headed(record, &text(record, source)?))?;
                    }
                    (OutputFormat::Text, _) => {}
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
        // Files of these formats hold several as a rule.
        let is_several = |file: &FoundFile| {
            matches!(file.format, Some(Format::Jsonl | Format::Xml | Format::Warc))
        };
        if self.files.len() > 1 || self.files.iter().any(is_several) {
            format!("==> {} <==\n{text}\n\n", record.id)
        } else {
            format!("{text}\n")
        }
    }
}

/// Lines that are translated together.
const LINES: usize = 1024;

/// `translate --lines`: line N of the output is the translation of line N of the input.
pub(super) fn translate_lines(env: &Environment, args: &Translate) -> Result<u8> {
    let job = translation_job(env, args)?;
    let files = plan::one_off_files(&args.inputs)?;
    let models = translators(env, args, &job)?;
    let options = ReadOptions { max_bytes: usize::MAX, ..plan::read_options(&args.inputs.reading) };
    for file in files {
        let file = FoundFile { format: Some(Format::Text), ..file };
        for article in read(&file, &options) {
            let article = match article {
                Ok(article) => article,
                // No lines are translated to no lines.
                Err(failure)
                    if failure.source.bytes == 0
                        && matches!(failure.error, Error::Input { .. }) =>
                {
                    continue;
                }
                Err(failure) => return Err(failure.error),
            };
            let listener = env.listener();
            models.with(&listener, |models| lines(env, args, &job, models, &article.text))?;
        }
    }
    tell_choices(env, models);
    Ok(DONE)
}

fn lines(
    env: &Environment,
    args: &Translate,
    job: &Job,
    models: &Models<'_>,
    text: &str,
) -> Result<()> {
    let from = match &job.from {
        Some(from) => from.clone(),
        None => languages::canonical(&language::detect(text).code),
    };
    let to = job.to.clone().unwrap_or_else(Lang::und);
    let lines: Vec<&str> = text.lines().collect();
    if from.is_und() && lines.iter().any(|line| protect::is_translatable(line)) {
        return Err(Error::input("input", "its language could not be told; state it with --from"));
    }
    let (total, mut doubtful) = (lines.len(), 0);
    for (number, lines) in lines.chunks(LINES).enumerate() {
        let segment = |line: &&str| {
            let from = line_language(line, &from, &to, models);
            Segment { text: line.trim().into(), from, to: to.clone() }
        };
        let segments: Vec<Segment> = lines.iter().map(segment).collect();
        let all = if lines.len() < total {
            format!("lines {}–{} of {total}", number * LINES + 1, number * LINES + lines.len())
        } else {
            String::new()
        };
        let show = env.reporter.stages(&all, &env.cancel);
        let done =
            translate::translate_by(models.translators, &segments, job.translating, &|step| {
                show(step.into())
            })?;
        let mut out = String::new();
        for (line, mut translation) in lines.iter().zip(done) {
            doubtful += usize::from(!translation.problems.is_empty());
            if OnBad::refuses(job.on_bad, &translation.problems, false) {
                translation.text = line.trim().into();
            }
            match args.format {
                OutputFormat::Text => {
                    let (indent, tail) =
                        (line.len() - line.trim_start().len(), line.trim_end().len());
                    out.extend([&line[..indent.min(tail)], &translation.text, &line[tail..]]);
                }
                OutputFormat::Json => out.push_str(&json(line, &translation, args.align)),
            }
            out.push('\n');
        }
        print(&out)?;
    }
    env.reporter.end();
    if doubtful > 0 && args.format == OutputFormat::Text {
        env.reporter.say(&format!(
            "{doubtful} of {total} lines may be wrong; --format json says which, and why"
        ));
    }
    Ok(())
}

/// The language of a line: that of all lines, unless it is beyond doubt in another. A line that no
/// model translates counts as being in the language wanted, and stays as it is.
fn line_language(line: &str, all: &Lang, to: &Lang, models: &Models<'_>) -> Lang {
    let has_way =
        |own: &Lang| own.same_base(to) || matches!(models.translators.route(own, to), Ok(Some(_)));
    match language::of_passage(line, Languages { around: all, expected: &[to] }) {
        None => all.clone(),
        Some(own) if !own.is_und() && has_way(&own) => own,
        Some(_) => to.clone(),
    }
}

/// A line and its translation as JSON.
fn json(source: &str, translation: &Translation, align: bool) -> String {
    let Translation { text, problems, retried, confidence, alignments, .. } = translation;
    let mut json = serde_json::json!({
        "source": source, "text": text, "problems": problems, "retried": retried
    });
    if let Some(confidence) = confidence {
        json["confidence"] = (*confidence).into();
    }
    if align {
        json["alignments"] = serde_json::json!(alignments);
    }
    json.to_string()
}

/// `detect`: language and confidence of each article, or of each of its paragraphs.
pub(super) fn detect(env: &Environment, args: &Detect) -> Result<u8> {
    let files = plan::one_off_files(&args.inputs)?;
    let several = files.len() > 1;
    let mut code = DONE;
    in_groups(
        &files,
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
                        return Ok((
                            raw.id,
                            vec![(raw.text, Detection { code: Lang::und(), confidence: 0.0 })],
                        ));
                    }
                    let article = extract::extract(&raw)?;
                    let paragraphs = article
                        .blocks
                        .iter()
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
                        for (text, Detection { code, confidence }) in texts {
                            print(&detection_line(
                                args,
                                several,
                                &id,
                                &languages::canonical(&code),
                                confidence,
                                &text,
                            ))?;
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

fn detection_line(
    args: &Detect,
    several: bool,
    id: &str,
    code: &Lang,
    confidence: f32,
    text: &str,
) -> String {
    if args.format == OutputFormat::Json {
        let mut json = serde_json::json!({"id": id, "language": code, "confidence": confidence});
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
