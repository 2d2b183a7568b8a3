//! The bias of attention scores by the distance from the query to the key.

/// The bias of a score by head and by the distance from the query to the key (Shaw et al. 2018;
/// Raffel et al. 2020).
#[derive(Clone, Debug)]
pub struct RelativeBias {
    max_distance: usize,
    /// (heads, 2 · max_distance + 1): distances −max_distance ..= max_distance.
    table: Vec<f32>,
}

impl RelativeBias {
    /// The biases `bias(head, distance)` of distances (key − query) up to `max_distance` each way;
    /// a longer distance counts as `max_distance`.
    pub fn new(
        heads: usize,
        max_distance: usize,
        bias: impl Fn(usize, isize) -> f32,
    ) -> RelativeBias {
        let distances = -(max_distance as isize)..=max_distance as isize;
        let table = (0..heads)
            .flat_map(|head| distances.clone().map(move |d| (head, d)))
            .map(|(head, d)| bias(head, d))
            .collect();
        RelativeBias { max_distance, table }
    }

    /// The bias of a head, for a key at `key` seen from a query at `query`.
    pub fn at(&self, head: usize, query: usize, key: usize) -> f32 {
        self.of_head(head)[self.bucket(query, key)]
    }

    /// The biases of a head, by [`RelativeBias::bucket`].
    #[inline(always)]
    pub(super) fn of_head(&self, head: usize) -> &[f32] {
        let width = 2 * self.max_distance + 1;
        &self.table[head * width..][..width]
    }

    /// The index of a distance.
    #[inline(always)]
    pub(super) fn bucket(&self, query: usize, key: usize) -> usize {
        (key + self.max_distance).saturating_sub(query).min(2 * self.max_distance)
    }
}

/// The biases of a tile's scores, and where their positions are counted from.
#[derive(Clone, Copy)]
pub(super) struct BiasOrigin<'a> {
    /// The bias of each part.
    pub bias: [Option<&'a RelativeBias>; 2],
    /// The position of the first row of each part that any query of the tile sees.
    pub first: [usize; 2],
}
