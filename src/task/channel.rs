//! Choosing among translations: first those that the checks complain of least, then, by reading
//! them back, the one that is likely and makes the source likely. What a small model leaves out or
//! makes up shows when it is asked the other way round (noisy-channel reranking: Yee et al. 2019;
//! Ng et al. 2019); how likely it then holds both says how far the translation is to be trusted
//! (Fomicheva et al. 2020).

use super::checks::Severity;
use super::prompts::Prompt;
use crate::error::Result;
use crate::generate::{DecodingOptions, Finish, Generate, Output, Request, Variant};
use crate::types::Lang;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Translations of a sentence that are read back: the likeliest ones.
pub(super) const CANDIDATES: usize = 3;

/// Whether translations are to be read back: there is no choice without a beam, and only a language
/// model can be asked the other way round.
pub(super) fn is_asked_for(model: &dyn Generate, options: &DecodingOptions) -> bool {
    model.is_prompted()
        && options.channel_weight > 0.0
        && options.num_beams > 1
        && options.temperature == 0.0
}

/// A translation that may be chosen.
struct Choice<'a> {
    /// Which of the output's variants it is; `None` for the output itself.
    variant: Option<usize>,
    text: &'a str,
    score: f32,
    tokens: usize,
}

/// The output and those of its variants that may take its place, as far as none of them is less
/// flawed.
fn best_checked<'a>(output: &'a Output, flaws: &dyn Fn(&str) -> Severity) -> Vec<Choice<'a>> {
    let variants = output
        .variants
        .iter()
        .enumerate()
        .filter(|(_, v)| v.finish == Finish::Stop && !v.text.trim().is_empty());
    let variants = variants.map(|(at, v)| Choice {
        variant: Some(at),
        text: &v.text,
        score: v.score,
        tokens: v.ids.len(),
    });
    let own =
        Choice { variant: None, text: &output.text, score: output.score, tokens: output.ids.len() };
    let all: Vec<(Severity, Choice)> =
        std::iter::once(own).chain(variants).map(|choice| (flaws(choice.text), choice)).collect();
    let least = all.iter().map(|(severity, _)| *severity).min().unwrap_or_default();
    all.into_iter().filter(|(severity, _)| *severity == least).map(|(_, choice)| choice).collect()
}

/// What the model is asked about a translation, and what it is to answer.
struct Question {
    request: Request,
    text: String,
    /// Whether it is the first one about a request.
    is_first: bool,
}

/// How likely a translation is, given its source.
enum There {
    /// What the search made of it, and the mean log-probability of a token.
    Searched { score: f32, mean: f32 },
    /// The question that tells it.
    Asked(usize),
}

/// A translation that is read back.
struct Candidate {
    /// That of its request.
    number: usize,
    variant: Option<usize>,
    there: There,
    /// The question that tells the source's.
    back: usize,
}

