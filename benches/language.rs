//! Language identification measured on NTREX (news) and FLORES dev: whole sentences, their first 40
//! characters, and whole documents. Correct, and in brackets "und"; what remains is wrong. Beside
//! it, `whatlang` alone. Then, how often a sentence is taken for one of another language than its
//! article when that is translated into English, and how often an English one is found in it.
//!
//! `cargo bench --bench language`; the data is looked for in `POLYGIST_DATA`, else in
//! `../shared/data`.

mod data;

use data::entries;
use polygist::text::language::{self, Languages};
use polygist::types::Lang;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

const SETTINGS: [&str; 4] = ["sentences", "40 characters", "documents", "FLORES sentences"];

/// Texts that were judged right, unsure, and in all; and right by `whatlang`.
#[derive(Clone, Copy, Default)]
struct Counts {
    right: usize,
    unsure: usize,
    whatlang: usize,
    all: usize,
}

fn judge(counts: &mut Counts, wrong: &mut Vec<String>, code: &str, text: &str) {
    let found = language::detect(text);
    counts.all += 1;
    if found.code.base() == code {
        counts.right += 1;
    } else if found.code.is_und() {
        counts.unsure += 1;
    } else {
        wrong.push(format!("{code} taken for {} ({:.2}): {text}", found.code, found.confidence));
    }
    counts.whatlang +=
        usize::from(whatlang::detect(text).is_some_and(|i| iso_639_1(i.lang().code()) == code));
}

/// The codes of the languages in the data.
fn iso_639_1(code: &str) -> &str {
    const CODES: [(&str, &str); 32] = [
        ("ara", "ar"),
        ("aze", "az"),
        ("bul", "bg"),
        ("ces", "cs"),
        ("dan", "da"),
        ("deu", "de"),
        ("ell", "el"),
        ("eng", "en"),
        ("spa", "es"),
        ("pes", "fa"),
        ("fin", "fi"),
        ("fra", "fr"),
        ("heb", "he"),
        ("hin", "hi"),
        ("hun", "hu"),
        ("hye", "hy"),
        ("ind", "id"),
        ("ita", "it"),
        ("jpn", "ja"),
        ("kat", "ka"),
        ("kaz", "kk"),
        ("kor", "ko"),
        ("nld", "nl"),
        ("pol", "pl"),
        ("por", "pt"),
        ("ron", "ro"),
        ("rus", "ru"),
        ("swe", "sv"),
        ("tur", "tr"),
        ("ukr", "uk"),
        ("vie", "vi"),
        ("cmn", "zh"),
    ];
    CODES.iter().find(|(three, _)| *three == code).map_or("", |(_, two)| two)
}

/// The sentences of the articles in a folder.
fn sentences(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut sentences = Vec::new();
    for file in entries(folder) {
        let text = std::fs::read_to_string(file)?;
        sentences.extend(text.lines().filter(|l| !l.trim().is_empty()).map(str::to_string));
    }
    Ok(sentences)
}

/// Counts by the languages of NTREX: sentences in all, those that are taken for another language
/// than their article's, and the share of English sentences of six words and more that are found.
fn passages(ntrex: &Path) -> std::io::Result<()> {
    let en = Lang::en();
    let mut inserted = sentences(&ntrex.join("en"))?;
    inserted.retain(|sentence| sentence.split_whitespace().count() >= 6);
    let (mut all, mut taken) = (0, 0);
    println!("{:6}{:>10}{:>8}{:>10}", "", "sentences", "taken", "found");
    for folder in entries(ntrex) {
        let name = folder.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        let Some(around) = Lang::parse(name).filter(|lang| *lang != en) else { continue };
        let find = |sentence: &String| {
            let languages = Languages { around: &around, expected: &[&en] };
            language::of_passage(sentence, languages)
        };
        let own = sentences(&folder)?;
        let others = own.iter().filter(|sentence| find(sentence).is_some()).count();
        let found = inserted.iter().filter(|sentence| find(sentence) == Some(Lang::en())).count();
        let share = 100.0 * found as f64 / inserted.len().max(1) as f64;
        println!("{name:6}{:>10}{others:>8}{share:>9.1}%", own.len());
        (all, taken) = (all + own.len(), taken + others);
    }
    println!("{:6}{all:>10}{taken:>8}", "");
    Ok(())
}

fn main() -> std::io::Result<()> {
    let (Some(ntrex), Some(flores)) = (data::folder("articles/ntrex"), data::folder("flores-dev"))
    else {
        return Ok(());
    };
    let begin = Instant::now();
    let mut table: BTreeMap<String, [Counts; 4]> = BTreeMap::new();
    let mut wrong: [Vec<String>; 4] = Default::default();
    for folder in entries(&ntrex) {
        let name = folder.file_name().and_then(|n| n.to_str()).unwrap_or_default().to_string();
        let code = name.split('-').next().unwrap_or_default().to_string();
        let row = table.entry(code.clone()).or_default();
        for file in entries(&folder) {
            let text = std::fs::read_to_string(file)?;
            judge(&mut row[2], &mut wrong[2], &code, &text);
            for line in text.lines().filter(|l| !l.trim().is_empty()) {
                judge(&mut row[0], &mut wrong[0], &code, line);
                let short: String = line.chars().take(40).collect();
                judge(&mut row[1], &mut wrong[1], &code, &short);
            }
        }
    }
    for file in entries(&flores) {
        let code = file.file_stem().and_then(|n| n.to_str()).unwrap_or_default().to_string();
        let row = table.entry(code.clone()).or_default();
        for line in std::fs::read_to_string(&file)?.lines().filter(|l| !l.trim().is_empty()) {
            judge(&mut row[3], &mut wrong[3], &code, line);
        }
    }
    println!("{:4} {}", "", SETTINGS.map(|s| format!("{s:>24}")).concat());
    println!(
        "{:4} {}",
        "",
        SETTINGS.map(|_| format!("{:>15}{:>9}", "polygist (und)", "whatlang")).concat()
    );
    let mut means = [[0.0; 3]; 4];
    let mut languages = [0.0; 4];
    for (code, row) in &table {
        print!("{code:4} ");
        for (i, c) in row.iter().enumerate() {
            let percent = |n: usize| 100.0 * n as f64 / c.all.max(1) as f64;
            let shares = [percent(c.right), percent(c.unsure), percent(c.whatlang)];
            if c.all > 0 {
                languages[i] += 1.0;
                (0..3).for_each(|k| means[i][k] += shares[k]);
            }
            print!("{:>8.1} ({:>4.1}){:>9.1}", shares[0], shares[1], shares[2]);
        }
        println!();
    }
    print!("mean ");
    for (mean, n) in means.iter().zip(languages) {
        print!("{:>8.2} ({:>4.1}){:>9.2}", mean[0] / n, mean[1] / n, mean[2] / n);
    }
    println!("\n");
    passages(&ntrex)?;
    println!("{:.1} s", begin.elapsed().as_secs_f64());
    if let Ok(setting) = std::env::var("SHOW") {
        wrong[setting.parse::<usize>().unwrap_or(0).min(3)].iter().for_each(|w| println!("{w}"));
    }
    Ok(())
}
