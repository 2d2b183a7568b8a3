//! Translation, segment by segment, of any number of texts at once.
//!
//! A segment is a sentence. It is tried one way; what the checks reject is tried other ways, and
//! the best attempt is kept with what is still wrong with it.

mod pieces;

pub use pieces::gap;

use super::channel;
use super::checks::{self, Severity};
use super::prompts::{self, prompt};
use crate::error::{Error, Result};
use crate::generate::{DecodingOptions, DecodingOverrides, Finish, Generate, Request};
use crate::text::{caps, protect};
use crate::types::{Lang, Problem, TokenAlignment};
use pieces::{Piece, Written, put_together, split};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A text to translate: a sentence, a heading, an item of a list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Segment {
    /// The text, on one line.
    pub text: String,
    /// Its language.
    pub from: Lang,
    /// The language wanted.
    pub to: Lang,
}

/// How to translate.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Settings {
    /// Seed of the last attempt at a segment that fails the checks otherwise, and of what
    /// [`Settings::decoding`] draws: nothing else is drawn at random.
    pub seed: u64,
    /// What differs from the model's own way of writing.
    pub decoding: DecodingOverrides,
    /// Whether to say which source tokens each token comes from; with models that have an encoder.
    pub align: bool,
}

impl Settings {
    /// As a model writes that is asked for the first time.
    fn options(&self, model: &dyn Generate) -> DecodingOptions {
        self.decoding.apply(DecodingOptions { scored: false, seed: self.seed, ..model.defaults() })
    }
}

/// What became of a segment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Translation {
    /// The translation; the source itself where there is nothing to translate.
    pub text: String,
    /// The text in English, where the way between two other languages led through it.
    pub pivot: Option<String>,
    /// What the checks still complain of.
    pub problems: Vec<Problem>,
    /// How far the model trusts it, from 0 to 1, where it was asked (see
    /// [`DecodingOptions::channel_weight`]): the geometric mean of the probabilities of the
    /// translation's tokens, given the source, and of the source's, given the translation, each way
    /// by itself; of the way that is trusted less, where it led through English.
    pub confidence: Option<f32>,
    /// Whether the first attempt was rejected.
    pub retried: bool,
    /// Tokens that the models left out of what they were given to read, by their own count.
    pub unread_tokens: usize,
    /// Tokens that the model wrote, attempts included.
    pub output_tokens: usize,
    /// Which source tokens the tokens of the text come from, if asked for: one for each part of the
    /// segment that was translated by itself, those of the way into English before those of the way
    /// out of it.
    pub alignments: Vec<TokenAlignment>,
}

/// What [`translate`] is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// So many of so many first attempts are made; a segment that goes through English takes two.
    First(usize, usize),
    /// So many of so many attempts are made at the segments that the checks rejected.
    Again(usize, usize),
}

/// Languages that a translation goes through, from the first to the last; `None` when the models
/// have no way.
pub fn route(models: &[&dyn Generate], from: &Lang, to: &Lang) -> Option<Vec<Lang>> {
    if from.same_base(to) {
        return Some(vec![from.clone()]);
    }
    if direct(models, from, to).is_some() {
        return Some(vec![from.clone(), to.clone()]);
    }
    let en = Lang::en();
    let pivots = direct(models, from, &en).is_some() && direct(models, &en, to).is_some();
    pivots.then(|| vec![from.clone(), en, to.clone()])
}

/// Ids of the models that a translation goes through, each once.
pub fn ids(models: &[&dyn Generate], from: &Lang, to: &Lang) -> Vec<String> {
    let route = route(models, from, to).unwrap_or_default();
    let mut ids: Vec<String> = route
        .windows(2)
        .filter_map(|leg| Some(direct(models, &leg[0], &leg[1])?.id().to_string()))
        .collect();
    ids.dedup();
    ids
}

/// The model that reads a text of one language on its way to another.
pub fn first<'a>(models: &[&'a dyn Generate], from: &Lang, to: &Lang) -> Option<&'a dyn Generate> {
    let route = route(models, from, to)?;
    direct(models, route.first()?, route.get(1)?)
}

/// The first of the models that goes from one language to the other in one step.
fn direct<'a>(models: &[&'a dyn Generate], from: &Lang, to: &Lang) -> Option<&'a dyn Generate> {
    models.iter().copied().find(|model| prompts::is_direct(*model, from, to))
}

