//! Summaries: the article's most telling sentences, or what a model writes where it can be trusted
//! to.
//!
//! A large instruction model and a summarization model read the article and write in their own
//! words; a small language model shortens the best sentences. What a model writes is checked
//! against the article; what fails is replaced by the article's own sentences. Without a model, and
//! in languages that a small one does not write, all sentences are the article's own. The requests
//! of many articles go through the model together: [`plan`] says what to ask, [`Plan::answer`]
//! takes the answers and says what to ask next, [`finish`] makes the summary.

mod abstractive;
mod answer;
mod faithfulness;
mod form;
mod grounding;
mod instructed;
mod length;
mod parts;
mod passages;
mod prompt;
mod select;

pub use super::extractive::Meanings;
pub use length::{Length, count_words};
pub(crate) use passages::passages;

use super::{extractive, prompts};
use crate::error::{Error, Result};
use crate::generate::{
    Capability, DecodingOptions, DecodingOverrides, Finish, Generate, Output, Request,
};
use crate::languages;
use crate::types::{Flag, Lang, Problem, SummaryMethod, SummaryRecord, SummarySentence};
use form::{ended, of_form, quoted};
use instructed::Course;
use length::Budget;
use prompt::ShortenPrompt;
use std::collections::HashMap;
use std::ops::Range;
use std::str::FromStr;

/// Most words of a headline.
const HEADLINE_WORDS: usize = 12;
/// Most words of a summary of one line.
const LINE_WORDS: usize = 25;
/// Sentences that the model is asked to shorten at most.
const MOST_REQUESTS: usize = 24;

/// The form of a summary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// Running text.
    #[default]
    Paragraph,
    /// One line a sentence, each after `- `.
    Bullets,
    /// One sentence of at most twenty-five words.
    Line,
    /// One line of at most twelve words: the title where there is one.
    Headline,
}

impl FromStr for Style {
    type Err = Error;

    /// `paragraph`, `bullets`, `line`, `headline`.
    fn from_str(text: &str) -> Result<Self> {
        match text {
            "paragraph" => Ok(Style::Paragraph),
            "bullets" => Ok(Style::Bullets),
            "line" => Ok(Style::Line),
            "headline" => Ok(Style::Headline),
            _ => Err(Error::Usage(format!(
                "style {text:?} is not known; use paragraph, bullets, line or headline"
            ))),
        }
    }
}

/// Settings of a summary.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Settings {
    /// The length.
    pub length: Length,
    /// The form.
    pub style: Style,
    /// Options in which decoding differs from the model's own.
    pub decoding: DecodingOverrides,
    /// Seed of sampling, if [`Settings::decoding`] asks for it.
    pub seed: u64,
}

/// The text to summarize.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The article's sentences in reading order.
    pub sentences: &'a [String],
    /// Its title.
    pub title: Option<&'a str>,
    /// The language of both.
    pub language: &'a Lang,
    /// What an encoder of sentences makes of them, and its name, where there is one that knows
    /// them.
    pub meanings: Option<(Meanings<'a>, &'a str)>,
}

/// The requests about an article, and what has to be known to go on with the answers.
pub struct Plan<'a> {
    /// The next requests in order; none when nothing is left to be asked.
    pub requests: Vec<Request>,
    asked: Asked<'a>,
    input: Input<'a>,
    settings: Settings,
    /// All sentences with text, the most telling first.
    ranking: Vec<usize>,
    model: Option<String>,
    /// See [`Summary::unread_tokens`].
    unread_tokens: usize,
    /// See [`Summary::output_tokens`].
    output_tokens: usize,
}

/// The subjects of the requests of a plan, with the answers where one round says it all.
enum Asked<'a> {
    /// Sentences to shorten, by number: one for each request.
    Sentences(Vec<usize>, Vec<Output>),
    /// Ranges of sentences to summarize: one for each request.
    Parts(Vec<Range<usize>>, Vec<Output>),
    /// The article as a whole.
    Article(Box<Course<'a>>),
}

/// A summary and how it came about.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// The summary itself.
    pub record: SummaryRecord,
    /// Sentences of the model that were not taken, and why; `segment` is the number of the
    /// article's sentence that it was to shorten.
    pub rejected: Vec<Flag>,
    /// Tokens that the model left out of what it was given to read, by its own count.
    pub unread_tokens: usize,
    /// Tokens that the model wrote.
    pub output_tokens: usize,
}

