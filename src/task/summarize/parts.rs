//! The parts of an article that a model reads one at a time.

use crate::error::Result;
use crate::generate::Generate;
use crate::languages;
use crate::text::sentences;
use crate::types::Lang;
use std::ops::Range;

/// The article in parts of at most `limit` tokens, as even as sentences allow: the text of each and
/// the numbers of its sentences.
///
/// # Errors
/// What the tokenizer reports.
pub(super) fn parts(
    texts: &[String],
    language: &Lang,
    generator: &dyn Generate,
    limit: usize,
) -> Result<Vec<(String, Range<usize>)>> {
    let mut parts: Vec<(String, Range<usize>)> = Vec::new();
    let sizes =
        texts.iter().map(|text| generator.count_tokens(text)).collect::<Result<Vec<_>>>()?;
    let total: usize = sizes.iter().sum();
    // A last part of two sentences would be summarized as if it were an article of its own.
    let aim = total.div_ceil(total.div_ceil(limit).max(1));
    let space = languages::sentence_gap(language);
    let mut size = 0;
    for (i, text) in texts.iter().enumerate().filter(|(_, text)| !text.trim().is_empty()) {
        if sizes[i] > limit {
            // A sentence that is too long even by itself is read piece by piece.
            let fits = |piece: &str| generator.count_tokens(piece).is_ok_and(|n| n <= limit);
            parts.extend(
                sentences::split_long(text, language, &fits)
                    .into_iter()
                    .map(|piece| (piece.text, i..i + 1)),
            );
            size = limit;
            continue;
        }
        match parts.last_mut() {
            Some((part, range)) if size < aim && size + sizes[i] <= limit => {
                let longer = format!("{part}{space}{}", text.trim());
                // Joined, texts can have more tokens than apart.
                if size * 10 < limit * 9 || generator.count_tokens(&longer)? <= limit {
                    *part = longer;
                    range.end = i + 1;
                    size += sizes[i];
                } else {
                    parts.push((text.trim().to_string(), i..i + 1));
                    size = sizes[i];
                }
            }
            _ => {
                parts.push((text.trim().to_string(), i..i + 1));
                size = sizes[i];
            }
        }
    }
    Ok(parts)
}
