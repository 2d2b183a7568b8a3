//! A text in lower case that knows the places of its letters.

use std::ops::Range;

/// A text in lower case.
pub(super) struct Folded {
    pub text: String,
    /// For each byte of the text where the letter that it is of begins in the source; the source's
    /// length at the end.
    starts: Vec<usize>,
}

impl Folded {
    /// A text in lower case.
    pub fn of(source: &str) -> Folded {
        let (mut text, mut starts) = (String::with_capacity(source.len()), Vec::new());
        for (at, c) in source.char_indices() {
            text.extend(c.to_lowercase());
            starts.resize(text.len(), at);
        }
        starts.push(source.len());
        Folded { text, starts }
    }

    /// The place in the source of a part of the text; `None` where it ends within a letter.
    pub fn place(&self, range: Range<usize>) -> Option<Range<usize>> {
        let begins = |at: usize| at == 0 || self.starts[at] != self.starts[at - 1];
        (begins(range.start) && begins(range.end))
            .then(|| self.starts[range.start]..self.starts[range.end])
    }
}
