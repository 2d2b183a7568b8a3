//! Choosing among a beam's translations: first those that the checks complain of least, then, by reading them back, the one that is likely and
//! makes the source likely. What a small model leaves out or makes up shows when it is asked the other way round (noisy-channel reranking: Yee
//! et al. 2019; Ng et al. 2019).

use super::checks::Severity;
use super::prompts::Prompt;
use crate::error::Result;
use crate::generate::{Finish, Generate, Options, Output, Request, Variant};
use crate::types::Lang;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Translations of a sentence that are read back: the likeliest ones.
pub(super) const CANDIDATES: usize = 3;

/// Whether translations are to be read back: there is no choice without a beam, and only a language model can be asked the other way round.
pub(super) fn is_asked_for(model: &dyn Generate, options: &Options) -> bool {
    model.is_prompted() && options.channel_weight > 0.0 && options.beams > 1 && options.temperature == 0.0
}

/// A translation that is read back.
struct Candidate {
    /// That of its request.
    number: usize,
    /// Whether it is the first one of its request.
    is_first: bool,
    /// Which of the output's variants it is; `None` for the output itself.
    variant: Option<usize>,
    /// Of the way there.
    score: f32,
    /// What the model is asked, and what it is to answer.
    question: Request,
    source: String,
}

/// A translation that may be chosen.
struct Choice<'a> {
    variant: Option<usize>,
    text: &'a str,
    score: f32,
}

/// The output and those of its variants that may take its place, as far as none of them is less flawed.
fn best_checked<'a>(output: &'a Output, flaws: &dyn Fn(&str) -> Severity) -> Vec<Choice<'a>> {
    let variants = output.variants.iter().enumerate().filter(|(_, variant)| is_choice(variant));
    let variants = variants.map(|(at, variant)| Choice { variant: Some(at), text: &variant.text, score: variant.score });
    let own = Choice { variant: None, text: &output.text, score: output.score };
    let all: Vec<(Severity, Choice)> = std::iter::once(own).chain(variants).map(|choice| (flaws(choice.text), choice)).collect();
    let least = all.iter().map(|(severity, _)| *severity).min().unwrap_or_default();
    all.into_iter().filter(|(severity, _)| *severity == least).map(|(_, choice)| choice).collect()
}

/// Whether a variant may take the place of a translation.
fn is_choice(variant: &Variant) -> bool {
    variant.finish == Finish::Stop && !variant.text.trim().is_empty()
}

