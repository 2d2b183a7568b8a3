//! Findings of the checks, in words for people.

use crate::types::{Flag, Problem, Record, Removal, Status, SummaryMethod, SummaryRecord, Term};

/// Longest quotation of a sentence in a remark, in characters.
const QUOTED: usize = 240;

/// Longest quotation of a sentence that is doubted as a whole: enough to find it.
const QUOTED_DOUBT: usize = 80;

/// Confidence below which a detected language is called a guess.
const SURE: f32 = 0.5;

/// A remark, with the sentences that it is about.
pub(super) struct Remark {
    pub(super) text: String,
    pub(super) quotes: Vec<Quote>,
    /// Whether the result is already free of the problem.
    pub(super) dealt_with: bool,
}

/// A sentence with a complaint.
pub(super) struct Quote {
    /// `Sentence 3: a number differs from the source`; `Sentence 3` where the remark says it.
    pub(super) complaint: String,
    /// The sentence, or its start.
    pub(super) text: String,
    /// The number of the segment that it is about, as in [`Flag::segment`].
    pub(super) segment: Option<usize>,
}

/// Remarks that a reader of the result has to know; empty when there is nothing to complain of.
pub(super) fn remarks(record: &Record) -> Vec<Remark> {
    let mut remarks = Vec::new();
    let mut plain =
        |text: String| remarks.push(Remark { text, quotes: Vec::new(), dealt_with: false });
    if record.stats.truncated || record.stats.read_tokens < record.stats.source_tokens {
        let (read, all) = (number(record.stats.read_tokens), number(record.stats.source_tokens));
        plain(format!(
            "Part of the article was left out: the models read {read} of its {all} tokens."
        ));
    }
    if record.status == Status::Ok && record.language.code.is_und() {
        plain("The language of the article was not recognized.".into());
    } else if record.status == Status::Ok && record.language.confidence < SURE {
        plain(format!(
            "The language of the article is a guess: {} ({}).",
            record.language.code,
            percent(record.language.confidence)
        ));
    }
    for note in &record.source.notes {
        let text = format!("The source {note}.");
        remarks.push(Remark { text, quotes: Vec::new(), dealt_with: true });
    }
    let is_kept = |flag: &&Flag| record.checks.untranslated.contains(&flag.segment);
    let (kept, flags): (Vec<&Flag>, Vec<&Flag>) = record.checks.flagged.iter().partition(is_kept);
    let kept = by_sentence(kept, record.title.is_some());
    if !kept.is_empty() {
        let text = format!(
            "{} {} left as in the source, for what is wrong with the translation:",
            sentences(kept.len()),
            be(kept.len())
        );
        remarks.push(Remark { text, quotes: kept, dealt_with: false });
    }
    if !record.checks.kept.is_empty() {
        let quote = |text: &String| {
            let complaint = format!("“{}”", one_line(text));
            Quote { complaint, text: String::new(), segment: None }
        };
        let quotes: Vec<Quote> = record.checks.kept.iter().map(quote).collect();
        let text = format!(
            "{} in the markup {} left as in the source:",
            counted(quotes.len(), "text"),
            be(quotes.len())
        );
        remarks.push(Remark { text, quotes, dealt_with: false });
    }
    let is_found = |flag: &&Flag| {
        flags
            .iter()
            .any(|other| other.segment == flag.segment && other.problem != Problem::Doubtful)
    };
    let (found, doubted) = flags.iter().copied().partition(is_found);
    let found = by_sentence(found, record.title.is_some());
    if !found.is_empty() {
        let text = format!("{} of the translation may be wrong:", sentences(found.len()));
        remarks.push(Remark { text, quotes: found, dealt_with: false });
    }
    let doubted = by_sentence(doubted, record.title.is_some());
    if !doubted.is_empty() {
        let (some, all) =
            (number(doubted.len()), sentences(record.checks.segments.max(doubted.len())));
        let text = format!(
            "The model itself doubts {some} of the translation's {all}, which may say something \
             else than the source:"
        );
        remarks.push(Remark { text, quotes: doubted, dealt_with: false });
    }
    let missed = missed(record);
    if !missed.is_empty() {
        let text = format!(
            "{} of the glossary could not be brought into the translation:",
            counted(missed.len(), "term")
        );
        remarks.push(Remark { text, quotes: missed, dealt_with: false });
    }
    remarks.extend(rejected(record));
    remarks
}

