//! The ids of the texts that were encoded lately.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Bytes of texts and ids that a generation holds: those of some thousand sentences.
const GENERATION: usize = 1 << 20;

/// What was encoded lately. A segment is asked about several times between its division into pieces
/// and the record of its article, and others come between.
///
/// Two generations are held: once the younger one is full, the older one goes.
#[derive(Default)]
pub(super) struct Recent {
    generations: Mutex<Generations>,
}

#[derive(Default)]
struct Generations {
    young: HashMap<String, Vec<u32>>,
    old: HashMap<String, Vec<u32>>,
    /// Bytes of the young ones.
    size: usize,
}

impl Recent {
    /// The ids of a text, encoded now if they are not held.
    ///
    /// # Errors
    /// Those of `encode`.
    pub fn ids<E>(
        &self,
        text: &str,
        encode: impl FnOnce() -> Result<Vec<u32>, E>,
    ) -> Result<Vec<u32>, E> {
        // What a panic has left is whole: at worst a text is encoded once more.
        let generations = || self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ids) = generations().get(text) {
            return Ok(ids);
        }
        let ids = encode()?;
        generations().put(text.into(), ids.clone());
        Ok(ids)
    }
}

impl Generations {
    fn get(&mut self, text: &str) -> Option<Vec<u32>> {
        if let Some(ids) = self.young.get(text) {
            return Some(ids.clone());
        }
        // What is asked for again becomes young again.
        let (text, ids) = self.old.remove_entry(text)?;
        self.put(text, ids.clone());
        Some(ids)
    }

    fn put(&mut self, text: String, ids: Vec<u32>) {
        let size = text.len() + size_of_val(ids.as_slice());
        if self.size + size > GENERATION {
            self.old = std::mem::take(&mut self.young);
            self.size = 0;
        }
        self.size += size;
        self.young.insert(text, ids);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    #[test]
    fn a_text_is_encoded_once_and_what_is_held_is_bounded() {
        let recent = Recent::default();
        let mut encoded = Vec::new();
        let mut ids = |number: u32| {
            let found = recent.ids::<Infallible>(&number.to_string(), || {
                encoded.push(number);
                Ok(vec![number; 1000])
            });
            found.unwrap()
        };
        for number in [1, 2, 1, 2] {
            assert_eq!(ids(number), vec![number; 1000]);
        }
        for number in 3..1000 {
            ids(number);
            assert_eq!(ids(2), vec![2; 1000], "what is asked for stays");
        }
        ids(1);
        assert_eq!(encoded, [1, 2].into_iter().chain(3..1000).chain([1]).collect::<Vec<u32>>());
        let held = recent.generations.lock().unwrap();
        let all = held.young.values().chain(held.old.values());
        assert!(all.map(|ids| size_of_val(ids.as_slice())).sum::<usize>() <= 2 * GENERATION);
    }

    #[test]
    fn what_fails_is_not_held() {
        let recent = Recent::default();
        assert_eq!(recent.ids("a", || Err("no")), Err("no"));
        assert_eq!(recent.ids::<&str>("a", || Ok(vec![1])), Ok(vec![1]));
    }
}
