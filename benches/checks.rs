//! False alarms: the share of human translations, in percent, that each check complains of, English
//! to and from the languages of NTREX (news) and FLORES dev, `to English / from English`; and of
//! how many a number in words would be put right that is right.
//!
//! `cargo bench --bench checks`; the data is looked for in `POLYGIST_DATA`, else in
//! `../shared/data`. `SHOW=Number` prints what a check complains of, too, `SHOW=Mended` what would
//! be changed.

mod data;

use data::entries;
use polygist::generate::Finish;
use polygist::task::checks;
use polygist::types::{Lang, Problem};
use std::path::{Path, PathBuf};

/// The checks that a human translation can fail.
const PROBLEMS: [Problem; 8] = [
    Problem::Repetition,
    Problem::Copy,
    Problem::WrongLanguage,
    Problem::TooShort,
    Problem::TooLong,
    Problem::Protected,
    Problem::Number,
    Problem::Currency,
];

/// One for each check, and one for numbers that would be put right.
const COLUMNS: usize = PROBLEMS.len() + 1;

/// Complaints of each check, to English and from it, and sentences looked at.
#[derive(Default)]
struct Counts {
    found: [[usize; 2]; COLUMNS],
    all: usize,
}

impl Counts {
    fn judge(&mut self, english: &str, other: &str, code: &Lang, shown: &str) {
        self.all += 1;
        let en = Lang::en();
        for (direction, (source, output, from, to)) in
            [(other, english, code, &en), (english, other, &en, code)].into_iter().enumerate()
        {
            let problems = checks::translation(source, output, Finish::Stop, from, to);
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
                self.found[PROBLEMS.len()][direction] += 1;
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
        "{set:8}{}{:>14}",
        PROBLEMS.map(|p| format!("{:>14}", format!("{p:?}"))).concat(),
        "Mended"
    );
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
        println!("{code:8}{}", cells(shares));
    }
    println!("{:8}{}\n", "mean", cells(sums));
    Ok(())
}

fn cells(shares: [[f64; 2]; COLUMNS]) -> String {
    shares.map(|[to, from]| format!("{:>14}", format!("{to:.2} / {from:.2}"))).concat()
}

fn main() -> std::io::Result<()> {
    let (Some(ntrex), Some(flores)) = (data::folder("articles/ntrex"), data::folder("flores-dev"))
    else {
        return Ok(());
    };
    let others = |root: &Path| {
        entries(root).into_iter().filter(|path| name(path) != "en").collect::<Vec<_>>()
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
    table("NTREX", &others(&ntrex).iter().map(documents).collect::<Vec<_>>())?;
    let file = |path: &PathBuf| (name(path), vec![(flores.join("en.txt"), path.clone())]);
    table("FLORES", &others(&flores).iter().map(file).collect::<Vec<_>>())
}