/// Puts in the place of each output the one of its variants that is best when both directions are counted, among those that are the least
/// flawed; `legs` are the languages of the requests, `flaws` says how bad a text is as the translation of a request (given by its number), and
/// `back` gives the prompt for a pair of languages, the other way round. `one_more` hears of each request that is read back; `false` stops
/// the work.
///
/// # Errors
/// When the model fails, or cannot say how likely a text is.
pub(super) fn choose(
    model: &dyn Generate,
    requests: &[Request],
    legs: &[(&Lang, &Lang)],
    outputs: &mut [Output],
    flaws: &dyn Fn(usize, &str) -> Severity,
    back: &dyn Fn(&Lang, &Lang) -> Result<Prompt>,
    one_more: &(dyn Fn() -> bool + Sync),
) -> Result<()> {
    let mut prompts: HashMap<(&Lang, &Lang), Prompt> = HashMap::new();
    let mut candidates: Vec<Candidate> = Vec::new();
    let mut best: Vec<(Option<usize>, f32)> = outputs.iter().map(|_| (None, f32::NEG_INFINITY)).collect();
    for (number, ((request, output), &(from, to))) in requests.iter().zip(&*outputs).zip(legs).enumerate() {
        // One that is no translation is not made better by another, and another that is none is no choice.
        if !is_asked_for(model, &request.options) || output.finish != Finish::Stop || !output.variants.iter().any(is_choice) {
            continue;
        }
        let all = best_checked(output, &|text| flaws(number, text));
        if let [only] = all.as_slice() {
            best[number].0 = only.variant;
            continue;
        }
        let Prompt { prefix, suffix, .. } = match prompts.entry((from, to)) {
            Entry::Occupied(held) => held.into_mut(),
            Entry::Vacant(place) => place.insert(back(from, to)?),
        };
        for (nth, Choice { variant, text, score }) in all.into_iter().enumerate() {
            // Nothing is chosen from them: what is not in the shortlist makes next to nothing of the sum of all probabilities.
            let options = Options { language: Some(from.clone()), shortlist: true, ..Options::default() };
            let question =
                Request { prefix: prefix.clone(), prompt: text.trim().into(), suffix: suffix.clone(), options, ..Request::default() };
            candidates.push(Candidate { number, is_first: nth == 0, variant, score, question, source: format!(" {}", request.prompt) });
        }
    }
    let pairs: Vec<(&Request, &str)> = candidates.iter().map(|c| (&c.question, c.source.as_str())).collect();
    let scores = model.score(&pairs, &|i| !candidates[i].is_first || one_more())?;

    for (candidate, channel) in candidates.iter().zip(scores) {
        let total = candidate.score + requests[candidate.number].options.channel_weight * channel;
        if total > best[candidate.number].1 {
            best[candidate.number] = (candidate.variant, total);
        }
    }
    for (output, (variant, _)) in outputs.iter_mut().zip(best) {
        if let Some(at) = variant {
            let Variant { text, ids, score, .. } = output.variants.swap_remove(at);
            output.variants.clear();
            (output.text, output.tokens, output.ids, output.score) = (text, ids.len(), ids, score);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Problem;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Holds a source the likelier the longer the translation is that it reads.
    struct Long;

    impl Generate for Long {
        fn id(&self) -> &str {
            "long"
        }

        fn context_length(&self) -> usize {
            100
        }

        fn count_tokens(&self, text: &str) -> Result<usize> {
            Ok(text.len())
        }

        fn score(&self, pairs: &[(&Request, &str)], on_done: &(dyn Fn(usize) -> bool + Sync)) -> Result<Vec<f32>> {
            assert!(pairs.iter().all(|(question, source)| question.prefix == "en: " && question.suffix == "\nfr:" && *source == " source"));
            (0..pairs.len()).for_each(|i| assert!(on_done(i)));
            Ok(pairs.iter().map(|(question, _)| question.prompt.len() as f32 - 10.0).collect())
        }

        fn generate(&self, _: &[Request], _: &(dyn Fn(usize, &Output) -> bool + Sync)) -> Result<Vec<Output>> {
            unreachable!("nothing is written")
        }
    }

    #[test]
    fn the_best_in_both_directions_is_chosen() {
        let variant = |text: &str, score, finish| Variant { text: text.into(), ids: vec![1; text.len()], score, finish };
        let output = |finish| Output {
            text: "one".into(),
            prompt_tokens: 7,
            tokens: 3,
            ids: vec![1; 3],
            finish,
            score: -1.0,
            variants: vec![
                variant("three", -1.5, Finish::Stop),
                variant(" ", -0.1, Finish::Stop),
                variant("seventeen and more", -1.2, Finish::Length),
            ],
        };
        let request = |beams, channel_weight| Request {
            prompt: "source".into(),
            options: Options { beams, channel_weight, ..Options::default() },
            ..Request::default()
        };
        let cases = [
            // It gains 2 × 0.3 and loses 0.5.
            (request(4, 0.3), Finish::Stop, "three"),
            (request(4, 0.2), Finish::Stop, "one"),
            (request(4, 0.0), Finish::Stop, "one"),
            (request(1, 0.3), Finish::Stop, "one"),
            (request(4, 0.3), Finish::Length, "one"),
        ];
        let (fr, en) = (Lang::parse("fr").unwrap(), Lang::en());
        let back = |from: &Lang, to: &Lang| Ok(Prompt { prefix: format!("{to}: "), suffix: format!("\n{from}:"), begin: None });
        let requests: Vec<Request> = cases.iter().map(|case| case.0.clone()).collect();
        let mut outputs: Vec<Output> = cases.iter().map(|case| output(case.1)).collect();
        let heard = AtomicUsize::new(0);
        let one_more = || heard.fetch_add(1, Ordering::Relaxed) < 2;
        choose(&Long, &requests, &[(&fr, &en); 5], &mut outputs, &|_, _| Severity::default(), &back, &one_more).unwrap();
        for (output, (.., expected)) in outputs.iter().zip(cases) {
            assert_eq!((output.text.as_str(), output.ids.len(), output.tokens), (expected, expected.len(), expected.len()));
        }
        assert_eq!(heard.into_inner(), 2);
    }

    #[test]
    fn the_checks_speak_first() {
        let variant = |text: &str, score| Variant { text: text.into(), ids: vec![1; text.len()], score, finish: Finish::Stop };
        let output = Output {
            text: "wrong and so very long".into(),
            prompt_tokens: 7,
            tokens: 22,
            ids: vec![1; 22],
            finish: Finish::Stop,
            score: -0.1,
            variants: vec![variant("right", -3.0), variant("right, too", -3.0), variant("wrong, too", -0.2)],
        };
        let options = Options { beams: 4, channel_weight: 0.3, ..Options::default() };
        let request = Request { prompt: "source".into(), options, ..Request::default() };
        let (fr, en) = (Lang::parse("fr").unwrap(), Lang::en());
        let back = |from: &Lang, to: &Lang| Ok(Prompt { prefix: format!("{to}: "), suffix: format!("\n{from}:"), begin: None });
        // The longest of those that are least flawed, be it one or two or all.
        for (flawed, expected) in [("wrong", "right, too"), ("o", "right"), ("x", "wrong and so very long")] {
            let flaws = |number: usize, text: &str| {
                assert_eq!(number, 0);
                Severity::of(if text.contains(flawed) { &[Problem::Number] } else { &[] })
            };
            let mut outputs = [output.clone()];
            choose(&Long, std::slice::from_ref(&request), &[(&fr, &en)], &mut outputs, &flaws, &back, &|| true).unwrap();
            assert_eq!(outputs[0].text, expected);
        }
    }
}
