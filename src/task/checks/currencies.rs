//! Whether the currencies of a text are those of its source.

use crate::text::numbers::currencies::{Currency, currencies};
use crate::types::Lang;

/// Whether one currency was exchanged for another: an amount is in one that the other text does not
/// name anywhere, on both sides. One that is only missing, or only new, may be said in another way
/// ("5p", "the greenback").
pub fn differ(source: &str, output: &str, from: &Lang, to: &Lang) -> bool {
    let (source, output) = (currencies(source, from), currencies(output, to));
    has_unmatched(&source, &output) && has_unmatched(&output, &source)
}

/// Whether an amount of the source is in a currency that the output does not name.
pub fn is_missing(source: &str, output: &str, from: &Lang, to: &Lang) -> bool {
    has_unmatched(&currencies(source, from), &currencies(output, to))
}

fn has_unmatched(one: &[Currency], others: &[Currency]) -> bool {
    one.iter().any(|c| c.is_amount && !others.iter().any(|other| c.is_like(*other)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, output: &str, languages: &str) -> bool {
        let [from, to] = super::super::parsed(languages);
        differ(source, output, &from, &to)
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
