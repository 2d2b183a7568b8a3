//! The memory of a job: translations of segments in a file of the output folder, so that equal
//! segments are translated once, in one run or several.

use crate::error::Result;
use crate::io::memory::MemoryFile;
use crate::task::translate::{Claim, Memory, MemoryKey, Translation};
use crate::text::inline::Link;
use crate::types::{Origin, Problem, Terms};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// The memory of one output folder, open.
pub(super) struct JobMemory {
    file: Mutex<MemoryFile>,
    /// What is being translated at this moment.
    claimed: Mutex<HashSet<MemoryKey>>,
    /// Told whenever less is.
    made: Condvar,
    computing: String,
    asked: AtomicUsize,
    known: AtomicUsize,
}

/// A translation as the file has it. Fractions are kept by their bits: what is read is to the bit
/// what was written.
#[derive(Serialize, Deserialize)]
struct Kept {
    text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pivot: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    problems: Vec<Problem>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    confidence: Option<u32>,
    retried: bool,
    unread: usize,
    output: usize,
    /// Begin and end in the source, begin and end in the text, and the weight.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    links: Vec<(usize, usize, usize, usize, u32)>,
    #[serde(default, skip_serializing_if = "Terms::is_empty")]
    terms: Terms,
}

impl JobMemory {
    /// Opens the memory of an output folder whose journal is open, or starts one `anew`. Results
    /// that were computed elsewhere, or in another precision, are not found in it.
    pub fn open(folder: &Path, (device, precision): (&str, &str), anew: bool) -> Result<JobMemory> {
        let open = if anew { MemoryFile::create } else { MemoryFile::open };
        Ok(JobMemory {
            file: Mutex::new(open(folder)?),
            claimed: Mutex::default(),
            made: Condvar::new(),
            computing: format!("{device} {precision}"),
            asked: AtomicUsize::new(0),
            known: AtomicUsize::new(0),
        })
    }

    /// Segments that were to be translated in this run, and how many of them were before.
    pub fn counts(&self) -> (usize, usize) {
        (self.asked.load(Ordering::Relaxed), self.known.load(Ordering::Relaxed))
    }

    fn file(&self) -> MutexGuard<'_, MemoryFile> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn claimed(&self) -> MutexGuard<'_, HashSet<MemoryKey>> {
        self.claimed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, key: &MemoryKey) -> Result<Option<Translation>> {
        let found = self.file().get(key)?;
        // What another version has written otherwise is translated again.
        let kept = found.and_then(|bytes| serde_json::from_slice::<Kept>(&bytes).ok());
        Ok(kept.map(Translation::from))
    }
}

impl Memory for JobMemory {
    fn computing(&self) -> &str {
        &self.computing
    }

    fn claim(&self, key: &MemoryKey) -> Result<Claim> {
        let mut claimed = self.claimed();
        if let Some(known) = self.get(key)? {
            return Ok(Claim::Known(Box::new(known)));
        }
        Ok(if claimed.insert(*key) { Claim::Ours } else { Claim::Theirs })
    }

    fn wait(&self, key: &MemoryKey) -> Result<Option<Translation>> {
        let mut claimed = self.claimed();
        while claimed.contains(key) {
            claimed = self.made.wait(claimed).unwrap_or_else(PoisonError::into_inner);
        }
        drop(claimed);
        self.get(key)
    }

    fn put(&self, key: &MemoryKey, translation: &Translation) -> Result<()> {
        // Strings and numbers alone: this cannot fail, and would cost nothing but work.
        let bytes = serde_json::to_vec(&Kept::from(translation)).ok();
        let kept = bytes.map_or(Ok(()), |bytes| self.file().put(key, &bytes));
        self.give_up(std::slice::from_ref(key));
        kept
    }

    fn give_up(&self, keys: &[MemoryKey]) {
        let mut claimed = self.claimed();
        for key in keys {
            claimed.remove(key);
        }
        self.made.notify_all();
    }

    fn count(&self, asked: usize, known: usize) {
        self.asked.fetch_add(asked, Ordering::Relaxed);
        self.known.fetch_add(known, Ordering::Relaxed);
    }
}

