//! `polygist eval`: how good texts are beside references.

use super::DONE;
use super::args::{Eval, OutputFormat};
use super::output::print;
use super::plan::Environment;
use crate::error::{Error, Result};
use crate::io::segments::Segments;
use crate::metrics::bootstrap::{self, Interval, SAMPLES, SEED};
use crate::metrics::tokens::Tokenizer;
use crate::metrics::{bleu, chrf, copied, rouge};
use crate::task::summarize;
use crate::text::{language, sentences};
use crate::types::{Lang, Problem};
use rayon::prelude::*;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Fields of JSON lines that hold what is judged or right, when none is named.
const TEXTS: [&str; 4] = ["translation", "summary", "reference", "text"];
/// Fields of JSON lines that hold a source, when none is named.
const SOURCES: [&str; 4] = ["source", "src", "article", "text"];
/// Lines that are looked at to find out their language.
const SAMPLE: usize = 50;

pub(super) fn run(env: &Environment, args: &Eval) -> Result<u8> {
    let texts = Texts::read(args)?;
    let to = args.to.clone().unwrap_or_else(|| texts.language());
    let table = if args.summaries {
        summaries(&texts, &to)
    } else {
        let usual = Tokenizer::for_language(to.base());
        translations(&texts, args.tokenize.map_or(usual, Tokenizer::from))
    };
    if texts.judged.len() < 100 {
        let few = "so few lines say little: look at the intervals";
        env.reporter.say(&format!("{} lines; {few}", texts.judged.len()));
    }
    print(&match args.format {
        OutputFormat::Text => table.text(),
        OutputFormat::Json => format!("{}\n", table.json()),
    })?;
    Ok(DONE)
}

/// What is judged, line by line beside what it is judged by.
struct Texts {
    judged: Vec<String>,
    /// The references of each line.
    references: Vec<Vec<String>>,
    sources: Option<Vec<String>>,
}

impl Texts {
    fn read(args: &Eval) -> Result<Texts> {
        let judged = args.hyp.read(&TEXTS)?;
        if judged.is_empty() {
            let name = args.hyp.path.display().to_string();
            return Err(Error::input(name, "has no line; expected one text a line"));
        }
        let aligned = |file: &Segments, usual: &[&str]| {
            let lines = file.read(usual)?;
            if lines.len() == judged.len() {
                return Ok(lines);
            }
            let message = format!(
                "has {} lines, and {} has {}; expected as many, the first belonging to the first",
                lines.len(),
                args.hyp.path.display(),
                judged.len()
            );
            Err(Error::input(file.path.display().to_string(), message))
        };
        let mut references = vec![Vec::new(); judged.len()];
        for file in &args.references {
            for (line, reference) in references.iter_mut().zip(aligned(file, &TEXTS)?) {
                line.push(reference);
            }
        }
        let sources = args.src.as_ref().map(|file| aligned(file, &SOURCES)).transpose()?;
        Ok(Texts { judged, references, sources })
    }

    /// The language of the references.
    fn language(&self) -> Lang {
        let sample: Vec<&str> =
            self.references.iter().take(SAMPLE).flatten().map(String::as_str).collect();
        language::detect(&sample.join("\n")).code
    }

    /// What `count` gives for each line.
    fn count<T: Send>(&self, count: impl Fn(&str, &[&str]) -> T + Sync) -> Vec<T> {
        let of_line = |(text, references): (&String, &Vec<String>)| {
            count(text, &references.iter().map(String::as_str).collect::<Vec<_>>())
        };
        self.judged.par_iter().zip(&self.references).map(of_line).collect()
    }
}

/// The corpus score that follows from the sum of the lines' counts, and its interval.
pub(super) fn corpus<T>(counts: &[T], score: impl Fn(&T) -> f64 + Sync) -> (f64, Option<Interval>)
where
    T: Copy + Sync + std::iter::Sum,
{
    let of = |lines: &mut dyn Iterator<Item = T>| score(&lines.sum());
    let interval = bootstrap::interval(counts.len(), |sample| {
        of(&mut sample.iter().map(|&line| counts[line as usize]))
    });
    (of(&mut counts.iter().copied()), interval)
}

/// Scores of translations.
fn translations(texts: &Texts, tokenizer: Tokenizer) -> Table {
    let references = texts.references[0].len();
    let bleu = texts.count(|text, references| bleu::Counts::of(text, references, tokenizer));
    let chrf = texts.count(chrf::Counts::of);
    let sum: bleu::Counts = bleu.iter().copied().sum();
    let resampled = |signature: String| {
        let (head, tail) = signature.split_once('|').unwrap_or((&signature, ""));
        format!("{head}|bs:{SAMPLES}|seed:{SEED}|{tail}")
    };
    let mut table = Table::new("translations", texts.judged.len());
    table
        .add("BLEU", corpus(&bleu, |sum| sum.score()))
        .says(resampled(bleu::signature(references, tokenizer)));
    table
        .add("chrF2", corpus(&chrf, |sum| sum.score()))
        .says(resampled(chrf::signature(references)));
    let ratio = sum.hypothesis as f64 / sum.reference.max(1) as f64;
    table.add("length", (ratio, None)).says("tokens, of the references' as 1".into());
    if let Some(sources) = &texts.sources {
        let pairs = texts.judged.iter().zip(sources);
        let sum = pairs.map(|(text, source)| copied::Counts::of(text, source, tokenizer));
        table
            .add("copied", (sum.sum::<copied::Counts>().rate(), None))
            .says("% of the tokens, in runs of four or more that stand in the source".into());
    }
    table
}

