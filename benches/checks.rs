//! False alarms: the share of human translations, in percent, that each check complains of, and any
//! of them, English to and from the languages of NTREX (news) and FLORES dev, `to English / from
//! English`; and of how many a number in words would be put right that is right. Hits: how many of
//! 200 translations that were broken on purpose the checks find. And what time a sentence takes.
//!
//! `cargo bench --bench checks`; the data is looked for in `POLYGIST_DATA`, else in
//! `../shared/data`. `SHOW=Number` prints what a check complains of, too, `SHOW=Mended` what would
//! be changed, `SHOW=missed` the broken translations that are not found. `LANGS=de,fr` looks at
//! these languages only.

#[path = "checks/broken.rs"]
mod broken;
mod data;

use data::entries;
use polygist::generate::Finish;
use polygist::task::checks;
use polygist::types::{Lang, Problem};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The checks that a human translation can fail.
const PROBLEMS: [Problem; 11] = [
    Problem::Repetition,
    Problem::Copy,
    Problem::WrongLanguage,
    Problem::TooShort,
    Problem::TooLong,
    Problem::Protected,
    Problem::Name,
    Problem::Number,
    Problem::Unit,
    Problem::Currency,
    Problem::Date,
];

/// One for each check, one for any of them, and one for numbers that would be put right.
const COLUMNS: usize = PROBLEMS.len() + 2;

/// Complaints of each check, to English and from it, and sentences looked at.
#[derive(Default)]
struct Counts {
    found: [[usize; 2]; COLUMNS],
    all: usize,
    /// Seconds of all checks.
    seconds: f64,
}

impl Counts {
    fn judge(&mut self, english: &str, other: &str, code: &Lang, shown: &str) {
        self.all += 1;
        let en = Lang::en();
        for (direction, (source, output, from, to)) in
            [(other, english, code, &en), (english, other, &en, code)].into_iter().enumerate()
        {
            let start = Instant::now();
            let problems = checks::translation(source, output, Finish::Stop, from, to);
            self.seconds += start.elapsed().as_secs_f64();
            self.found[PROBLEMS.len()][direction] += usize::from(!problems.is_empty());
            for &problem in &problems {
                if format!("{problem:?}") == shown {
                    println!("{from} {source}\n{to} {output}\n");
                }
                if let Some(row) = PROBLEMS.iter().position(|&p| p == problem) {
                    self.found[row][direction] += 1;
                }
            }
            if problems.contains(&Problem::Number)
                && let Some(mended) = checks::with_fixed_number(source, output, from, to)
            {
                if shown == "Mended" {
                    println!("{from} {source}\n{to} {output}\n-> {mended}\n");
                }
                self.found[PROBLEMS.len() + 1][direction] += 1;
            }
        }
    }

    fn shares(&self) -> [[f64; 2]; COLUMNS] {
        self.found.map(|both| both.map(|n| 100.0 * n as f64 / self.all.max(1) as f64))
    }
}

