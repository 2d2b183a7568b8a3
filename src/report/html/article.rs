//! One article on the report's page.

use super::blocks::blocks;
use super::details;
use super::identity::{anchor, date, version};
use super::links::{address, relative_link};
use super::sentences::{both, sentences};
use super::state::State;
use crate::languages;
use crate::report::markdown::{body, source_title, title};
use crate::report::words::{self, Quote, Remark, counted};
use crate::types::{Lang, Record, SegmentRecord, Status, SummaryRecord};
use maud::{Markup, html};

/// Complaints that are listed above the text; all of them stand in it.
const MOST_LISTED: usize = 8;

/// What a page needs to show an article, and what it can be found and sorted by.
pub(super) struct Entry<'a> {
    record: &'a Record,
    anchor: String,
    state: State,
    /// What leads from its page to the output folder: nothing, or `../`.
    up: &'static str,
}

impl<'a> Entry<'a> {
    pub(super) fn of(record: &'a Record, up: &'static str) -> Self {
        Entry { record, anchor: anchor(record), state: State::of(record), up }
    }

    /// The article as an element of the page. What is folded is in a `noscript`: readers without
    /// scripts have it open, and for all others it costs nothing until they ask for it. There are
    /// no line breaks between its elements, as each would be a node of the page.
    pub(super) fn whole(&self) -> Markup {
        let record = self.record;
        let (resolved, doubts): (Vec<_>, Vec<_>) =
            words::remarks(record).into_iter().partition(|remark| remark.dealt_with);
        self.element(
            html! {
                h2 { bdi lang=[self.title_language()] { (title(record)) } }
                (self.source_title()) (self.place(true))
                @if let Some(error) = &record.error {
                    p class="error" dir="auto" { (error.message) }
                }
                div.look {
                    @if let Some(summary) = &record.summary { (self.summary(summary)) }
                    (self.remarks("doubts", &doubts))
                }
                (self.text())
                details.facts {
                    summary { "Details" }
                    noscript {
                        (details::facts(record, self.up)) (details::removed(record))
                        (self.remarks("dealt", &resolved))
                    }
                }
            },
            "",
        )
    }

    /// The article as a line of a list, which leads to its place on another page.
    pub(super) fn line(&self, page: &str) -> Markup {
        let link = format!("{page}#{}", self.anchor);
        let heading = html! {
            h2 { a href=(link) { bdi lang=[self.title_language()] { (title(self.record)) } } }
            (self.source_title()) (self.place(false))
        };
        self.element(heading, " line")
    }

    fn element(&self, content: Markup, class: &str) -> Markup {
        let record = self.record;
        let confidence = record.checks.confidence.map(|share| format!("{share:.3}"));
        let doubts = record.checks.flagged.chunk_by(|a, b| a.segment == b.segment).count();
        html! {
            article id=(self.anchor) class={ (self.state.name()) (class) }
                data-state=(self.state.name()) data-lang=(record.language.code.as_str())
                data-to=(self.result_language().as_str()) data-version=(version(record))
                data-date=[date(record)] data-confidence=[confidence]
                data-doubts=[(doubts > 0).then_some(doubts)] {
                (content)
            }
            "\n"
        }
    }

    fn source_title(&self) -> Markup {
        html! {
            @if let Some(source) = source_title(self.record) {
                p class="was" dir="auto" lang=[known(&self.record.language.code)] { (source) }
            }
        }
    }

    fn title_language(&self) -> Option<&str> {
        let title = self.record.title.as_ref()?;
        known(match title.translation {
            Some(_) => self.result_language(),
            None => &self.record.language.code,
        })
    }

    /// Language of the results.
    fn result_language(&self) -> &Lang {
        let record = self.record;
        let translated = record.translation.as_ref().map(|t| &t.language);
        let summary = record.summary.as_ref().map(|s| &s.language);
        translated.or(summary).or(record.target.as_ref()).unwrap_or(&record.language.code)
    }

    /// The line below the title: languages, state, day and id, and links
    /// unless it is to be short.
    fn place(&self, is_whole: bool) -> Markup {
        let record = self.record;
        let language = &record.language.code;
        let sure = record.checks.confidence.map(words::percent);
        let file = record.output.as_deref().and_then(relative_link);
        html! {
            p.where {
                span.language {
                    @if language.is_und() { "Unknown language" } @else { (languages::name(language)) }
                    @if let Some(one) = &record.translation { " → " (languages::name(&one.language)) }
                }
                @if is_whole || self.state != State::Passed {
                    span class={ "badge " (self.state.name()) } { (self.state.label()) }
                }
                @if let (true, Some(sure)) = (is_whole, sure) { span { "confidence " (sure) } }
                @if let Some(date) = date(record) { time datetime=(date) { (date) } }
                bdi.id { (record.id) }
                @if is_whole {
                    @if let Some(url) = address(record) {
                        a.original href=(url) rel="noopener noreferrer nofollow" { "Original" }
                    }
                    @if let Some(link) = file { a.file href={ (self.up) (link) } { "Open file" } }
                }
            }
        }
    }

