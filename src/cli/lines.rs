//! `translate --lines`: line N of the output is the translation of line N of the input.

use super::DONE;
use super::args::{OutputFormat, Translate};
use super::beside::Sides;
use super::given::given;
use super::oneoff::{tell_choices, translation_job, translators};
use super::output::print;
use super::plan::{self, Environment};
use crate::error::{Error, Result};
use crate::io::articles::{FoundFile, ReadOptions, read};
use crate::languages;
use crate::pipeline::{Job, Models, OnBad};
use crate::task::translate::{self, Segment, Step, Translation};
use crate::text::language::{self, Languages};
use crate::text::{protect, sentences};
use crate::types::{Format, Lang, Sentence};

/// Lines that are translated together.
const LINES: usize = 1024;

pub(super) fn translate_lines(env: &Environment, args: &Translate) -> Result<u8> {
    let mut job = translation_job(env, args)?;
    let sides = Sides::of(env, args, &mut job)?;
    let given = given(env, &args.inputs)?;
    let models = translators(env, args, &job)?;
    let options = ReadOptions { max_bytes: usize::MAX, ..plan::read_options(&args.inputs.reading) };
    for file in given.files {
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
            models.with(&listener, |models| {
                lines(env, args, &job, &sides.with(models), &article.text)
            })?;
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
        let lines: Vec<Line<'_>> =
            lines.iter().map(|line| Line::of(line, &from, &to, models)).collect();
        let segments: Vec<Segment> =
            lines.iter().flat_map(|line| line.segments(&to, job.translating.context)).collect();
        let all = if lines.len() < total {
            format!("lines {}–{} of {total}", number * LINES + 1, number * LINES + lines.len())
        } else {
            String::new()
        };
        let show = env.reporter.stages(&all, &env.cancel);
        let (router, known) = (models.translators, models.known);
        let show = |step: Step| show(step.into());
        let done = translate::translate_by(router, &segments, &job.translating, known, &show)?;
        let mut done = done.into_iter();
        let mut out = String::new();
        for line in &lines {
            let translation = line.join(&mut done, &to, job.on_bad);
            let is_doubtful =
                !translation.problems.is_empty() || !translation.terms.missed.is_empty();
            doubtful += usize::from(is_doubtful);
            match args.plain_format() {
                OutputFormat::Text => out.push_str(&line.laid_out(&translation.text)),
                OutputFormat::Json => out.push_str(&json(line.text, &translation, args.align)),
            }
            out.push('\n');
        }
        print(&out)?;
    }
    env.reporter.end();
    if doubtful > 0 && args.plain_format() == OutputFormat::Text {
        env.reporter.say(&format!(
            "{doubtful} of {total} lines may be wrong; --format json says which, and why"
        ));
    }
    Ok(())
}

/// A line and its sentences: a model made for sentences that gets several at once leaves some out,
/// or runs one into the other.
struct Line<'a> {
    text: &'a str,
    language: Lang,
    sentences: Vec<Sentence>,
}

impl<'a> Line<'a> {
    /// A line of a text that is in the language `all`.
    fn of(text: &'a str, all: &Lang, to: &Lang, models: &Models<'_>) -> Line<'a> {
        let language = line_language(text, all, to, models);
        let sentences = sentences::split(text.trim(), &language);
        Line { text, language, sentences }
    }

    /// Its sentences; those before each of them that a model may read are of this line.
    fn segments(&self, to: &Lang, context: usize) -> impl Iterator<Item = Segment> {
        let sentences = self.sentences.iter().map(|one| (one.text.as_str(), &self.language));
        let before = translate::preceding(sentences, context);
        self.sentences.iter().zip(before).map(|(sentence, context)| Segment {
            context,
            ..Segment::new(&sentence.text, self.language.clone(), to.clone())
        })
    }

    /// The translations of its sentences as one.
    fn join(
        &self,
        done: &mut impl Iterator<Item = Translation>,
        to: &Lang,
        on_bad: Option<OnBad>,
    ) -> Translation {
        let mut whole = Translation::default();
        for (Sentence { text, gap }, part) in self.sentences.iter().zip(done) {
            let refused = OnBad::refuses(on_bad, &part.problems, false);
            whole.text.push_str(if refused { text } else { &part.text });
            whole.text.push_str(translate::gap(gap, &self.language, to));
            whole.problems.extend(part.problems);
            whole.confidence = whole.confidence.into_iter().chain(part.confidence).reduce(f32::min);
            whole.retried |= part.retried;
            whole.alignments.extend(part.alignments);
            let mut terms = part.terms;
            if refused {
                terms.give_up();
            }
            whole.terms.extend(terms);
        }
        whole.problems.sort_by_key(|problem| *problem as u8);
        whole.problems.dedup();
        whole
    }

    /// A translation between the white space of the line.
    fn laid_out(&self, translation: &str) -> String {
        let line = self.text;
        let (indent, tail) = (line.len() - line.trim_start().len(), line.trim_end().len());
        [&line[..indent.min(tail)], translation, &line[tail..]].concat()
    }
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
    let Translation { text, problems, retried, confidence, alignments, terms, .. } = translation;
    let mut json = serde_json::json!({
        "source": source, "text": text, "problems": problems, "retried": retried
    });
    if let Some(confidence) = confidence {
        json["confidence"] = (*confidence).into();
    }
    if !terms.is_empty() {
        json["terms"] = serde_json::json!(terms);
    }
    if align {
        json["alignments"] = serde_json::json!(alignments);
    }
    json.to_string()
}
