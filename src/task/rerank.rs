//! Reranking of a beam's translations: first those that the checks complain of least, then, by
//! reading them back, the one that is likely and makes the source likely. What a small model leaves
//! out or makes up shows when it is asked the other way round (noisy-channel reranking: Yee et al.
//! 2019; Ng et al. 2019); how likely it then holds both says how far the translation is to be
//! trusted (Fomicheva et al. 2020).

use super::checks::Severity;
use super::likelihood::{Likelihood, is_translation, mean_score};
use super::prompts::{self, Prompt};
use crate::error::Result;
use crate::generate::{DecodingOptions, Generate, Output, Request, Variant};
use crate::types::Lang;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Translations of a sentence that are read back: the likeliest ones.
pub(super) const CANDIDATES: usize = 3;

/// Whether translations are read back, and the best variant of each is chosen: by the model of the
/// other direction where there is one; of the others only the prompt of the examples can be asked
/// the other way round, which is worth its time where a beam leaves a choice.
pub(super) fn is_wanted(
    model: &dyn Generate,
    reverse: Option<&dyn Generate>,
    options: &DecodingOptions,
) -> bool {
    (reverse.is_some() || (prompts::uses_examples(model) && options.num_beams > 1))
        && options.channel_weight > 0.0
        && options.temperature == 0.0
}

/// The choice among the outputs of some requests, with what it needs to know of them.
pub(super) struct Reranker<'a> {
    pub model: &'a dyn Generate,
    /// The model that reads back.
    pub back: &'a dyn Generate,
    pub requests: &'a [Request],
    /// The languages of each request: the source's and the translation's.
    pub languages: &'a [(&'a Lang, &'a Lang)],
    /// The severity of a text's problems as the translation of a request, by the request's number.
    pub severity: &'a dyn Fn(usize, &str) -> Severity,
    /// The prompt of the model that reads back, for a pair of languages.
    pub prompt: &'a dyn Fn(&Lang, &Lang) -> Result<Prompt>,
}

/// A text whose likelihood the model is asked for.
struct Question {
    request: Request,
    text: String,
    /// Whether it is about the source, given the translation.
    is_backward: bool,
    /// Whether it is the first one about an output.
    is_first: bool,
}

/// The likelihood of a translation, given its source.
enum ForwardScore {
    /// The search's score, and the mean log-probability of a token.
    Searched { score: f32, mean: f32 },
    /// The number of the question that tells it.
    Asked(usize),
}

/// A translation that is read back.
struct Candidate {
    /// The number of its request.
    number: usize,
    /// The number of the output's variant; `None` for the output itself.
    variant: Option<usize>,
    forward: ForwardScore,
    /// The number of the question that tells the likelihood of the source, given the translation.
    backward: usize,
}

/// The best candidate of an output.
#[derive(Clone, Copy)]
struct Choice {
    variant: Option<usize>,
    total: f32,
    likelihood: Likelihood,
}

