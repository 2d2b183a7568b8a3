//! Summaries by an instruction model, which reads the whole article and writes in its own words:
//! in one go, or part by part and then once more over what it wrote about the parts.
//!
//! Every sentence is held against the article. One that the article does not bear out is written
//! anew out of the sentences that it is nearest to; if that fails too, the article's own sentence
//! takes its place, or nothing does.

use super::abstractive::ends;
use super::answer;
use super::grounding::{Finding, Source};
use super::length::{Budget, count_words};
use super::parts::parts;
use super::{HEADLINE_WORDS, Input, LINE_WORDS, Settings, Style};
use crate::error::{Error, Result};
use crate::generate::{
    Capability, ChatTemplate, Conversation, DecodingOptions, Finish, Generate, Output, Request,
};
use crate::languages;
use crate::task::{checks, prompts};
use crate::types::{Flag, Problem, SummaryMethod, SummarySentence};
use std::ops::Range;

/// Multiply-adds a token from which on a model is trusted with a whole article: those with fewer
/// weights add and mix up facts, and are better at shortening one sentence.
const FEWEST_MACS: u64 = 900_000_000;
/// Tokens of an article, or of a part of one, that are read at once: in the middle of longer texts
/// models of this size lose the thread.
const LONGEST_READING: usize = 3000;
/// Words that are reckoned for a sentence of a summary.
const SENTENCE_WORDS: usize = 40;
/// Sentences about a part of an article, at most.
const MOST_NOTES: usize = 5;
/// Tokens that templates and instructions may take.
const INSTRUCTIONS: usize = 256;

/// An article on its way through an instruction model.
pub(super) struct Course<'a> {
    input: Input<'a>,
    settings: Settings,
    template: ChatTemplate,
    source: Source<'a>,
    stage: Stage,
    /// What the model wrote and the article bears out, in the model's order.
    pub written: Vec<SummarySentence>,
    /// What it does not bear out.
    pub rejected: Vec<Flag>,
}

/// What the next answers are about.
enum Stage {
    /// Notes on the parts of the article.
    Notes(Vec<Range<usize>>),
    /// The summary.
    Summary,
    /// Sentences that are written anew.
    Rewriting(Vec<Rejected>),
    Done,
}

/// A sentence that the article does not bear out.
struct Rejected {
    /// Its place among the summary's sentences.
    place: usize,
    text: String,
    /// The article's sentences that it is nearest to.
    support: Vec<usize>,
}

/// What the model answered.
struct Answer {
    sentences: Vec<String>,
    /// Whether the model was stopped in the last one.
    cut: bool,
}

/// The template of a model that follows instructions about a whole article, if it is one.
pub(super) fn template(generator: &dyn Generate) -> Option<&ChatTemplate> {
    let is_large = generator.macs() >= FEWEST_MACS;
    let template = generator.capabilities().iter().find_map(Capability::chat_template);
    template.filter(|_| is_large)
}

impl<'a> Course<'a> {
    /// A course and its first requests.
    ///
    /// # Errors
    /// When the template cannot be used; what the tokenizer reports.
    pub fn start(
        input: Input<'a>,
        settings: Settings,
        template: ChatTemplate,
        generator: &dyn Generate,
    ) -> Result<(Course<'a>, Vec<Request>)> {
        let source = Source::new(input.sentences, input.language);
        let mut course = Course {
            input,
            settings,
            template,
            source,
            stage: Stage::Done,
            written: Vec::new(),
            rejected: Vec::new(),
        };
        let room = generator.context_length().saturating_sub(INSTRUCTIONS);
        let title = course.titled("");
        let room = room.saturating_sub(generator.count_tokens(&title)?);
        // As much again is left for what is written, if the context is small.
        let limit = LONGEST_READING.min(room * 3 / 4).max(1);
        let parts = parts(input.sentences, input.language, generator, limit)?;
        let requests = match parts.as_slice() {
            [(text, _)] => {
                course.stage = Stage::Summary;
                vec![course.summary(
                    &prompts::summarize().article,
                    &course.titled(text),
                    generator,
                )?]
            }
            _ => {
                let notes = (limit / parts.len().max(1) / SENTENCE_WORDS).clamp(1, MOST_NOTES);
                let asked =
                    |(text, _): &(String, Range<usize>)| course.note(text, notes, generator);
                let requests = parts.iter().map(asked).collect::<Result<Vec<_>>>()?;
                course.stage = Stage::Notes(parts.into_iter().map(|(_, range)| range).collect());
                requests
            }
        };
        Ok((course, requests))
    }