/// Plans the summary of an article. Every sentence of the article is weighed, however long it is;
/// the model is asked to shorten the best ones.
///
/// # Errors
/// [`Error::Input`] when the article has no text; what the tokenizer reports.
pub fn plan<'a>(
    input: Input<'a>,
    settings: Settings,
    generator: Option<&dyn Generate>,
) -> Result<Plan<'a>> {
    let Input { sentences, title, language, meanings, .. } = input;
    let meanings = meanings.map(|(meanings, _)| meanings);
    let mut ranking = extractive::rank_by_meaning(sentences, title, language, meanings);
    ranking.retain(|&i| !input.sentences[i].trim().is_empty());
    // Times of a ticker and numbers of pages say nothing, unless there is nothing else.
    let has_words = |&i: &usize| input.sentences[i].contains(char::is_alphabetic);
    if ranking.iter().any(has_words) {
        ranking.retain(has_words);
    }
    if ranking.is_empty() {
        return Err(Error::input(
            "summary",
            "expected an article with at least one sentence, found no text",
        ));
    }
    let mut plan = Plan {
        requests: Vec::new(),
        asked: Asked::Sentences(Vec::new(), Vec::new()),
        input,
        settings,
        ranking,
        model: None,
        unread_tokens: 0,
        output_tokens: 0,
    };
    if let Some(generator) = generator {
        plan.ask(generator)?;
    }
    Ok(plan)
}

impl Plan<'_> {
    /// Takes the model's answers to [`Plan::requests`], in their order, and puts the next ones in
    /// their place.
    ///
    /// # Errors
    /// What the tokenizer reports.
    pub fn answer(&mut self, outputs: Vec<Output>, generator: &dyn Generate) -> Result<()> {
        for (request, output) in self.requests.drain(..).zip(&outputs) {
            let read = output.prompt_tokens;
            self.unread_tokens += generator.count_tokens(&request.prompt)?.saturating_sub(read);
            self.output_tokens += output.tokens;
        }
        match &mut self.asked {
            Asked::Sentences(_, answers) | Asked::Parts(_, answers) => *answers = outputs,
            Asked::Article(course) => self.requests = course.answer(&outputs, generator)?,
        }
        Ok(())
    }

    /// Adds the requests to a model: to summarize the article, if it is a summarization model or
    /// one that follows instructions about whole articles, or to shorten its best sentences, if it
    /// can be told to in their language.
    fn ask(&mut self, generator: &dyn Generate) -> Result<()> {
        let Input { sentences, language, .. } = self.input;
        let summarization = generator.capabilities().iter().find_map(|c| match c {
            Capability::Summarization { prefix, options } => Some((prefix, options)),
            _ => None,
        });
        if let Some((prefix, options)) = summarization {
            self.model = Some(generator.id().to_owned());
            // The article's title is a better headline than any model's.
            if self.settings.style != Style::Headline || self.title().is_none() {
                let decoding = self.decoding(options.clone());
                let (requests, parts) =
                    abstractive::requests(sentences, language, generator, prefix, decoding)?
                        .into_iter()
                        .unzip();
                (self.requests, self.asked) = (requests, Asked::Parts(parts, Vec::new()));
            }
            return Ok(());
        }
        if let Some(template) = instructed::template(generator) {
            self.model = Some(generator.id().to_owned());
            if self.settings.style != Style::Headline || self.title().is_none() {
                let (input, template) = (self.input, template.clone());
                let (course, requests) = Course::start(input, self.settings, template, generator)?;
                (self.requests, self.asked) = (requests, Asked::Article(Box::new(course)));
            }
            return Ok(());
        }
        if !prompts::shorten().knows(language) {
            return Ok(());
        }
        let Some(prompt) = ShortenPrompt::of(generator)? else { return Ok(()) };
        self.model = Some(generator.id().to_owned());
        let mut asked = Vec::new();
        for i in self.worth_asking() {
            let request = prompt.request(sentences[i].trim(), generator, self.settings)?;
            if let Some(request) = request {
                self.requests.push(request);
                asked.push(i);
            }
        }
        self.asked = Asked::Sentences(asked, Vec::new());
        Ok(())
    }

    /// The options of a summarization model, with what is wanted otherwise.
    fn decoding(&self, options: DecodingOptions) -> DecodingOptions {
        let seed = self.settings.seed;
        let own = DecodingOptions { outputs: 1, scored: false, seed, ..options };
        self.settings.decoding.apply(own)
    }

    fn title(&self) -> Option<&str> {
        self.input.title.map(str::trim).filter(|title| !title.is_empty())
    }

    /// The length in numbers.
    fn budget(&self) -> Budget {
        self.settings.length.budget(self.input.sentences)
    }

    /// The sentences that may come into the summary.
    fn worth_asking(&self) -> Vec<usize> {
        let number = match (self.settings.style, self.budget()) {
            (Style::Headline, _) if self.title().is_some() => 0,
            (Style::Headline | Style::Line, _) => 1,
            // One in reserve, for what turns out to say the same as another.
            (_, Budget::Sentences(n)) => n.saturating_add(1),
            // News sentences have about twenty words; shortened, about fifteen.
            (_, Budget::Words(n)) => n / 12 + 2,
        };
        self.ranking.iter().copied().take(number.min(MOST_REQUESTS)).collect()
    }
}

