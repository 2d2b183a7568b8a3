//! Which source tokens the tokens of a translation come from.

use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Characters within which a token is looked for after the one before it: what was mended in a text
/// after it was written is shorter.
const REACH: usize = 48;

/// The alignment of one segment, or of a part of it that was translated by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SegmentAlignment {
    /// 0-based number of the segment: the title if there is one, then the body's sentences.
    pub segment: usize,
    /// Its tokens.
    #[serde(flatten)]
    pub alignment: TokenAlignment,
}

/// What a model read and wrote, token by token. A translation that goes through English has one
/// alignment for each of its two steps.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TokenAlignment {
    /// The source's tokens, as the model's vocabulary has them (`▁the`); language and end tokens
    /// are among them.
    pub source: Vec<String>,
    /// The tokens written, as the model wrote them: what is mended in the text afterwards does not
    /// show.
    pub target: Vec<AlignedToken>,
}

/// A token that was written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlignedToken {
    /// As the model's vocabulary has it.
    pub text: String,
    /// 0-based number of the source token that it comes from: the one with the greatest weight.
    pub source: usize,
    /// The attention to that token when this one was chosen, from 0 to 1.
    pub weight: f32,
}

/// The bytes of a text that each token stands for, from a place on; none for those that are no part
/// of it, such as marks of languages and ends. The first is looked for from `from` on, which is
/// left at the end of the last.
pub fn places<'t>(
    tokens: impl Iterator<Item = &'t str>,
    text: &str,
    from: &mut usize,
) -> Vec<Option<Range<usize>>> {
    let place = |token: &str| {
        let bare = token.trim_matches(['\u{2581}', '\u{120}', ' ']);
        let found = (!bare.is_empty()).then(|| find(bare, text, *from))??;
        *from = found.end;
        Some(found)
    };
    tokens.map(place).collect()
}

/// The first place of a token within reach, whatever its case.
fn find(token: &str, text: &str, from: usize) -> Option<Range<usize>> {
    let rest = text.get(from..)?;
    let starts = rest.char_indices().take(REACH).map(|(at, _)| at);
    starts.into_iter().find_map(|at| {
        let mut chars = rest[at..].chars();
        let same =
            |c: char| chars.next().is_some_and(|own| own.to_lowercase().eq(c.to_lowercase()));
        let length = token.chars().all(same).then(|| {
            rest[at..].chars().take(token.chars().count()).map(char::len_utf8).sum::<usize>()
        })?;
        Some(from + at..from + at + length)
    })
}