/// What the model wrote for the summary that the article does not bear out.
pub(super) fn rejected(record: &Record) -> Option<Remark> {
    let quotes = by_sentence(record.checks.rejected.iter().collect(), record.title.is_some());
    let text = format!(
        "{} of the model's summary failed a check and {} written anew, replaced or left out:",
        sentences(quotes.len()),
        be(quotes.len())
    );
    (!quotes.is_empty()).then_some(Remark { text, quotes, dealt_with: true })
}

/// Whether a reader of the result should look twice; `false` for a failed article, which has no
/// result.
pub fn is_doubtful(record: &Record) -> bool {
    record.status == Status::Ok && remarks(record).iter().any(|remark| !remark.dealt_with)
}

/// The terms that the translation lacks, each with its sentence.
fn missed(record: &Record) -> Vec<Quote> {
    let missed = record.translation.iter().flat_map(|translation| &translation.terms.missed);
    let quote = |term: &Term| {
        let (source, target) = (one_line(&term.source), one_line(&term.target));
        let place = term.segment.map(|segment| segment_name(segment, record.title.is_some()));
        let place = place.map(|place| format!("{place}: ")).unwrap_or_default();
        let wish = match source == target {
            true => "should have stayed as it is".into(),
            false => format!("should be “{target}”"),
        };
        let complaint = format!("{place}“{source}” {wish}");
        Quote { complaint, text: String::new(), segment: term.segment }
    };
    missed.map(quote).collect()
}

/// A segment as readers count: numbered from 0, the title is the first where there is one.
pub(super) fn segment_name(segment: usize, has_title: bool) -> String {
    match segment + usize::from(!has_title) {
        0 => "Title".to_string(),
        n => format!("Sentence {n}"),
    }
}

/// Gathers the flags of each sentence in one complaint.
fn by_sentence(mut flags: Vec<&Flag>, has_title: bool) -> Vec<Quote> {
    flags.sort_by_key(|f| f.segment);
    let quote = |same: &[&Flag]| {
        let (name, text) = (segment_name(same[0].segment, has_title), &same[0].text);
        let segment = Some(same[0].segment);
        if same.iter().all(|flag| flag.problem == Problem::Doubtful) {
            return Quote { complaint: name, text: shorten(text, QUOTED_DOUBT), segment };
        }
        let mut problems: Vec<&str> = same.iter().map(|f| problem(f.problem)).collect();
        problems.dedup();
        let complaint = format!("{name}: {}", problems.join("; "));
        Quote { complaint, text: shorten(text, QUOTED), segment }
    };
    flags.chunk_by(|a, b| a.segment == b.segment && a.text == b.text).map(quote).collect()
}

/// Problems in a line.
pub(super) fn problems(problems: &[Problem]) -> String {
    problems.iter().map(|one| problem(*one)).collect::<Vec<_>>().join("; ")
}

/// What a reader is told beside a text that a check complains of; nothing beside any other.
pub(super) fn to_check(problems: &[Problem]) -> Option<String> {
    (!problems.is_empty()).then(|| format!("to check: {}", self::problems(problems)))
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
        Problem::Unit => "a number has another unit than in the source",
        Problem::Date => "a day, a month or a time differs from the source",
        Problem::Name => "it has a name that the source does not have",
        Problem::Protected => "a link, an address, code or a placeholder of the source is missing",
        Problem::Unsupported => "nothing in the article supports it",
        Problem::Negation => "it may deny what the source affirms, or the other way round",
        Problem::Doubtful => "the model itself doubts it as a whole",
    }
}

