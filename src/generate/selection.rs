//! The rows of the output layer that the shortlists of a worker's sequences name, side by side: one
//! product gives the logits of all sequences, and each looks at those of its own list.
//!
//! Lists have much in common. A row that several name is there once, and one that nobody names any
//! longer stays until its place is needed.

use crate::error::Result;
use crate::nn::{OutputLayer, OutputRows};
use candle_core::Tensor;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Mutex, PoisonError};

/// Rows that sequences share.
pub(super) struct Selection {
    rows: OutputRows,
    /// The place of each token of the vocabulary, if it has one.
    places: Vec<Option<u32>>,
    /// What is in each place that has been used.
    held: Vec<Held>,
    /// Places that nobody needs, and some that are needed again.
    free: BinaryHeap<Reverse<u32>>,
    returned: Returned,
}

#[derive(Clone, Copy)]
struct Held {
    token: u32,
    /// Lists that name it.
    lists: u32,
}

/// Places of lists that are done, until the selection counts them off.
type Returned = Arc<Mutex<Vec<Vec<u32>>>>;

/// The places of one list, in its order; they are given back when it is dropped.
pub(super) struct Places {
    places: Vec<u32>,
    returned: Returned,
}

impl Places {
    /// Copies a list's logits out of those of a whole selection.
    pub(super) fn gather(&self, all: &[f32], out: &mut Vec<f32>) {
        out.clear();
        out.extend(self.places.iter().map(|&place| all[place as usize]));
    }
}

impl Drop for Places {
    fn drop(&mut self) {
        let places = std::mem::take(&mut self.places);
        self.returned.lock().unwrap_or_else(PoisonError::into_inner).push(places);
    }
}

impl Selection {
    /// An empty selection of a layer's rows; `None` where the layer is on a device.
    pub(super) fn new(output: &OutputLayer) -> Option<Selection> {
        Some(Selection {
            rows: OutputRows::new(output)?,
            places: vec![None; output.vocabulary()],
            held: Vec::new(),
            free: BinaryHeap::new(),
            returned: Arc::default(),
        })
    }

    /// Takes up the rows of a list of tokens of the vocabulary.
    pub(super) fn take_up(&mut self, tokens: &[u32], output: &OutputLayer) -> Result<Places> {
        self.count_off();
        // First those that are there, so that no other takes their places.
        for &token in tokens {
            if let Some(place) = self.places[token as usize] {
                self.held[place as usize].lists += 1;
            }
        }
        let mut places = Vec::with_capacity(tokens.len());
        for &token in tokens {
            places.push(match self.places[token as usize] {
                Some(place) => place,
                None => {
                    let place = self.free_place(token);
                    self.rows.put(place as usize, output, token)?;
                    place
                }
            });
        }
        Ok(Places { places, returned: self.returned.clone() })
    }

    /// The logits after each row of `hidden`, and how many there are for each.
    pub(super) fn logits(&mut self, hidden: &Tensor) -> Result<(Vec<f32>, usize)> {
        self.count_off();
        let count = self.held.iter().rposition(|held| held.lists > 0).map_or(0, |last| last + 1);
        Ok((self.rows.logits(hidden, count)?, count))
    }

    /// The lowest place that nobody needs, for a token that one list names.
    fn free_place(&mut self, token: u32) -> u32 {
        let new = Held { token, lists: 1 };
        while let Some(Reverse(place)) = self.free.pop() {
            let held = &mut self.held[place as usize];
            if held.lists == 0 {
                self.places[held.token as usize] = None;
                *held = new;
                self.places[token as usize] = Some(place);
                return place;
            }
        }
        let place = self.held.len() as u32;
        self.held.push(new);
        self.places[token as usize] = Some(place);
        place
    }

    /// Counts off the lists that are done.
    fn count_off(&mut self) {
        let mut returned = self.returned.lock().unwrap_or_else(PoisonError::into_inner);
        for place in returned.drain(..).flatten() {
            let held = &mut self.held[place as usize];
            held.lists -= 1;
            if held.lists == 0 {
                self.free.push(Reverse(place));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::MatrixReader;
    use crate::kernel::Precision;
    use crate::nn::Backend;
    use candle_core::Device;

    #[test]
    fn lists_get_the_logits_of_their_tokens_whatever_others_name() {
        let random = |rows: usize| Tensor::randn(0f32, 1.0, (rows, 32), &Device::Cpu).unwrap();
        for precision in [Precision::F32, Precision::Int8] {
            let backend = Backend::new(Device::Cpu, precision);
            let weights = MatrixReader::from_tensor(random(300)).unwrap();
            let bias = random(300).narrow(1, 0, 1).unwrap();
            let output = OutputLayer::new(&weights, &backend).unwrap().with_bias(&bias).unwrap();
            let hidden = random(2);
            let mut all: Vec<Vec<f32>> = vec![Vec::new(); 2];
            let mut keep = |_, width: usize, logits: &mut [f32]| {
                for (all, logits) in all.iter_mut().zip(logits.chunks_exact(width)) {
                    all.extend_from_slice(logits);
                }
            };
            output.blocks(&hidden, &mut keep).unwrap();
            let mut selection = Selection::new(&output).unwrap();
            let mut lists: Vec<(Vec<u32>, Places)> = Vec::new();
            for step in 0..40u32 {
                let tokens: Vec<u32> = (0..300)
                    .filter(|t| (t * 7 + step * 13) % 11 == 0 || t % 29 == step % 3)
                    .collect();
                let places = selection.take_up(&tokens, &output).unwrap();
                lists.push((tokens, places));
                if lists.len() > 3 {
                    lists.remove(step as usize % 3);
                }
                let (logits, count) = selection.logits(&hidden).unwrap();
                assert!(count < 200, "{count} places for three lists");
                let mut own = Vec::new();
                for (tokens, places) in &lists {
                    for (all, logits) in all.iter().zip(logits.chunks_exact(count)) {
                        places.gather(logits, &mut own);
                        let want: Vec<f32> = tokens.iter().map(|&t| all[t as usize]).collect();
                        assert_eq!(own, want);
                    }
                }
            }
            drop(lists);
            assert_eq!(selection.logits(&hidden).unwrap().1, 0);
        }
    }
}