impl Reranker<'_> {
    /// Puts in the place of each output the one of its variants that is best when both directions
    /// are counted, among those that the checks complain of least. `one_more` hears of each output
    /// that is read back; `false` stops the work.
    ///
    /// For each output comes how likely what was chosen is; `None` for what did not come to its
    /// end, and is no translation.
    ///
    /// # Errors
    /// When the model fails, or cannot say how likely a text is.
    pub fn choose(
        &self,
        outputs: &mut [Output],
        one_more: &(dyn Fn() -> bool + Sync),
    ) -> Result<Vec<Option<Likelihood>>> {
        let (candidates, questions) = self.candidates(outputs)?;
        let scores = self.ask(&questions, one_more)?;
        let mut choices = self.choices(outputs.len(), &candidates, &scores);
        self.find_what_says_nothing(&mut choices)?;
        for (output, choice) in outputs.iter_mut().zip(&choices) {
            if let Some(Choice { variant: Some(at), .. }) = *choice {
                let Variant { text, ids, score, .. } = output.variants.swap_remove(at);
                output.variants.clear();
                (output.text, output.tokens, output.ids, output.score) =
                    (text, ids.len(), ids, score);
            }
        }
        Ok(choices.into_iter().map(|choice| choice.map(|choice| choice.likelihood)).collect())
    }

    /// The answers to some questions: of the model, or of the one that reads back.
    fn ask(
        &self,
        questions: &[Question],
        one_more: &(dyn Fn() -> bool + Sync),
    ) -> Result<Vec<f32>> {
        let mut scores = vec![0.0; questions.len()];
        for (model, is_backward) in [(self.model, false), (self.back, true)] {
            let own = questions.iter().enumerate().filter(|(_, q)| q.is_backward == is_backward);
            let (numbers, pairs): (Vec<usize>, Vec<(&Request, &str)>) =
                own.map(|(number, q)| (number, (&q.request, q.text.as_str()))).unzip();
            if pairs.is_empty() {
                continue;
            }
            let on_done = |i: usize| !questions[numbers[i]].is_first || one_more();
            for (number, score) in numbers.iter().zip(model.score(&pairs, &on_done)?) {
                scores[*number] = score;
            }
        }
        Ok(scores)
    }

    /// Whether the model that reads back can read a translation and write its source.
    fn fits(&self, translation: &str, source: &str) -> bool {
        let longest = self.back.prompt_length();
        let is_short = |text: &str| self.back.count_tokens(text).is_ok_and(|n| n <= longest);
        prompts::uses_examples(self.back) || (is_short(translation) && is_short(source))
    }

    /// The translations that are read back, and what the model is asked about them.
    fn candidates(&self, outputs: &[Output]) -> Result<(Vec<Candidate>, Vec<Question>)> {
        let mut backward: HashMap<(&Lang, &Lang), Prompt> = HashMap::new();
        let (mut candidates, mut questions): (Vec<Candidate>, Vec<Question>) = Default::default();
        for (number, (output, &(from, to))) in outputs.iter().zip(self.languages).enumerate() {
            // One that is no translation is not made better by another, and another that is none is
            // no choice.
            if !is_translation(output.finish, &output.text) {
                continue;
            }
            let request = &self.requests[number];
            let prompt: &Prompt = match backward.entry((from, to)) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert((self.prompt)(to, from)?),
            };
            let mut is_first = true;
            let mut ask = |question: Question| {
                questions.push(Question { is_first: std::mem::take(&mut is_first), ..question });
                questions.len() - 1
            };
            for (variant, output) in best_checked(output, &|text| (self.severity)(number, text)) {
                if !self.fits(output.text, &request.prompt) {
                    continue;
                }
                let forward = match Question::forward(request, to, &output) {
                    Some(question) => ForwardScore::Asked(ask(question)),
                    None => ForwardScore::searched(&output, &request.options),
                };
                let backward = ask(Question::backward(prompt, request, from, output.text));
                candidates.push(Candidate { number, variant, forward, backward });
            }
        }
        Ok((candidates, questions))
    }

    /// The best candidate of each output, by the scores of the questions; the first of equals.
    fn choices(
        &self,
        outputs: usize,
        candidates: &[Candidate],
        scores: &[f32],
    ) -> Vec<Option<Choice>> {
        let mut choices: Vec<Option<Choice>> = vec![None; outputs];
        for candidate in candidates {
            let (score, mean) = match candidate.forward {
                ForwardScore::Searched { score, mean } => (score, mean),
                ForwardScore::Asked(question) => (scores[question], scores[question]),
            };
            let backward = scores[candidate.backward];
            let weight = self.requests[candidate.number].options.channel_weight;
            let total = score + weight * backward;
            let held = &mut choices[candidate.number];
            if held.is_none_or(|held| total > held.total) {
                let likelihood =
                    Likelihood { forward: mean, backward: Some(backward), says_nothing: false };
                let variant = candidate.variant;
                *held = Some(Choice { variant, total, likelihood });
            }
        }
        choices
    }

    /// Compares how likely the source is, given what was chosen, with how likely it is by itself.
    ///
    /// # Errors
    /// When the model fails, or cannot say how likely a text is.
    fn find_what_says_nothing(&self, choices: &mut [Option<Choice>]) -> Result<()> {
        /// Mean log-probability of a source's tokens from which on nobody asks: no source that
        /// was seen in tests is so likely by itself.
        const LIKELY: f32 = -1.5;
        // A translation model cannot be asked without something to translate.
        if !prompts::uses_examples(self.back) {
            return Ok(());
        }
        let mut doubted: Vec<&mut Likelihood> = Vec::new();
        let mut questions: Vec<Question> = Vec::new();
        for (number, choice) in choices.iter_mut().enumerate() {
            let Some(Choice { likelihood, .. }) = choice else { continue };
            if likelihood.backward.is_some_and(|backward| backward < LIKELY) {
                let (from, to) = self.languages[number];
                let prompt = (self.prompt)(to, from)?;
                questions.push(Question::alone(&prompt, &self.requests[number], from));
                doubted.push(likelihood);
            }
        }
        let pairs: Vec<(&Request, &str)> =
            questions.iter().map(|question| (&question.request, question.text.as_str())).collect();
        let scores = self.model.score(&pairs, &|_| true)?;
        for (likelihood, alone) in doubted.into_iter().zip(scores) {
            likelihood.says_nothing = likelihood.backward.is_some_and(|backward| backward < alone);
        }
        Ok(())
    }
}

