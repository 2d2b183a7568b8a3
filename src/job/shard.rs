//! A part of a job, for one of many machines: which articles it takes, where its results go, and
//! how the parts become one.

use super::page::write_report;
use super::todo::Desk;
use crate::error::{Error, Result};
use crate::io::journal::RecordId;
use crate::io::names::is_inside;
use crate::io::write::{atomic, copy};
use crate::report;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The folder of the parts, in the output folder.
const FOLDER: &str = "shards";
/// The file that says that a part is complete; it is written last.
const COMPLETE: &str = "complete.json";

/// One of `count` parts, by the hash of the articles' bytes: which part takes an article depends on
/// nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Its number, from 0.
    pub index: u32,
    /// How many there are.
    pub count: u32,
}

/// What is known of a part that is complete.
#[derive(Debug, Serialize, Deserialize)]
struct Complete {
    /// The title of its report: the inputs.
    title: String,
    /// Records in its journal.
    records: usize,
}

impl Shard {
    /// The part that the machine's scheduler has for this process: of a Slurm array or step, of an
    /// indexed job of Kubernetes (which says how many there are only if it is told to, in
    /// `JOB_COMPLETIONS`).
    ///
    /// # Errors
    /// When the variables of neither are there.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Shard> {
        let number = |name: &str| variable(name).and_then(|value| value.trim().parse::<u32>().ok());
        let array = || {
            let first = number("SLURM_ARRAY_TASK_MIN").unwrap_or(0);
            let index = number("SLURM_ARRAY_TASK_ID")?.checked_sub(first)?;
            Some((index, number("SLURM_ARRAY_TASK_COUNT")?))
        };
        let step = || Some((number("SLURM_PROCID")?, number("SLURM_NTASKS")?));
        let indexed = || Some((number("JOB_COMPLETION_INDEX")?, number("JOB_COMPLETIONS")?));
        let (index, count) = array().or_else(step).or_else(indexed).ok_or_else(|| {
            Error::Usage(
                "--shard auto: expected the variables of a Slurm array or step \
                 (SLURM_ARRAY_TASK_ID and SLURM_ARRAY_TASK_COUNT, SLURM_PROCID and SLURM_NTASKS) or \
                 of an indexed Kubernetes job (JOB_COMPLETION_INDEX, and JOB_COMPLETIONS, which you \
                 set), found neither; say it as --shard 3/16"
                    .into(),
            )
        })?;
        Shard::of(index, count).ok_or_else(|| {
            Error::Usage(format!(
                "--shard auto: expected a number below {count}, found {index}; an array of numbers \
                 with gaps cannot be divided"
            ))
        })
    }

    fn of(index: u32, count: u32) -> Option<Shard> {
        (index < count && count <= 1_000_000).then_some(Shard { index, count })
    }

    /// Whether an article is in this part, by the SHA-256 of its bytes, in hex.
    pub fn takes(&self, sha256: &str) -> bool {
        let number = sha256.get(..15).and_then(|hex| u64::from_str_radix(hex, 16).ok());
        number.unwrap_or_default() % u64::from(self.count) == u64::from(self.index)
    }

    /// The folder of its results, in the output folder.
    pub(super) fn folder(&self, out: &Path) -> PathBuf {
        out.join(FOLDER).join(format!("{:05}-of-{:05}", self.index, self.count))
    }
}

impl FromStr for Shard {
    type Err = Error;

    /// Reads `3/16`, or `auto`, which asks the environment.
    fn from_str(text: &str) -> Result<Shard> {
        if text == "auto" {
            return Shard::from_environment(|name| std::env::var(name).ok());
        }
        let parts = text.split_once('/');
        let numbers = parts.and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
        numbers.and_then(|(index, count)| Shard::of(index, count)).ok_or_else(|| {
            Error::Usage(format!(
                "{text:?} is no part of a job; expected a number from 0 and how many there are, as \
                 0/16 … 15/16, or auto"
            ))
        })
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

/// What [`merge`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MergeOutcome {
    /// Parts that were taken in.
    pub parts: usize,
    /// Records in them.
    pub records: usize,
    /// Those that are new here.
    pub new: usize,
}

/// A part begins: it is not complete any more.
pub(super) fn begin(folder: &Path) -> Result<()> {
    let path = folder.join(COMPLETE);
    match fs::remove_file(&path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io("removing", &path)(e)),
        _ => Ok(()),
    }
}

/// A part is complete: its records and files are on the disk.
pub(super) fn complete(folder: &Path, title: String, desk: &Desk) -> Result<()> {
    let complete = Complete { title, records: desk.journal.len() };
    let path = folder.join(COMPLETE);
    let json = serde_json::to_vec(&complete).map_err(|e| Error::io("writing", &path)(e.into()))?;
    atomic(&path, &json)
}