/// The sentences of a summary by anybody, and what the article in the same language does not bear
/// out of each.
pub fn examine(summary: &str, article: &str, language: &Lang) -> Vec<(String, Option<Problem>)> {
    let sentences = passages(article, language);
    let source = grounding::Source::new(&sentences, language);
    let examined = passages(summary, language).into_iter().map(|sentence| {
        let problem = source.examine(&sentence, false).problem;
        (sentence, problem)
    });
    examined.collect()
}

/// The summary, once [`Plan::requests`] are answered.
pub fn finish(plan: Plan) -> Summary {
    let mut rejected = Vec::new();
    let sentences = match &plan.asked {
        Asked::Sentences(asked, outputs) => shortened(&plan, asked, outputs, &mut rejected),
        Asked::Parts(parts, outputs) => {
            let Input { sentences, language, .. } = plan.input;
            let written =
                abstractive::sentences_of(outputs, parts, sentences, language, &mut rejected);
            merged(&plan, written)
        }
        Asked::Article(course) => {
            rejected.clone_from(&course.rejected);
            completed(&plan, &course.written)
        }
    };
    let sentences = match plan.settings.style {
        Style::Headline | Style::Line => sentences,
        Style::Bullets => quoted(&plan, sentences),
        Style::Paragraph => quoted(&plan, ended(&plan, sentences)),
    };
    Summary {
        record: record(&plan, sentences),
        rejected,
        unread_tokens: plan.unread_tokens,
        output_tokens: plan.output_tokens,
    }
}

/// A sentence of the article as it is.
fn own(plan: &Plan, i: usize) -> SummarySentence {
    SummarySentence {
        text: plan.input.sentences[i].trim().to_owned(),
        support: vec![i],
        origin: SummaryMethod::Extractive,
    }
}

/// The best sentences, each as the model shortened it if that can be trusted.
fn shortened(
    plan: &Plan,
    asked: &[usize],
    outputs: &[Output],
    rejected: &mut Vec<Flag>,
) -> Vec<SummarySentence> {
    let mut shortened: HashMap<usize, String> = HashMap::new();
    for (&i, output) in asked.iter().zip(outputs) {
        let source = plan.input.sentences[i].trim();
        let text = output.text.trim();
        // What is hardly shorter gains nothing over the article's own words.
        if count_words(text) * 10 > count_words(source) * 9 {
            continue;
        }
        let problem = match output.finish {
            Finish::Stop => faithfulness::examine(text, source, plan.input.language),
            Finish::Length => Some(Problem::CutOff),
            Finish::Loop => Some(Problem::Repetition),
        };
        match problem {
            Some(problem) => rejected.push(Flag { problem, segment: i, text: text.to_owned() }),
            None => drop(shortened.insert(i, text.to_owned())),
        }
    }
    let candidate = |i: usize, text: Option<String>| match text {
        Some(text) => {
            SummarySentence { text, support: vec![i], origin: SummaryMethod::Abstractive }
        }
        None => own(plan, i),
    };
    let candidates: Vec<SummarySentence> =
        plan.ranking.iter().map(|&i| candidate(i, shortened.remove(&i))).collect();
    of_form(plan, candidates, plan.budget())
}

/// What a model wrote about the whole article, in its order. When it is too little, the article's
/// best sentences stand among its own where the article has them.
fn completed(plan: &Plan, written: &[SummarySentence]) -> Vec<SummarySentence> {
    let mut candidates = written.to_vec();
    candidates.extend(plan.ranking.iter().map(|&i| own(plan, i)));
    let budget = plan.budget();
    if matches!(plan.settings.style, Style::Headline | Style::Line) {
        return of_form(plan, candidates, budget);
    }
    let chosen = select::choose(candidates, budget);
    let is_whole = chosen.iter().all(|sentence| written.contains(sentence));
    if is_whole { chosen } else { select::in_order(chosen) }
}