impl From<&Translation> for Kept {
    fn from(translation: &Translation) -> Kept {
        let Translation {
            text,
            pivot,
            problems,
            confidence,
            retried,
            unread_tokens,
            output_tokens,
            // Neither is there in what is kept, see `translate_known`.
            alignments: _,
            origin: _,
            links,
            terms,
        } = translation;
        let link = |Link { source, target, weight }: &Link| {
            (source.start, source.end, target.start, target.end, weight.to_bits())
        };
        Kept {
            text: text.clone(),
            pivot: pivot.clone(),
            problems: problems.clone(),
            confidence: confidence.map(f32::to_bits),
            retried: *retried,
            unread: *unread_tokens,
            output: *output_tokens,
            links: links.iter().map(link).collect(),
            terms: terms.clone(),
        }
    }
}

impl From<Kept> for Translation {
    fn from(kept: Kept) -> Translation {
        let Kept { text, pivot, problems, confidence, retried, unread, output, links, terms } =
            kept;
        let link = |(start, end, first, last, weight)| Link {
            source: start..end,
            target: first..last,
            weight: f32::from_bits(weight),
        };
        Translation {
            text,
            pivot,
            problems,
            confidence: confidence.map(f32::from_bits),
            retried,
            unread_tokens: unread,
            output_tokens: output,
            alignments: Vec::new(),
            links: links.into_iter().map(link).collect(),
            terms,
            origin: Origin::Model,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_translation_comes_back_in_every_field_and_to_the_bit() {
        let dir = tempfile::tempdir().unwrap();
        let memory = JobMemory::open(dir.path(), ("cpu", "int8"), false).unwrap();
        let mut random = crate::testing::numbers(1);
        let mut fraction = || f32::from_bits(0x3000_0000 + random(0x0f80_0000) as u32);
        let mut expected = vec![Translation::default()];
        for number in 0..200usize {
            expected.push(Translation {
                text: format!("“x”\n\u{2028}\u{0} {number}"),
                pivot: (number % 2 == 0).then(|| "pivot".into()),
                problems: [Problem::Number, Problem::Doubtful][..number % 3].to_vec(),
                confidence: Some(fraction()),
                retried: number % 5 == 0,
                unread_tokens: number,
                output_tokens: 2 * number,
                alignments: Vec::new(),
                links: vec![Link { source: 0..number, target: 3..9, weight: fraction() }],
                terms: Terms::default(),
                origin: Origin::Model,
            });
        }
        let key = |number: usize| {
            let mut key = [0; 16];
            key[..8].copy_from_slice(&number.to_be_bytes());
            key
        };
        for (number, translation) in expected.iter().enumerate() {
            memory.put(&key(number), translation).unwrap();
        }
        drop(memory);
        let memory = JobMemory::open(dir.path(), ("cpu", "int8"), false).unwrap();
        for (number, translation) in expected.iter().enumerate() {
            assert_eq!(memory.get(&key(number)).unwrap().as_ref(), Some(translation));
        }
        assert_eq!(memory.get(&key(1000)).unwrap(), None);
    }

    #[test]
    fn who_asks_for_what_is_being_translated_gets_it_when_it_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let memory = JobMemory::open(dir.path(), ("cpu", "int8"), false).unwrap();
        let (made, given_up) = ([1; 16], [2; 16]);
        let translation = Translation { text: "once".into(), ..Translation::default() };
        for key in [&made, &given_up] {
            assert_eq!(memory.claim(key).unwrap(), Claim::Ours);
            assert_eq!(memory.claim(key).unwrap(), Claim::Theirs);
        }
        std::thread::scope(|scope| {
            let waits = [&made, &given_up].map(|key| scope.spawn(|| memory.wait(key).unwrap()));
            memory.put(&made, &translation).unwrap();
            memory.give_up(&[given_up]);
            let [first, second] = waits.map(|wait| wait.join().unwrap());
            assert_eq!((first, second), (Some(translation.clone()), None));
        });
        assert_eq!(memory.claim(&made).unwrap(), Claim::Known(Box::new(translation)));
        assert_eq!(memory.claim(&given_up).unwrap(), Claim::Ours);
    }
}