/// Translates segments, each with the first model that knows its pair of languages, or else through
/// English. `on_done` is called as often as something is done, from any thread; `false` stops the
/// work.
///
/// # Errors
/// When no model knows one of the languages, or a model fails.
pub fn translate(
    models: &[&dyn Generate],
    segments: &[Segment],
    settings: Settings,
    on_done: &(dyn Fn(Step) -> bool + Sync),
) -> Result<Vec<Translation>> {
    let goes_through_english =
        |s: &Segment| route(models, &s.from, &s.to).is_some_and(|route| route.len() == 3);
    let pivoted: Vec<usize> =
        (0..segments.len()).filter(|&i| goes_through_english(&segments[i])).collect();
    let all = segments.len() + pivoted.len();
    let of_all = |before: usize| {
        move |step| match step {
            Step::First(done, _) => on_done(Step::First(before + done, all)),
            again => on_done(again),
        }
    };

    // First all that is translated directly, and the first leg of the rest.
    let mut first: Vec<Segment> = segments.to_vec();
    for &i in &pivoted {
        first[i].to = Lang::en();
    }
    let mut results = legs(models, &first, settings, &of_all(0))?;
    let second: Vec<Segment> = pivoted
        .iter()
        .map(|&i| Segment {
            text: results[i].text.clone(),
            from: Lang::en(),
            to: segments[i].to.clone(),
        })
        .collect();
    for (&i, translation) in
        pivoted.iter().zip(legs(models, &second, settings, &of_all(segments.len()))?)
    {
        let first = std::mem::take(&mut results[i]);
        let mut problems = first.problems;
        problems.extend(translation.problems);
        problems.sort_by_key(|p| *p as u8);
        problems.dedup();
        results[i] = Translation {
            text: translation.text,
            pivot: Some(first.text),
            problems,
            confidence: first.confidence.into_iter().chain(translation.confidence).reduce(f32::min),
            retried: first.retried || translation.retried,
            unread_tokens: first.unread_tokens + translation.unread_tokens,
            output_tokens: first.output_tokens + translation.output_tokens,
            alignments: [first.alignments, translation.alignments].concat(),
        };
    }
    Ok(results)
}

/// One step of every segment, the segments of one model together.
fn legs(
    models: &[&dyn Generate],
    segments: &[Segment],
    settings: Settings,
    on_done: &(dyn Fn(Step) -> bool + Sync),
) -> Result<Vec<Translation>> {
    let mut results = vec![Translation::default(); segments.len()];
    let mut waiting: Vec<usize> = (0..segments.len()).collect();
    let mut before = 0;
    for (n, &model) in models.iter().enumerate() {
        // The last one gets what no model takes, and says why not.
        let takes = |i: &mut usize| {
            let Segment { from, to, .. } = &segments[*i];
            n + 1 == models.len() || from.same_base(to) || prompts::is_direct(model, from, to)
        };
        let own: Vec<usize> = waiting.extract_if(.., takes).collect();
        let texts: Vec<Segment> = own.iter().map(|&i| segments[i].clone()).collect();
        let of_all = |step| match step {
            Step::First(done, _) => on_done(Step::First(before + done, segments.len())),
            again => on_done(again),
        };
        for (i, translation) in own.iter().zip(leg(model, &texts, settings, &of_all)?) {
            results[*i] = translation;
        }
        before += own.len();
    }
    if waiting.is_empty() {
        Ok(results)
    } else {
        Err(Error::Usage("translation needs a model".into()))
    }
}

/// The ways in which a segment is tried, one after the other until the checks are content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// With all examples; without any, where the model was taught.
    Plain,
    /// With some of the examples, and against repetition.
    OtherExamples,
    /// Clause by clause, addresses and codes left out and put back in their places.
    Pieces,
    /// Drawn instead of taking the likeliest token each time.
    Drawn,
}

impl Way {
    const ALL: [Way; 4] = [Way::Plain, Way::OtherExamples, Way::Pieces, Way::Drawn];

    /// Other examples lead the model elsewhere; the last ones tell it most.
    fn examples(self, is_taught: bool) -> Range<usize> {
        match self {
            _ if is_taught && self != Way::OtherExamples => 0..0,
            Way::Plain => 0..8,
            _ => 4..8,
        }
    }

