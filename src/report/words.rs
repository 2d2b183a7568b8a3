//! What the checks found, in words for people.

use crate::types::{Flag, Problem, Record, Status, SummaryMethod, SummaryRecord};

/// Longest quotation of a sentence in a remark, in characters.
const QUOTED: usize = 240;

/// Below this, a detected language is told to be a guess.
const SURE: f32 = 0.5;

/// A remark, and the sentences that it is about.
pub(super) struct Remark {
    pub(super) text: String,
    pub(super) quotes: Vec<Quote>,
    /// Whether the result is free of it already.
    pub(super) dealt_with: bool,
}

/// A sentence that is complained of.
pub(super) struct Quote {
    /// `Sentence 3: a number differs from the source`.
    pub(super) complaint: String,
    /// The sentence, or its start.
    pub(super) text: String,
}

/// All that a reader of the result has to know about it; empty when there is nothing to complain of.
pub(super) fn remarks(record: &Record) -> Vec<Remark> {
    let mut remarks = Vec::new();
    let mut plain = |text: String| remarks.push(Remark { text, quotes: Vec::new(), dealt_with: false });
    if record.stats.truncated || record.stats.read_tokens < record.stats.source_tokens {
        let (read, all) = (number(record.stats.read_tokens), number(record.stats.source_tokens));
        plain(format!("Part of the article was left out: the models read {read} of its {all} tokens."));
    }
    if record.status == Status::Ok && record.language.code.is_und() {
        plain("The language of the article was not recognized.".into());
    } else if record.status == Status::Ok && record.language.confidence < SURE {
        plain(format!("The language of the article is a guess: {} ({}).", record.language.code, percent(record.language.confidence)));
    }
    let flagged = by_sentence(&record.checks.flagged, record.title.is_some());
    if !flagged.is_empty() {
        let text = format!("{} of the translation may be wrong:", sentences(flagged.len()));
        remarks.push(Remark { text, quotes: flagged, dealt_with: false });
    }
    let rejected = by_sentence(&record.checks.rejected, record.title.is_some());
    if !rejected.is_empty() {
        let text =
            format!("{} of the model's summary failed a check and {} replaced or left out:", sentences(rejected.len()), be(rejected.len()));
        remarks.push(Remark { text, quotes: rejected, dealt_with: true });
    }
    remarks
}

/// Whether a reader should look twice.
pub(super) fn is_doubtful(record: &Record) -> bool {
    record.status == Status::Ok && remarks(record).iter().any(|remark| !remark.dealt_with)
}

/// Flags of one sentence are one complaint.
fn by_sentence(flags: &[Flag], has_title: bool) -> Vec<Quote> {
    // Segments are numbered from 0, and the title is the first where there is one.
    let name = |segment: usize| match segment + usize::from(!has_title) {
        0 => "Title".to_string(),
        n => format!("Sentence {n}"),
    };
    let mut order: Vec<&Flag> = flags.iter().collect();
    order.sort_by_key(|f| f.segment);
    order
        .chunk_by(|a, b| a.segment == b.segment && a.text == b.text)
        .map(|same| {
            let mut problems: Vec<&str> = same.iter().map(|f| problem(f.problem)).collect();
            problems.dedup();
            Quote { complaint: format!("{}: {}", name(same[0].segment), problems.join("; ")), text: shorten(&same[0].text) }
        })
        .collect()
}

fn problem(problem: Problem) -> &'static str {
    match problem {
        Problem::Empty => "nothing was written for it",
        Problem::Repetition => "it repeats itself",
        Problem::Copy => "it was left untranslated",
        Problem::WrongLanguage => "it is not in the language asked for",
        Problem::TooShort => "it is much shorter than its source, so something may be missing",
        Problem::TooLong => "it is much longer than its source, so something may have been made up",
        Problem::CutOff => "it stops before its end",
        Problem::Number => "a number differs from the source",
        Problem::Currency => "an amount is in another currency than in the source",
        Problem::Name => "it has a name that the source does not have",
        Problem::Protected => "a link, an address, code or a placeholder of the source is missing",
        Problem::Unsupported => "nothing in the article supports it",
    }
}

/// How the summary came about.
pub(super) fn method(summary: &SummaryRecord) -> String {
    let model = summary.model.as_deref().unwrap_or("a model");
    match summary.method {
        SummaryMethod::Abstractive => format!("Written by {model} and checked against the article."),
        SummaryMethod::Extractive => "Sentences chosen from the article; none is newly written.".into(),
        SummaryMethod::Mixed => format!("Partly written by {model} and checked against the article, partly sentences chosen from it."),
    }
}

/// `1 sentence`, `3 sentences`.
fn sentences(count: usize) -> String {
    if count == 1 { "1 sentence".into() } else { format!("{} sentences", number(count)) }
}

fn be(count: usize) -> &'static str {
    if count == 1 { "was" } else { "were" }
}

/// With commas between thousands.
pub(super) fn number(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A share as people say it.
pub(super) fn percent(share: f32) -> String {
    format!("{:.0}%", (share * 100.0).clamp(0.0, 100.0))
}

/// On one line.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn shorten(text: &str) -> String {
    let line = one_line(text);
    match line.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_of_one_sentence_are_one_complaint() {
        let mut record = crate::report::samples::records().remove(0);
        let flag = |segment, problem| Flag { problem, segment, text: format!("Text {segment}.") };
        record.checks.flagged = vec![flag(4, Problem::Number), flag(2, Problem::Copy), flag(4, Problem::Name)];
        record.checks.rejected = vec![flag(0, Problem::Repetition)];
        let remarks = remarks(&record);
        assert_eq!(remarks[0].text, "2 sentences of the translation may be wrong:");
        assert_eq!(
            remarks[0].quotes[1].complaint,
            "Sentence 4: a number differs from the source; it has a name that the source does not have"
        );
        assert_eq!(remarks[1].text, "1 sentence of the model's summary failed a check and was replaced or left out:");
        assert!(is_doubtful(&record));
    }

    #[test]
    fn what_was_left_out_is_said() {
        let mut record = crate::report::samples::records().remove(0);
        record.checks = Default::default();
        assert!(remarks(&record).is_empty() && !is_doubtful(&record));
        record.stats.source_tokens = 1_234_567;
        record.stats.read_tokens = 999;
        assert_eq!(remarks(&record)[0].text, "Part of the article was left out: the models read 999 of its 1,234,567 tokens.");
        assert!(is_doubtful(&record));
    }
}
