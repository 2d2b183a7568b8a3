//! The cues of a subtitle file: their times, and the places of their texts.

use super::super::encoded::lines;
use regex::Regex;
use std::ops::Range;
use std::sync::LazyLock;

/// Hours may be left out, and programs write `,` or `.`; what follows the times are settings.
static TIMING: LazyLock<Regex> = LazyLock::new(|| {
    let time = r"(-?(?:\d{1,6}:)?\d{1,6}:\d{1,2}(?:[,.]\d{1,9})?)";
    Regex::new(&format!(r"^\s*{time}\s*-->\s*{time}(?:\s|$)")).expect("the pattern is constant")
});

/// Some lines of text under a line of times, one after the other.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Group {
    /// When they are shown, in milliseconds.
    pub time: Range<i64>,
    /// Whether the line of times is right above them.
    pub is_first: bool,
    /// Their places.
    pub lines: Vec<Range<usize>>,
}

/// A line of a file: its place, and its times if it is one of times.
struct Line {
    place: Range<usize>,
    time: Option<Range<i64>>,
}

/// The groups of text of a file, in order. In WebVTT a blank line ends a cue; in SubRip, where
/// programs leave blank lines inside of texts, the next cue's number and times do.
pub(super) fn groups(text: &str, is_vtt: bool) -> impl Iterator<Item = Group> {
    let line = move |place: Range<usize>| Line { time: times(&text[place.clone()]), place };
    let mut all = lines(text).map(line).peekable();
    let mut time: Option<Range<i64>> = None;
    let mut is_first = false;
    std::iter::from_fn(move || {
        let mut lines = Vec::new();
        while let Some(line) = all.next() {
            let content = text[line.place.clone()].trim();
            let next_is_times = all.peek().is_some_and(|next| next.time.is_some());
            let is_id = next_is_times && (is_number(content) || is_vtt && lines.is_empty());
            if line.time.is_none() && !content.is_empty() && !is_id {
                if time.is_some() {
                    lines.push(line.place);
                }
                continue;
            }
            let lines = std::mem::take(&mut lines);
            let is_group = !lines.is_empty();
            let group = time.clone().map(|time| Group { time, is_first, lines });
            if line.time.is_some() {
                (time, is_first) = (line.time, true);
            } else if is_vtt && content.is_empty() {
                time = None;
            } else if is_group {
                is_first = false;
            }
            if is_group {
                return group;
            }
        }
        let time = time.clone().filter(|_| !lines.is_empty())?;
        Some(Group { time, is_first, lines })
    })
}

/// The number of a cue, by which SubRip files count.
fn is_number(line: &str) -> bool {
    !line.is_empty() && line.len() <= 12 && line.bytes().all(|b| b.is_ascii_digit())
}

/// The times of a line of times, in milliseconds.
fn times(line: &str) -> Option<Range<i64>> {
    if !line.contains("-->") {
        return None;
    }
    let found = TIMING.captures(line)?;
    Some(millis(found.get(1)?.as_str())..millis(found.get(2)?.as_str()))
}

fn millis(time: &str) -> i64 {
    let (sign, time) = time.strip_prefix('-').map_or((1, time), |time| (-1, time));
    let (whole, fraction) = time.split_once([',', '.']).unwrap_or((time, ""));
    let seconds = whole.split(':').fold(0, |sum, part| sum * 60 + part.parse::<i64>().unwrap_or(0));
    let fraction: String = fraction.chars().chain("000".chars()).take(3).collect();
    sign * (seconds * 1000 + fraction.parse::<i64>().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str, is_vtt: bool) -> Vec<(i64, i64, bool, Vec<&str>)> {
        let shown = |g: Group| {
            let lines = g.lines.iter().map(|line| &text[line.clone()]).collect();
            (g.time.start, g.time.end, g.is_first, lines)
        };
        groups(text, is_vtt).map(shown).collect()
    }

    #[test]
    fn subrip() {
        let text = "1\r\n00:00:01,500 --> 00:00:02,000 X1:1\r\nOne\r\ntwo\r\n\r\nthree\r\n\r\n2\r\n\
            00:00:03,000 --> 00:00:04,000\r\n\r\n\r\n3\r\n1:02:03.4 --> 1:02:04\r\n12\r\n4\r\n\
            -00:00:05,000 --> 00:00:06,000\r\nEnd";
        assert_eq!(
            told(text, false),
            [
                (1500, 2000, true, vec!["One", "two"]),
                (1500, 2000, false, vec!["three"]),
                (3_723_400, 3_724_000, true, vec!["12"]),
                (-5000, 6000, true, vec!["End"]),
            ]
        );
    }

    #[test]
    fn webvtt_and_what_is_no_text_in_it() {
        let text = "WEBVTT - a --> b\nKind: captions\n\nSTYLE\n::cue { color: red }\n\nNOTE\nno\n\n\
            intro\n00:01.000 --> 00:02.000 align:left\nOne\n\nNOTE after\n\n00:03.000 --> 00:04.000\n\
            Two\n";
        assert_eq!(
            told(text, true),
            [(1000, 2000, true, vec!["One"]), (3000, 4000, true, vec!["Two"])]
        );
    }

    #[test]
    fn odd_times_are_no_times() {
        for line in ["a --> b", "-->", "1 --> 2", "00:00:01,000 -> 00:00:02,000", "x 0:1 --> 0:2"] {
            assert_eq!(times(line), None, "{line}");
        }
        assert!(times(&format!("{}:00 --> 0:1", "9".repeat(50))).is_none());
    }
}
