//! Which articles tell the same story: average linkage (Sokal and Michener 1958) over the cosines
//! of their vectors, by chains of nearest neighbours (Murtagh 1983).
//!
//! With vectors of length 1 the mean cosine between two groups is the product of their sums over
//! their sizes, so no matrix of distances is kept: time grows with the square of the number of
//! articles, memory with the number.

use rayon::prelude::*;

/// A group on its way: the numbers of its members and the sum of their vectors.
struct Group {
    members: Vec<usize>,
    sum: Vec<f32>,
}

impl Group {
    /// The mean cosine between the members of the two.
    fn likeness(&self, other: &Group) -> f32 {
        let product: f32 = self.sum.iter().zip(&other.sum).map(|(a, b)| a * b).sum();
        product / (self.members.len() * other.members.len()) as f32
    }
}

/// Groups of vectors of length 1 whose mean cosine is at least `threshold`, each in ascending
/// order, the group of the first vector first. Equal input has equal output, on any number of
/// threads.
pub fn groups(vectors: &[Vec<f32>], threshold: f32) -> Vec<Vec<usize>> {
    let one = |(number, vector): (usize, &Vec<f32>)| {
        Some(Group { members: vec![number], sum: vector.clone() })
    };
    let mut groups: Vec<Option<Group>> = vectors.iter().enumerate().map(one).collect();
    let mut done = vec![false; groups.len()];
    let mut chain: Vec<usize> = Vec::new();
    loop {
        let Some(&top) = chain.last() else {
            let open = |&place: &usize| groups[place].is_some() && !done[place];
            let Some(start) = (0..groups.len()).find(open) else { break };
            chain.push(start);
            continue;
        };
        let before = chain.len().checked_sub(2).map(|place| chain[place]);
        let nearest = nearest(&groups, &done, top, before);
        match nearest {
            // Neither will find anything nearer: average linkage has no inversions.
            None => {
                done[top] = true;
                chain.pop();
            }
            Some((_, likeness)) if likeness < threshold => {
                done[top] = true;
                chain.pop();
            }
            Some((other, _)) if Some(other) == before => {
                chain.truncate(chain.len() - 2);
                merge(&mut groups, top, other);
            }
            Some((other, _)) => chain.push(other),
        }
    }
    let mut found: Vec<Vec<usize>> = groups.into_iter().flatten().map(|g| g.members).collect();
    found.iter_mut().for_each(|members| members.sort_unstable());
    found.sort();
    found
}

/// The open group that is nearest to the one at a place; of equals the one `before` it in the
/// chain, so that chains end, else the first.
fn nearest(
    groups: &[Option<Group>],
    done: &[bool],
    place: usize,
    before: Option<usize>,
) -> Option<(usize, f32)> {
    let own = groups[place].as_ref()?;
    let others = (0..groups.len()).into_par_iter().filter(|&other| other != place && !done[other]);
    let likeness = |other: usize| Some((other, own.likeness(groups[other].as_ref()?)));
    let better = |a: (usize, f32), b: (usize, f32)| {
        let rank = |(other, likeness): (usize, f32)| (likeness, Some(other) == before);
        let (x, y) = (rank(a), rank(b));
        match x.0.total_cmp(&y.0).then(x.1.cmp(&y.1)).then(b.0.cmp(&a.0)) {
            std::cmp::Ordering::Less => b,
            _ => a,
        }
    };
    others.filter_map(likeness).reduce_with(better)
}

/// Puts one group into the other, which is the one with the lower number.
fn merge(groups: &mut [Option<Group>], a: usize, b: usize) {
    let (into, from) = (a.min(b), a.max(b));
    if let (Some(taken), Some(kept)) = (groups[from].take(), groups[into].as_mut()) {
        kept.members.extend(taken.members);
        kept.sum.iter_mut().zip(&taken.sum).for_each(|(sum, value)| *sum += value);
    }
}

#[cfg(test)]
mod tests {
    use super::groups;
    use proptest::prelude::*;

    fn unit(angle: f32) -> Vec<f32> {
        vec![angle.cos(), angle.sin()]
    }

    #[test]
    fn what_lies_near_is_together_and_chains_are_not() {
        let vectors: Vec<Vec<f32>> = [0.0, 2.0, 0.05, 2.02, 0.1, 4.0].map(unit).to_vec();
        assert_eq!(groups(&vectors, 0.9), [vec![0, 2, 4], vec![1, 3], vec![5]]);
        assert_eq!(groups(&vectors, 1.1).len(), 6);
        assert!(groups(&[], 0.5).is_empty());
        // Each is near to the next, the ends are far from each other.
        let chain: Vec<Vec<f32>> = (0..12).map(|i| unit(i as f32 * 0.25)).collect();
        assert!(groups(&chain, 0.9).iter().all(|group| group.len() <= 4));
    }

    proptest! {
        #[test]
        fn everyone_is_in_one_group_whose_members_are_near_on_average(
            angles in prop::collection::vec(0.0f32..6.0, 0..24),
            threshold in 0.0f32..1.0,
        ) {
            let vectors: Vec<Vec<f32>> = angles.iter().copied().map(unit).collect();
            let found = groups(&vectors, threshold);
            let mut all: Vec<usize> = found.concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..vectors.len()).collect::<Vec<_>>());
            for group in &found {
                let sum = |of: &[usize]| of.iter().fold([0.0; 2], |sum, &i| {
                    [sum[0] + vectors[i][0], sum[1] + vectors[i][1]]
                });
                let n = group.len() as f32;
                let [x, y] = sum(group);
                // The mean over pairs is what the merges kept above the threshold.
                let mean = (x * x + y * y - n) / (n * (n - 1.0)).max(1.0);
                prop_assert!(group.len() == 1 || mean > threshold - 0.01, "{}", mean);
            }
        }
    }
}