fn name(path: &Path) -> String {
    path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The sentences of two files that stand on the same line.
fn pairs(english: &Path, other: &Path) -> std::io::Result<Vec<(String, String)>> {
    let (english, other) = (std::fs::read_to_string(english)?, std::fs::read_to_string(other)?);
    Ok(english.lines().map(str::to_owned).zip(other.lines().map(str::to_owned)).collect())
}

/// Judges every language of a set, given as its name and the files of each language beside the
/// English ones.
fn table(set: &str, languages: &[(String, Vec<(PathBuf, PathBuf)>)]) -> std::io::Result<()> {
    let shown = std::env::var("SHOW").unwrap_or_default();
    println!(
        "{set:8}{}{:>14}{:>14}{:>14}",
        PROBLEMS.map(|p| format!("{:>14}", format!("{p:?}"))).concat(),
        "Any",
        "Mended",
        "µs"
    );
    let mut times = Vec::new();
    let mut sums = [[0.0; 2]; COLUMNS];
    for (code, files) in languages {
        let mut counts = Counts::default();
        let lang = Lang::parse(code).unwrap_or_else(Lang::und);
        for (english, other) in files {
            pairs(english, other)?
                .iter()
                .for_each(|(english, other)| counts.judge(english, other, &lang, &shown));
        }
        let shares = counts.shares();
        sums.iter_mut()
            .flatten()
            .zip(shares.iter().flatten())
            .for_each(|(sum, share)| *sum += share / languages.len() as f64);
        times.push(1e6 * counts.seconds / (2 * counts.all.max(1)) as f64);
        println!("{code:8}{}{:>14.1}", cells(shares), times[times.len() - 1]);
    }
    let time = times.iter().sum::<f64>() / times.len() as f64;
    println!("{:8}{}{time:>14.1}\n", "mean", cells(sums));
    Ok(())
}

fn cells(shares: [[f64; 2]; COLUMNS]) -> String {
    shares.map(|[to, from]| format!("{:>14}", format!("{to:.2} / {from:.2}"))).concat()
}

/// A sentence in English and in another language.
type Pair = (String, String);

/// Breaks translations of each kind, taking turns between the languages, and counts what is found.
fn hits(languages: &[(String, Vec<(PathBuf, PathBuf)>)]) -> std::io::Result<()> {
    let shows = std::env::var("SHOW").is_ok_and(|shown| shown == "missed");
    let mut all: Vec<(Lang, Vec<Pair>)> = Vec::new();
    for (code, files) in languages {
        let mut sentences = Vec::new();
        for (english, other) in files {
            sentences.extend(pairs(english, other)?);
        }
        all.push((Lang::parse(code).unwrap_or_else(Lang::und), sentences));
    }
    println!("{:20}{:>8}{:>8}", "broken", "found", "of");
    let (mut found, mut of) = (0, 0);
    for kind in broken::KINDS {
        let (hits, made) = hits_of(kind, &all, shows);
        println!("{:20}{hits:>8}{made:>8}", kind.name);
        (found, of) = (found + hits, of + made);
    }
    println!("{:20}{found:>8}{of:>8}\n", "all");
    Ok(())
}

fn hits_of(kind: &broken::Kind, all: &[(Lang, Vec<Pair>)], shows: bool) -> (usize, usize) {
    /// The sentences of the languages are the same: each language begins at another one.
    const STRIDE: usize = 61;
    let (mut hits, mut made) = (0, 0);
    let en = Lang::en();
    for round in 0.. {
        let before = made;
        for (number, (lang, sentences)) in all.iter().enumerate() {
            // Half of them into English, half from it, as far as there are words for it.
            let from_english = round % 2 == 1;
            if made == kind.wanted
                || (from_english && !kind.languages().any(|code| code == lang.base()))
            {
                continue;
            }
            let turn = number + round;
            let order = (0..sentences.len()).map(|i| (i + STRIDE * turn) % sentences.len());
            let broken = order.map(|i| &sentences[i]).find_map(|(english, other)| {
                let (source, right, from, to) = match from_english {
                    false => (other, english, lang, &en),
                    true => (english, other, &en, lang),
                };
                Some((source, kind.broken(right, to, turn)?, from, to))
            });
            let Some((source, text, from, to)) = broken else { continue };
            made += 1;
            let problems = checks::translation(source, &text, Finish::Stop, from, to);
            let is_hit = problems.iter().any(|problem| kind.problems.contains(problem));
            hits += usize::from(is_hit);
            if shows && !is_hit {
                println!("{} {from} {source}\n{to} {text}\n", kind.name);
            }
        }
        if made == kind.wanted || (made == before && round > 1) {
            break;
        }
    }
    (hits, made)
}

fn main() -> std::io::Result<()> {
    let (Some(ntrex), Some(flores)) = (data::folder("articles/ntrex"), data::folder("flores-dev"))
    else {
        return Ok(());
    };
    let others = |root: &Path| {
        let chosen = std::env::var("LANGS").ok();
        let is_chosen = |path: &Path| {
            chosen.as_ref().is_none_or(|codes| codes.split(',').any(|code| code == name(path)))
        };
        let all = entries(root).into_iter();
        all.filter(|path| name(path) != "en" && is_chosen(path)).collect::<Vec<_>>()
    };
    let documents = |folder: &PathBuf| {
        let files = entries(&ntrex.join("en")).into_iter();
        (
            name(folder),
            files
                .map(|file| (file.clone(), folder.join(file.file_name().unwrap_or_default())))
                .collect(),
        )
    };
    let news = others(&ntrex).iter().map(documents).collect::<Vec<_>>();
    table("NTREX", &news)?;
    hits(&news)?;
    let file = |path: &PathBuf| (name(path), vec![(flores.join("en.txt"), path.clone())]);
    table("FLORES", &others(&flores).iter().map(file).collect::<Vec<_>>())
}
