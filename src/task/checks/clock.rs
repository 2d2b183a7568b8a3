//! Times of day: their half of the day, and their time zone.

use super::side::Side;

/// Abbreviations of time zones that are no words, in groups of the same time; summer time counts as
/// its zone.
const ZONES: &[&[&str]] = &[
    &["GMT", "UTC", "UT", "WEZ", "TU", "TUC", "TMG", "ВСВ", "МСВ"],
    &["CET", "CEST", "MEZ", "MESZ", "HNEC", "HEC", "SEČ", "SELČ", "CSE"],
    &["EET", "EEST", "OEZ"],
    &["BST", "IST"],
    &["MSK", "МСК"],
    &["EST", "EDT"],
    &["CST", "CDT"],
    &["MST", "MDT"],
    &["PST", "PDT"],
    &["JST", "KST"],
    &["AEST", "AEDT"],
];
/// Beginnings of words by which a text says that a time is one of a place: "local time".
const HINTS: &[&str] = &[
    "greenwich",
    "гринв",
    "грінв",
    "غرينتش",
    "גריניץ",
    "ग्रीनविच",
    "그리니치",
    "格林",
    "グリニッジ",
    "zeit",
    "ortszeit",
    "sommerzeit",
    "winterzeit",
    "time",
    "heure",
    "hora",
    "ora",
    "tid",
    "tijd",
    "czasu",
    "čas",
    "врем",
    "час",
    "saati",
    "waktu",
    "giờ",
    "時間",
    "时间",
    "時刻",
    "標準",
    "시간",
    "توقيت",
    "بتوقيت",
    "שעון",
    "समय",
    "ώρα",
    "aika",
    "idő",
    "vreme",
    "eastern",
    "pacific",
    "центр",
    "wib",
];
/// Signs of the first and of the second half of the day, before a time in Chinese, Japanese and
/// Korean.
const BEFORE: &[(&str, bool)] = &[
    ("上午", false),
    ("凌晨", false),
    ("早上", false),
    ("午前", false),
    ("오전", false),
    ("下午", true),
    ("晚上", true),
    ("傍晚", true),
    ("午後", true),
    ("오후", true),
];
/// Those after a time in English and what borrowed from it.
const AFTER: &[(&str, bool)] = &[
    ("am", false),
    ("a.m", false),
    ("a. m", false),
    ("AM", false),
    ("A.M", false),
    ("pm", true),
    ("p.m", true),
    ("p. m", true),
    ("PM", true),
    ("P.M", true),
];

/// Whether a time came into another half of the day or another zone.
pub(super) fn differ(source: &Side, output: &Side) -> bool {
    zones_differ(source, output) || halves_differ(&times(source), &times(output))
}

/// Whether a time of the output is in a zone that the source does not have, unless the source
/// speaks of zones in words.
fn zones_differ(source: &Side, output: &Side) -> bool {
    let written = zones(output, true);
    if written == 0 {
        return false;
    }
    let read = zones(source, false);
    let is_hint = |word: &String| HINTS.iter().any(|hint| word.starts_with(hint));
    let is_exchanged = read != 0 && written & !read != 0 && read & !written != 0;
    let is_added = read == 0 && !source.tokens.iter().any(|token| is_hint(&token.word));
    is_exchanged || is_added
}

/// Zones as bits; with `after_time` only those right after a number.
fn zones(side: &Side, after_time: bool) -> u32 {
    let mut found = 0;
    for (at, token) in side.tokens.iter().enumerate() {
        let written = side.written(token);
        if !(2..=8).contains(&written.len()) || !written.starts_with(char::is_uppercase) {
            continue;
        }
        let is_after = at > 0 && side.tokens[at - 1].word.starts_with(char::is_numeric);
        if !after_time || is_after {
            let zone = ZONES.iter().position(|names| names.contains(&written));
            found |= zone.map_or(0, |zone| 1 << zone);
        }
    }
    found
}

/// A time of day.
#[derive(Debug)]
struct Time {
    hour: u32,
    minute: u32,
    /// Whether it is after noon, where that is said.
    is_late: Option<bool>,
}

fn halves_differ(source: &[Time], output: &[Time]) -> bool {
    let is_same_face = |a: &Time, b: &Time| a.hour % 12 == b.hour % 12 && a.minute == b.minute;
    source.iter().any(|read| {
        let mut same = output.iter().filter(|written| is_same_face(read, written)).peekable();
        let is_other = |written: &Time| {
            matches!((read.is_late, written.is_late), (Some(a), Some(b)) if a != b)
        };
        same.peek().is_some() && same.all(is_other)
    })
}

/// Times with minutes, and hours whose half of the day is said.
fn times(side: &Side) -> Vec<Time> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(token) = side.tokens.get(at) {
        at += 1;
        let Ok(hour) = token.word.parse::<u32>() else { continue };
        let start = token.place.start;
        let is_part = side.text[..start].ends_with([':', '.', ',']);
        if hour > 24 || is_part {
            continue;
        }
        let mut end = token.place.end;
        let mut minute = None;
        if let Some(next) = side.tokens.get(at)
            && matches!(&side.text[end..next.place.start], ":" | "：" | ".")
            && next.place.len() == 2
            && let Ok(found) = next.word.parse::<u32>()
            && found < 60
        {
            minute = Some(found);
            end = next.place.end;
            at += 1;
        }
        let after = side.text[end..].trim_start();
        let before = side.text[..start].trim_end();
        let is_word = |rest: &str| !rest.starts_with(char::is_alphanumeric);
        let said = AFTER
            .iter()
            .find(|(sign, _)| after.strip_prefix(sign).is_some_and(is_word))
            .or_else(|| BEFORE.iter().find(|(sign, _)| before.ends_with(sign)))
            .map(|&(_, is_late)| is_late);
        // Noon and midnight are both in both halves.
        let is_late = said.filter(|_| hour % 12 != 0).or((13..24).contains(&hour).then_some(true));
        // 14.22 may be an amount.
        let is_time = minute.is_some() && side.text[start..end].contains([':', '：']);
        if is_time || said.is_some() {
            out.push(Time { hour, minute: minute.unwrap_or(0), is_late });
        }
    }
    out
}
