//! Whether the currencies of a text are those of its source.

use super::side::Side;
use crate::text::numbers::currencies::{Currency, names_nation};

/// Whether one currency was exchanged for another: an amount is in one that the other text does not
/// name anywhere, on both sides. One that is only missing, or only new, may be said in another way
/// ("5p", "the greenback").
pub(super) fn differ(source: &Side, output: &Side) -> bool {
    let (read, written) = (source.currencies(), output.currencies());
    (has_unmatched(read, written) && has_unmatched(written, read))
        || loses_nation(read, written, output.text)
}

/// Whether an amount in the dollars of one nation is in another's, or in nobody's, which a reader
/// takes for those of the United States.
fn loses_nation(source: &[Currency], output: &[Currency], text: &str) -> bool {
    source.iter().filter(|read| read.is_amount).any(|read| {
        let Some(nation) = read.nation else { return false };
        let mut dollars = output.iter().filter(|c| c.is_amount && c.is_like(*read)).peekable();
        dollars.peek().is_some()
            && dollars.all(|written| written.nation != Some(nation))
            && !names_nation(text, nation)
    })
}

/// Whether an amount of the source is in a currency that the output does not name.
pub(super) fn is_missing(source: &Side, output: &Side) -> bool {
    has_unmatched(source.currencies(), output.currencies())
}

fn has_unmatched(one: &[Currency], others: &[Currency]) -> bool {
    one.iter().any(|c| c.is_amount && !others.iter().any(|other| c.is_like(*other)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, output: &str, languages: &str) -> bool {
        let [from, to] = super::super::parsed(languages);
        differ(&Side::of(source, &from), &Side::of(output, &to))
    }

    #[test]
    fn exchanged_currencies_are_found() {
        for (source, output, languages) in [
            (
                "Le pont a coûté 300 millions d'euros.",
                "The bridge cost 300 million dollars.",
                "fr en",
            ),
            ("Le pont a coûté 300 millions d'euros.", "The bridge cost $300 million.", "fr en"),
            (
                "Мост обошёлся в пять миллионов рублей.",
                "The bridge cost five million pesos.",
                "ru en",
            ),
            ("A ponte custou R$ 500.", "The bridge cost $500.", "pt en"),
            ("The bridge cost A$500.", "Die Brücke kostete 500 $.", "en de"),
            ("500 australische Dollar", "$500", "de en"),
            ("It cost C$500.", "Il a coûté 500 dollars.", "en fr"),
            ("500円だった。", "It was $500.", "ja en"),
            ("¥500", "500 €", "en de"),
            ("这座桥花了三百万元。", "The bridge cost three million dollars.", "zh en"),
            (
                "Die Brücke kostete 20 Millionen Kronen.",
                "The bridge cost 20 million euros.",
                "de en",
            ),
        ] {
            assert!(check(source, output, languages), "{source} → {output}");
        }
    }

    #[test]
    fn the_same_currencies_pass() {
        for (source, output, languages) in [
            ("300 millions d'euros", "€300 million", "fr en"),
            ("300 millions de dollars canadiens", "CAD 300 million", "fr en"),
            ("R$ 500", "500 reais", "pt en"),
            ("R$ 500", "R$500", "pt en"),
            ("A$500", "500 australische Dollar", "en de"),
            ("A$500", "500 AUD", "en de"),
            ("500 $", "US$500", "de en"),
            ("A ponte custou 500 dólares.", "The bridge cost US$ 500.", "pt en"),
            ("500円と300元", "¥500 and ¥300", "ja en"),
            ("Sie gewann 5 Spiele und 300 Dollar.", "She won 5 games and 300 dollars.", "de en"),
            ("5 livres de sucre pour 3 euros", "5 pounds of sugar for 3 euros", "fr en"),
            ("It costs 5 euros.", "Cela coûte peu, et pas 5 dollars ni 3 euros.", "en fr"),
            ("5 pence", "5 Cent", "en de"),
        ] {
            assert!(!check(source, output, languages), "{source} → {output}");
        }
    }
}