/// Scores of summaries.
fn summaries(texts: &Texts, language: &Lang) -> Table {
    let mut table = Table::new("summaries", texts.judged.len());
    add_rouge(&mut table, "", &texts.count(rouge::Scores::of));
    if let Some(sources) = &texts.sources {
        let leads: Vec<rouge::Scores> = sources
            .par_iter()
            .zip(&texts.references)
            .map(|(source, references)| {
                let references: Vec<&str> = references.iter().map(String::as_str).collect();
                rouge::Scores::of(&lead(source, language), &references)
            })
            .collect();
        add_rouge(&mut table, "lead-3 ", &leads);
        let (score, says) = borne_out(&texts.judged, sources, language);
        table.add("borne out", (score, None)).says(says);
    }
    table
}

/// The share of sentences that the articles bear out, in percent, and what is wrong with others.
fn borne_out(summaries: &[String], articles: &[String], language: &Lang) -> (f64, String) {
    let pairs = summaries.par_iter().zip(articles);
    let examined: Vec<Option<Problem>> = pairs
        .flat_map_iter(|(summary, article)| summarize::examine(summary, article, language))
        .map(|(_, problem)| problem)
        .collect();
    let all = examined.len().max(1) as f64;
    let mut complaints: BTreeMap<String, usize> = BTreeMap::new();
    for problem in examined.iter().flatten() {
        *complaints.entry(problem.name()).or_default() += 1;
    }
    let complained: usize = complaints.values().sum();
    let list: Vec<String> = complaints.iter().map(|(name, n)| format!("{name} {n}")).collect();
    let others = match list.is_empty() {
        true => String::new(),
        false => format!("; of the others, by their first fault: {}", list.join(", ")),
    };
    let says = format!("% of {} sentences are borne out by their article{others}", examined.len());
    (100.0 * (examined.len() - complained) as f64 / all, says)
}

fn add_rouge(table: &mut Table, whose: &str, scores: &[rouge::Scores]) {
    let mean = |line: &mut dyn ExactSizeIterator<Item = f64>| {
        let lines = line.len().max(1) as f64;
        line.sum::<f64>() / lines
    };
    for (at, name) in rouge::NAMES.iter().enumerate() {
        let interval = bootstrap::interval(scores.len(), |sample| {
            mean(&mut sample.iter().map(|&line| scores[line as usize].all()[at]))
        });
        let score = mean(&mut scores.iter().map(|line| line.all()[at]));
        table
            .add(&format!("{whose}{name}"), (score, interval))
            .says("F1, mean of the texts, the best of several references".into());
    }
}

/// The first three sentences of a text: what a summary has to beat.
fn lead(text: &str, language: &Lang) -> String {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let sentences = lines.flat_map(|line| sentences::split(line, language));
    let first: Vec<String> = sentences.take(3).map(|sentence| sentence.text).collect();
    first.join(" ")
}

/// Scores with their names, in order.
struct Table {
    what: &'static str,
    lines: usize,
    rows: Vec<Row>,
}

struct Row {
    name: String,
    score: f64,
    interval: Option<Interval>,
    /// How the score was reckoned.
    signature: String,
}

impl Row {
    fn says(&mut self, signature: String) {
        self.signature = signature;
    }
}

impl Table {
    fn new(what: &'static str, lines: usize) -> Table {
        Table { what, lines, rows: Vec::new() }
    }

    fn add(&mut self, name: &str, (score, interval): (f64, Option<Interval>)) -> &mut Row {
        self.rows.push(Row { name: name.into(), score, interval, signature: String::new() });
        let last = self.rows.len() - 1;
        &mut self.rows[last]
    }

    /// For people: a score and half the width of its interval, in which 95% of the resamples lie.
    fn text(&self) -> String {
        let mut out = format!("{} {}\n", self.lines, self.what);
        let width = self.rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
        for row in &self.rows {
            let range = row.interval.map(|i| format!("± {:.2}", i.half_width)).unwrap_or_default();
            let (name, score, signature) = (&row.name, row.score, &row.signature);
            let _ = writeln!(out, "  {name:width$}  {score:>6.2} {range:<7}  {signature}");
        }
        out
    }

    /// For programs: full precision, names in lower case.
    fn json(&self) -> Value {
        let scores = self.rows.iter().map(|row| {
            let name = row.name.to_lowercase().replace([' ', '-'], "_");
            let mut entry = json!({"score": row.score, "signature": row.signature});
            if let (Some(interval), Value::Object(entry)) = (row.interval, &mut entry) {
                entry.insert("mean".into(), interval.mean.into());
                entry.insert("half_width".into(), interval.half_width.into());
            }
            (name, entry)
        });
        json!({"what": self.what, "lines": self.lines, "scores": scores.collect::<Map<_, _>>()})
    }
}
