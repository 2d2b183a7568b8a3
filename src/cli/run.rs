//! The commands that read something and print results: translate, summarize, detect. The others
//! have files of their own.

use super::args::{Cli, Command, Detect, OutputFormat, Summarize, Translate};
use super::plan::{self, Setup, stopped};
use super::{DONE, SOME_FAILED, batch, bench, models};
use crate::error::{Error, Result};
use crate::generate::{Engine, Generate};
use crate::io::articles::{FoundFile, ReadOptions, read};
use crate::io::catalog::Task;
use crate::io::fetch::ResolvedModel;
use crate::languages;
use crate::pipeline::{self, Job, Models, Unread};
use crate::report;
use crate::task::summarize;
use crate::task::translate::{self, Segment};
use crate::text::{extract, language, protect};
use crate::types::{Detection, Format, Lang, RawArticle, Record, Status, TranslationRecord};
use std::io::Write;

/// Does what the command line says; returns the exit code.
pub fn run(cli: &Cli) -> Result<u8> {
    let setup = Setup::new(&cli.global)?;
    match &cli.command {
        Command::Translate(args) if args.lines => lines(&setup, args),
        Command::Translate(args) => translate_files(&setup, args),
        Command::Summarize(args) => summarize_files(&setup, args),
        Command::Batch(args) => batch::run(&setup, args),
        Command::Bench(args) => bench::run(&setup, args),
        Command::Detect(args) => detect(&setup, args),
        Command::Models(args) => models::run(&setup, &args.command),
    }
}

/// Articles that go through the pipeline together in one-off commands.
const GROUP: usize = 16;

/// Hands on the articles of some files in groups; memory holds one group.
pub(super) fn in_groups(
    files: &[FoundFile],
    options: &ReadOptions,
    limit: Option<usize>,
    size: usize,
    mut each: impl FnMut(Vec<Result<RawArticle, Unread>>) -> Result<()>,
) -> Result<()> {
    let articles =
        files.iter().flat_map(|file| read(file, options)).take(limit.unwrap_or(usize::MAX));
    let mut group = Vec::with_capacity(size);
    for article in articles {
        if stopped() {
            return Err(Error::Interrupted);
        }
        group.push(article.map_err(|f| Unread { id: f.id, source: f.source, error: f.error }));
        if group.len() == size {
            each(std::mem::take(&mut group))?;
        }
    }
    if group.is_empty() { Ok(()) } else { each(group) }
}

fn wanted_target(setup: &Setup, flag: Option<&Lang>, models: &[String]) -> Result<Lang> {
    setup
        .target(flag, models)?
        .ok_or_else(|| Error::Usage("into which language? Say it with --to, as --to en".into()))
}

/// Standard output, where a reader that has gone is an error and not a panic.
pub(super) fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(Error::io("writing", "<stdout>"))
}

/// Models that are there until the program ends, which gives back their memory at once: taking a
/// large vocabulary apart takes as long as translating a sentence.
fn opened(
    setup: &Setup,
    models: &(Vec<ResolvedModel>, Option<ResolvedModel>),
) -> Result<(&'static [Engine], Option<&'static Engine>)> {
    let (translators, summarizer) = setup.open_all(models, &setup.runtime()?)?;
    Ok((translators.leak(), summarizer.map(|model| &*Box::leak(Box::new(model)))))
}

/// The models of `translate`, which have what the flags ask for.
fn translators(setup: &Setup, args: &Translate) -> Result<&'static [Engine]> {
    if args.align && args.format != OutputFormat::Json {
        return Err(Error::Usage(
            "--align needs --format json: text has no place for alignments".into(),
        ));
    }
    let names = setup.translator_names(&args.translating.model)?;
    let models = setup.resolve_all(&names, None, args.translating.adapter.as_deref())?;
    let (translators, _) = opened(setup, &models)?;
    if let Some(model) = translators.iter().find(|model| args.align && model.is_prompted()) {
        let message = "--align needs translation models proper, which have an encoder (`polygist models list --task translate`)";
        return Err(Error::Usage(format!("{message}; {} is prompted", model.id())));
    }
    Ok(translators)
}

fn translate_files(setup: &Setup, args: &Translate) -> Result<u8> {
    let to = wanted_target(setup, args.to.as_ref(), &args.translating.model)?;
    let mut job = plan::job(setup, &args.translating, Some(to), true, None);
    job.translating.align = args.align;
    // A misspelled name is told before a model is loaded.
    let files = plan::one_off_files(&args.inputs)?;
    let translators = translators(setup, args)?;
    let models = Models { translators: &plan::faces(translators), summarizer: None };
    one_off(setup, &files, &args.inputs.reading, &job, &models, args.format, translated)
}