/// An output or a variant of it.
struct Text<'a> {
    text: &'a str,
    score: f32,
    tokens: usize,
}

/// The output (`None`) and those of its variants (by number) that may take its place, as far as the
/// checks complain of none of them less.
fn best_checked<'a>(
    output: &'a Output,
    severity: &dyn Fn(&str) -> Severity,
) -> Vec<(Option<usize>, Text<'a>)> {
    let own = Text { text: &output.text, score: output.score, tokens: output.ids.len() };
    let variants = output.variants.iter().enumerate();
    let variants = variants
        .filter(|(_, v)| is_translation(v.finish, &v.text))
        .map(|(at, v)| (Some(at), Text { text: &v.text, score: v.score, tokens: v.ids.len() }));
    let all: Vec<(Severity, (Option<usize>, Text<'a>))> = std::iter::once((None, own))
        .chain(variants)
        .map(|(at, text)| (severity(text.text), (at, text)))
        .collect();
    let least = all.iter().map(|(severity, _)| *severity).min().unwrap_or_default();
    all.into_iter().filter(|(severity, _)| *severity == least).map(|(_, text)| text).collect()
}

impl ForwardScore {
    /// The score of the search.
    fn searched(output: &Text<'_>, options: &DecodingOptions) -> ForwardScore {
        let mean = mean_score(output.score, output.tokens, options);
        ForwardScore::Searched { score: output.score, mean }
    }
}

impl Question {
    /// The question how likely a text is after a request; `written` is its language.
    fn new(request: Request, written: &Lang, text: String) -> Question {
        // Nothing is chosen from them: what is not in the shortlist makes next to nothing of the
        // sum of all probabilities.
        let options = DecodingOptions {
            language: Some(written.clone()),
            shortlist: true,
            ..DecodingOptions::default()
        };
        Question {
            request: Request { options, ..request },
            text,
            is_backward: false,
            is_first: false,
        }
    }

    /// The question how likely the translation is, given the source: of what was sampled, from
    /// other probabilities than the model's own. Its end counts, as it does in a beam.
    fn forward(request: &Request, to: &Lang, output: &Text<'_>) -> Option<Question> {
        let end = request.options.stop.first().map_or("", String::as_str);
        let text = format!(" {}{end}", output.text.trim());
        let is_drawn = request.options.temperature > 0.0;
        is_drawn.then(|| Question::new(request.clone(), to, text))
    }

    /// The question how likely the source is, given the translation.
    fn backward(prompt: &Prompt, request: &Request, from: &Lang, translation: &str) -> Question {
        let question = Request {
            prefix: prompt.prefix.clone(),
            prompt: translation.trim().into(),
            suffix: prompt.suffix.clone(),
            begin: prompt.begin.clone(),
            ..Request::default()
        };
        // A language model goes on after the suffix.
        let space = if prompt.is_open_ended { " " } else { "" };
        let text = format!("{space}{}", request.prompt);
        Question { is_backward: true, ..Question::new(question, from, text) }
    }

    /// The question how likely the source is by itself, as a text in its language.
    fn alone(prompt: &Prompt, request: &Request, from: &Lang) -> Question {
        let suffix = prompt.suffix.trim_start().into();
        let question = Request { suffix, ..Request::default() };
        Question::new(question, from, format!(" {}", request.prompt))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::Finish;
    use crate::testing::Stub;
    use crate::types::Problem;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// A model that holds a source the likelier the longer the translation is that it reads.
    fn long() -> Stub {
        Stub::answering(|_| -> &str { unreachable!("nothing is written") }).scoring(
            |question, answer| {
                let is_back =
                    question.prefix == "en: " && question.suffix == "\nfr:" && answer == " source";
                if question.prompt.is_empty() {
                    // How likely the source is by itself.
                    assert_eq!((question.suffix.as_str(), answer), ("fr:", " source"));
                    return -6.0;
                }
                assert!(is_back || question.prompt == "source");
                let length = if is_back { question.prompt.len() } else { answer.len() };
                length as f32 - 10.0
            },
        )
    }

    /// The prompt of a pair of languages without examples.
    fn bare(from: &Lang, to: &Lang) -> Result<Prompt> {
        let (prefix, suffix) = (format!("{from}: "), format!("\n{to}:"));
        Ok(Prompt { prefix, suffix, is_open_ended: true, ..Prompt::default() })
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
                num_beams: 2,
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
            (request(0.3, 1.0, 0.0), Finish::Stop, "three", Some((-1.5, -5.0, false))),
            (request(0.2, 1.0, 0.0), Finish::Stop, "one", Some((-1.0, -7.0, true))),
            // Four tokens, with the last: the sum was divided by the square root of their number.
            (request(0.2, 0.5, 0.0), Finish::Stop, "one", Some((-0.5, -7.0, true))),
            (request(0.2, 1.0, 0.5), Finish::Stop, "three", Some((-4.0, -5.0, false))),
            (request(0.3, 1.0, 0.0), Finish::Length, "one", None),
        ];
        let (fr, en) = (Lang::parse("fr").unwrap(), Lang::en());
        let requests: Vec<Request> = cases.iter().map(|case| case.0.clone()).collect();
        let mut outputs: Vec<Output> = cases.iter().map(|case| output(case.1)).collect();
        let heard = AtomicUsize::new(0);
        let one_more = || heard.fetch_add(1, Ordering::Relaxed) < 4;
        let reranker = Reranker {
            model: &long(),
            back: &long(),
            requests: &requests,
            languages: &[(&fr, &en); 5],
            severity: &|_, _| Severity::default(),
            prompt: &bare,
        };
        let found = reranker.choose(&mut outputs, &one_more).unwrap();
        for ((output, found), (.., expected, likelihood)) in outputs.iter().zip(found).zip(cases) {
            assert_eq!(
                (output.text.as_str(), output.ids.len(), output.tokens),
                (expected, expected.len(), expected.len())
            );
            let found =
                found.map(|found| (found.forward, found.backward.unwrap(), found.says_nothing));
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
        // The longest of those that are least bad, be it one or two or all.
        for (flawed, expected) in
            [("wrong", "right, too"), ("o", "right"), ("x", "wrong and so very long")]
        {
            let severity = |number: usize, text: &str| {
                assert_eq!(number, 0);
                Severity::of(if text.contains(flawed) { &[Problem::Number] } else { &[] })
            };
            let mut outputs = [output.clone()];
            let reranker = Reranker {
                model: &long(),
                back: &long(),
                requests: std::slice::from_ref(&request),
                languages: &[(&fr, &en)],
                severity: &severity,
                prompt: &bare,
            };
            reranker.choose(&mut outputs, &|| true).unwrap();
            assert_eq!(outputs[0].text, expected);
        }
    }
}