/// Why parts of a source were left out, in words.
pub(super) fn removal(reason: Removal) -> &'static str {
    match reason {
        Removal::Advertisement => "advertisements",
        Removal::Boilerplate => "lines that stand on many pages",
        Removal::Buttons => "buttons",
        Removal::Caption => "captions and credits of pictures",
        Removal::Comments => "comments of readers",
        Removal::Details => "author, date, tags",
        Removal::Elsewhere => "text outside of the article",
        Removal::Ends => "labels and bylines before and after the text",
        Removal::Hidden => "text that the page hides",
        Removal::Links => "lists of links",
        Removal::Margin => "sidebars and footers",
        Removal::Navigation => "menus",
        Removal::Notice => "notices",
        Removal::Offer => "forms and offers",
        Removal::Related => "teasers of other articles",
        Removal::Repeated => "what the page shows twice",
        Removal::TooLong => "the end of a source that is too long",
    }
}

/// Origin of the summary, in a sentence or two.
pub(super) fn method(summary: &SummaryRecord) -> String {
    let quarters = summary.quarters.and_then(drawn_from).unwrap_or_default();
    format!("{}{quarters}", origin(summary))
}

/// The quarters of the article that a summary draws on; `None` where there is nothing to say.
fn drawn_from(quarters: [usize; 4]) -> Option<String> {
    const NAMES: [&str; 4] = ["first", "second", "third", "last"];
    let names: Vec<&str> =
        NAMES.iter().zip(quarters).filter(|(_, count)| *count > 0).map(|(name, _)| *name).collect();
    let list = match names.as_slice() {
        [] => return None,
        [one] => format!("the {one} quarter"),
        [_, _, _, _] => "all four quarters".into(),
        [before @ .., last] => format!("the {} and the {last} quarter", before.join(", the ")),
    };
    Some(format!(" It draws on {list} of the article."))
}

fn origin(summary: &SummaryRecord) -> String {
    let model = summary.model.as_deref().unwrap_or("a model");
    match summary.method {
        SummaryMethod::Abstractive => {
            format!("Written by {model} and checked against the article.")
        }
        SummaryMethod::Extractive => {
            let by = match summary.ranked_by.as_deref() {
                None | Some(SummaryRecord::BY_WORDS) => String::new(),
                Some(encoder) => format!(" by their meaning ({encoder})"),
            };
            format!("Sentences chosen from the article{by}; none is newly written.")
        }
        SummaryMethod::Mixed => format!(
            "Partly written by {model} and checked against the article, partly sentences chosen \
             from it."
        ),
    }
}

/// A number of things: `1 sentence`, `3 sentences`.
pub fn counted(count: usize, noun: &str) -> String {
    format!("{} {noun}{}", number(count), if count == 1 { "" } else { "s" })
}

fn sentences(count: usize) -> String {
    counted(count, "sentence")
}

fn be(count: usize) -> &'static str {
    if count == 1 { "was" } else { "were" }
}

