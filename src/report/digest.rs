//! A digest as people read it: Markdown, and a page that needs nothing else.

use super::html::{permitted, relative_link};
use super::words::{counted, one_line, to_check};
use crate::languages;
use crate::types::{Digest, Disagreement, Lang, Problem, Story, StorySentence, StorySource};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

const STYLE: &str = include_str!("digest.css");

/// The stories as Markdown: those of several sources, with their summaries, then the others in a
/// line each.
pub fn digest_markdown(digest: &Digest) -> String {
    let mut out = format!("# Digest\n\n{}\n", digest_overview(digest));
    let (several, single) = parted(digest);
    for (number, story) in several.iter().enumerate() {
        let title = one_line(&story.title);
        let _ = write!(out, "\n## {}. {title}\n\n*{}*\n", number + 1, told_by(story));
        let _ = write!(out, "\n{}\n", with_sources(story));
        if !story.figures.is_empty() {
            out.push_str("\n**The sources disagree**\n\n");
            for line in story.figures.iter().map(|figure| disagreement(story, figure)) {
                let _ = writeln!(out, "- {line}");
            }
        }
        out.push_str("\n**Sources**\n\n");
        for (number, source, copies) in numbered(story) {
            let _ = writeln!(out, "{number}. {}", linked(source));
            for copy in copies {
                let _ = writeln!(out, "   - the same text: {}", linked(copy));
            }
        }
    }
    if !single.is_empty() {
        out.push_str("\n## Told by one source\n\n");
        for story in single {
            let source = story.sources.first().map(linked).unwrap_or_default();
            let said = story.sentences.first().map(|StorySentence { text, problems, .. }| {
                let doubt = to_check(problems).map(|doubt| format!(" [{doubt}]"));
                one_line(text) + &doubt.unwrap_or_default()
            });
            let _ = writeln!(out, "- {source}: {}", said.unwrap_or_default());
        }
    }
    out
}

/// The stories that several texts tell, or that are in several places, and the others.
fn parted(digest: &Digest) -> (Vec<&Story>, Vec<&Story>) {
    digest.stories.iter().partition(|story| story.sources.len() > 1)
}

/// What there is, in a line.
pub fn digest_overview(digest: &Digest) -> String {
    let sources = || digest.stories.iter().flat_map(|story| &story.sources);
    let languages: BTreeSet<&Lang> = sources().map(|source| &source.language).collect();
    let (several, single) = parted(digest);
    let left_out = match digest.left_out {
        0 => String::new(),
        n => format!(" {} left out: no text in {}.", counted(n, "article"), digest.language),
    };
    format!(
        "{} in {}: {} told by several sources, {} by one.{left_out}",
        counted(sources().count(), "article"),
        counted(languages.len(), "language"),
        stories(several.len()),
        single.len()
    )
}

fn stories(count: usize) -> String {
    if count == 1 { "1 story".into() } else { format!("{count} stories") }
}

/// Who tells a story: `5 sources in German, French, Polish · 2 of them copies · 27 to 28 …`.
fn told_by(story: &Story) -> String {
    let languages: BTreeSet<&str> =
        story.sources.iter().map(|source| languages::name(&source.language)).collect();
    let mut parts = vec![format!(
        "{} in {}",
        counted(story.sources.len(), "source"),
        languages.into_iter().collect::<Vec<_>>().join(", ")
    )];
    let copies = story.sources.len() - story.independent();
    if copies > 0 {
        parts.push(format!("{copies} of them with the text of another"));
    }
    let days: BTreeSet<&str> = story.sources.iter().filter_map(day).collect();
    match (days.first(), days.last()) {
        (Some(first), Some(last)) if first != last => parts.push(format!("{first} to {last}")),
        (Some(day), _) => parts.push(day.to_string()),
        _ => {}
    }
    parts.extend(title_to_check(&story.title_problems));
    parts.join(" · ")
}

fn title_to_check(problems: &[Problem]) -> Option<String> {
    to_check(problems).map(|doubt| format!("title {doubt}"))
}

