//! A benchmark as text for a terminal.

use super::results::{Measurement, Report, Score, Spread};
use std::fmt::Write;

/// The report in lines of text.
pub fn table(report: &Report) -> String {
    let mut out = heading(report);
    let rows: Vec<Vec<String>> = std::iter::once(HEADS.map(String::from).to_vec())
        .chain(report.measurements.iter().map(row))
        .collect();
    // A column in which nothing stands is left out: articles a second without articles. What is the
    // same for all stands above them.
    let is_same =
        |c: usize| c < LABELS && rows[1..].windows(2).all(|pair| pair[0][c] == pair[1][c]);
    let same: Vec<String> =
        (1..LABELS).filter(|&c| is_same(c)).map(|c| named(HEADS[c], &rows[1][c])).collect();
    if !same.is_empty() {
        let _ = writeln!(out, "{}\n", same.join(", "));
    }
    let mut columns: Vec<usize> = (0..HEADS.len())
        .filter(|&c| rows[1..].iter().any(|row| row[c] != NOTHING))
        .filter(|&c| c == 0 || !is_same(c))
        .collect();
    let width = |c: usize| rows.iter().map(|row| row[c].chars().count()).max().unwrap_or(0);
    let mut left_out = Vec::new();
    for head in LEFT_OUT_FIRST {
        let line: usize = columns.iter().map(|&c| width(c) + 2).sum();
        if line.saturating_sub(2) <= WIDEST {
            break;
        }
        let before = columns.len();
        columns.retain(|&c| HEADS[c] != head);
        left_out.extend((columns.len() < before).then_some(head));
    }
    let widths: Vec<usize> = columns.iter().map(|&c| width(c)).collect();
    for row in &rows {
        let cell = |(&c, &width): (&usize, &usize)| {
            if c < WORDS { format!("{:<width$}", row[c]) } else { format!("{:>width$}", row[c]) }
        };
        let line: Vec<String> = columns.iter().zip(&widths).map(cell).collect();
        out.push_str(line.join("  ").trim_end());
        out.push('\n');
    }
    if !left_out.is_empty() {
        let _ = writeln!(out, "(no room for {}: see --format json)", left_out.join(", "));
    }
    out.push('\n');
    for measurement in &report.measurements {
        let _ = writeln!(out, "{}: {}", label(measurement), stages(measurement));
    }
    out
}

const NOTHING: &str = "–";
/// The columns that say what was measured, which are the first ones.
const LABELS: usize = 6;
/// Those of them that hold words.
const WORDS: usize = 3;
/// The widest that a line should be.
const WIDEST: usize = 100;
/// What is left out of lines that are wider, one after the other.
const LEFT_OUT_FIRST: [&str; 5] = ["TOK/S IN", "OF PEAK", "FIRST", "MEMORY", "TOK/S OUT"];
const HEADS: [&str; 17] = [
    "MODEL",
    "TASK",
    "PRECISION",
    "THREADS",
    "BATCH",
    "BEAM",
    "ARTICLES/S",
    "SENTENCES/S",
    "BASELINE",
    "BLEU",
    "CHRF",
    "FOLDER",
    "TOK/S IN",
    "TOK/S OUT",
    "FIRST",
    "MEMORY",
    "OF PEAK",
];

/// What stands above the numbers.
fn heading(report: &Report) -> String {
    let machine = &report.machine;
    let mut out = format!(
        "polygist {} on {} {}, {} cores, {}",
        report.version, machine.os, machine.arch, machine.cores, machine.isa
    );
    if let Some(load) = machine.load_average {
        let _ = write!(out, ", load average {load:.1}");
    }
    let _ = write!(
        out,
        "\n{}; {} after {} to warm up: median ± the run that is farthest from it\n",
        report.sample,
        runs(report.runs),
        runs(report.warmup)
    );
    for peak in &report.peaks {
        let _ = writeln!(
            out,
            "peak of {} products on {}: {} GOPS",
            peak.precision,
            threads(peak.threads),
            number(peak.gops)
        );
    }
    out.push('\n');
    out
}

/// `2 threads`.
pub(super) fn threads(number: usize) -> String {
    if number == 1 { "1 thread".into() } else { format!("{number} threads") }
}

/// `3 runs`.
pub(super) fn runs(number: usize) -> String {
    if number == 1 { "1 run".into() } else { format!("{number} runs") }
}

fn row(m: &Measurement) -> Vec<String> {
    let s = &m.setting;
    vec![
        s.model.clone(),
        s.task.clone(),
        s.precision.clone(),
        s.threads.to_string(),
        s.batch.to_string(),
        s.beam.map_or("model's".into(), |beam| beam.to_string()),
        m.articles_per_second.map_or(NOTHING.into(), spread),
        m.sentences_per_second.map_or(NOTHING.into(), spread),
        m.times_baseline.map_or(NOTHING.into(), |times| format!("× {}", number(times))),
        m.bleu.map_or(NOTHING.into(), score),
        m.chrf.map_or(NOTHING.into(), score),
        m.folder_seconds.map_or(NOTHING.into(), roughly),
        spread(m.source_tokens_per_second),
        spread(m.target_tokens_per_second),
        m.first_token_seconds.map_or(NOTHING.into(), |s| seconds(s.median)),
        m.peak_memory.map_or(NOTHING.into(), bytes),
        m.share_of_peak.map_or(NOTHING.into(), percent),
    ]
}