    /// Takes the answers to the last requests, and gives the next ones; none when it is done.
    ///
    /// # Errors
    /// As [`Course::start`].
    pub fn answer(&mut self, outputs: &[Output], generator: &dyn Generate) -> Result<Vec<Request>> {
        match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Notes(parts) => {
                let notes = self.notes(outputs, &parts);
                let notes = self.fitting(notes, generator)?;
                if notes.is_empty() {
                    return Ok(Vec::new());
                }
                self.stage = Stage::Summary;
                let text = self.titled(&notes.join("\n"));
                Ok(vec![self.summary(&prompts::summarize().merge, &text, generator)?])
            }
            Stage::Summary => {
                let again = outputs.first().map_or_else(Vec::new, |output| self.judge(output));
                let requests = again
                    .iter()
                    .map(|rejected| self.rewriting(rejected, generator))
                    .collect::<Result<Vec<_>>>()?;
                if !again.is_empty() {
                    self.stage = Stage::Rewriting(again);
                }
                Ok(requests)
            }
            Stage::Rewriting(rejected) => {
                self.repair(rejected, outputs);
                Ok(Vec::new())
            }
            Stage::Done => Ok(Vec::new()),
        }
    }

    /// A text with the article's title before it.
    fn titled(&self, text: &str) -> String {
        match self.input.title.map(str::trim).filter(|title| !title.is_empty()) {
            Some(title) => format!("{title}\n\n{text}"),
            None => text.to_owned(),
        }
    }

    /// The request for the summary itself, of what the instruction says that it reads.
    fn summary(&self, instruction: &str, text: &str, generator: &dyn Generate) -> Result<Request> {
        let words = prompts::summarize();
        let number = |text: &str, n: usize| text.replace("{n}", &n.to_string());
        let (length, words) =
            match (self.settings.style, self.settings.length.budget(self.input.sentences)) {
                (Style::Headline, _) => {
                    let instruction = number(&words.headline, HEADLINE_WORDS);
                    return self.request(&instruction, text, HEADLINE_WORDS * 2, generator);
                }
                (Style::Line, _) => (number(&words.line, LINE_WORDS), LINE_WORDS * 2),
                (_, Budget::Sentences(1)) => (words.sentence.clone(), SENTENCE_WORDS * 2),
                (_, Budget::Sentences(n)) => {
                    (number(&words.sentences, n), n.saturating_mul(SENTENCE_WORDS))
                }
                (_, Budget::Words(n)) => (number(&words.words, n), n.saturating_mul(2)),
            };
        self.request(&instruction.replace("{length}", &length), text, words, generator)
    }

    /// The request for so many sentences about a part.
    fn note(&self, text: &str, sentences: usize, generator: &dyn Generate) -> Result<Request> {
        let words = prompts::summarize();
        let length = match sentences {
            1 => words.sentence.clone(),
            n => words.sentences.replace("{n}", &n.to_string()),
        };
        let instruction = words.part.replace("{length}", &length);
        self.request(&instruction, &self.titled(text), sentences * SENTENCE_WORDS, generator)
    }

    /// The request to write a sentence anew out of its sources.
    fn rewriting(&self, rejected: &Rejected, generator: &dyn Generate) -> Result<Request> {
        let sources: Vec<&str> =
            rejected.support.iter().map(|&i| self.input.sentences[i].trim()).collect();
        let text = format!("{}\n\n{}", sources.join("\n"), rejected.text);
        let words = count_words(&rejected.text).max(SENTENCE_WORDS);
        self.request(&prompts::summarize().rewrite, &text, words * 2, generator)
    }

    /// A request with an instruction before a text, for about so many words.
    fn request(
        &self,
        instruction: &str,
        text: &str,
        words: usize,
        generator: &dyn Generate,
    ) -> Result<Request> {
        let instruction = instruction.replace("{language}", languages::name(self.input.language));
        let conversation = Conversation {
            system: Some(&prompts::summarize().system),
            instruction: &instruction,
            ..Conversation::default()
        };
        let around = self.template.render(&conversation);
        let around = around.map_err(|why| Error::model(generator.id(), why))?;
        // A word has as many tokens as in the article.
        let (tokens, all) = (generator.count_tokens(text)?, count_words(text).max(1));
        let room = generator.context_length().saturating_sub(tokens + INSTRUCTIONS).max(1);
        let options = DecodingOptions {
            max_tokens: words.saturating_mul(tokens.div_ceil(all).max(1)).min(room),
            scored: false,
            seed: self.settings.seed,
            ..DecodingOptions::default()
        };
        Ok(Request {
            prefix: around.prefix,
            prompt: text.to_owned(),
            suffix: around.suffix,
            options: self.settings.decoding.apply(options),
            ..Request::default()
        })
    }

    /// What was written about each part and is borne out by it, by parts.
    fn notes(&self, outputs: &[Output], parts: &[Range<usize>]) -> Vec<Vec<String>> {
        let of = |(output, part): (&Output, &Range<usize>)| {
            let source = Source::new(&self.input.sentences[part.clone()], self.input.language);
            let Answer { sentences, cut } = self.read(output);
            let last = sentences.len().saturating_sub(1);
            let holds = |(n, text): &(usize, String)| {
                source.examine(text, cut && *n == last).problem.is_none()
            };
            sentences.into_iter().enumerate().filter(holds).map(|(_, text)| text).collect()
        };
        outputs.iter().zip(parts).map(of).collect()
    }

    /// The notes in order, as many as are read at once: the first of each part before the second of
    /// any.
    fn fitting(&self, notes: Vec<Vec<String>>, generator: &dyn Generate) -> Result<Vec<String>> {
        let limit = LONGEST_READING.min(generator.context_length() / 2);
        let longest = notes.iter().map(Vec::len).max().unwrap_or(0);
        let (mut taken, mut size) = (Vec::new(), 0);
        for number in 0..longest {
            for (part, notes) in notes.iter().enumerate() {
                let Some(note) = notes.get(number) else { continue };
                size += generator.count_tokens(note)? + 1;
                if size <= limit {
                    taken.push((part, number, note.clone()));
                }
            }
        }
        taken.sort();
        Ok(taken.into_iter().map(|(_, _, note)| note).collect())
    }

    /// The sentences of an answer, none where it is in another language than the article.
    fn read(&self, output: &Output) -> Answer {
        let language = self.input.language;
        let mut sentences = answer::read(&output.text, language);
        let cut = output.finish != Finish::Stop && sentences.last().is_some_and(|text| !ends(text));
        let whole = sentences.join(" ");
        if checks::is_in_other_language(&whole, self.source.whole(), language) {
            sentences.clear();
        }
        Answer { sentences, cut }
    }

    /// Takes what holds of a summary, and gives what may be written anew.
    fn judge(&mut self, output: &Output) -> Vec<Rejected> {
        let Answer { sentences, cut } = self.read(output);
        if sentences.is_empty() {
            let problem = match output.text.trim() {
                "" => Problem::Empty,
                _ => Problem::WrongLanguage,
            };
            let text = output.text.trim().to_owned();
            self.rejected.push(Flag { problem, segment: 0, text });
        }
        let (mut again, last) = (Vec::new(), sentences.len().saturating_sub(1));
        let is_headline = self.settings.style == Style::Headline;
        // What is more than was asked for does not come into the summary, right or wrong.
        let wanted = match (self.settings.style, self.settings.length.budget(self.input.sentences))
        {
            (Style::Headline | Style::Line, _) => 1,
            (_, Budget::Sentences(n)) => n,
            (_, Budget::Words(_)) => sentences.len(),
        };
        for (n, text) in sentences.into_iter().enumerate().take(wanted) {
            let Finding { support, problem } = self.source.examine(&text, cut && n == last);
            match problem {
                None => self.written.push(written(text, support)),
                Some(problem) => {
                    self.reject(problem, &support, &text);
                    let is_lost =
                        matches!(problem, Problem::Empty | Problem::CutOff | Problem::Repetition);
                    if !is_lost && !is_headline && !support.is_empty() {
                        let place = self.written.len() + again.len();
                        again.push(Rejected { place, text, support });
                    }
                }
            }
        }
        again
    }

    fn reject(&mut self, problem: Problem, support: &[usize], text: &str) {
        let segment = support.first().copied().unwrap_or(0);
        self.rejected.push(Flag { problem, segment, text: text.to_owned() });
    }

    /// Puts what was written anew in the place of what did not hold, or the article's own sentence
    /// where that does not hold either.
    fn repair(&mut self, rejected: Vec<Rejected>, outputs: &[Output]) {
        for (rejected, output) in rejected.into_iter().zip(outputs) {
            let Answer { sentences, cut } = self.read(output);
            let cut = cut && sentences.len() == 1;
            let text = sentences.into_iter().next().unwrap_or_default();
            let Finding { support, problem } = self.source.examine(&text, cut);
            let sentence = match problem {
                None => written(text, support),
                Some(_) => SummarySentence {
                    text: self.input.sentences[rejected.support[0]].trim().to_owned(),
                    support: vec![rejected.support[0]],
                    origin: SummaryMethod::Extractive,
                },
            };
            let place = rejected.place.min(self.written.len());
            self.written.insert(place, sentence);
        }
    }
}