    /// The summary; each sentence that is supported by others leads to the first of them.
    fn summary(&self, summary: &SummaryRecord) -> Markup {
        html! {
            div.summary {
                div.gist lang=[known(&summary.language)] {
                    @if self.is_divided(summary) {
                        p dir="auto" {
                            @for (at, sentence) in summary.sentences.iter().enumerate() {
                                @if at > 0 { (gap(&summary.language)) }
                                (self.claim(&sentence.text, &sentence.support))
                            }
                        }
                    } @else { (blocks(&summary.text, &[])) }
                }
                p.how { (words::method(summary)) }
            }
        }
    }

    /// Whether the summary is just its sentences, and there is something for them to lead to.
    fn is_divided(&self, summary: &SummaryRecord) -> bool {
        let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        let parts: String = summary.sentences.iter().map(|one| letters(&one.text)).collect();
        !self.segments().is_empty() && parts == letters(&summary.text)
    }

    fn claim(&self, text: &str, support: &[usize]) -> Markup {
        let count = self.segments().len();
        let numbers: Vec<String> =
            support.iter().filter(|n| **n < count).map(usize::to_string).collect();
        html! {
            @match numbers.first() {
                Some(first) => {
                    a.claim href={ "#" (self.anchor) "-s" (first) }
                        data-support=(numbers.join(" ")) { (text) }
                }
                None => (text),
            }
        }
    }

    fn segments(&self) -> &'a [SegmentRecord] {
        self.record.segments.as_deref().unwrap_or_default()
    }

    fn remarks(&self, class: &str, remarks: &[Remark]) -> Markup {
        html! {
            @if !remarks.is_empty() {
                div class=(class) {
                    @for remark in remarks {
                        p { (remark.text) }
                        @if !remark.quotes.is_empty() { ul { (self.quotes(remark)) } }
                    }
                }
            }
        }
    }

    fn quotes(&self, remark: &Remark) -> Markup {
        let all = &remark.quotes;
        // Without segments, this is the only place that has them all.
        let most = if self.segments().is_empty() { all.len() } else { MOST_LISTED };
        let (listed, more) = all.split_at(all.len().min(most));
        html! {
            @for quote in listed { li { (self.quote(quote, remark.dealt_with)) } }
            @if !more.is_empty() {
                li { "and " (counted(more.len(), "sentence")) " more, marked in the text" }
            }
        }
    }

    /// A complaint, with the sentence and what it is a translation of.
    fn quote(&self, quote: &Quote, is_dealt_with: bool) -> Markup {
        let segment = quote.segment.filter(|_| !is_dealt_with);
        let segment = segment.and_then(|number| Some((number, self.segments().get(number)?)));
        html! {
            @match segment {
                Some((number, segment)) => {
                    @let (source, target) = both(self.record, segment);
                    a href={ "#" (self.anchor) "-s" (number) } { (quote.complaint) }
                    div.quoted {
                        @if segment.source != segment.target { (source) }
                        (target)
                    }
                }
                None => {
                    (quote.complaint)
                    @if !quote.text.is_empty() { q dir="auto" { (quote.text) } }
                }
            }
        }
    }

    /// The text: beside its source where that is known, else as it is laid out, and of an article
    /// that failed what was read of it.
    fn text(&self) -> Markup {
        let record = self.record;
        let doubtful = || record.checks.flagged.iter().map(|flag| flag.text.as_str()).collect();
        let (name, content) = if !self.segments().is_empty() {
            ("Source and translation", sentences(record, &self.anchor))
        } else if let Some(translation) = &record.translation {
            let doubtful: Vec<&str> = doubtful();
            let text = blocks(&body(record, &translation.text), &doubtful);
            let lang = known(&translation.language);
            ("Translation", html! { div class="text" lang=[lang] { (text) } })
        } else if let (Status::Failed, Some(read)) = (record.status, &record.excerpt) {
            let lang = known(&record.language.code);
            let text = blocks(read, &[]);
            ("What was read of it", html! { div class="text" lang=[lang] { (text) } })
        } else {
            return Markup::default();
        };
        html! { details.body { summary { (name) } noscript { (content) } } }
    }
}

/// Value of a `lang` attribute; `None` for an unknown language.
fn known(language: &Lang) -> Option<&str> {
    (!language.is_und()).then_some(language.as_str())
}

/// What stands between the sentences of a language.
fn gap(language: &Lang) -> &'static str {
    if matches!(language.base(), "zh" | "ja" | "yue") { "" } else { " " }
}
