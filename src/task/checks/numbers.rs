//! Whether the numbers of a text are those of its source.
//!
//! Translators spell small numbers out, turn months into numbers, give the twenty-four-hour clock and write 1.5 billion as
//! 15億; none of that is an error. A number that stands on one side only, in no such guise, is.

use crate::text::protect;

/// Numbers up to here may be spelled out on one side: twelve months, a dozen.
const SPELLED_OUT: f64 = 12.0;

/// Units of ten thousand, a hundred thousand and so on: with them, the same amount has other leading digits (1.5 billion, 15億).
const OTHER_UNITS: &[&str] = &["百", "千", "万", "萬", "億", "亿", "兆", "백", "천", "만", "억", "조", "लाख", "करोड़", "lakh", "crore"];

/// Whether the output misses a number of the source or has one that the source has not.
pub fn differ(source: &str, output: &str) -> bool {
    let any_unit = OTHER_UNITS.iter().any(|unit| source.contains(unit) || output.contains(unit));
    let alike = |a: &str, b: &str| alike(a, b, any_unit);
    let (mut source, mut output) = (protect::numbers(source), protect::numbers(output));
    let both: Vec<String> = source.iter().filter(|n| output.contains(n)).cloned().collect();
    source.retain(|n| !both.contains(n));
    output.retain(|n| !both.contains(n));
    let spelled_out = |n: &str, others: &[String]| is_small(n) || (is_round(n) && others.is_empty());
    let explained = |n: &String, others: &[String]| spelled_out(n, others) || others.iter().chain(&both).any(|other| alike(n, other));
    if !source.iter().all(|n| explained(n, &output)) || !output.iter().all(|n| explained(n, &source)) {
        return true;
    }
    // A small number in the place of another small number was not spelled out but changed.
    source.len() == output.len()
        && source.iter().chain(&output).all(|n| is_small(n))
        && !source.iter().all(|n| output.iter().any(|o| alike(n, o)))
}

/// The numbers of a text that its source, in the same language, does not have.
pub fn unsupported(text: &str, source: &str) -> Vec<String> {
    let known = protect::numbers(source);
    protect::numbers(text).into_iter().filter(|n| !known.contains(n)).collect()
}

fn is_small(number: &str) -> bool {
    number.parse::<f64>().is_ok_and(|n| n.fract() == 0.0 && (0.0..=SPELLED_OUT).contains(&n))
}

/// Twenty to a hundred: spelled out now and then.
fn is_round(number: &str) -> bool {
    number.parse::<u32>().is_ok_and(|n| (20..=100).contains(&n) && n.is_multiple_of(10))
}

/// Whether two different numbers may stand for the same: other units (1.2 million, 1,200 thousand; any power of ten with
/// `any_unit`), the other clock (3, 15), a short year (1980, 80).
fn alike(a: &str, b: &str, any_unit: bool) -> bool {
    let (Ok(a), Ok(b)) = (a.parse::<f64>(), b.parse::<f64>()) else { return false };
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    if low <= 0.0 {
        return false;
    }
    let power = (high / low).log10();
    let steps = if any_unit { power } else { power / 3.0 };
    let unit = power > 0.5 && (steps - steps.round()).abs() < 1e-9;
    let clock = high - low == 12.0 && high <= 24.0;
    let year = (1000.0..2100.0).contains(&high) && low < 100.0 && high % 100.0 == low;
    unit || clock || year
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_amount_in_other_words_passes() {
        for (source, output) in [
            ("Twelve men, 1.5 billion won", "12 Männer, 1,5 Milliarden Won"),
            ("at 3 p.m. on Oct. 2, 1968", "1968年10月2日15時"),
            ("1.2 million people", "120万人"),
            ("a loss of 1,200 million", "une perte de 1,2 milliard"),
            ("in the 1980s", "in den 80er Jahren"),
            ("50 years ago", "vor fünfzig Jahren"),
            ("It was 2020, and 2020 was long.", "Es war 2020, und das war lang."),
        ] {
            assert!(!differ(source, output), "{source} → {output}");
        }
    }

    #[test]
    fn changed_missing_and_new_numbers_are_found() {
        for (source, output) in [
            ("3 people died.", "5 Menschen starben."),
            ("It costs 450 euros.", "Es kostet Euro."),
            ("It costs much.", "Es kostet 450 Euro."),
            ("It costs 450 euros.", "Es kostet 4500 Euro."),
            ("In 1968 and 1972", "1968 und 1927"),
        ] {
            assert!(differ(source, output), "{source} → {output}");
        }
    }

    #[test]
    fn numbers_without_support_are_listed() {
        assert_eq!(unsupported("In 2020, 3 of 40 left.", "40 people met in 2020; 5 left."), ["3"]);
    }
}