/// Makes one job of the parts in an output folder: their records in one journal, in the order of
/// their ids, their files in one tree, one report. The parts stay as they are; merging again takes
/// in what is new.
///
/// # Errors
/// When there are no parts, when one of them is missing or not complete and that is not `allowed`,
/// or a file cannot be copied.
pub fn merge(out: &Path, allowed: bool) -> Result<MergeOutcome> {
    let parts = parts(out, allowed)?;
    let mut desk = Desk::open(out)?;
    let mut outcome = MergeOutcome { parts: parts.len(), ..MergeOutcome::default() };
    // Their order is that of the ids, whichever part has which.
    let mut order: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut journals = Vec::new();
    let mut titles = Vec::new();
    for (number, (folder, complete)) in parts.iter().enumerate() {
        let part = Desk::open(folder)?;
        for record in part.journal.records()? {
            let record = record?;
            let target = record.target.as_ref().map_or(String::new(), ToString::to_string);
            order.insert((record.id, target), number);
        }
        titles.extend(complete.iter().map(|complete| complete.title.clone()));
        journals.push(part);
    }
    for ((id, target), number) in &order {
        let target = crate::types::Lang::parse(target).filter(|_| !target.is_empty());
        let of = RecordId { id, target: target.as_ref() };
        let Some(record) = journals[*number].journal.read(of)? else { continue };
        outcome.records += 1;
        desk.journal.meet(of);
        if desk.journal.find(of).is_some_and(|known| known.has_key(&record.key)) {
            continue;
        }
        let names = record.output.iter().chain(&record.document);
        for name in names.filter(|name| is_inside(name)) {
            copy(&parts[*number].0.join(name), &out.join(name))?;
        }
        desk.journal.append(&record)?;
        outcome.new += 1;
    }
    desk.journal.compact()?;
    titles.sort_unstable();
    titles.dedup();
    let meta = report::Meta { title: titles.join(", "), ..report::Meta::default() };
    write_report(out, &desk, meta)?;
    Ok(outcome)
}

/// The folders of the parts, all of those that there must be.
fn parts(out: &Path, allowed: bool) -> Result<Vec<(PathBuf, Option<Complete>)>> {
    let folder = out.join(FOLDER);
    let none = || {
        let out = out.display();
        Error::Usage(format!(
            "{out} holds no parts of a job; expected folders as {FOLDER}/00000-of-00016 in it, which \
             `polygist batch --shard 0/16 --out {out}` makes"
        ))
    };
    let entries = match fs::read_dir(&folder) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Err(none()),
        entries => entries.map_err(Error::io("reading the folder", &folder))?,
    };
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let shard = |name: &str| {
        let (index, count) = name.split_once("-of-")?;
        Shard::of(index.parse().ok()?, count.parse().ok()?)
    };
    let mut found: Vec<Shard> = names.filter_map(|name| shard(&name)).collect();
    found.sort_unstable_by_key(|shard| (shard.count, shard.index));
    let Some(count) = found.first().map(|shard| shard.count) else { return Err(none()) };
    if let Some(other) = found.iter().find(|shard| shard.count != count) {
        return Err(Error::Usage(format!(
            "{} holds parts of {count} and of {}; expected those of one job: move the others away",
            folder.display(),
            other.count
        )));
    }
    let state = |shard: &Shard| {
        let folder = shard.folder(out);
        let read = fs::read(folder.join(COMPLETE)).ok();
        let complete = read.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        (folder, complete)
    };
    let states: Vec<(PathBuf, Option<Complete>)> = found.iter().map(state).collect();
    let is_there =
        |index: &u32| found.iter().zip(&states).any(|(s, (_, c))| s.index == *index && c.is_some());
    let missing: Vec<String> =
        (0..count).filter(|index| !is_there(index)).map(|index| index.to_string()).collect();
    if !missing.is_empty() && !allowed {
        let more = missing.len().saturating_sub(10);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let named = missing[..missing.len().min(10)].join(", ");
        return Err(Error::Usage(format!(
            "parts {named}{more} of {count} are missing or not complete; run them to their end, or \
             take what is there with --partial"
        )));
    }
    Ok(states)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::sha256_hex;

    #[test]
    fn each_article_is_in_one_part() {
        let shards: Vec<Shard> = (0..7).map(|index| Shard { index, count: 7 }).collect();
        let mut sizes = [0; 7];
        for number in 0..7000 {
            let sha256 = sha256_hex(format!("article {number}").as_bytes());
            let takers: Vec<&Shard> = shards.iter().filter(|s| s.takes(&sha256)).collect();
            assert_eq!(takers.len(), 1);
            sizes[takers[0].index as usize] += 1;
        }
        assert!(sizes.iter().all(|size| (900..1100).contains(size)), "{sizes:?}");
    }

    #[test]
    fn parts_are_read_and_refused() {
        let parse = |text: &str| text.parse::<Shard>().map_err(|e| e.to_string());
        assert_eq!(parse("3/16"), Ok(Shard { index: 3, count: 16 }));
        for bad in ["16/16", "1", "a/b", "-1/3", "0/0", "1/2/3", ""] {
            assert!(parse(bad).is_err_and(|e| e.contains("0/16")), "{bad}");
        }
        let of = |variables: &[(&str, &str)]| {
            Shard::from_environment(|name| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_string())
            })
        };
        let slurm = [("SLURM_ARRAY_TASK_ID", "4"), ("SLURM_ARRAY_TASK_COUNT", "4")];
        assert!(of(&slurm).is_err());
        let from_one = [slurm[0], slurm[1], ("SLURM_ARRAY_TASK_MIN", "1")];
        assert_eq!(of(&from_one).unwrap(), Shard { index: 3, count: 4 });
        let step = [("SLURM_PROCID", "0"), ("SLURM_NTASKS", "2")];
        assert_eq!(of(&step).unwrap().to_string(), "0/2");
        let indexed = [("JOB_COMPLETION_INDEX", "5"), ("JOB_COMPLETIONS", "6")];
        assert_eq!(of(&indexed).unwrap().to_string(), "5/6");
        assert!(of(&indexed[..1]).unwrap_err().to_string().contains("JOB_COMPLETIONS"));
    }
}