/// Puts in the place of each output the one of its variants that is best when both directions are
/// counted, among those that are the least flawed; `legs` are the languages of the requests,
/// `flaws` says how bad a text is as the translation of a request (given by its number), and `back`
/// gives the prompt for a pair of languages, the other way round. `one_more` hears of each request
/// that is read back; `false` stops the work.
///
/// For each output comes the mean log-probability of a token of what was chosen, given the source,
/// and of a token of the source, given that: the mean of both. `None` for what did not come to its
/// end, and is no translation.
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
) -> Result<Vec<Option<f32>>> {
    let mut prompts: HashMap<(&Lang, &Lang), Prompt> = HashMap::new();
    let (mut candidates, mut questions): (Vec<Candidate>, Vec<Question>) = Default::default();
    for (number, ((request, output), &(from, to))) in
        requests.iter().zip(&*outputs).zip(legs).enumerate()
    {
        // One that is no translation is not made better by another, and another that is none is no
        // choice.
        if output.finish != Finish::Stop || output.text.trim().is_empty() {
            continue;
        }
        let Prompt { prefix, suffix, .. } = match prompts.entry((from, to)) {
            Entry::Occupied(held) => held.into_mut(),
            Entry::Vacant(place) => place.insert(back(from, to)?),
        };
        let mut is_first = true;
        let mut ask = |request: Request, written: &Lang, text: String| {
            // Nothing is chosen from them: what is not in the shortlist makes next to nothing of
            // the sum of all probabilities.
            let options = DecodingOptions {
                language: Some(written.clone()),
                shortlist: true,
                ..DecodingOptions::default()
            };
            questions.push(Question {
                request: Request { options, ..request },
                text,
                is_first: std::mem::take(&mut is_first),
            });
            questions.len() - 1
        };
        for Choice { variant, text, score, tokens } in
            best_checked(output, &|text| flaws(number, text))
        {
            let options = &request.options;
            let there = if options.temperature > 0.0 {
                // It was drawn from other probabilities than the model's own. Its end counts, as it
                // does in a beam.
                let end = options.stop.first().map_or("", String::as_str);
                There::Asked(ask(request.clone(), to, format!(" {}{end}", text.trim())))
            } else {
                // With the token that ended it.
                There::Searched {
                    score,
                    mean: score * ((tokens + 1) as f32).powf(options.length_penalty - 1.0),
                }
            };
            let question = Request {
                prefix: prefix.clone(),
                prompt: text.trim().into(),
                suffix: suffix.clone(),
                ..Request::default()
            };
            candidates.push(Candidate {
                number,
                variant,
                there,
                back: ask(question, from, format!(" {}", request.prompt)),
            });
        }
    }
    let pairs: Vec<(&Request, &str)> =
        questions.iter().map(|question| (&question.request, question.text.as_str())).collect();
    let scores = model.score(&pairs, &|i| !questions[i].is_first || one_more())?;

    // Of each output the best variant, how good it is, and how likely.
    let mut best: Vec<Option<(Option<usize>, f32, f32)>> = vec![None; outputs.len()];
    for Candidate { number, variant, there, back } in candidates {
        let (score, mean) = match there {
            There::Searched { score, mean } => (score, mean),
            There::Asked(question) => (scores[question], scores[question]),
        };
        let total = score + requests[number].options.channel_weight * scores[back];
        if best[number].is_none_or(|(_, held, _)| total > held) {
            best[number] = Some((variant, total, (mean + scores[back]) / 2.0));
        }
    }
    for (output, best) in outputs.iter_mut().zip(&best) {
        if let Some((Some(at), ..)) = *best {
            let Variant { text, ids, score, .. } = output.variants.swap_remove(at);
            output.variants.clear();
            (output.text, output.tokens, output.ids, output.score) = (text, ids.len(), ids, score);
        }
    }
    Ok(best.into_iter().map(|best| best.map(|(.., likelihood)| likelihood)).collect())
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

        fn score(
            &self,
            pairs: &[(&Request, &str)],
            on_done: &(dyn Fn(usize) -> bool + Sync),
        ) -> Result<Vec<f32>> {
            let is_back = |(question, answer): &(&Request, &str)| {
                question.prefix == "en: " && question.suffix == "\nfr:" && *answer == " source"
            };
            assert!(pairs.iter().all(|pair| is_back(pair) || pair.0.prompt == "source"));
            (0..pairs.len()).for_each(|i| assert!(on_done(i)));
            let length = |pair: &(&Request, &str)| {
                if is_back(pair) { pair.0.prompt.len() } else { pair.1.len() }
            };
            Ok(pairs.iter().map(|pair| length(pair) as f32 - 10.0).collect())
        }

        fn generate(
            &self,
            _: &[Request],
            _: &(dyn Fn(usize, &Output) -> bool + Sync),
        ) -> Result<Vec<Output>> {
            unreachable!("nothing is written")
        }
    }

    #[test]
    fn the_best_in_both_directions_is_chosen() {
        let variant = |text: &str, score, finish| Variant {
            text: text.into(),
            ids: vec![1; text.len()],
            score,
            finish,
        };
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
        let request = |channel_weight, length_penalty, temperature| Request {
            prompt: "source".into(),
            options: DecodingOptions {
                channel_weight,
                length_penalty,
                temperature,
                ..DecodingOptions::default()
            },
            ..Request::default()
        };
        // What is drawn is asked about both ways, and the longer is always the likelier.
        let cases = [
            // It gains 2 × 0.3 and loses 0.5.
            (request(0.3, 1.0, 0.0), Finish::Stop, "three", Some((-1.5 - 5.0) / 2.0)),
            (request(0.2, 1.0, 0.0), Finish::Stop, "one", Some((-1.0 - 7.0) / 2.0)),
            // Four tokens, with the last: the sum was divided by the square root of their number.
            (request(0.2, 0.5, 0.0), Finish::Stop, "one", Some((-1.0 / 2.0 - 7.0) / 2.0)),
            (request(0.2, 1.0, 0.5), Finish::Stop, "three", Some((-4.0 - 5.0) / 2.0)),
            (request(0.3, 1.0, 0.0), Finish::Length, "one", None),
        ];
        let (fr, en) = (Lang::parse("fr").unwrap(), Lang::en());
        let back = |from: &Lang, to: &Lang| {
            Ok(Prompt { prefix: format!("{to}: "), suffix: format!("\n{from}:"), begin: None })
        };
        let requests: Vec<Request> = cases.iter().map(|case| case.0.clone()).collect();
        let mut outputs: Vec<Output> = cases.iter().map(|case| output(case.1)).collect();
        let heard = AtomicUsize::new(0);
        let one_more = || heard.fetch_add(1, Ordering::Relaxed) < 4;
        let found = choose(
            &Long,
            &requests,
            &[(&fr, &en); 5],
            &mut outputs,
            &|_, _| Severity::default(),
            &back,
            &one_more,
        )
        .unwrap();
        for ((output, found), (.., expected, likelihood)) in outputs.iter().zip(found).zip(cases) {
            assert_eq!(
                (output.text.as_str(), output.ids.len(), output.tokens),
                (expected, expected.len(), expected.len())
            );
            assert_eq!(found, likelihood, "{expected}");
        }
        assert_eq!(heard.into_inner(), 4);
    }

    #[test]
    fn the_checks_speak_first() {
        let variant = |text: &str, score| Variant {
            text: text.into(),
            ids: vec![1; text.len()],
            score,
            finish: Finish::Stop,
        };
        let output = Output {
            text: "wrong and so very long".into(),
            prompt_tokens: 7,
            tokens: 22,
            ids: vec![1; 22],
            finish: Finish::Stop,
            score: -0.1,
            variants: vec![
                variant("right", -3.0),
                variant("right, too", -3.0),
                variant("wrong, too", -0.2),
            ],
        };
        let options =
            DecodingOptions { num_beams: 4, channel_weight: 0.3, ..DecodingOptions::default() };
        let request = Request { prompt: "source".into(), options, ..Request::default() };
        let (fr, en) = (Lang::parse("fr").unwrap(), Lang::en());
        let back = |from: &Lang, to: &Lang| {
            Ok(Prompt { prefix: format!("{to}: "), suffix: format!("\n{from}:"), begin: None })
        };
        // The longest of those that are least flawed, be it one or two or all.
        for (flawed, expected) in
            [("wrong", "right, too"), ("o", "right"), ("x", "wrong and so very long")]
        {
            let flaws = |number: usize, text: &str| {
                assert_eq!(number, 0);
                Severity::of(if text.contains(flawed) { &[Problem::Number] } else { &[] })
            };
            let mut outputs = [output.clone()];
            choose(
                &Long,
                std::slice::from_ref(&request),
                &[(&fr, &en)],
                &mut outputs,
                &flaws,
                &back,
                &|| true,
            )
            .unwrap();
            assert_eq!(outputs[0].text, expected);
        }
    }
}
