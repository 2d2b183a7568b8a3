//! Numbers written in digits.

use super::magnitude::{magnitude, word_after};
use crate::text::protect;
use std::ops::Range;

/// The numbers of a text as plain decimals (`1234.5`), sorted, so that a text and its translation
/// can be compared: digits of any script become ASCII, grouping separators go, `1.234,5` equals
/// `1,234.5`, and a following magnitude (million, тысяч, 億 …) is multiplied in. Dates and times
/// give one number a part. Numbers inside of protected spans (addresses, code) are not counted.
///
/// A single separator before exactly three digits is read as grouping: `1.234` is 1234 in every
/// language. That is wrong for some English decimals, but equally so in a text and in its
/// translation.
pub fn numbers(text: &str) -> Vec<String> {
    let mut values: Vec<String> =
        placed_numbers(text).into_iter().map(|number| number.value).collect();
    values.sort_unstable();
    values
}

/// A number in digits, and where it stands.
pub(crate) struct PlacedNumber {
    /// A plain decimal, as [`numbers`] has it.
    pub(crate) value: String,
    /// Place of all digits that it was read with, in bytes, without the magnitude after it.
    pub(crate) place: Range<usize>,
}

/// The numbers of a text in their order, as [`numbers`] reads them.
pub(crate) fn placed_numbers(text: &str) -> Vec<PlacedNumber> {
    // Most sentences have none.
    if !text.chars().any(|c| digit(c).is_some()) {
        return Vec::new();
    }
    let spans = protect::spans(text);
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    let mut out = Vec::new();
    let mut i = 0;
    let mut span = 0;
    while i < chars.len() {
        while span < spans.len() && spans[span].end <= chars[i].0 {
            span += 1;
        }
        let protected = spans.get(span).is_some_and(|s| s.start <= chars[i].0);
        if protected || digit(chars[i].1).is_none() {
            i += 1;
            continue;
        }
        let (parts, end) = read(&chars, i);
        let rest = chars.get(end).map_or("", |&(at, _)| &text[at..]);
        let values = resolve(&parts);
        let last = values.len().saturating_sub(1);
        let mut zeros = magnitude(rest);
        // In other languages that word means miles; "1.000 mil millones" is a number.
        if zeros == 3
            && values.last().is_some_and(|value| value.whole.len() > 3)
            && word_after(rest).to_lowercase() == "mil"
        {
            zeros = 0;
        }
        let place = chars[i].0..chars.get(end).map_or(text.len(), |&(at, _)| at);
        out.extend(values.into_iter().enumerate().map(|(n, value)| PlacedNumber {
            value: if n == last { scale(value, zeros) } else { value.text() },
            place: place.clone(),
        }));
        i = end;
    }
    out
}

/// A run of digits and the separator before it.
struct Part {
    separator: Option<char>,
    digits: String,
}

/// A number without exponent.
struct Decimal {
    whole: String,
    fraction: String,
}

impl Decimal {
    fn text(&self) -> String {
        let whole = self.whole.trim_start_matches('0');
        let whole = if whole.is_empty() { "0" } else { whole };
        let fraction = self.fraction.trim_end_matches('0');
        if fraction.is_empty() { whole.to_string() } else { format!("{whole}.{fraction}") }
    }
}

/// Reads digit runs joined by one separator each, from `start`; returns them and where they end.
fn read(chars: &[(usize, char)], start: usize) -> (Vec<Part>, usize) {
    let mut parts: Vec<Part> = Vec::new();
    let mut separator = None;
    let mut i = start;
    loop {
        let from = i;
        let mut digits = String::new();
        while let Some(d) = chars.get(i).and_then(|&(_, c)| digit(c)) {
            digits.push(d);
            i += 1;
        }
        // A space joins groups of three digits only.
        let wrong_group = separator == Some(' ')
            && (digits.len() != 3 || parts.last().is_none_or(|p| p.digits.len() > 3));
        if digits.is_empty() || wrong_group {
            return (parts, if from > start { from - 1 } else { i });
        }
        parts.push(Part { separator, digits });
        match chars.get(i).and_then(|&(_, c)| canonical_separator(c)) {
            Some(s) => {
                separator = Some(s);
                i += 1;
            }
            None => return (parts, i),
        }
    }
}

fn canonical_separator(c: char) -> Option<char> {
    match c {
        '.' | '٫' | '．' => Some(if c == '٫' { '٫' } else { '.' }),
        ',' | '，' => Some(','),
        '٬' | '\'' | '’' => Some('\''),
        ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}' => Some(' '),
        _ => None,
    }
}

