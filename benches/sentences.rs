//! Sentence segmentation measured on NTREX: the lines of a document are joined, split again, and
//! the boundaries compared. Titles have no full stop and some lines hold two sentences, so 100 is
//! out of reach for everyone.
//!
//! `cargo bench --bench sentences`; the data is looked for in `POLYGIST_DATA`, else in
//! `../shared/data`.

mod data;

use polygist::text::sentences;
use polygist::types::Lang;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use unicode_segmentation::UnicodeSegmentation;

/// Boundaries that are right, proposed, and expected.
#[derive(Clone, Copy, Default)]
struct Counts {
    right: usize,
    proposed: usize,
    expected: usize,
}

impl Counts {
    fn add(&mut self, proposed: &BTreeSet<usize>, expected: &BTreeSet<usize>) {
        self.right += proposed.intersection(expected).count();
        self.proposed += proposed.len();
        self.expected += expected.len();
    }

    /// Precision, recall, F1.
    fn scores(self) -> [f64; 3] {
        let ratio = |a: usize, b: usize| 100.0 * a as f64 / b.max(1) as f64;
        [
            ratio(self.right, self.proposed),
            ratio(self.right, self.expected),
            ratio(2 * self.right, self.proposed + self.expected),
        ]
    }
}

/// Starts of the pieces but the first, without the space before them.
fn starts<'a>(pieces: impl Iterator<Item = &'a str>) -> BTreeSet<usize> {
    let mut at = 0;
    let mut out = BTreeSet::new();
    for piece in pieces {
        let body = piece.trim_start();
        if !body.is_empty() {
            out.insert(at + piece.len() - body.len());
        }
        at += piece.len();
    }
    out.remove(&0);
    out
}

fn main() -> std::io::Result<()> {
    let Some(root) = data::folder("articles/ntrex") else { return Ok(()) };
    let languages = data::entries(&root);
    println!("{:6} {:>22} {:>22}", "", "polygist", "Unicode alone");
    println!("{:6} {:>8}{:>7}{:>7} {:>8}{:>7}{:>7}", "", "P", "R", "F1", "P", "R", "F1");
    let mut means = [0.0; 2];
    let (mut time, mut bytes) = (Duration::ZERO, 0);
    for folder in &languages {
        let code = folder.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        let lang = Lang::parse(code).unwrap_or_else(Lang::und);
        let space = if matches!(lang.base(), "zh" | "ja" | "th") { "" } else { " " };
        let mut counts = [Counts::default(); 2];
        for file in data::entries(folder) {
            let text = std::fs::read_to_string(file)?;
            let lines: Vec<&str> = text.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
            let joined = lines.join(space);
            let expected = starts(joined_pieces(&joined, &lines, space).into_iter());
            let begin = Instant::now();
            let split = sentences::split(&joined, &lang);
            time += begin.elapsed();
            bytes += joined.len();
            let pieces: Vec<String> = split.into_iter().map(|s| s.text + &s.gap).collect();
            let ours = starts(pieces.iter().map(String::as_str));
            if std::env::var("SHOW").is_ok_and(|l| l == code) {
                for &at in ours.symmetric_difference(&expected) {
                    let left: String = joined[..at]
                        .chars()
                        .rev()
                        .take(30)
                        .collect::<Vec<_>>()
                        .into_iter()
                        .rev()
                        .collect();
                    let right: String = joined[at..].chars().take(30).collect();
                    println!(
                        "{} {left}|{right}",
                        if ours.contains(&at) { "false " } else { "missed" }
                    );
                }
            }
            counts[0].add(&ours, &expected);
            counts[1].add(&starts(joined.split_sentence_bounds()), &expected);
        }
        let scores = counts.map(Counts::scores);
        let columns = scores.map(|[p, r, f]| format!("{p:>8.1}{r:>7.1}{f:>7.1}"));
        println!("{code:6} {}", columns.join(" "));
        (0..2).for_each(|i| means[i] += scores[i][2] / languages.len() as f64);
    }
    println!(
        "mean F1: polygist {:.2}, Unicode alone {:.2}; {:.1} MB/s",
        means[0],
        means[1],
        bytes as f64 / 1e6 / time.as_secs_f64()
    );
    Ok(())
}

/// The joined text cut at the ends of its lines, each with the space after it.
fn joined_pieces<'a>(joined: &'a str, lines: &[&str], space: &str) -> Vec<&'a str> {
    let mut at = 0;
    lines
        .iter()
        .map(|line| {
            let end = (at + line.len() + space.len()).min(joined.len());
            let piece = &joined[at..end];
            at = end;
            piece
        })
        .collect()
}
