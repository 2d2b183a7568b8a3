//! Translation, segment by segment, of any number of texts at once.
//!
//! A segment is a sentence. It is tried one way; what the checks reject is tried other ways, and
//! the best attempt is kept with what is still wrong with it.

mod alternatives;
mod attempt;
mod context;
mod hop;
mod links;
mod lost;
mod memory;
mod pieces;
mod progress;
mod readable;
mod readings;
mod retry;
mod route;
mod terms;

pub use alternatives::{MOST_ALTERNATIVES, alternatives};
pub use context::preceding;
pub use memory::{Claim, Known, Memory, MemoryKey, translate_known};
pub use pieces::gap;
pub use progress::Step;
pub use route::{Hop, Named, Route, Router};

use crate::error::{Error, Result};
use crate::generate::{DecodingOptions, DecodingOverrides, Generate};
use crate::languages;
use crate::task::{Instruction, prompts};
use crate::text::inline::Link;
use crate::text::protect;
use crate::text::terms::TermIndex;
use crate::types::{Lang, Origin, Problem, Terms, TokenAlignment};
use progress::{Counter, OnStep};
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

/// A text to translate: a sentence, a heading, an item of a list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Segment {
    /// The text, on one line.
    pub text: String,
    /// The sentences before it, which a language model may read to understand it; see
    /// [`preceding`].
    pub context: String,
    /// Its language.
    pub from: Lang,
    /// The language wanted.
    pub to: Lang,
    /// Whether to find out which of its words became which, for the markup that stood around them.
    pub align: bool,
    /// The parts of the text that are copied, in order: code, names of keys. Byte ranges.
    pub kept: Vec<Range<usize>>,
}

impl Segment {
    /// A text by itself.
    pub fn new(text: impl Into<String>, from: Lang, to: Lang) -> Segment {
        let (text, context) = (text.into(), String::new());
        Segment { text, context, from, to, align: false, kept: Vec::new() }
    }
}

/// Settings of a translation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// Seed of the last attempt at a segment that fails the checks otherwise, and of the sampling
    /// that [`Settings::decoding`] asks for: nothing else is random.
    pub seed: u64,
    /// Options in which decoding differs from the model's own.
    pub decoding: DecodingOverrides,
    /// Whether to say which source tokens each token comes from; with models that have an encoder.
    pub align: bool,
    /// Terms that translations are to use, and what is to stay as it is.
    pub terms: Option<Arc<TermIndex>>,
    /// What chat models are told, in place of what their cards or polygist would say.
    pub instruction: Option<Instruction>,
    /// How many sentences before each that it translates a chat model reads. Who makes
    /// [`Segment::context`] goes by it.
    pub context: usize,
}

impl Settings {
    /// The options of a model's first attempt.
    fn options(&self, model: &dyn Generate) -> DecodingOptions {
        // The probabilities of a model made for translation say how far it is to be trusted.
        let scored = prompts::is_translation_model(model);
        self.decoding.apply(DecodingOptions { scored, seed: self.seed, ..model.defaults() })
    }
}

/// The translation of a segment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Translation {
    /// The translation; the source itself where there is nothing to translate.
    pub text: String,
    /// The text in English, where the way between two other languages led through it.
    pub pivot: Option<String>,
    /// Problems that the checks still find.
    pub problems: Vec<Problem>,
    /// Confidence of the model in it, from 0 to 1. Of a translation model: the geometric mean of
    /// the probabilities of the translation's tokens. Of a language model that reads back (see
    /// [`DecodingOptions::channel_weight`]): of these, and of the probabilities of the source's
    /// tokens, given the translation, each way by itself. Of the way that is trusted less, where it
    /// led through English.
    pub confidence: Option<f32>,
    /// Whether the first attempt was rejected.
    pub retried: bool,
    /// Tokens that the models left out of what they were given to read, by their own count.
    pub unread_tokens: usize,
    /// Tokens that the model wrote, attempts included.
    pub output_tokens: usize,
    /// Alignments of the text's tokens with the source's, if asked for: one for each part of the
    /// segment that was translated by itself, those of the way into English before those of the way
    /// out of it.
    pub alignments: Vec<TokenAlignment>,
    /// Parts of the source and of the text that belong together, where that was asked for and the
    /// model tells.
    pub links: Vec<Link>,
    /// The terms in the source, and whether the text has them.
    pub terms: Terms,
    /// Who made it.
    pub origin: Origin,
}