    fn options(self, model: &dyn Generate, settings: Settings) -> DecodingOptions {
        let mut options = settings.options(model);
        if self != Way::Plain && options.no_repeat_ngram == 0 {
            options.no_repeat_ngram = 4;
        }
        if self == Way::Drawn && options.temperature == 0.0 {
            (options.temperature, options.num_beams) = (0.5, 1);
        } else if self == Way::Drawn {
            // What is drawn anyway is drawn anew.
            options.seed = options.seed.wrapping_add(1);
        }
        options
    }
}

/// One step between two languages.
fn leg(
    model: &dyn Generate,
    segments: &[Segment],
    settings: Settings,
    on_done: &(dyn Fn(Step) -> bool + Sync),
) -> Result<Vec<Translation>> {
    // The same text is translated once, wherever it stands.
    let mut numbers: HashMap<&Segment, usize> = HashMap::new();
    let mut distinct: Vec<&Segment> = Vec::new();
    let places: Vec<usize> = segments
        .iter()
        .map(|s| {
            *numbers.entry(s).or_insert_with(|| {
                distinct.push(s);
                distinct.len() - 1
            })
        })
        .collect();

    let mut best: Vec<Translation> = vec![Translation::default(); distinct.len()];
    let mut waiting: Vec<usize> = Vec::new();
    for (i, segment) in distinct.iter().enumerate() {
        best[i].text = segment.text.clone();
        if !segment.from.same_base(&segment.to) && protect::is_translatable(&segment.text) {
            waiting.push(i);
        }
    }
    let mut severity = vec![Severity::WORST; distinct.len()];
    let settled = segments.len() - waiting.len();
    for way in Way::ALL {
        let tried: Vec<&Segment> = waiting.iter().map(|&i| distinct[i]).collect();
        let count = |done: usize| {
            on_done(match way {
                Way::Plain => Step::First(settled + done, segments.len()),
                _ => Step::Again(done, tried.len()),
            })
        };
        let attempts = attempt(model, &tried, way, settings, &count)?;
        let mut rejected = Vec::new();
        for (&i, mut attempt) in waiting.iter().zip(attempts) {
            let Segment { text, from, to } = distinct[i];
            let is_kept = |problem: &Problem| {
                !attempt.problems.contains(problem)
                    && checks::is_dropped_instead_of_fixed(*problem, text, &attempt.text, from, to)
            };
            let kept: Vec<Problem> = best[i].problems.iter().copied().filter(is_kept).collect();
            attempt.problems.extend(kept);
            best[i].output_tokens += attempt.output_tokens;
            best[i].retried = way != Way::Plain;
            let found = Severity::of(&attempt.problems);
            if found < severity[i] {
                severity[i] = found;
                best[i].text = attempt.text;
                best[i].problems = attempt.problems;
                best[i].confidence = attempt.confidence;
                best[i].unread_tokens = attempt.unread_tokens;
                best[i].alignments = attempt.alignments;
            }
            if checks::deserve_retry(&best[i].problems) {
                rejected.push(i);
            }
        }
        waiting = rejected;
        if waiting.is_empty() {
            break;
        }
    }
    Ok(places.into_iter().map(|i| best[i].clone()).collect())
}