fn summarize_files(setup: &Setup, args: &Summarize) -> Result<u8> {
    let (translating, summary_model) = plan::summary_models(setup, args)?;
    let to = setup.target(args.to.as_ref(), &translating)?;
    let job = plan::job(setup, &args.translating, to.clone(), false, Some(&args.summarizing));
    // The starter writes English alone; a model that is named writes what it was made for.
    let writes = !args.summarizing.extractive
        && (summary_model.is_some() || to.as_ref().is_none_or(summarize::is_abstractive));
    let files = plan::one_off_files(&args.inputs)?;
    let names = if to.is_some() { setup.translator_names(&translating)? } else { Vec::new() };
    let writer =
        writes.then(|| setup.model_name(Task::Summarize, summary_model.as_deref())).transpose()?;
    let models =
        setup.resolve_all(&names, writer.as_deref(), args.translating.adapter.as_deref())?;
    let (translators, summarizer) = opened(setup, &models)?;
    let models = Models {
        translators: &plan::faces(translators),
        summarizer: summarizer.map(|m| m as &dyn Generate),
    };
    one_off(setup, &files, &args.inputs.reading, &job, &models, args.format, summary)
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

/// Runs articles through the pipeline and prints what comes out, in order.
fn one_off(
    setup: &Setup,
    files: &[FoundFile],
    reading: &super::args::Reading,
    job: &Job,
    models: &Models<'_>,
    format: OutputFormat,
    text: fn(&Record, &RawArticle) -> Result<String>,
) -> Result<u8> {
    // A file of JSON lines holds several as a rule.
    let several = files.len() > 1 || files.iter().any(|f| f.format == Some(Format::Jsonl));
    let mut code = DONE;
    in_groups(files, &plan::read_options(reading), reading.limit, GROUP, |group| {
        let sources: Vec<Option<RawArticle>> =
            group.iter().map(|article| article.as_ref().ok().cloned()).collect();
        let records = pipeline::run(
            group,
            job,
            models,
            &|source| source.sha256.clone(),
            &setup.reporter.stages(""),
        );
        setup.reporter.end();
        for (record, source) in records?.iter().zip(&sources) {
            if let (Status::Failed, Some(error)) = (record.status, &record.error) {
                setup.reporter.warn(&error.message);
                code = SOME_FAILED;
            }
            match format {
                OutputFormat::Json => print(&json_line(record)?)?,
                OutputFormat::Text => match source {
                    Some(source) if record.status == Status::Ok && several => {
                        print(&format!("==> {} <==\n{}\n\n", record.id, text(record, source)?))?
                    }
                    Some(source) if record.status == Status::Ok => {
                        print(&format!("{}\n", text(record, source)?))?
                    }
                    _ => {}
                },
            }
            if format == OutputFormat::Text && report::is_doubtful(record) {
                setup.reporter.say(&format!(
                    "{}:\n{}",
                    record.id,
                    report::doubts(record).trim_end()
                ));
            }
        }
        Ok(())
    })?;
    Ok(code)
}

/// Lines that are translated together.
const LINES: usize = 1024;

/// `translate --lines`: line N of the output is the translation of line N of the input.
fn lines(setup: &Setup, args: &Translate) -> Result<u8> {
    let to = wanted_target(setup, args.to.as_ref(), &args.translating.model)?;
    let files = plan::one_off_files(&args.inputs)?;
    let translators = translators(setup, args)?;
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
            translate_lines(setup, args, &plan::faces(translators), &article.text, &to)?;
        }
    }
    Ok(DONE)
}

fn translate_lines(
    setup: &Setup,
    args: &Translate,
    translators: &[&dyn Generate],
    text: &str,
    to: &Lang,
) -> Result<()> {
    let from = match &args.translating.from.0 {
        Some(from) => from.clone(),
        None => languages::canonical(&language::detect(text).code),
    };
    let lines: Vec<&str> = text.lines().collect();
    if from.is_und() && lines.iter().any(|line| protect::is_translatable(line)) {
        return Err(Error::input("input", "its language could not be told; state it with --from"));
    }
    let (total, mut doubtful) = (lines.len(), 0);
    for (number, lines) in lines.chunks(LINES).enumerate() {
        let segment =
            |line: &&str| Segment { text: line.trim().into(), from: from.clone(), to: to.clone() };
        let segments: Vec<Segment> = lines.iter().map(segment).collect();
        let all = if lines.len() < total {
            format!("lines {}–{} of {total}", number * LINES + 1, number * LINES + lines.len())
        } else {
            String::new()
        };
        let show = setup.reporter.stages(&all);
        let settings =
            translate::Settings { align: args.align, ..plan::settings(setup, &args.translating) };
        let done =
            translate::translate(translators, &segments, settings, &|step| show(step.into()))?;
        let mut out = String::new();
        for (line, translation) in lines.iter().zip(done) {
            doubtful += usize::from(!translation.problems.is_empty());
            match args.format {
                OutputFormat::Text => {
                    let (indent, tail) =
                        (line.len() - line.trim_start().len(), line.trim_end().len());
                    out.extend([&line[..indent.min(tail)], &translation.text, &line[tail..]]);
                }
                OutputFormat::Json => {
                    let mut json = serde_json::json!({"source": line, "text": translation.text, "problems": translation.problems, "retried": translation.retried});
                    if let Some(confidence) = translation.confidence {
                        json["confidence"] = confidence.into();
                    }
                    if args.align {
                        json["alignments"] = serde_json::json!(translation.alignments);
                    }
                    out.push_str(&json.to_string());
                }
            }
            out.push('\n');
        }
        print(&out)?;
    }
    setup.reporter.end();
    if doubtful > 0 && args.format == OutputFormat::Text {
        setup.reporter.say(&format!(
            "{doubtful} of {total} lines may be wrong; --format json says which, and why"
        ));
    }
    Ok(())
}

/// `detect`: language and confidence of each article, or of each of its paragraphs.
fn detect(setup: &Setup, args: &Detect) -> Result<u8> {
    let files = plan::one_off_files(&args.inputs)?;
    let several = files.len() > 1;
    let mut code = DONE;
    in_groups(
        &files,
        &plan::read_options(&args.inputs.reading),
        args.inputs.reading.limit,
        1,
        |group| {
            for article in group {
                let found = article.map_err(|unread| unread.error).and_then(|raw| {
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
                        setup.reporter.warn(&error.to_string());
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