/// The day on which a source was published, where it says so in the usual form.
fn day(source: &StorySource) -> Option<&str> {
    let day = source.published.as_deref()?.get(..10)?;
    let is_digit = |(place, c): (usize, char)| {
        if place == 4 || place == 7 { c == '-' } else { c.is_ascii_digit() }
    };
    day.char_indices().all(is_digit).then_some(day)
}

/// The sources whose text is their own, each with its number and those that have the same.
fn numbered(story: &Story) -> Vec<(usize, &StorySource, Vec<&StorySource>)> {
    let own = story.sources.iter().enumerate().filter(|(_, source)| source.copy_of.is_none());
    let with_copies = |(number, (place, source))| {
        let copies = story.sources.iter().filter(|copy| copy.copy_of == Some(place)).collect();
        (number + 1, source, copies)
    };
    own.enumerate().map(with_copies).collect()
}

/// The number under which a source is listed.
fn number_of(story: &Story, place: usize) -> usize {
    let place = story.sources.get(place).and_then(|source| source.copy_of).unwrap_or(place);
    story.sources.iter().take(place + 1).filter(|source| source.copy_of.is_none()).count()
}

/// The summary, each sentence with the number of its source and what is to be checked of it.
fn with_sources(story: &Story) -> String {
    let told = |StorySentence { text, source, problems }: &StorySentence| {
        let number = number_of(story, *source).to_string();
        let beside: Vec<String> = std::iter::once(number).chain(to_check(problems)).collect();
        format!("{} [{}]", one_line(text), beside.join(", "))
    };
    story.sentences.iter().map(told).collect::<Vec<_>>().join(" ")
}

/// What sources say of a figure: `people: 23 [1], 25 [2, 3]`, `25 [2 to check]` where the sentence
/// that says it is doubted.
fn disagreement(story: &Story, disagreement: &Disagreement) -> String {
    let mut values: Vec<(&str, BTreeMap<usize, bool>)> = Vec::new();
    for figure in &disagreement.figures {
        let (number, is_doubted) = (number_of(story, figure.source), !figure.problems.is_empty());
        match values.iter_mut().find(|(value, _)| *value == figure.value) {
            // What one sentence says for sure, another need not.
            Some((_, numbers)) => {
                numbers.entry(number).and_modify(|all| *all &= is_doubted).or_insert(is_doubted);
            }
            None => values.push((&figure.value, BTreeMap::from([(number, is_doubted)]))),
        }
    }
    let source = |(number, is_doubted): (&usize, &bool)| match is_doubted {
        true => format!("{number} to check"),
        false => number.to_string(),
    };
    let told = |(value, numbers): &(&str, BTreeMap<usize, bool>)| {
        let numbers: Vec<String> = numbers.iter().map(source).collect();
        format!("{} [{}]", grouped(value), numbers.join(", "))
    };
    let values: Vec<String> = values.iter().map(told).collect();
    format!("{}: {}", disagreement.about, values.join(", "))
}

/// A plain decimal with commas between thousands.
fn grouped(value: &str) -> String {
    match value.parse::<usize>() {
        Ok(whole) => super::words::number(whole),
        Err(_) => value.into(),
    }
}

/// A source in a line of Markdown.
fn linked(source: &StorySource) -> String {
    let title = one_line(&source.title);
    let mut text = String::with_capacity(title.len());
    for c in title.chars() {
        if matches!(c, '[' | ']' | '\\' | '*' | '_' | '`' | '<') {
            text.push('\\');
        }
        text.push(c);
    }
    let link = source.output.as_deref().and_then(relative_link);
    let title = link.map_or_else(|| text.clone(), |link| format!("[{text}]({link})"));
    format!("{title} · {}", place(source))
}