/// One summary out of those of the parts. A summarization model knows how much it wants to say:
/// that is the medium length. When it has said too little, the article's best sentences follow.
fn merged(plan: &Plan, written: Vec<Vec<SummarySentence>>) -> Vec<SummarySentence> {
    /// Parts that each have a sentence in a summary of medium length.
    const MOST_PARTS: usize = 8;
    let longest = written.iter().map(Vec::len).max().unwrap_or(0);
    let most = longest.max(written.iter().filter(|w| !w.is_empty()).count().min(MOST_PARTS));
    // The first sentence of every part, then the second …: head and tail of a long article are both
    // heard.
    let mut candidates: Vec<SummarySentence> = Vec::new();
    for i in 0..longest {
        candidates.extend(written.iter().filter_map(|part| part.get(i)).cloned());
    }
    let total = candidates.len();
    let budget = match plan.settings.length {
        Length::Medium => Budget::Sentences(most.max(1)),
        Length::Long => Budget::Sentences(total.max(1)),
        _ => plan.budget(),
    };
    candidates.extend(plan.ranking.iter().map(|&i| own(plan, i)));
    // What is not enough to choose from is taken in the model's own order.
    of_form(plan, candidates, budget)
}

fn record(plan: &Plan, sentences: Vec<SummarySentence>) -> SummaryRecord {
    let texts: Vec<&str> = sentences.iter().map(|s| s.text.as_str()).collect();
    let text = match plan.settings.style {
        Style::Bullets => {
            texts.iter().map(|text| format!("- {text}")).collect::<Vec<_>>().join("\n")
        }
        _ => texts.join(languages::sentence_gap(plan.input.language)),
    };
    let by_model = sentences.iter().filter(|s| s.origin == SummaryMethod::Abstractive).count();
    let method = match by_model {
        0 => SummaryMethod::Extractive,
        n if n == sentences.len() => SummaryMethod::Abstractive,
        _ => SummaryMethod::Mixed,
    };
    let model = plan.model.clone().filter(|_| by_model > 0);
    let ranked_by = plan.input.meanings.map_or(SummaryRecord::BY_WORDS, |(_, encoder)| encoder);
    let language = plan.input.language.clone();
    let quarters = Some(quarters(&sentences, plan.input.sentences.len()));
    let ranked_by = Some(ranked_by.into());
    SummaryRecord { language, text, sentences, method, model, ranked_by, quarters }
}

