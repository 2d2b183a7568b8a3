//! What a run has left to do, for those who look at its output folder from outside.

use crate::error::{Error, Result};
use crate::io::write::replace;
use crate::types::Lang;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The file in the output folder that tells it.
const FILE: &str = ".polygist.remaining.json";

/// Articles that are to be done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Count {
    /// Those without a record.
    pub new: usize,
    /// Those that have one, which is not what the run would make.
    pub again: usize,
}

/// The articles that a run has left, by the language that they are wanted in.
#[derive(Debug)]
pub(super) struct Remaining {
    path: PathBuf,
    counts: BTreeMap<String, Count>,
}

impl Remaining {
    /// A run begins in an output folder. As long as it does not know what there is to do, nobody
    /// does.
    ///
    /// # Errors
    /// When what an earlier run has told cannot be removed.
    pub fn begin(out: &Path) -> Result<Remaining> {
        let path = out.join(FILE);
        match fs::remove_file(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::io("removing", &path)(e))
            }
            _ => Ok(Remaining { path, counts: BTreeMap::new() }),
        }
    }

    /// So many articles are to be done in a language.
    pub fn plan(&mut self, target: Option<&Lang>, count: Count) {
        self.counts.insert(name(target), count);
    }

    /// One of them is done, which had a record before, or had none.
    pub fn finish(&mut self, target: Option<&Lang>, had_record: bool) {
        let Some(count) = self.counts.get_mut(&name(target)) else { return };
        let left = if had_record { &mut count.again } else { &mut count.new };
        *left = left.saturating_sub(1);
    }

    /// Tells it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self) -> Result<()> {
        // Of what comes through a pipe nobody knows how much there is.
        if self.counts.is_empty() {
            return Ok(());
        }
        let json = serde_json::to_vec(&self.counts)
            .map_err(|e| Error::io("writing", &self.path)(e.into()))?;
        replace(&self.path, &json)
    }

    /// What the last run of an output folder has left to do in all languages, where it has told.
    pub fn look(out: &Path) -> Option<Count> {
        let counts: BTreeMap<String, Count> =
            serde_json::from_slice(&fs::read(out.join(FILE)).ok()?).ok()?;
        let sum =
            |part: fn(&Count) -> usize| counts.values().map(part).fold(0, usize::saturating_add);
        Some(Count { new: sum(|count| count.new), again: sum(|count| count.again) })
    }
}

fn name(target: Option<&Lang>) -> String {
    target.map_or(String::new(), Lang::to_string)
}