/// Tells the grouping separators from the decimal point. Runs of digits that make no number (a
/// date, a version) are numbers of their own.
fn resolve(parts: &[Part]) -> Vec<Decimal> {
    let join = |parts: &[Part]| parts.iter().map(|p| p.digits.as_str()).collect::<String>();
    let grouped = |parts: &[Part]| {
        // Indian grouping has pairs before the last three: 12,34,567.
        parts.len() == 1
            || parts[0].digits.len() <= 3
                && !parts[0].digits.starts_with('0')
                && parts.windows(2).skip(1).all(|w| w[0].separator == w[1].separator)
                && parts[parts.len() - 1].digits.len() == 3
                && parts[1..parts.len() - 1].iter().all(|p| matches!(p.digits.len(), 2 | 3))
    };
    if grouped(parts) && parts.iter().all(|p| p.separator != Some('٫')) {
        return vec![Decimal { whole: join(parts), fraction: String::new() }];
    }
    if let Some((fraction, whole)) = parts.split_last()
        && matches!(fraction.separator, Some('.' | ',' | '٫'))
        && grouped(whole)
        && whole.iter().all(|p| p.separator != fraction.separator)
    {
        return vec![Decimal { whole: join(whole), fraction: fraction.digits.clone() }];
    }
    parts.iter().map(|p| Decimal { whole: p.digits.clone(), fraction: String::new() }).collect()
}

/// Multiplies by a power of ten.
fn scale(number: Decimal, zeros: usize) -> String {
    if zeros == 0 {
        return number.text();
    }
    let mut fraction = number.fraction;
    while fraction.len() < zeros {
        fraction.push('0');
    }
    let (moved, rest) = fraction.split_at(zeros);
    Decimal { whole: number.whole + moved, fraction: rest.to_string() }.text()
}

/// The ASCII digit of a decimal digit of any script in common use.
fn digit(c: char) -> Option<char> {
    /// The zeros of the scripts' digits; nine more follow each.
    const ZEROS: [u32; 20] = [
        0x30, 0x660, 0x6F0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6,
        0xE50, 0xED0, 0xF20, 0x1040, 0x17E0, 0x1810, 0xFF10,
    ];
    let code = c as u32;
    if c.is_ascii() {
        return c.is_ascii_digit().then_some(c);
    }
    if code < ZEROS[1] {
        return None;
    }
    ZEROS
        .iter()
        .find(|&&zero| (zero..zero + 10).contains(&code))
        .and_then(|&zero| char::from_digit(code - zero, 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_of_every_convention() {
        for same in [
            "1.234,5",
            "1,234.5",
            "1 234,5",
            "1\u{202f}234,50",
            "1'234.5",
            "١٬٢٣٤٫٥",
            "۱٬۲۳۴٫۵",
            "１，２３４．５",
            "१,२३४.५",
        ] {
            assert_eq!(numbers(same), ["1234.5"], "{same}");
        }
        assert_eq!(numbers("12,34,567 and 1.234.567 and 1.234"), ["1234", "1234567", "1234567"]);
        assert_eq!(numbers("0,125 and 3.14159"), ["0.125", "3.14159"]);
    }

    #[test]
    fn dates_times_and_lists_fall_apart() {
        assert_eq!(
            numbers("On 12.05.2024 at 18:30, version 1.2.3"),
            ["1", "12", "18", "2", "2024", "3", "30", "5"]
        );
        assert_eq!(numbers("2024-05-12"), ["12", "2024", "5"]);
        assert_eq!(numbers("In 2020, 300 people; 2020 300"), ["2020", "2020", "300", "300"]);
        assert_eq!(numbers("ended 3-2, COVID-19."), ["19", "2", "3"]);
    }

    #[test]
    fn magnitudes_are_multiplied() {
        let cases: [(&str, &[&str]); 4] = [
            (
                "11000",
                &[
                    "11 thousand",
                    "11 тысяч",
                    "11 тисяч",
                    "11 тис.",
                    "11 tisíc",
                    "11 tysięcy",
                    "11 ezer",
                    "11 hiljada",
                    "11 tūkstančių",
                    "1,1 หมื่น",
                    "1.1万",
                ],
            ),
            (
                "3500000",
                &[
                    "3.5 million",
                    "3,5 Millionen",
                    "3,5 миллиона",
                    "350万",
                    "3,5 εκατομμύρια",
                    "350만",
                    "3,5 milhões",
                    "3500 ezer",
                    "35 लाख",
                    "3,5 triệu",
                    "3,5 mln",
                ],
            ),
            (
                "2000000000",
                &["2 billion", "2 mil millones", "2 Milliarden", "20億", "20亿", "2 млрд", "2 tỷ"],
            ),
            (
                "3000000000000",
                &[
                    "3 trillion",
                    "3 biliony",
                    "3 biljoen",
                    "3 triliun",
                    "3 billió",
                    "3兆",
                    "3 трлн",
                    "30 แสนล้าน",
                ],
            ),
        ];
        for (value, texts) in cases {
            texts.iter().for_each(|same| assert_eq!(numbers(same), [value], "{same}"));
        }
        assert_eq!(numbers("5 military bases, 7 minutes"), ["5", "7"]);
        assert_eq!(
            numbers("1600 kilometrů (1000 mil), 5 mil, 2.000 mil millones"),
            ["1000", "1600", "2000000000000", "5000"]
        );
    }

    #[test]
    fn protected_spans_do_not_count() {
        assert_eq!(numbers("See https://x.org/2024/05 for 7 reasons `v2`"), ["7"]);
        assert!(numbers("no digits ½").is_empty());
    }
}