/// See [`SummaryRecord::quarters`].
fn quarters(sentences: &[SummarySentence], all: usize) -> [usize; 4] {
    let mut quarters = [0; 4];
    for sentence in sentences {
        let mut of: Vec<usize> =
            sentence.support.iter().map(|i| (4 * i / all.max(1)).min(3)).collect();
        of.dedup();
        of.into_iter().for_each(|quarter| quarters[quarter] += 1);
    }
    quarters
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Stub;

    const ARTICLE: [&str; 5] = [
        "The harbour of Port Ellen was closed on Sunday after a ferry with 120 passengers on board ran aground in thick fog.",
        "Nobody was hurt, and all of the passengers were brought ashore in lifeboats within three hours, the coast guard said.",
        "Photo: the ferry on Sunday",
        "Two tugs from the mainland will try to pull the ferry free at high tide on Tuesday if the wind does not rise.",
        "The ferry company has promised to pay for hotels.",
    ];

    fn summary(
        settings: Settings,
        language: &str,
        title: Option<&str>,
        answers: &[&str],
    ) -> Summary {
        let sentences = ARTICLE.map(str::to_owned);
        let language = Lang::parse(language).unwrap();
        let input = Input { sentences: &sentences, title, language: &language, meanings: None };
        let shortener = Stub::answering(|_| "").named("shortener");
        let model = (!answers.is_empty()).then_some(&shortener as &dyn Generate);
        let mut plan = plan(input, settings, model).unwrap();
        if let Some(model) = model {
            plan.answer(answers.iter().map(|text| Output::of(*text)).collect(), model).unwrap();
        }
        finish(plan)
    }

    fn length(length: Length) -> Settings {
        Settings { length, ..Settings::default() }
    }

    #[test]
    fn answers_that_hold_are_taken_and_others_replaced() {
        let answers = [
            "The harbour of Port Ellen was closed after a ferry ran aground.",
            "Everybody was hurt, the police said.",
            "Two tugs will come.",
        ];
        let summary = summary(length(Length::Sentences(2)), "en", None, &answers);
        let record = &summary.record;
        assert_eq!(record.text, format!("{} {}", answers[0], ARTICLE[1]));
        assert_eq!(record.method, SummaryMethod::Mixed);
        assert_eq!(record.model.as_deref(), Some("shortener"));
        assert_eq!(record.sentences[0].support, [0]);
        assert_eq!(record.sentences[1].origin, SummaryMethod::Extractive);
        assert!(summary.rejected.iter().any(|flag| flag.segment == 1 && flag.text == answers[1]));
    }

    #[test]
    fn the_length_is_obeyed_without_a_model() {
        for n in 1..=7 {
            let record = summary(length(Length::Sentences(n)), "fr", None, &[]).record;
            assert_eq!(record.sentences.len(), n.min(ARTICLE.len()));
            assert!(
                record.sentences.is_sorted_by_key(|s| s.support[0])
                    && record.method == SummaryMethod::Extractive
                    && record.model.is_none()
            );
        }
        for n in 1..80 {
            let text = summary(length(Length::Words(n)), "fr", None, &[]).record.text;
            assert!((1..=n).contains(&count_words(&text)), "{n}: {text}");
        }
    }

    #[test]
    fn times_alone_are_no_sentences() {
        let sentences = ["12:15", "The bridge is closed.", "12:40", "Boats wait.", "13:05"];
        let (sentences, language) = (sentences.map(str::to_owned), Lang::en());
        let of = |n| {
            let language = &language;
            let input = Input { sentences: &sentences, title: None, language, meanings: None };
            let settings = length(Length::Sentences(n));
            finish(plan(input, settings, None).unwrap()).record.text
        };
        assert_eq!(of(2), "The bridge is closed. Boats wait.");
        assert!(!of(4).contains("12:15"), "{}", of(4));
    }

    #[test]
    fn items_of_lists_are_sentences_in_running_text() {
        let of = |sentences: &[&str], language: &str| {
            let sentences: Vec<String> = sentences.iter().map(|&text| text.into()).collect();
            let language = &Lang::parse(language).unwrap();
            let input = Input { sentences: &sentences, title: None, language, meanings: None };
            let settings = length(Length::Sentences(sentences.len()));
            finish(plan(input, settings, None).unwrap()).record.text
        };
        assert_eq!(
            of(
                &[
                    "The council decides today:",
                    "to close the old bridge;",
                    "“to wait for the new one”,",
                    "and to build a ferry (for bicycles)",
                    "Will it be enough?",
                ],
                "en"
            ),
            "The council decides today: to close the old bridge. “to wait for the new one”. \
             and to build a ferry (for bicycles). Will it be enough?"
        );
        assert_eq!(of(&["旧桥已经关闭", "渡船尚未到达；"], "zh"), "旧桥已经关闭。渡船尚未到达。");
        assert_eq!(
            of(&["สะพานเก่าปิดแล้ว", "เรือข้ามฟากยังไม่มา"], "th"),
            "สะพานเก่าปิดแล้ว เรือข้ามฟากยังไม่มา"
        );
        assert_eq!(
            of(&["Η γέφυρα έκλεισε;", "Τα πλοία περιμένουν"], "el"),
            "Η γέφυρα έκλεισε; Τα πλοία περιμένουν."
        );
    }

    #[test]
    fn headlines_and_bullets_have_their_form() {
        let headline = Settings { style: Style::Headline, ..Settings::default() };
        assert_eq!(
            summary(headline, "en", Some("Ferry aground off Port Ellen."), &[]).record.text,
            "Ferry aground off Port Ellen"
        );
        assert_eq!(
            summary(headline, "en", None, &["Ferry with 120 passengers runs aground"]).record.text,
            "The harbour of Port Ellen was closed on Sunday after a ferry…"
        );
        let short = summary(
            headline,
            "en",
            None,
            &["The harbour of Port Ellen was closed after a ferry ran aground."],
        );
        assert_eq!(
            short.record.text,
            "The harbour of Port Ellen was closed after a ferry ran aground"
        );
        let bullets = Settings { style: Style::Bullets, ..Settings::default() };
        let text = summary(bullets, "en", None, &[]).record.text;
        assert_eq!(
            (text.lines().count(), text.lines().all(|line| line.starts_with("- "))),
            (3, true)
        );
    }

    #[test]
    fn an_article_without_text_is_an_error() {
        let sentences = [" ".to_owned()];
        let language = &Lang::en();
        let input = Input { sentences: &sentences, title: None, language, meanings: None };
        let error = plan(input, Settings::default(), None).err().unwrap();
        assert_eq!(error.kind(), "input");
    }
}