/// A number with commas between thousands.
pub fn number(n: usize) -> String {
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

/// A share in percent, as people write it.
pub(super) fn percent(share: f32) -> String {
    format!("{:.0}%", (share * 100.0).clamp(0.0, 100.0))
}

/// A text on one line.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn shorten(text: &str, most: usize) -> String {
    let line = one_line(text);
    match line.char_indices().nth(most) {
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
        record.checks.flagged =
            vec![flag(4, Problem::Number), flag(2, Problem::Copy), flag(4, Problem::Name)];
        record.checks.rejected = vec![flag(0, Problem::Repetition)];
        let remarks = remarks(&record);
        assert_eq!(remarks[0].text, "2 sentences of the translation may be wrong:");
        assert_eq!(
            remarks[0].quotes[1].complaint,
            "Sentence 4: a number differs from the source; it has a name that the source does not \
             have"
        );
        assert_eq!(
            remarks[1].text,
            "1 sentence of the model's summary failed a check and was written anew, replaced or \
             left out:"
        );
        assert!(is_doubtful(&record));
    }

    #[test]
    fn terms_that_are_missed_are_told() {
        let mut record = crate::report::samples::records().remove(0);
        record.checks = Default::default();
        let term = |segment, source: &str, target: &str| Term {
            segment,
            source: source.into(),
            target: target.into(),
        };
        let terms = &mut record.translation.as_mut().unwrap().terms;
        terms.applied = vec![term(Some(1), "dog", "cão")];
        terms.missed = vec![term(Some(0), "cat", "gato"), term(Some(2), "AB-1", "AB-1")];
        let remarks = remarks(&record);
        let remark = remarks.iter().find(|remark| remark.text.contains("glossary")).unwrap();
        assert_eq!(
            remark.text,
            "2 terms of the glossary could not be brought into the translation:"
        );
        let quotes: Vec<&str> = remark.quotes.iter().map(|q| q.complaint.as_str()).collect();
        assert_eq!(
            quotes,
            ["Title: “cat” should be “gato”", "Sentence 2: “AB-1” should have stayed as it is"]
        );
        assert!(is_doubtful(&record));
    }

    #[test]
    fn doubts_have_a_remark_of_their_own() {
        let mut record = crate::report::samples::records().remove(0);
        let flag = |segment, problem| Flag {
            problem,
            segment,
            text: format!("Text {segment} {}", "and so on ".repeat(9)),
        };
        record.checks = crate::types::Checks { segments: 7, ..Default::default() };
        record.checks.flagged =
            vec![flag(3, Problem::Doubtful), flag(5, Problem::Number), flag(5, Problem::Doubtful)];
        let [found, doubted] = &remarks(&record)[..] else { panic!("two remarks") };
        assert_eq!(
            (found.text.as_str(), found.quotes.len()),
            ("1 sentence of the translation may be wrong:", 1)
        );
        assert_eq!(
            found.quotes[0].complaint,
            "Sentence 5: a number differs from the source; the model itself doubts it as a whole"
        );
        let text = "The model itself doubts 1 of the translation's 7 sentences, which may say \
            something else than the source:";
        assert_eq!(
            (doubted.text.as_str(), doubted.quotes[0].complaint.as_str()),
            (text, "Sentence 3")
        );
        assert_eq!(
            (doubted.quotes[0].text.chars().count(), doubted.quotes[0].text.chars().last()),
            (81, Some('…'))
        );
        record.checks.flagged.truncate(1);
        assert!(is_doubtful(&record));
    }

    #[test]
    fn what_stands_as_in_the_source_is_no_complaint_about_the_source() {
        let mut record = crate::report::samples::records().remove(0);
        let flag = |segment, problem, text: &str| Flag { problem, segment, text: text.into() };
        record.checks = crate::types::Checks { segments: 7, ..Default::default() };
        record.checks.flagged = vec![
            flag(3, Problem::Unsupported, "Так сказал президент."),
            flag(5, Problem::Number, "It cost 5 euros."),
        ];
        record.checks.untranslated = vec![3];
        let [kept, found] = &remarks(&record)[..] else { panic!("two remarks") };
        assert_eq!(
            kept.text,
            "1 sentence was left as in the source, for what is wrong with the translation:"
        );
        assert_eq!(kept.quotes[0].complaint, "Sentence 3: nothing in the article supports it");
        assert_eq!((found.quotes.len(), is_doubtful(&record)), (1, true));
    }

    #[test]
    fn what_was_left_out_is_said() {
        let mut record = crate::report::samples::records().remove(0);
        record.checks = Default::default();
        assert!(remarks(&record).is_empty() && !is_doubtful(&record));
        record.stats.source_tokens = 1_234_567;
        record.stats.read_tokens = 999;
        assert_eq!(
            remarks(&record)[0].text,
            "Part of the article was left out: the models read 999 of its 1,234,567 tokens."
        );
        assert!(is_doubtful(&record));
    }
}
