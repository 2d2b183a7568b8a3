//! Numbers written in numerals of scripts without spaces: 二十三, ยี่สิบห้า.

use super::spelled::Spelled;
use crate::types::Lang;

/// Numerals of a script without spaces between words.
struct Script {
    /// 0 to 9.
    digits: &'static [(&'static str, u64)],
    /// Powers of ten.
    units: &'static [(&'static str, u64)],
    /// Words that follow a single numeral when it counts; without one of them, it may be a part of
    /// any word (三明治).
    counters: &'static [&'static str],
}

const HAN: Script = Script {
    digits: &[
        ("〇", 0),
        ("零", 0),
        ("一", 1),
        ("二", 2),
        ("两", 2),
        ("兩", 2),
        ("三", 3),
        ("四", 4),
        ("五", 5),
        ("六", 6),
        ("七", 7),
        ("八", 8),
        ("九", 9),
    ],
    units: &[
        ("十", 10),
        ("百", 100),
        ("千", 1000),
        ("万", 10_000),
        ("萬", 10_000),
        ("亿", 100_000_000),
        ("億", 100_000_000),
        ("兆", 1_000_000_000_000),
    ],
    counters: &[
        "个", "個", "箇", "名", "人", "岁", "歲", "歳", "才", "年", "天", "次", "位", "倍", "件",
        "家", "条", "條", "种", "種", "张", "張", "辆", "輛", "只", "隻", "座", "场", "場", "层",
        "層", "级", "級", "周", "週", "轮", "輪", "届", "屆", "枚", "艘", "小时", "小時", "分钟",
        "分鐘", "つ", "回", "度", "カ月", "ヶ月", "か月", "カ国", "か国", "ヵ月", "週間", "日間",
        "時間",
    ],
};

const THAI: Script = Script {
    digits: &[
        ("ศูนย์", 0),
        ("หนึ่ง", 1),
        ("เอ็ด", 1),
        ("สอง", 2),
        ("ยี่", 2),
        ("สาม", 3),
        ("สี่", 4),
        ("ห้า", 5),
        ("หก", 6),
        ("เจ็ด", 7),
        ("แปด", 8),
        ("เก้า", 9),
    ],
    units: &[
        ("สิบ", 10),
        ("ร้อย", 100),
        ("พัน", 1000),
        ("หมื่น", 10_000),
        ("แสน", 100_000),
        ("ล้าน", 1_000_000),
    ],
    counters: &["คน", "ปี", "เดือน", "วัน", "ครั้ง", "แห่ง", "ราย", "ชั่วโมง", "นาที"],
};

/// Signs before an ordinal.
const ORDINAL: &[&str] = &["第", "ที่"];
/// Signs before or after a numeral that make it an estimate.
const VAGUE: &[&str] = &["几", "幾", "数", "數", "多", "余", "餘", "来", "來", "หลาย"];
/// Signs between denominator and numerator of a fraction.
const FRACTION: &[&str] = &["分之", "分の"];

/// The numbers that are written with numerals, in their order: those of two numerals or more, and
/// single ones before a counter.
pub(super) fn numerals(text: &str, lang: &Lang) -> Vec<Spelled> {
    let script = match lang.base() {
        "zh" | "ja" | "yue" => &HAN,
        "th" => &THAI,
        _ => return Vec::new(),
    };
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let (numerals, end) = script.run(text, at);
        if numerals.is_empty() {
            at += c.len_utf8();
            continue;
        }
        let (before, after) = (&text[..at], &text[end..]);
        let starts = |list: &[&str]| list.iter().any(|word| after.starts_with(word));
        let ends = |list: &[&str]| list.iter().any(|word| before.ends_with(word));
        let counted = numerals.len() > 1 || starts(script.counters);
        // 百分之三十: of the fractions, only hundredths are numbers.
        let fraction = starts(FRACTION) || (ends(FRACTION) && !ends(&["百分之", "百分の"]));
        if let Some(value) = total(&numerals).filter(|_| counted && !fraction) {
            let month = after.starts_with('月') && value <= 12;
            let several = numerals.len() > 1
                && numerals.iter().all(|n| matches!(n, Numeral::Digit(_)))
                && numerals.len() < 4;
            let in_digits = before.ends_with(|c: char| c.is_numeric())
                || after.starts_with(|c: char| c.is_ascii_digit());
            let counts = !ends(ORDINAL)
                && !ends(VAGUE)
                && !starts(VAGUE)
                && !month
                && !several
                && !in_digits;
            out.push(Spelled { value, counts, is_ordinal: ends(ORDINAL), place: at..end });
        }
        at = end;
    }
    out
}