/// A text on its way.
#[derive(Clone, Copy)]
pub struct Routed<'a> {
    /// The text.
    pub text: &'a str,
    /// See [`Segment::context`].
    pub context: &'a str,
    /// Its way.
    pub route: &'a Route<'a>,
    /// See [`Segment::align`].
    pub align: bool,
    /// See [`Segment::kept`].
    pub kept: &'a [Range<usize>],
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
    settings: &Settings,
    on_done: OnStep<'_>,
) -> Result<Vec<Translation>> {
    translate_by(&Named(models), segments, settings, Known::default(), on_done)
}

/// Translates segments as [`translate`] does, each on the way that the router has for it, those
/// apart that are known.
///
/// # Errors
/// When there is no way between two languages, or a model cannot be had or fails.
pub fn translate_by(
    router: &dyn Router,
    segments: &[Segment],
    settings: &Settings,
    known: Known<'_>,
    on_done: OnStep<'_>,
) -> Result<Vec<Translation>> {
    let mut routes: HashMap<(&Lang, &Lang), Route<'_>> = HashMap::new();
    for Segment { text, from, to, .. } in segments {
        if protect::is_translatable(text) && !routes.contains_key(&(from, to)) {
            let found = router.route(from, to)?;
            routes.insert((from, to), found.ok_or_else(|| no_way(router, from, to))?);
        }
    }
    // Numbers and addresses stay as they are, whatever their languages.
    for Segment { from, to, .. } in segments {
        routes.entry((from, to)).or_insert_with(|| Route::none(from));
    }
    let routed = segments.iter().map(|segment| Routed {
        text: &segment.text,
        context: &segment.context,
        route: &routes[&(&segment.from, &segment.to)],
        align: segment.align,
        kept: &segment.kept,
    });
    let routed: Vec<Routed<'_>> = routed.collect();
    translate_known(&routed, settings, known, on_done)
}

fn no_way(router: &dyn Router, from: &Lang, to: &Lang) -> Error {
    match router.refusal(from, to) {
        Some(why) => {
            Error::Usage(format!("it is in {} ({from}), and {why}", languages::name(from)))
        }
        None => Error::Usage("translation needs a model".into()),
    }
}