/// Tries all segments one way.
fn attempt(
    model: &dyn Generate,
    segments: &[&Segment],
    way: Way,
    settings: Settings,
    on_done: &(dyn Fn(usize) -> bool + Sync),
) -> Result<Vec<Translation>> {
    let mut pieces: Vec<Vec<Piece>> = Vec::with_capacity(segments.len());
    let mut requests = Vec::new();
    let first_options = settings.options(model);
    let reads_back = channel::is_asked_for(model, &first_options);
    // The languages and the tokens of each request.
    let mut legs: Vec<(&Lang, &Lang)> = Vec::new();
    let mut sizes: Vec<usize> = Vec::new();
    for segment in segments {
        let capitals = caps::is_capitals(&segment.text);
        let text =
            if capitals { caps::lower(&segment.text, &segment.from) } else { segment.text.clone() };
        let parts = split(model, &text, &segment.from, way == Way::Pieces)?;
        let prompt = prompt(model, &segment.from, &segment.to, way.examples(model.is_taught()))?;
        let mut options = way.options(model, settings);
        if reads_back {
            options.outputs = channel::CANDIDATES.min(options.num_beams);
        }
        for piece in parts.iter().filter(|p| !p.keep) {
            let tokens = model.count_tokens(&piece.text)?;
            let max_tokens = settings.decoding.max_tokens.unwrap_or(room(tokens, &segment.to));
            sizes.push(tokens);
            legs.push((&segment.from, &segment.to));
            requests.push(Request {
                prefix: prompt.prefix.clone(),
                prompt: piece.text.clone(),
                suffix: prompt.suffix.clone(),
                begin: prompt.begin.clone(),
                options: DecodingOptions {
                    max_tokens,
                    stop: if model.is_prompted() { vec!["\n".into()] } else { Vec::new() },
                    language: model.is_prompted().then(|| segment.to.clone()),
                    ..options.clone()
                },
                ..Request::default()
            });
        }
        pieces.push(parts);
    }
    // What is read back is a second step, of about the same length.
    let (finished, total) =
        (AtomicUsize::new(0), requests.len().max(1) * if reads_back { 2 } else { 1 });
    let one_more =
        || on_done((finished.fetch_add(1, Ordering::Relaxed) + 1) * segments.len() / total);
    let mut outputs = model.generate(&requests, &|_, _| one_more())?;
    let mut likelihoods = vec![None; outputs.len()];
    if reads_back {
        let back =
            |from: &Lang, to: &Lang| prompt(model, to, from, way.examples(model.is_taught()));
        let flaws = |number: usize, text: &str| {
            let (from, to) = legs[number];
            Severity::of(&checks::translation(
                &requests[number].prompt,
                text,
                Finish::Stop,
                from,
                to,
            ))
        };
        likelihoods =
            channel::choose(model, &requests, &legs, &mut outputs, &flaws, &back, &one_more)?;
    }

    let mut alignments = Vec::new();
    if settings.align {
        let pairs: Vec<(&Request, &[u32])> =
            requests.iter().zip(&outputs).map(|(request, o)| (request, o.ids.as_slice())).collect();
        alignments = model.align(&pairs, None)?;
    }
    let mut alignments = alignments.into_iter();
    let outputs = outputs.into_iter().zip(sizes).zip(likelihoods);
    let mut outputs = outputs.map(|((output, tokens), likelihood)| Written {
        output,
        tokens,
        likelihood,
        alignment: alignments.next(),
    });
    let doubted_below = first_options.min_confidence;
    let results = segments
        .iter()
        .zip(&pieces)
        .map(|(segment, pieces)| put_together(model, segment, pieces, doubted_below, &mut outputs));
    Ok(results.collect())
}

