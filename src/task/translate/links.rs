//! Which parts of a text and of its translation belong together, by the tokens that a model
//! aligned.

use crate::text::inline::Link;
use crate::types::{TokenAlignment, places};
use std::ops::Range;

/// The links of a text with its translation. The alignments are those of its parts, in order; what
/// was mended in the text after the model wrote it has none.
pub(super) fn links(source: &str, target: &str, alignments: &[TokenAlignment]) -> Vec<Link> {
    let mut links = Vec::new();
    let (mut read, mut written) = (0, 0);
    for TokenAlignment { source: tokens, target: own } in alignments {
        let sources = places(tokens.iter().map(String::as_str), source, &mut read);
        let targets = places(own.iter().map(|token| token.text.as_str()), target, &mut written);
        for (token, place) in own.iter().zip(targets) {
            let from = sources.get(token.source).cloned().flatten();
            links.extend(from.zip(place).map(|(source, target)| Link {
                source,
                target,
                weight: token.weight,
            }));
        }
    }
    links
}

/// The links of a way in two steps.
pub(super) fn composed(first: &[Link], second: &[Link]) -> Vec<Link> {
    let touch = |a: &Range<usize>, b: &Range<usize>| a.start < b.end && b.start < a.end;
    let mut links = Vec::new();
    for out in second {
        // Links stand in the order of what was written.
        let from = first.partition_point(|link| link.target.end <= out.source.start);
        let own = first[from..].iter().take_while(|link| link.target.start < out.source.end);
        links.extend(own.filter(|link| touch(&link.target, &out.source)).map(|link| Link {
            source: link.source.clone(),
            target: out.target.clone(),
            weight: link.weight * out.weight,
        }));
    }
    links
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::AlignedToken;

    fn alignment(source: &[&str], target: &[(&str, usize)]) -> TokenAlignment {
        let token = |&(text, source): &(&str, usize)| AlignedToken {
            text: text.into(),
            source,
            weight: 0.5,
        };
        TokenAlignment {
            source: source.iter().map(|token| token.to_string()).collect(),
            target: target.iter().map(token).collect(),
        }
    }

    #[test]
    fn tokens_have_places_in_both_texts() {
        let (source, target) = ("Le Pont est fermé. Oui.", "“The Bridge is closed”. Yes.");
        let first = alignment(
            &[
                ">>en<<",
                "\u{2581}Le",
                "\u{2581}Po",
                "nt",
                "\u{2581}est",
                "\u{2581}fermé",
                ".",
                "</s>",
            ],
            &[("\u{2581}the", 1), ("\u{2581}bridge", 3), ("\u{2581}closed", 5), ("</s>", 7)],
        );
        let second = alignment(&["\u{2581}Oui", "."], &[("\u{2581}Yes", 0), (".", 1)]);
        let shown = |links: &[Link]| {
            let pair = |link: &Link| {
                format!("{}={}", &source[link.source.clone()], &target[link.target.clone()])
            };
            links.iter().map(pair).collect::<Vec<_>>()
        };
        let found = links(source, target, &[first, second]);
        assert_eq!(shown(&found), ["Le=The", "nt=Bridge", "fermé=closed", "Oui=Yes", ".=."]);
        let link = |source, target| Link { source, target, weight: 0.5 };
        let all =
            composed(&[link(3..5, 0..2), link(0..2, 3..6)], &[link(0..2, 7..9), link(4..6, 0..3)]);
        let ranges: Vec<_> = all.into_iter().map(|link| (link.source, link.target)).collect();
        assert_eq!(ranges, [(3..5, 7..9), (0..2, 0..3)]);
    }
}