/// Translates texts as [`translate`] does, each along a route. The routes have to be chosen from
/// the same models.
///
/// # Errors
/// When a model fails.
pub fn translate_along(
    texts: &[Routed<'_>],
    settings: &Settings,
    on_done: OnStep<'_>,
) -> Result<Vec<Translation>> {
    let hops = |text: &Routed<'_>| text.route.hops().len();
    let counter = Counter::new(texts.iter().map(hops).sum(), on_done);
    let mut results: Vec<Option<Translation>> = vec![None; texts.len()];
    for number in 0..texts.iter().map(hops).max().unwrap_or(0) {
        // The segments of one model go through it together.
        let mut by_model: BTreeMap<_, (&Hop<'_>, Vec<usize>)> = BTreeMap::new();
        for (i, text) in texts.iter().enumerate() {
            if let Some(hop) = text.route.hops().get(number) {
                let key = (hop.number, hop.reverse.map(|model| model.id()));
                by_model.entry(key).or_insert((hop, Vec::new())).1.push(i);
            }
        }
        for (hop, places) in by_model.into_values() {
            let segment = |&i: &usize| {
                let Routed { text, route, align, kept, .. } = texts[i];
                let (from, to) = route.languages_of(number);
                let (from, to) = (from.clone(), to.clone());
                let Some(before) = &results[i] else {
                    let context = context::read_before(&texts[i], settings).to_owned();
                    let (text, kept) = (text.to_owned(), kept.to_vec());
                    return Segment { text, context, from, to, align, kept };
                };
                let kept = terms::found_again(kept, text, &before.text);
                let (text, context) = (before.text.clone(), String::new());
                Segment { text, context, from, to, align, kept }
            };
            let segments: Vec<Segment> = places.iter().map(segment).collect();
            // The way of a text in two steps has terms of its own.
            let within: Vec<bool> = places.iter().map(|&i| hops(&texts[i]) > 1).collect();
            let terms = terms::of(settings, &segments, &within);
            let way = hop::Way { model: hop.model, reverse: hop.reverse, settings, terms: &terms };
            let found = hop::translate(&way, &segments, &counter)?;
            let each = places.into_iter().zip(&segments).zip(&terms).zip(found);
            for (((i, segment), terms), mut translation) in each {
                if segment.align {
                    let Translation { text, alignments, .. } = &translation;
                    translation.links = links::links(&segment.text, text, alignments);
                }
                lost::put_back(segment, terms, &mut translation);
                if !settings.align {
                    translation.alignments.clear();
                }
                results[i] = Some(match results[i].take() {
                    Some(first) => joined(first, translation),
                    None => translation,
                });
            }
        }
    }
    let result = |(result, text): (Option<Translation>, &Routed<'_>)| {
        let same = || Translation { text: text.text.into(), ..Translation::default() };
        let mut result = result.unwrap_or_else(same);
        result.terms = terms::told(settings, text, &result.text);
        result
    };
    Ok(results.into_iter().zip(texts).map(result).collect())
}

/// Two hops as one translation.
fn joined(first: Translation, second: Translation) -> Translation {
    let mut problems = [first.problems, second.problems].concat();
    problems.sort_by_key(|p| *p as u8);
    problems.dedup();
    Translation {
        text: second.text,
        pivot: Some(first.text),
        problems,
        confidence: first.confidence.into_iter().chain(second.confidence).reduce(f32::min),
        retried: first.retried || second.retried,
        unread_tokens: first.unread_tokens + second.unread_tokens,
        output_tokens: first.output_tokens + second.output_tokens,
        alignments: [first.alignments, second.alignments].concat(),
        links: links::composed(&first.links, &second.links),
        terms: Terms::default(),
        origin: Origin::Model,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::{Capability, Output, Request};
    use crate::testing::Stub;
    use crate::types::{Glossary, GlossaryEntry, Term};
    use std::sync::Mutex;

    /// A model that answers the first request with the first text, and so on; the last one from
    /// then on.
    fn scripted(texts: &[&'static str]) -> Stub {
        let left = Mutex::new(texts.to_vec());
        Stub::answering(move |_| {
            let mut left = left.lock().unwrap();
            if left.len() > 1 { left.remove(0) } else { left[0] }
        })
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
            let model = scripted(&texts);
            let segment = Segment::new(
                "Le pont a été fermé onze mois.",
                Lang::parse("fr").unwrap(),
                Lang::en(),
            );
            let found = translate(&[&model], &[segment], &Settings::default(), &|_| true).unwrap();
            assert_eq!(
                (found[0].text.as_str(), &found[0].problems, found[0].retried),
                (text, &problems, retried),
                "{texts:?}"
            );
        }
    }

    /// A model that writes "So" before its source, and holds each text that it knows for as likely
    /// as is said here, and all others for certain.
    fn judge(known: &'static [(&'static str, f32)]) -> Stub {
        let answer = |request: &Request| {
            let drawn = request.options.temperature > 0.0;
            assert!(!drawn, "a doubt alone is no reason to try again");
            let written = format!("So {}", request.prompt);
            let ids = vec![1; request.prompt.split_whitespace().count()];
            Output { ids, score: 0.25f32.ln(), ..Output::of(written) }
        };
        let score = |_: &Request, text: &str| {
            known.iter().find(|(known, _)| *known == text.trim()).map_or(0.0, |(_, p)| p.ln())
        };
        Stub::writing(answer).scoring(score).defaulting(DecodingOptions {
            num_beams: 2,
            channel_weight: 1.0,
            min_confidence: 0.2,
            ..DecodingOptions::default()
        })
    }

    #[test]
    fn what_the_model_doubts_is_marked() {
        let model = judge(&[("Vrai.", 0.25), ("Faux.", 0.01), ("So Vrai.", 0.0001)]);
        let lang = |code: &str| Lang::parse(code).unwrap();
        let find = |text: &str, to: &str, min_confidence| {
            let settings = Settings {
                decoding: DecodingOverrides { min_confidence, ..DecodingOverrides::default() },
                ..Settings::default()
            };
            let segment = Segment::new(text, lang("fr"), lang(to));
            let found = translate(&[&model], &[segment], &settings, &|_| true).unwrap().remove(0);
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

    /// Of Portuguese segments and a translation model, the texts that it is given and the first
    /// translation that comes of them.
    fn through(model: Stub, text: &str) -> Translation {
        let model = model
            .with([crate::generate::Capability::Translation])
            .lacking(|c| "😀🎂“”".contains(c));
        let from = Lang::parse("pt").unwrap();
        let segment = Segment::new(text, from, Lang::en());
        translate(&[&model], &[segment], &Settings::default(), &|_| true).unwrap().remove(0)
    }

    #[test]
    fn a_negation_that_another_model_does_not_read_back_is_doubted() {
        let problems = |source: &str, written: &'static str, read: &'static str| {
            let options = DecodingOptions { channel_weight: 0.3, ..DecodingOptions::default() };
            let translation = [crate::generate::Capability::Translation];
            let model = |answer| {
                let stub = Stub::answering(move |_| answer).scoring(|_, _| 0.0);
                stub.with(translation.clone()).defaulting(options.clone())
            };
            let (forth, back) = (model(written), model(read));
            let segments = [Segment::new(source, Lang::parse("fr").unwrap(), Lang::en())];
            let counter = Counter::new(1, &|_| true);
            let settings = Settings::default();
            let way = hop::Way {
                model: &forth,
                reverse: Some(&back),
                settings: &settings,
                terms: &[Vec::new()],
            };
            let found = hop::translate(&way, &segments, &counter);
            found.unwrap().remove(0).problems
        };
        let (source, flipped) = ("Le pont ne sera pas fermé.", "The bridge will be closed.");
        assert_eq!(problems(source, flipped, "Le pont sera fermé."), [Problem::Negation]);
        // It was said in another way.
        assert_eq!(problems(source, "The bridge will stay open.", source), []);
        let right = "The bridge will not be closed.";
        assert_eq!(problems(source, right, "Le pont sera fermé."), []);
    }

    #[test]
    fn what_a_translation_model_cannot_read_comes_through() {
        let echo = || Stub::answering(|request| request.prompt.clone());
        for text in ["Gosto de 😀 pizza.", "Feliz dia 🎂😀", "😀 Oi! 🎂 Tudo bem?", "10 m² e CO₂"]
        {
            assert_eq!(through(echo(), text).text, text);
        }
        assert_eq!(through(echo(), "“Oi”, diz").text, "\"Oi\", diz");
        // One that loses the placeholder is asked for the parts around it.
        let loses = Stub::answering(|request| match request.prompt.as_str() {
            "Gosto de" => "I like".into(),
            "pizza." => "Pizza.".into(),
            text => text.replace("X1 ", ""),
        });
        let found = through(loses, "Gosto de 😀 pizza.");
        assert_eq!((found.text.as_str(), &found.problems), ("I like 😀 Pizza.", &vec![]));
    }

    #[test]
    fn a_few_words_are_tried_as_a_sentence_and_names_stay() {
        let model = || {
            Stub::answering(|request| match request.prompt.as_str() {
                "Bom dia." => "Good morning.".into(),
                "Erik" | "Erik." => "Erik (Stadt)".into(),
                "registro" | "registro." => "changelog (of)".into(),
                text => format!("{text} {text}"),
            })
        };
        for (text, expected) in [
            ("Bom dia!", "Good morning!"),
            ("BOM DIA", "GOOD MORNING"),
            ("Erik", "Erik"),
            ("registro", "changelog"),
        ] {
            let found = through(model(), text);
            assert_eq!((found.text.as_str(), found.problems), (expected, vec![]), "{text}");
        }
        assert_eq!(through(model(), "tudo").problems, [Problem::Repetition]);
    }

    #[test]
    fn a_translation_model_has_a_confidence_of_its_own() {
        let model = |score: f32| {
            Stub::writing(move |_| Output {
                score: score.ln(),
                ..Output::of("Let us go home now, for it is late already.")
            })
            .defaulting(DecodingOptions { min_confidence: 0.8, ..DecodingOptions::default() })
        };
        let found = through(model(0.9), "Vamos agora para casa, que já é tarde.");
        assert_eq!(
            (found.confidence.map(|p| (p * 100.0).round()), found.problems),
            (Some(90.0), vec![])
        );
        let found = through(model(0.7), "Vamos agora para casa, que já é tarde.");
        assert_eq!((found.problems, found.retried), (vec![Problem::Doubtful], false));
    }

    #[test]
    fn what_needs_no_translation_needs_no_model() {
        let segment = |text: &str| Segment::new(text, Lang::und(), Lang::en());
        let model = scripted(&["Hello."]);
        let translated = |models: &[&dyn Generate], text: &str| {
            translate(models, &[segment(text)], &Settings::default(), &|_| true)
        };
        assert_eq!(translated(&[&model], "12.05.2026").unwrap()[0].text, "12.05.2026");
        assert!(translated(&[&model], "Bonjour").is_err());
        assert!(translated(&[], "Bonjour").is_err());
    }

    fn with_terms(entries: &[(&str, &str)], keep: &[&str]) -> Settings {
        let entry = |(source, target): &(&str, &str)| GlossaryEntry {
            source: vec![source.to_string()],
            target: target.split('|').filter(|t| !t.is_empty()).map(String::from).collect(),
            ..GlossaryEntry::default()
        };
        let glossary = Glossary { entries: entries.iter().map(entry).collect() };
        let terms = TermIndex::new(glossary, keep).unwrap();
        Settings { terms: Some(Arc::new(terms)), ..Settings::default() }
    }

    fn told(model: &Stub, settings: &Settings, text: &str, to: &str) -> Translation {
        let (from, to) = (Lang::parse("fr").unwrap(), Lang::parse(to).unwrap());
        let segment = Segment::new(text, from, to);
        translate(&[model], &[segment], settings, &|_| true).unwrap().remove(0)
    }

    fn shown(terms: &[Term]) -> Vec<String> {
        terms.iter().map(|term| format!("{}>{}", term.source, term.target)).collect()
    }

    #[test]
    fn chat_models_are_told_the_terms_and_asked_once_more() {
        let template = crate::generate::ChatTemplate::chatml();
        let model = |obeys: &'static str| {
            Stub::answering(move |request| {
                let asked = &request.prefix;
                let knows = asked.contains("“pont” = “viaduct” or “viaducts”");
                match (knows, asked.contains("“ville”")) {
                    (true, both) if obeys == "always" || !both && obeys == "later" => {
                        "The town closed the viaduct."
                    }
                    _ => "The town closed the bridge.",
                }
            })
            .with([crate::generate::Capability::Chat(template.clone())])
        };
        let settings = with_terms(&[("pont", "viaduct|viaducts"), ("ville", "town")], &[]);
        let source = "La ville a fermé le pont.";
        for (obeys, text, missed) in [
            ("always", "The town closed the viaduct.", vec![]),
            // The second time only what is missing is told.
            ("later", "The town closed the viaduct.", vec![]),
            ("never", "The town closed the bridge.", vec!["pont>viaduct".to_string()]),
        ] {
            let found = told(&model(obeys), &settings, source, "en");
            assert_eq!(
                (found.text.as_str(), shown(&found.terms.missed)),
                (text, missed),
                "{obeys}"
            );
            assert_eq!(found.terms.applied[0].target, "town");
        }
        // Nothing is said where nothing stands in the text.
        let quiet = told(&model("never"), &settings, "Il a dit non.", "en");
        assert!(quiet.terms.is_empty());
    }

    #[test]
    fn what_is_kept_comes_through() {
        let model = || {
            Stub::answering(|request| {
                request.prompt.replace("AB-12", "AB twelve").replace("La porte", "The door")
            })
            .with([crate::generate::Capability::Translation])
        };
        let settings = with_terms(&[("Fenêtre", "")], &["[A-Z]{2}-[0-9]+"]);
        let found = told(&model(), &settings, "La porte AB-12 est là.", "en");
        assert!(found.text.contains("AB-12") && !found.text.contains("twelve"), "{found:?}");
        assert_eq!(shown(&found.terms.applied), ["AB-12>AB-12"]);
        assert!(!found.problems.contains(&Problem::Protected));
        let plain = told(&model(), &Settings::default(), "La porte AB-12 est là.", "en");
        assert!(plain.terms.is_empty());
    }

    #[test]
    fn a_way_in_two_steps_tells_the_terms_of_its_ends() {
        // It writes English, and German of that.
        let model = Stub::answering(|request| match request.suffix.contains("German") {
            true => "Die Stadt schloss die Brücke.",
            false => "The city closed the bridge.",
        });
        let settings = with_terms(&[("pont", "Brücke"), ("ville", "Ortschaft")], &[]);
        let found = told(&model, &settings, "La ville a fermé le pont.", "de");
        assert_eq!(shown(&found.terms.applied), ["pont>Brücke"]);
        assert_eq!(shown(&found.terms.missed), ["ville>Ortschaft"]);
    }

    #[test]
    fn chat_models_read_the_sentences_before_and_are_tried_without_them() {
        let (fr, en) = (Lang::parse("fr").unwrap(), Lang::en());
        let asked: Arc<Mutex<Vec<Request>>> = Arc::default();
        let heard = asked.clone();
        let answer = move |request: &Request| {
            heard.lock().unwrap().push(request.clone());
            match (request.context.is_empty(), request.prompt.contains("1987")) {
                // It translates what it was only to read, and loses a number by that.
                (false, true) => "It rains.".to_owned(),
                (_, true) => "She has waited since 1987.".into(),
                _ => "She waits.".into(),
            }
        };
        let chat = Capability::Chat(crate::generate::ChatTemplate::chatml());
        let model = Stub::answering(answer).with([chat]);
        let segment = |text: &str, context: &str| Segment {
            context: context.into(),
            ..Segment::new(text, fr.clone(), en.clone())
        };
        let texts = [
            segment("Elle attend.", ""),
            segment("Elle attend.", "Marie est là."),
            segment("Elle attend depuis 1987.", "Il pleut."),
        ];
        let found = translate(&[&model], &texts, &Settings::default(), &|_| true).unwrap();
        let texts: Vec<&str> = found.iter().map(|one| one.text.as_str()).collect();
        assert_eq!(texts, ["She waits.", "She waits.", "She has waited since 1987."]);
        let asked = asked.lock().unwrap();
        let read: Vec<(&str, bool)> =
            asked.iter().map(|one| (one.prompt.as_str(), one.context.is_empty())).collect();
        // The same words after other sentences are another text.
        assert_eq!(
            read[..3],
            [("Elle attend.", true), ("Elle attend.", false), ("Elle attend depuis 1987.", false)]
        );
        assert!(asked[1].context.starts_with("Marie est là.\n\n"), "{}", asked[1].context);
        assert!(asked[1].prefix == asked[2].prefix && asked[1].prefix != asked[0].prefix);
        assert!(found[2].retried && read[3..].iter().all(|(_, alone)| *alone));
        // A model made for translation reads a sentence at a time.
        let reader = Stub::answering(|request| {
            assert_eq!(request.context, "");
            "She waits."
        });
        let alone = [segment("Elle attend.", "Marie est là."), segment("Elle attend.", "")];
        translate(&[&reader], &alone, &Settings::default(), &|_| true).unwrap();
    }
}