fn written(text: String, support: Vec<usize>) -> SummarySentence {
    SummarySentence { text, support, origin: SummaryMethod::Abstractive }
}

#[cfg(test)]
mod tests {
    use super::super::{Length, Summary, finish, plan};
    use super::*;
    use crate::testing::Stub;
    use crate::types::Lang;

    const ARTICLE: [&str; 4] = [
        "The harbour of Port Ellen was closed on Sunday after a ferry with 120 passengers on board ran aground in thick fog.",
        "Nobody was hurt, and all of the passengers were brought ashore in lifeboats within three hours, the coast guard said.",
        "Two tugs from the mainland will try to pull the ferry free at high tide on Tuesday if the wind does not rise.",
        "The ferry company has promised to pay for hotels.",
    ];

    /// A model that can be trusted with an article, by what it answers to the requests in order.
    fn model(answer: impl Fn(&Request) -> String + Send + Sync + 'static) -> Stub {
        let chat = Capability::Chat(ChatTemplate::chatml());
        Stub::answering(answer).named("writer").with([chat]).of_size(FEWEST_MACS)
    }

    fn summary_of(
        sentences: &[String],
        title: Option<&str>,
        settings: Settings,
        model: &Stub,
    ) -> (Summary, Vec<Vec<Request>>) {
        let language = &Lang::en();
        let input = Input { sentences, title, language, meanings: None };
        let mut plan = plan(input, settings, Some(model)).unwrap();
        let mut rounds = Vec::new();
        while !plan.requests.is_empty() {
            rounds.push(plan.requests.clone());
            let outputs = model.generate(&plan.requests, &|_, _| true).unwrap();
            plan.answer(outputs, model).unwrap();
        }
        (finish(plan), rounds)
    }

