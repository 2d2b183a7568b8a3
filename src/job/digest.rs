//! The articles of an output folder by the stories that they tell.

use crate::error::{Error, Result};
use crate::io::articles::{FindOptions, ReadOptions, find, read};
use crate::io::journal::Journal;
use crate::io::write::atomic;
use crate::report;
use crate::task::digest::{self, Member, Report, Statement};
use crate::task::summarize;
use crate::text::{extract, sentences};
use crate::types::{
    BlockKind, Digest, Lang, Place, Problem, Record, SegmentRecord, Status, Story, StorySource,
    SummarySentence,
};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use std::path::Path;

/// The vectors of texts, each of length 1, in their order.
pub type Embed<'a> = &'a dyn Fn(&[&str]) -> Result<Vec<Vec<f32>>>;

/// What a digest is to be like.
#[derive(Clone, Debug)]
pub struct DigestOptions {
    /// The language of its texts: of translations into it, and of articles that are in it.
    pub language: Lang,
    /// Mean cosine from which on articles tell the same story.
    pub threshold: f32,
    /// The summaries.
    pub summary: summarize::Settings,
}

/// An article that is in a digest.
struct Article {
    source: StorySource,
    report: Report,
    /// Its file and the SHA-256 of its bytes, where the record has no more of it than a summary.
    file: Option<(String, String)>,
}

/// The digest of an output folder; `encoder` is the name of what embeds.
///
/// # Errors
/// When there is no job in the folder, none of its articles has text in the language, or the
/// encoder does not compute.
pub fn digest(
    out: &Path,
    options: &DigestOptions,
    encoder: &str,
    embed: Embed<'_>,
) -> Result<Digest> {
    let (articles, left_out) = articles(out, &options.language)?;
    if articles.is_empty() {
        let name = crate::languages::name(&options.language);
        return Err(Error::Usage(format!(
            "{} holds no article in {name} ({}), translated or not; name another language with --to",
            out.display(),
            options.language
        )));
    }
    let heads: Vec<&str> = articles.iter().flat_map(|article| article.report.head()).collect();
    let embedded = embed(&heads)?;
    let mut rest = embedded.as_slice();
    let vectors: Vec<Vec<f32>> = articles
        .iter()
        .map(|article| {
            let (own, others) = rest.split_at(article.report.head().len());
            rest = others;
            digest::vector_of(own)
        })
        .collect();
    let groups = digest::groups(&vectors, options.threshold);
    let tell = |group: &Vec<usize>| story(group, &articles, &vectors, options, embed);
    let mut stories = groups.iter().map(tell).collect::<Result<Vec<Story>>>()?;
    // The sort is stable: of equals, the story whose first article comes first.
    stories.sort_by_key(|story| Reverse((story.independent(), story.sources.len())));
    Ok(Digest { language: options.language.clone(), encoder: encoder.into(), stories, left_out })
}

/// Writes a digest into its output folder, in all its forms; returns their names.
///
/// # Errors
/// When a file cannot be written.
pub fn write_digest(out: &Path, digest: &Digest) -> Result<Vec<&'static str>> {
    let json = serde_json::to_string_pretty(digest)
        .map_err(|e| Error::io("writing", out.join("digest.json"))(e.into()))?;
    let forms = [
        ("digest.md", report::digest_markdown(digest)),
        ("digest.json", json + "\n"),
        ("digest.html", report::digest_page(digest)),
    ];
    for (name, text) in &forms {
        atomic(&out.join(name), text.as_bytes())?;
    }
    Ok(forms.into_iter().map(|(name, _)| name).collect())
}

/// The articles that have text in a language, in the order of the journal, and how many have none.
fn articles(out: &Path, language: &Lang) -> Result<(Vec<Article>, usize)> {
    let journal = Journal::look(out)?;
    let (mut articles, mut met, mut with_text) = (Vec::new(), HashSet::new(), HashSet::new());
    for record in journal.records()? {
        let record = record?;
        met.insert(record.id.clone());
        if with_text.contains(&record.id) {
            continue;
        }
        if let Some(report) = in_record(&record, language) {
            with_text.insert(record.id.clone());
            let is_whole = record.translation.is_some();
            let is_own = record.language.code.same_base(language);
            let file = (record.source.path.clone(), record.source.sha256.clone());
            let file = (!is_whole && is_own).then_some(file);
            articles.push(Article { source: source(&record, &report), report, file });
        }
    }
    read_again(&mut articles, language);
    Ok((articles, met.len() - with_text.len()))
}