/// New tokens that are allowed for a text: enough for any honest translation.
fn room(source_tokens: usize, to: &Lang) -> usize {
    // Scripts that are rare in the vocabulary take several tokens a word.
    let factor = match to.base() {
        "en" | "fr" | "de" | "es" | "it" | "pt" | "nl" => 2,
        _ => 4,
    };
    source_tokens * factor + 24
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::Output;
    use std::sync::Mutex;

    /// Answers the first call with the first of its texts, and so on; the last one from then on.
    struct Scripted(Mutex<Vec<&'static str>>);

    impl Generate for Scripted {
        fn id(&self) -> &str {
            "scripted"
        }

        fn context_length(&self) -> usize {
            1000
        }

        fn count_tokens(&self, text: &str) -> Result<usize> {
            Ok(text.len() / 4)
        }

        fn generate(
            &self,
            requests: &[Request],
            _: &(dyn Fn(usize, &Output) -> bool + Sync),
        ) -> Result<Vec<Output>> {
            let mut texts = self.0.lock().unwrap();
            let text = if texts.len() > 1 { texts.remove(0) } else { texts[0] };
            let output = Output {
                text: text.into(),
                prompt_tokens: 1,
                tokens: 1,
                ids: vec![1],
                finish: Finish::Stop,
                score: 0.0,
                variants: vec![],
            };
            Ok(vec![output; requests.len()])
        }
    }

    #[test]
    fn a_wrong_number_is_mended_by_the_right_one_and_not_by_none() {
        let (nine, none, eleven) = (
            "The bridge was closed for 9 months.",
            "The bridge was closed for many months.",
            "The bridge was closed for eleven months.",
        );
        let cases = [
            (vec![nine, none, eleven], eleven, vec![], true),
            (vec![nine, none], nine, vec![Problem::Number], true),
            // Nobody is accused of what is said in other words.
            (vec![none], none, vec![], false),
            // Where there is no doubt about which it is, it is put right at once.
            (
                vec!["The bridge was closed for nine months."],
                "The bridge was closed for 11 months.",
                vec![],
                false,
            ),
        ];
        for (texts, text, problems, retried) in cases {
            let model = Scripted(Mutex::new(texts.clone()));
            let segment = Segment {
                text: "Le pont a été fermé onze mois.".into(),
                from: Lang::parse("fr").unwrap(),
                to: Lang::en(),
            };
            let found = translate(&[&model], &[segment], Settings::default(), &|_| true).unwrap();
            assert_eq!(
                (found[0].text.as_str(), &found[0].problems, found[0].retried),
                (text, &problems, retried),
                "{texts:?}"
            );
        }
    }

    /// Writes "So" before its source, and holds each text that it knows for as likely as is said
    /// here, and all others for certain.
    struct Judge(&'static [(&'static str, f32)]);

    impl Generate for Judge {
        fn id(&self) -> &str {
            "judge"
        }

        fn context_length(&self) -> usize {
            1000
        }

        fn count_tokens(&self, text: &str) -> Result<usize> {
            Ok(text.split_whitespace().count())
        }

        fn defaults(&self) -> DecodingOptions {
            DecodingOptions {
                num_beams: 2,
                channel_weight: 1.0,
                min_confidence: 0.2,
                ..DecodingOptions::default()
            }
        }

        fn score(
            &self,
            pairs: &[(&Request, &str)],
            _: &(dyn Fn(usize) -> bool + Sync),
        ) -> Result<Vec<f32>> {
            let known = |text: &str| {
                self.0.iter().find(|(known, _)| *known == text.trim()).map_or(0.0, |(_, p)| p.ln())
            };
            Ok(pairs.iter().map(|(_, text)| known(text)).collect())
        }

        fn generate(
            &self,
            requests: &[Request],
            _: &(dyn Fn(usize, &Output) -> bool + Sync),
        ) -> Result<Vec<Output>> {
            assert!(
                requests.iter().all(|request| request.options.temperature == 0.0),
                "a doubt alone is no reason to try again"
            );
            let answer = |request: &Request| Output {
                text: format!("So {}", request.prompt),
                prompt_tokens: 1,
                tokens: 1,
                ids: vec![1; request.prompt.split_whitespace().count()],
                finish: Finish::Stop,
                score: 0.25f32.ln(),
                variants: vec![],
            };
            Ok(requests.iter().map(answer).collect())
        }
    }

    #[test]
    fn what_the_model_doubts_is_marked() {
        let model = Judge(&[("Vrai.", 0.25), ("Faux.", 0.01), ("So Vrai.", 0.0001)]);
        let lang = |code: &str| Lang::parse(code).unwrap();
        let find = |text: &str, to: &str, min_confidence| {
            let settings = Settings {
                decoding: DecodingOverrides { min_confidence, ..DecodingOverrides::default() },
                ..Settings::default()
            };
            let segment = Segment { text: text.into(), from: lang("fr"), to: lang(to) };
            let found = translate(&[&model], &[segment], settings, &|_| true).unwrap().remove(0);
            (
                found.confidence.map(|p| (p * 1000.0).round()),
                found.problems.contains(&Problem::Doubtful),
            )
        };
        assert_eq!(find("Vrai.", "en", None), (Some(250.0), false));
        assert_eq!(find("Faux.", "en", None), (Some(50.0), true));
        assert_eq!(find("Faux.", "en", Some(0.0)), (Some(50.0), false));
        assert_eq!(find("Vrai.", "en", Some(0.3)), (Some(250.0), true));
        // Of the two steps by way of English the second is doubted.
        assert_eq!(find("Vrai.", "de", None), (Some(5.0), true));
        // There is nothing to ask about.
        assert_eq!(find("Vrai.", "fr", None), (None, false));
    }
}
