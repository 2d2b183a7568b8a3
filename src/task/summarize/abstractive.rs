//! Summaries by a summarization model, which reads the article itself: in parts, if it is longer
//! than the model reads at once. What the model writes is checked against the part that it read.

use super::grounding::{Finding, Source};
use super::parts::parts;
use crate::error::Result;
use crate::generate::{DecodingOptions, Finish, Generate, Output, Request};
use crate::text::sentences;
use crate::types::{Flag, Lang, SummaryMethod, SummarySentence};
use std::ops::Range;

/// The article in parts that the model reads whole: a request and the numbers of its sentences for
/// each.
pub(super) fn requests(
    texts: &[String],
    language: &Lang,
    generator: &dyn Generate,
    prefix: &str,
    options: DecodingOptions,
) -> Result<Vec<(Request, Range<usize>)>> {
    let limit = generator.prompt_length().saturating_sub(generator.count_tokens(prefix)?).max(1);
    let request = |(prompt, range)| {
        let (prefix, options) = (prefix.to_string(), options.clone());
        (Request { prefix, prompt, options, ..Request::default() }, range)
    };
    Ok(parts(texts, language, generator, limit)?.into_iter().map(request).collect())
}

/// The sentences that the model wrote about each part, in its order; what the part does not bear
/// out is put among the rejected ones.
pub(super) fn sentences_of(
    outputs: &[Output],
    parts: &[Range<usize>],
    texts: &[String],
    language: &Lang,
    rejected: &mut Vec<Flag>,
) -> Vec<Vec<SummarySentence>> {
    let mut written = Vec::with_capacity(outputs.len());
    for (output, part) in outputs.iter().zip(parts) {
        let read = Source::new(&texts[part.clone()], language);
        // Pegasus writes line ends as a mark, and some models put a space before a full stop.
        let text = output
            .text
            .replace("<n>", " ")
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .replace(" . ", ". ");
        let text = text.strip_suffix(" .").map_or(text.clone(), |text| format!("{text}."));
        let mut own = Vec::new();
        let all = sentences::split(text.trim(), language);
        let count = all.len();
        for (i, sentence) in all.into_iter().enumerate() {
            let cut = output.finish != Finish::Stop && i + 1 == count && !ends(&sentence.text);
            let Finding { support, problem } = read.examine(&sentence.text, cut);
            let support: Vec<usize> = support.into_iter().map(|n| part.start + n).collect();
            match problem {
                Some(problem) => rejected.push(Flag {
                    problem,
                    segment: support.first().copied().unwrap_or(part.start),
                    text: sentence.text,
                }),
                None => own.push(SummarySentence {
                    text: sentence.text,
                    support,
                    origin: SummaryMethod::Abstractive,
                }),
            }
        }
        written.push(own);
    }
    written
}

/// Whether a text has the mark of a sentence's end.
pub(super) fn ends(text: &str) -> bool {
    text.ends_with(['.', '!', '?', '。', '！', '？', '।', '۔', '؟', '։', '"', '”', '»'])
}