    fn summary(
        title: Option<&str>,
        settings: Settings,
        answer: impl Fn(&Request) -> String + Send + Sync + 'static,
    ) -> (Summary, Vec<Vec<Request>>) {
        summary_of(&ARTICLE.map(str::to_owned), title, settings, &model(answer))
    }

    fn sentences(n: usize) -> Settings {
        Settings { length: Length::Sentences(n), ..Settings::default() }
    }

    #[test]
    fn the_whole_article_is_read_and_the_answer_is_the_summary() {
        let answer = "A ferry with 120 passengers ran aground off Port Ellen on Sunday. Nobody was hurt. \
                      Two tugs will try to pull it free on Tuesday.";
        let (found, rounds) = summary(Some("Ferry aground"), sentences(3), move |_| {
            format!("Here is the summary:\n\n{answer}")
        });
        let prompt = &rounds[0][0];
        assert!(prompt.prefix.ends_with("in English, in 3 sentences. Tell the news itself, not what the article is about. Write plain text without a title, a list or any comment.\n\n"));
        assert_eq!(prompt.prompt, format!("Ferry aground\n\n{}", ARTICLE.join(" ")));
        assert!(rounds.len() == 1 && rounds[0].len() == 1);
        assert_eq!((found.record.text.as_str(), found.rejected), (answer, Vec::new()));
        assert_eq!(found.record.method, SummaryMethod::Abstractive);
        assert_eq!(found.record.quarters, Some([1, 1, 1, 0]));
    }

