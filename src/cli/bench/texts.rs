//! What a benchmark works on: articles, or some of many; or lines that have been translated by
//! people.

use super::super::args::{Bench, LangOrAuto};
use super::super::eval::corpus;
use super::super::plan::{self, Environment};
use crate::bench::{Measurement, Score};
use crate::error::{Error, Result};
use crate::io::articles::usual_extensions;
use crate::io::segments::Segments;
use crate::job::in_groups;
use crate::metrics::bootstrap::Interval;
use crate::metrics::tokens::Tokenizer;
use crate::metrics::{bleu, chrf};
use crate::text::language;
use crate::types::{Block, Format, Lang, Markup, RawArticle, Source};
use rayon::prelude::*;
use std::path::Path;
use std::time::Instant;

/// Fields of JSON lines that hold a source, and a reference, when none is named.
const SOURCES: [&str; 3] = ["source", "src", "text"];
const REFERENCES: [&str; 4] = ["reference", "translation", "target", "text"];
/// Lines that are worked on together, as `polygist translate --lines` does.
const LINES: usize = 1024;

/// What is worked on.
pub(super) struct Texts {
    /// The articles that are measured.
    pub articles: Vec<RawArticle>,
    /// Seconds that reading took.
    pub read: f64,
    /// The language of all of them, where it is known.
    pub from: Option<Lang>,
    /// How many are worked on together.
    pub at_once: usize,
    /// How many articles there are in all, and how much of their text is measured, from 0 to 1.
    whole: (usize, f64),
    /// Of lines, the references of each.
    references: Vec<Vec<String>>,
    /// Where all of it comes from.
    places: String,
}

impl Texts {
    /// Reads what is named on the command line.
    ///
    /// # Errors
    /// When there is nothing to read, or references do not belong to it.
    pub fn read(env: &Environment, args: &Bench) -> Result<Texts> {
        let begun = Instant::now();
        let mut texts = if args.references.is_empty() {
            Texts::of_files(env, args)?
        } else {
            Texts::of_lines(args)?
        };
        texts.read = begun.elapsed().as_secs_f64();
        Ok(texts)
    }

    /// Articles. Those that cannot be read are told and left out.
    fn of_files(env: &Environment, args: &Bench) -> Result<Texts> {
        let reading = &args.reading;
        let found = plan::find_files(&args.inputs, reading)?;
        let mut sample =
            Spread { most: args.sample, every: 1, seen: 0, bytes: 0, kept: Vec::new() };
        let (options, cancel) = (plan::read_options(reading), &env.cancel);
        in_groups(&found.files, &options, reading.limit, 1, cancel, |group| {
            for article in group {
                match article {
                    Ok(article) => sample.take(article),
                    Err(unread) => env.reporter.warn(&unread.error.to_string()),
                }
            }
            Ok(())
        })?;
        let places: Vec<String> =
            args.inputs.iter().map(|path| path.display().to_string()).collect();
        let places = places.join(", ");
        if sample.kept.is_empty() {
            let usual = usual_extensions();
            return Err(Error::Usage(format!("no articles in {places} ({usual})")));
        }
        let LangOrAuto(from) = args.from.clone();
        Ok(Texts {
            whole: (sample.seen, sample.share()),
            articles: sample.kept,
            read: 0.0,
            from,
            at_once: args.jobs.into(),
            references: Vec::new(),
            places,
        })
    }

    /// Lines, each of which is an article with one paragraph, and the references of each.
    fn of_lines(args: &Bench) -> Result<Texts> {
        let [input] = args.inputs.as_slice() else {
            let message = "--ref goes with one file to translate, one text a line";
            return Err(Error::Usage(message.into()));
        };
        let place = input.display().to_string();
        if input.is_dir() {
            let message = format!(
                "--ref goes with a file to translate, one text a line; found the folder {place}"
            );
            return Err(Error::Usage(message));
        }
        let mut lines = place.parse::<Segments>()?.read(&SOURCES)?;
        let mut references = vec![Vec::new(); lines.len()];
        for file in &args.references {
            let right = file.read(&REFERENCES)?;
            if right.len() != lines.len() {
                let message = format!(
                    "has {} lines, and {place} has {}; expected as many, the first belonging to \
                     the first",
                    right.len(),
                    lines.len()
                );
                return Err(Error::input(file.path.display().to_string(), message));
            }
            references.iter_mut().zip(right).for_each(|(of_line, text)| of_line.push(text));
        }
        lines.truncate(args.reading.limit.unwrap_or(usize::MAX));
        references.truncate(lines.len());
        if lines.is_empty() {
            return Err(Error::input(place, "has no line; expected one text a line"));
        }
        let LangOrAuto(stated) = args.from.clone();
        let from = stated.unwrap_or_else(|| language::detect(&lines.join("\n")).code);
        if from.is_und() {
            let message = "its language could not be told; state it with --from";
            return Err(Error::input(place, message));
        }
        Ok(Texts {
            from: Some(from),
            articles: (1..)
                .zip(&lines)
                .map(|(number, line)| of_line(input, number, line))
                .collect(),
            read: 0.0,
            at_once: LINES.max(args.jobs.into()),
            whole: (lines.len(), 1.0),
            references,
            places: place,
        })
    }

