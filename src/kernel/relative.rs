//! What attention adds to its scores for how far a key is from the query.

/// What is added to a score, by head and by the distance from the query to the key (Shaw et al.
/// 2018; Raffel et al. 2020).
#[derive(Clone, Debug)]
pub struct RelativeBias {
    reach: usize,
    /// (heads, 2 · reach + 1): distances −reach ..= reach.
    table: Vec<f32>,
}

impl RelativeBias {
    /// `bias(head, distance)` for distances (key − query) up to `reach` each way; what is farther
    /// counts as `reach`.
    pub fn new(heads: usize, reach: usize, bias: impl Fn(usize, isize) -> f32) -> RelativeBias {
        let distances = -(reach as isize)..=reach as isize;
        let table = (0..heads)
            .flat_map(|head| distances.clone().map(move |d| (head, d)))
            .map(|(head, d)| bias(head, d))
            .collect();
        RelativeBias { reach, table }
    }

    /// What is added for a head, and a key at `key` seen from a query at `query`.
    pub fn at(&self, head: usize, query: usize, key: usize) -> f32 {
        self.line(head)[self.place(query, key)]
    }

    #[inline(always)]
    pub(super) fn line(&self, head: usize) -> &[f32] {
        let width = 2 * self.reach + 1;
        &self.table[head * width..][..width]
    }

    #[inline(always)]
    pub(super) fn place(&self, query: usize, key: usize) -> usize {
        (key + self.reach).saturating_sub(query).min(2 * self.reach)
    }
}
