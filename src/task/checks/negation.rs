//! Whether a translation denies what its source affirms, or the other way round. Words alone do not
//! tell: "unable" denies without a "not". So a reading back has to say the same.

use crate::text::negation::negates;
use crate::types::Lang;

/// Whether one of two texts has a word of negation and the other has none.
pub fn may_flip(source: &str, output: &str, from: &Lang, to: &Lang) -> bool {
    matches!((negates(source, from), negates(output, to)), (Some(a), Some(b)) if a != b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::checks::parsed;

    #[test]
    fn flips_are_seen() {
        for (source, output, languages, flips) in [
            ("Er kommt nicht.", "He is coming.", "de en", true),
            ("Er kommt.", "He is not coming.", "de en", true),
            ("Er kommt nicht.", "He is not coming.", "de en", false),
            ("Il ne viendra pas.", "Он не придёт.", "fr ru", false),
            ("Gelmiyor.", "He is coming.", "tr en", false),
        ] {
            let [from, to] = parsed(languages);
            assert_eq!(may_flip(source, output, &from, &to), flips, "{source} → {output}");
        }
    }
}