/// Language, publisher and day of a source, its name where it has no publisher, and what is to be
/// checked of its title.
fn place(source: &StorySource) -> String {
    let language = languages::name(&source.language).to_string();
    let who = source.site.as_deref().unwrap_or(&source.id);
    let doubt = title_to_check(&source.title_problems);
    let parts = [Some(language), Some(one_line(who)), day(source).map(String::from), doubt];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// The stories as a page. Nothing on it comes from elsewhere, and nothing in the articles can
/// become markup.
pub fn digest_page(digest: &Digest) -> String {
    // Even if markup slipped through, nothing would run or be fetched.
    let policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'";
    let (several, single) = parted(digest);
    let page = html! {
        (DOCTYPE) "\n"
        html lang="en" {
            head {
                "\n" meta charset="utf-8";
                "\n" meta http-equiv="Content-Security-Policy" content=(policy);
                "\n" meta name="viewport" content="width=device-width, initial-scale=1";
                "\n" meta name="referrer" content="no-referrer";
                "\n" title { "Digest" }
                "\n" style { "\n" (PreEscaped(STYLE)) }
                "\n"
            }
            "\n"
            body {
                "\n" header { h1 { "Digest" } p { (digest_overview(digest)) } }
                "\n" main lang=(digest.language.as_str()) {
                    "\n" @for story in several { (section(story)) "\n" }
                    @if !single.is_empty() {
                        section.single {
                            "\n" h2 { "Told by one source" }
                            "\n" ul { "\n" @for story in single { (line(story)) "\n" } }
                            "\n"
                        }
                        "\n"
                    }
                }
                "\n" footer {
                    "Translations, groups and summaries were made by machine on this computer. "
                    "Check what matters against the sources."
                }
                "\n"
            }
        }
        "\n"
    };
    permitted(&page.into_string()).into_owned()
}

fn section(story: &Story) -> Markup {
    html! {
        article {
            "\n" h2 dir="auto" { (one_line(&story.title)) }
            "\n" p.where { (told_by(story)) }
            "\n" p.gist dir="auto" {
                @for sentence in &story.sentences {
                    (said(sentence)) " "
                    sup { (number_of(story, sentence.source)) } " "
                    @if let Some(doubt) = to_check(&sentence.problems) {
                        span.why { "(" (doubt) ")" } " "
                    }
                }
            }
            @if !story.figures.is_empty() {
                "\n" div.figures {
                    p { "The sources disagree" }
                    ul { @for figure in &story.figures { li { (disagreement(story, figure)) } } }
                }
            }
            "\n" ol {
                @for (_, source, copies) in numbered(story) {
                    li {
                        (anchor(source))
                        @if !copies.is_empty() {
                            ul { @for copy in copies { li { "the same text: " (anchor(copy)) } } }
                        }
                    }
                }
            }
            "\n"
        }
    }
}

/// A sentence, marked where it is to be checked.
fn said(sentence: &StorySentence) -> Markup {
    let text = one_line(&sentence.text);
    html! { @if sentence.problems.is_empty() { (text) } @else { mark { (text) } } }
}

/// A story of one source.
fn line(story: &Story) -> Markup {
    html! {
        @if let Some(source) = story.sources.first() {
            li {
                (anchor(source))
                @if let Some(sentence) = story.sentences.first() {
                    p dir="auto" {
                        (said(sentence))
                        @if let Some(doubt) = to_check(&sentence.problems) {
                            " " span.why { "(" (doubt) ")" }
                        }
                    }
                }
            }
        }
    }
}

fn anchor(source: &StorySource) -> Markup {
    let title = one_line(&source.title);
    html! {
        @match source.output.as_deref().and_then(relative_link) {
            Some(link) => { a href=(link) { bdi { (title) } } },
            None => { bdi { (title) } },
        }
        " " span.where { bdi { (place(source)) } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Figure, StorySentence};

    fn source(id: &str, code: &str, copy_of: Option<usize>) -> StorySource {
        StorySource {
            id: id.into(),
            title: format!("Ferry [aground] {id}"),
            title_problems: Vec::new(),
            language: Lang::parse(code).unwrap_or_else(Lang::en),
            published: Some("2026-11-28T06:00:00Z".into()),
            site: None,
            output: Some(format!("{id}.en.md")),
            copy_of,
        }
    }

    fn digest() -> Digest {
        let figure =
            |value: &str, source| Figure { value: value.into(), source, ..Figure::default() };
        let sentence =
            |text: &str, source| StorySentence { text: text.into(), source, problems: Vec::new() };
        let told = Story {
            title: "Ferry <b>aground</b>".into(),
            title_problems: Vec::new(),
            summary: "A ferry ran aground. Nobody was hurt.".into(),
            sentences: vec![sentence("A ferry ran aground.", 0), sentence("Nobody was hurt.", 2)],
            sources: vec![
                source("a", "fr", None),
                source("b", "de", Some(0)),
                source("c", "pt", None),
            ],
            figures: vec![Disagreement {
                about: "people".into(),
                figures: vec![figure("1200", 0), figure("1300", 2)],
            }],
        };
        let single = Story {
            title: "Rain".into(),
            title_problems: Vec::new(),
            summary: "It rained.".into(),
            sentences: vec![sentence("It rained.", 0)],
            sources: vec![source("../d", "en", None)],
            figures: Vec::new(),
        };
        let language = Lang::en();
        Digest { language, encoder: "e".into(), stories: vec![told, single], left_out: 2 }
    }

    #[test]
    fn markdown_says_who_says_what() {
        let text = digest_markdown(&digest());
        for says in [
            "4 articles in 4 languages: 1 story told by several sources, 1 by one. 2 articles left out",
            "*3 sources in French, German, Portuguese · 1 of them with the text of another · 2026-11-28*",
            "A ferry ran aground. [1] Nobody was hurt. [2]",
            "- people: 1,200 [1], 1,300 [2]",
            "1. [Ferry \\[aground\\] a](a.en.md) · French · a · 2026-11-28\n   - the same text: [Ferry",
            "2. [Ferry",
            "- Ferry \\[aground\\] ../d · English",
        ] {
            assert!(text.contains(says), "{says}\n{text}");
        }
    }

    #[test]
    fn what_the_checks_doubt_is_marked() {
        let mut digest = digest();
        let [told, single] = &mut digest.stories[..] else { panic!("two stories") };
        told.title_problems = vec![Problem::Name];
        told.sentences[1].problems = vec![Problem::Negation, Problem::Doubtful];
        told.figures[0].figures[1].problems = vec![Problem::Doubtful];
        single.sources[0].title_problems = vec![Problem::Copy];
        single.sentences[0].problems = vec![Problem::Number];
        let (text, page) = (digest_markdown(&digest), digest_page(&digest));
        let deny = "it may deny what the source affirms, or the other way round";
        let whole = "the model itself doubts it as a whole";
        let name = "title to check: it has a name that the source does not have";
        for says in [
            &format!("· 2026-11-28 · {name}*"),
            &format!("A ferry ran aground. [1] Nobody was hurt. [2, to check: {deny}; {whole}]\n"),
            "people: 1,200 [1], 1,300 [2 to check]",
            "· title to check: it was left untranslated: It rained. [to check: a number differs \
             from the source]",
        ] {
            assert!(text.contains(says), "{says}\n{text}");
        }
        for says in [
            &format!("2026-11-28 · {name}</p>"),
            &format!(
                "A ferry ran aground. <sup>1</sup> <mark>Nobody was hurt.</mark> <sup>2</sup> \
                 <span class=\"why\">(to check: {deny}; {whole})</span>"
            ),
            "people: 1,200 [1], 1,300 [2 to check]",
            "<mark>It rained.</mark> <span class=\"why\">(to check: a number differs from the \
             source)</span>",
        ] {
            assert!(page.contains(says), "{says}\n{page}");
        }
    }

    #[test]
    fn the_page_is_of_its_templates_alone() {
        let page = digest_page(&digest());
        assert!(!page.contains("<b>") && !page.contains("<script") && !page.contains("../d.en"));
        assert!(page.contains("Ferry &lt;b&gt;aground&lt;/b&gt;"));
        assert!(page.contains("href=\"a.en.md\""));
    }
}