/// A combination in a few words.
pub(super) fn label(m: &Measurement) -> String {
    let s = &m.setting;
    let beam = s.beam.map_or(String::new(), |beam| format!(", beam {beam}"));
    format!("{} {}, {}, batch {}{beam}", s.model, s.precision, threads(s.threads), s.batch)
}

/// What took how long.
pub(super) fn stages(m: &Measurement) -> String {
    let stages = &m.stages;
    let all = [
        ("read", stages.read),
        ("text", stages.text),
        ("tokenize", stages.tokenize),
        ("generate", Some(stages.generate)),
        ("write", stages.write),
    ];
    let parts =
        all.iter().filter_map(|(name, time)| time.map(|time| format!("{name} {}", seconds(time))));
    let failed = m
        .failed
        .filter(|&n| n > 0)
        .map_or(String::new(), |n| format!("; {n} of the articles failed"));
    format!(
        "load {}; a run {} ({}); {} source and {} target tokens{failed}",
        seconds(m.load_seconds),
        seconds(m.seconds.median),
        parts.collect::<Vec<_>>().join(", "),
        m.source_tokens,
        m.target_tokens
    )
}

/// What is the same for all rows, as `batch 32`.
fn named(head: &str, cell: &str) -> String {
    match head {
        "TASK" | "PRECISION" => cell.into(),
        "THREADS" => threads(cell.parse().unwrap_or(0)),
        _ => format!("{} {cell}", head.to_lowercase()),
    }
}

/// `123 ±2%`.
fn spread(s: Spread) -> String {
    let farthest = (s.max - s.median).max(s.median - s.min);
    let percent = if s.median > 0.0 { farthest / s.median * 100.0 } else { 0.0 };
    format!("{} ±{percent:.0}%", number(s.median))
}

/// `45.3 ±1.2`.
pub(super) fn score(Score { score, half_width }: Score) -> String {
    let half_width = half_width.map_or(String::new(), |half_width| format!(" ±{half_width:.1}"));
    format!("{score:.1}{half_width}")
}

/// A time that is reckoned: `45 s`, `12 min`, `3.5 h`, `2.1 days`.
pub(super) fn roughly(seconds: f64) -> String {
    match seconds {
        ..0.5 => "1 s".into(),
        ..99.5 => format!("{seconds:.0} s"),
        ..5970.0 => format!("{:.0} min", seconds / 60.0),
        ..172_800.0 => format!("{:.1} h", seconds / 3600.0),
        _ => format!("{:.1} days", seconds / 86_400.0),
    }
}

/// Three digits, or as many as there are before the point.
pub(super) fn number(x: f64) -> String {
    match x.abs() {
        a if a >= 99.95 => format!("{x:.0}"),
        a if a >= 9.995 => format!("{x:.1}"),
        _ => format!("{x:.2}"),
    }
}

/// `1.25 s`, `3.1 ms`.
pub(super) fn seconds(s: f64) -> String {
    if s < 0.9995 { format!("{} ms", number(s * 1e3)) } else { format!("{} s", number(s)) }
}

pub(super) fn bytes(n: u64) -> String {
    format!("{:.0} MB", n as f64 / 1e6)
}

pub(super) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent < 9.95 { format!("{percent:.1} %") } else { format!("{percent:.0} %") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_how_far_the_runs_are_apart() {
        let of = |median, min, max| spread(Spread { median, min, max });
        assert_eq!(of(100.0, 98.0, 105.0), "100 ±5%");
        assert_eq!(of(50.0, 40.0, 51.0), "50.0 ±20%");
        assert_eq!(of(0.0, 0.0, 0.0), "0.00 ±0%");
    }

    #[test]
    fn what_is_reckoned_is_told_roughly() {
        let all = [0.1, 45.4, 125.0, 12_600.0, 260_000.0].map(roughly);
        assert_eq!(all, ["1 s", "45 s", "2 min", "3.5 h", "3.0 days"]);
        let of = |half_width| score(Score { score: 45.27, half_width });
        assert_eq!([of(Some(1.23)), of(None)], ["45.3 ±1.2", "45.3"]);
    }

    #[test]
    fn numbers_have_three_digits() {
        assert_eq!(
            [1234.5, 99.96, 45.67, 9.996, 1.234, 0.0].map(number),
            ["1234", "100", "45.7", "10.0", "1.23", "0.00"]
        );
        assert_eq!(
            [1.5, 0.9999, 0.25, 0.0012].map(seconds),
            ["1.50 s", "1.00 s", "250 ms", "1.20 ms"]
        );
    }
}