#[derive(Clone, Copy)]
enum Numeral {
    Digit(u64),
    Unit(u64),
}

impl Script {
    /// The numerals at a place, and their end.
    fn run(&self, text: &str, start: usize) -> (Vec<Numeral>, usize) {
        let mut found = Vec::new();
        let mut at = start;
        let of = |list: &[(&'static str, u64)], rest: &str| {
            list.iter().find(|(sign, _)| rest.starts_with(sign)).copied()
        };
        loop {
            let rest = &text[at..];
            let (sign, numeral) = match (of(self.digits, rest), of(self.units, rest)) {
                (Some((sign, value)), _) => (sign, Numeral::Digit(value)),
                (_, Some((sign, value))) => (sign, Numeral::Unit(value)),
                _ => return (found, at),
            };
            found.push(numeral);
            at += sign.len();
        }
    }
}

/// Value of the numerals together; `None` when they are no number (万一), or no exact one (千万).
fn total(numerals: &[Numeral]) -> Option<u64> {
    if numerals.iter().all(|n| matches!(n, Numeral::Digit(_))) {
        let digits = numerals.iter().map(|n| if let Numeral::Digit(d) = n { *d } else { 0 });
        return digits.take(18).reduce(|number, digit| number * 10 + digit);
    }
    // Of the number, of its part below the last unit of ten thousand or more, and the digit that
    // waits for its unit.
    let (mut sum, mut part, mut digit) = (0u64, 0u64, None);
    for (i, numeral) in numerals.iter().enumerate() {
        match *numeral {
            Numeral::Digit(0) => digit = None,
            Numeral::Digit(d) if digit.is_none() => digit = Some(d),
            Numeral::Digit(_) => return None,
            Numeral::Unit(unit) if unit < 10_000 => {
                // Ten may stand alone, and 百, 千 before a smaller part; else they are "a great many"
                // or a part of a word.
                if digit.is_none()
                    && unit > 10
                    && !matches!(numerals.get(i + 1), Some(Numeral::Digit(_)))
                {
                    return None;
                }
                part += digit.take().unwrap_or(1) * unit;
            }
            Numeral::Unit(unit) => {
                let before = part + digit.take().unwrap_or(0);
                if before == 0 {
                    return None;
                }
                // 百万, 三千万亿: what was read so far is all counted by the greater unit.
                sum = if sum > 0 && sum < unit {
                    sum.checked_add(before)?.checked_mul(unit)?
                } else {
                    sum.checked_add(before.checked_mul(unit)?)?
                };
                part = 0;
            }
        }
    }
    sum.checked_add(part + digit.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, lang: &str) -> Vec<i64> {
        let found = numerals(text, &Lang::parse(lang).unwrap());
        found
            .into_iter()
            .map(|s| if s.counts { s.value as i64 } else { -(s.value as i64) })
            .collect()
    }

    #[test]
    fn numerals_of_unspaced_scripts() {
        for (lang, text, values) in [
            (
                "zh",
                "桥关闭了十一个月，三百零五人受伤，二百三十万人离开。",
                &[11, 305, 2_300_000][..],
            ),
            ("zh", "三明治、四川、千万、万一、十分", &[]),
            ("zh", "第二十三天，三个人，十几个，二十多人", &[-23, 3, -20]),
            ("zh", "四分之三，百分之三十，十一月，三四个", &[30, -11, -34]),
            ("ja", "二〇二〇年に五人が三つの", &[2020, 5, 3]),
            ("th", "ยี่สิบห้าคน ห้าม สามปี", &[25, 3]),
            ("en", "三人", &[]),
        ] {
            assert_eq!(read(text, lang), values, "{text}");
        }
    }
}