/// Reads articles that are in the language of the digest from their files, where these are still
/// there, seen from the current folder, and what they were. Of others the summary has to do.
fn read_again(articles: &mut [Article], language: &Lang) {
    let mut wanted: BTreeMap<String, HashMap<String, Vec<usize>>> = BTreeMap::new();
    for (number, article) in articles.iter().enumerate() {
        if let Some((path, sha256)) = &article.file {
            let file = wanted.entry(path.clone()).or_default();
            file.entry(sha256.clone()).or_default().push(number);
        }
    }
    for (path, wanted) in wanted.iter().filter(|(path, _)| Path::new(path).is_file()) {
        let Ok(found) = find(&[path.into()], &FindOptions::default()) else { continue };
        let raw = found.files.iter().flat_map(|file| read(file, &ReadOptions::default())).flatten();
        for raw in raw {
            let Some(numbers) = wanted.get(&raw.source.sha256) else { continue };
            let Ok(article) = extract::extract(&raw) else { continue };
            let is_prose = |kind| matches!(kind, BlockKind::Paragraph | BlockKind::Item);
            let prose = article.blocks.iter().filter(|block| is_prose(block.kind));
            let split = prose.flat_map(|block| sentences::split(&block.text, language));
            let sentences: Vec<Statement> = split.map(|sentence| sentence.text.into()).collect();
            if !sentences.is_empty() {
                let report = Report { title: article.title.map(Statement::from), sentences };
                numbers.iter().for_each(|&number| articles[number].report = report.clone());
            }
        }
    }
}

/// Title and sentences of an article in a language, those apart that were left as in the source. Of
/// one that was in it from the beginning, the record has no more than the summary.
fn in_record(record: &Record, language: &Lang) -> Option<Report> {
    if record.status == Status::Failed {
        return None;
    }
    let title = record.title.as_ref();
    let translated = title.and_then(|title| title.translation.clone());
    let report = match &record.translation {
        Some(translation) if translation.language.same_base(language) => Report {
            title: translated.and_then(|title| translated_title(record, title)),
            sentences: match &record.segments {
                Some(segments) => of_segments(segments),
                None => of_text(&translation.text, language, record),
            },
        },
        _ => {
            let summary = record.summary.as_ref()?;
            if !summary.language.same_base(language) {
                return None;
            }
            let is_own = record.language.code.same_base(language);
            let translated = translated.and_then(|title| translated_title(record, title));
            let own = title.filter(|_| is_own).map(|title| title.source.clone().into());
            Report { title: translated.or(own), sentences: of_summary(&summary.sentences, record) }
        }
    };
    let has_text = report.sentences.iter().any(|sentence| !sentence.text.trim().is_empty());
    has_text.then_some(report)
}

/// A translated title; none where the source stands in its place.
fn translated_title(record: &Record, text: String) -> Option<Statement> {
    let is_source = record.title.as_ref().is_some_and(|title| title.source == text);
    let flagged = record.checks.flagged.iter().filter(|flag| flag.segment == 0);
    let problems: Vec<Problem> = match &record.segments {
        Some(segments) => {
            let parts = segments.iter().take_while(|segment| segment.place == Place::Title);
            parts.flat_map(|part| part.problems.clone()).collect()
        }
        None => flagged.map(|flag| flag.problem).collect(),
    };
    (problems.is_empty() || !is_source).then_some(Statement { text, problems })
}

/// The prose of some segments.
fn of_segments(segments: &[SegmentRecord]) -> Vec<Statement> {
    let is_prose = |place: Place| matches!(place, Place::Paragraph(_) | Place::Item(_));
    let is_left = |one: &SegmentRecord| !one.problems.is_empty() && one.source == one.target;
    let segments = segments.iter().filter(|one| is_prose(one.place) && !is_left(one));
    let statement = |one: &SegmentRecord| Statement {
        text: one.target.clone(),
        problems: one.problems.clone(),
    };
    segments.map(statement).collect()
}

/// The sentences of a translation whose segments were not kept; the checks quote those of which
/// they complain.
fn of_text(text: &str, language: &Lang, record: &Record) -> Vec<Statement> {
    let doubts = doubts(text, record);
    let (mut statements, mut from, mut first) = (Vec::new(), 0, 0);
    for sentence in sentences::split(text, language) {
        let Some(at) = text[from..].find(&sentence.text) else { continue };
        let start = from + at;
        from = start + sentence.text.len();
        first += doubts[first..].iter().take_while(|doubt| doubt.place.end <= start).count();
        let within = || doubts[first..].iter().take_while(|doubt| doubt.place.start < from);
        if within().all(|doubt| !doubt.is_left) {
            let problems = within().flat_map(|doubt| doubt.problems.iter().copied()).collect();
            statements.push(Statement { text: sentence.text, problems });
        }
    }
    statements
}