    #[test]
    fn what_does_not_hold_is_written_anew_or_replaced() {
        let first = "A ferry with 210 passengers ran aground off Port Ellen. All passengers were brought ashore in lifeboats.";
        let answer = move |again: &'static str| {
            move |request: &Request| match request.prefix.contains("not quite true") {
                true => again.to_owned(),
                false => first.to_owned(),
            }
        };
        let anew = "A ferry with 120 passengers ran aground off Port Ellen.";
        let (found, rounds) = summary(None, sentences(2), answer(anew));
        assert!(rounds.len() == 2 && rounds[1].len() == 1);
        assert_eq!(
            found.record.text,
            format!("{anew} All passengers were brought ashore in lifeboats.")
        );
        assert_eq!(found.rejected.len(), 1);
        assert_eq!((found.rejected[0].problem, found.rejected[0].segment), (Problem::Number, 0));
        // Wrong again: the article's own sentence.
        let (found, _) = summary(None, sentences(2), answer("A ferry with 310 passengers sank."));
        assert_eq!(found.record.sentences[0].text, ARTICLE[0]);
        assert_eq!(found.record.method, SummaryMethod::Mixed);
    }

    #[test]
    fn the_number_of_sentences_is_exact() {
        let (found, _) = summary(None, sentences(2), |_| ARTICLE.join(" "));
        assert_eq!(found.record.sentences.len(), 2);
        // Too few: the article's own sentences stand where the article has them.
        let last = "Two tugs will try to pull the ferry free on Tuesday.";
        let (found, _) = summary(None, sentences(3), move |_| last.into());
        let texts: Vec<&str> = found.record.sentences.iter().map(|s| s.text.as_str()).collect();
        assert!(texts.len() == 3 && texts[..2] == ARTICLE[..2] && texts[2] == last, "{texts:?}");
        // Too many words.
        let words = Settings { length: Length::Words(12), ..Settings::default() };
        let (found, _) = summary(None, words, |_| ARTICLE.join(" "));
        assert!(count_words(&found.record.text) <= 12, "{}", found.record.text);
    }

    #[test]
    fn an_answer_in_another_language_or_none_leaves_the_articles_own_sentences() {
        for answer in [
            "Eine Fähre mit 120 Fahrgästen ist am Sonntag vor Port Ellen auf Grund gelaufen, und der Hafen wurde deshalb geschlossen.",
            "",
        ] {
            let (found, rounds) = summary(None, sentences(1), move |_| answer.into());
            assert_eq!((rounds.len(), found.record.method), (1, SummaryMethod::Extractive));
            assert_eq!((found.record.model, found.rejected.len()), (None, 1));
        }
    }

    #[test]
    fn headlines_and_lines_have_their_form() {
        let of = |style| Settings { style, ..Settings::default() };
        let text = "Ferry with 120 passengers runs aground off Port Ellen";
        let (found, rounds) = summary(None, of(Style::Headline), move |_| text.into());
        assert!(rounds[0][0].prefix.contains("of at most 12 words"), "{}", rounds[0][0].prefix);
        assert_eq!(found.record.text, text);
        // The article's title is a better one.
        let (found, rounds) = summary(Some("Aground"), of(Style::Headline), move |_| text.into());
        assert!(rounds.is_empty() && found.record.text == "Aground");
        let (found, _) = summary(Some("Aground"), of(Style::Line), |_| {
            "A ferry with 120 passengers ran aground off Port Ellen on Sunday. Nobody was hurt."
                .into()
        });
        assert_eq!(
            found.record.text,
            "A ferry with 120 passengers ran aground off Port Ellen on Sunday."
        );
    }

    #[test]
    fn long_articles_are_read_in_parts_and_once_more() {
        let numbered = |n: usize| {
            format!(
                "The council of district {n} voted for bridge {n} and against all the other plans that had been made."
            )
        };
        let article: Vec<String> = (100..500).map(numbered).collect();
        let model = model(|request| match request.prefix.contains("following notes") {
            true => request.prompt.lines().rev().take(2).collect::<Vec<_>>().join(" "),
            // The first sentence of each part.
            false => format!("{}.", request.prompt.split('.').next().unwrap_or_default()),
        });
        let (found, rounds) = summary_of(&article, None, sentences(2), &model);
        assert!(rounds.len() == 2 && rounds[0].len() > 2, "{}", rounds[0].len());
        assert_eq!(rounds[1][0].prompt.lines().count(), rounds[0].len());
        assert!(
            rounds[0].iter().all(|request| request.prompt.split(' ').count() <= LONGEST_READING)
        );
        assert_eq!((found.record.sentences.len(), found.unread_tokens), (2, 0));
        assert_eq!(found.record.quarters, Some([0, 1, 1, 0]));
    }

    #[test]
    fn small_models_are_not_trusted_with_an_article() {
        let chat = || Capability::Chat(ChatTemplate::chatml());
        assert!(template(&Stub::answering(|_| "").with([chat()])).is_none());
        assert!(template(&Stub::answering(|_| "").of_size(FEWEST_MACS)).is_none());
        assert!(template(&model(|_| String::new())).is_some());
    }
}