    /// What it is, in words.
    pub fn in_words(&self) -> String {
        let (measured, (all, _)) = (self.articles.len(), self.whole);
        let what = match (self.references.is_empty(), measured < all) {
            (true, true) => format!("{measured} of {all} articles"),
            (true, false) => format!("{all} articles"),
            (false, _) => format!("{all} lines"),
        };
        format!("{what} of {}, {} at once", self.places, self.at_once)
    }

    /// Says of a measurement how long all articles would take or, of lines, how good their
    /// translations into a language are.
    pub fn judge(&self, measured: &mut Measurement, translations: &[String], to: Option<&Lang>) {
        if self.references.is_empty() {
            let (_, share) = self.whole;
            let all = measured.load_seconds + measured.seconds.median / share;
            measured.folder_seconds = Some(all);
            return;
        }
        let tokenizer = Tokenizer::for_language(to.map_or("en", Lang::base));
        let pairs = || {
            translations.par_iter().zip(&self.references).map(|(text, right)| {
                (text.as_str(), right.iter().map(String::as_str).collect::<Vec<_>>())
            })
        };
        let bleu: Vec<bleu::Counts> =
            pairs().map(|(text, right)| bleu::Counts::of(text, &right, tokenizer)).collect();
        let chrf: Vec<chrf::Counts> =
            pairs().map(|(text, right)| chrf::Counts::of(text, &right)).collect();
        let of = |(score, interval): (f64, Option<Interval>)| Score {
            score,
            half_width: interval.map(|interval| interval.half_width),
        };
        measured.bleu = Some(of(corpus(&bleu, |sum| sum.score())));
        measured.chrf = Some(of(corpus(&chrf, |sum| sum.score())));
    }
}

/// A line as an article.
fn of_line(file: &Path, number: usize, line: &str) -> RawArticle {
    let block = Block { text: line.trim().to_string(), ..Block::default() };
    RawArticle {
        id: format!("{number}"),
        source: Source {
            path: file.display().to_string(),
            format: Format::Text,
            bytes: line.len() as u64,
            sha256: String::new(),
            notes: Vec::new(),
        },
        title: None,
        text: line.to_string(),
        markup: Markup::Plain,
        blocks: Some(vec![block]),
        extra: serde_json::Map::new(),
    }
}

/// Some of many articles, evenly spread, in bounded memory: every one at first, and each time that
/// they are too many every second of them.
struct Spread {
    most: usize,
    every: usize,
    seen: usize,
    /// Of the texts of all.
    bytes: usize,
    kept: Vec<RawArticle>,
}

impl Spread {
    fn take(&mut self, article: RawArticle) {
        self.bytes += length(&article);
        if self.seen.is_multiple_of(self.every) {
            if self.kept.len() == self.most {
                let mut number = 0..;
                self.kept.retain(|_| number.next().is_some_and(|n: usize| n.is_multiple_of(2)));
                self.every *= 2;
            }
            if self.seen.is_multiple_of(self.every) && self.kept.len() < self.most {
                self.kept.push(article);
            }
        }
        self.seen += 1;
    }

    /// How much of the text of all is that of those that are kept.
    fn share(&self) -> f64 {
        let kept: usize = self.kept.iter().map(length).sum();
        if self.bytes == 0 { 1.0 } else { (kept as f64 / self.bytes as f64).max(f64::EPSILON) }
    }
}

/// Bytes of an article's text.
fn length(article: &RawArticle) -> usize {
    let of_blocks = |blocks: &Vec<Block>| blocks.iter().map(|block| block.text.len()).sum();
    article.blocks.as_ref().map_or(article.text.len(), of_blocks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_of_many_are_spread_evenly() {
        let spread = |most, number| {
            let mut sample = Spread { most, every: 1, seen: 0, bytes: 0, kept: Vec::new() };
            (0..number).for_each(|n| sample.take(of_line(Path::new("a"), n, "four")));
            let ids: Vec<usize> = sample.kept.iter().map(|a| a.id.parse().unwrap()).collect();
            (ids, sample.share())
        };
        assert_eq!(spread(4, 3), (vec![0, 1, 2], 1.0));
        assert_eq!(spread(4, 4), (vec![0, 1, 2, 3], 1.0));
        assert_eq!(spread(4, 5), (vec![0, 2, 4], 0.6));
        assert_eq!(spread(4, 16), (vec![0, 4, 8, 12], 0.25));
        assert_eq!(spread(1, 9), (vec![0], 1.0 / 9.0));
        let (ids, share) = spread(64, 20_000);
        assert!((32..=64).contains(&ids.len()), "{ids:?}");
        let steps: Vec<usize> = ids.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(steps.iter().all(|&step| step == steps[0]), "{steps:?}");
        assert!((share - ids.len() as f64 / 20_000.0).abs() < 1e-12);
    }
}