/// What the checks complain of in a part of a text.
struct Doubt {
    place: Range<usize>,
    problems: Vec<Problem>,
    /// Whether it was left as in the source.
    is_left: bool,
}

/// The doubts about the body of a translation, in order.
fn doubts(text: &str, record: &Record) -> Vec<Doubt> {
    /// Quotations that are not found in the text, as markup stands in them there, after which no
    /// more are looked for.
    const MOST_MISSES: usize = 64;
    let checks = &record.checks;
    let (mut found, mut from, mut misses) = (Vec::new(), 0, 0);
    for flags in checks.flagged.chunk_by(|a, b| a.segment == b.segment) {
        let (segment, quoted) = (flags[0].segment, flags[0].text.trim());
        let is_title = record.title.is_some() && segment == 0;
        if is_title || quoted.is_empty() || misses == MOST_MISSES {
            continue;
        }
        let Some(at) = text[from..].find(quoted) else {
            misses += 1;
            continue;
        };
        let place = from + at..from + at + quoted.len();
        from = place.end;
        let problems = flags.iter().map(|flag| flag.problem).collect();
        found.push(Doubt { place, problems, is_left: checks.untranslated.contains(&segment) });
    }
    found
}

/// The sentences of a summary, with what the checks complain of in those that support them.
fn of_summary(sentences: &[SummarySentence], record: &Record) -> Vec<Statement> {
    let checks = &record.checks;
    let is_left = |one: &&SummarySentence| {
        one.support.iter().any(|segment| checks.untranslated.contains(segment))
    };
    let statement = |one: &SummarySentence| {
        let flagged = checks.flagged.iter().filter(|flag| one.support.contains(&flag.segment));
        let mut problems: Vec<Problem> = flagged.map(|flag| flag.problem).collect();
        problems.dedup();
        Statement { text: one.text.clone(), problems }
    };
    sentences.iter().filter(|one| !is_left(one)).map(statement).collect()
}

fn source(record: &Record, report: &Report) -> StorySource {
    let extra = |name: &str| {
        let value = record.extra.get(name)?.as_str()?.trim();
        (!value.is_empty()).then(|| value.to_string())
    };
    StorySource {
        id: record.id.clone(),
        title: report::title(record),
        title_problems: report.title.as_ref().map_or_else(Vec::new, |title| title.problems.clone()),
        language: record.language.code.clone(),
        published: extra("published"),
        site: extra("site"),
        output: record.output.clone(),
        copy_of: None,
    }
}

fn story(
    group: &[usize],
    articles: &[Article],
    vectors: &[Vec<f32>],
    options: &DigestOptions,
    embed: Embed<'_>,
) -> Result<Story> {
    let reports: Vec<&Report> = group.iter().map(|&number| &articles[number].report).collect();
    let texts = reports.iter().flat_map(|report| &report.sentences).map(AsRef::as_ref);
    // Of one article alone there is nothing to compare.
    let embedded = match group.len() {
        1 => Vec::new(),
        _ => embed(&texts.collect::<Vec<_>>())?,
    };
    let mut rest = embedded.as_slice();
    let member = |(&number, report): (&usize, &&'_ Report)| {
        let (sentences, others) = rest.split_at(report.sentences.len().min(rest.len()));
        rest = others;
        (number, sentences)
    };
    let parts: Vec<(usize, &[Vec<f32>])> = group.iter().zip(&reports).map(member).collect();
    let members: Vec<Member<'_>> = parts
        .iter()
        .map(|&(number, sentences)| Member {
            report: &articles[number].report,
            vector: &vectors[number],
            sentences,
        })
        .collect();
    let told = digest::story(&members, &options.language, options.summary)?;
    let sources = group.iter().zip(&told.copy_of);
    let sources: Vec<StorySource> = sources
        .map(|(&number, &copy_of)| StorySource { copy_of, ..articles[number].source.clone() })
        .collect();
    Ok(Story {
        title: sources[told.first].title.clone(),
        title_problems: sources[told.first].title_problems.clone(),
        summary: told.summary,
        sentences: told.sentences,
        sources,
        figures: told.figures,
    })
}
