//! Shortlists: the tokens that may come in a text. Those of a language; and lexical ones, chosen by
//! a source's tokens (Jean et al. 2015; as Marian has them).

/// A set of tokens: a bit for each of the vocabulary, the lowest of each byte first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenSet(pub Vec<u8>);

impl TokenSet {
    /// Whether a token is in it.
    pub fn contains(&self, token: u32) -> bool {
        self.0.get(token as usize / 8).is_some_and(|byte| byte >> (token % 8) & 1 == 1)
    }
}

/// For each token of a source, the tokens of its likely translations.
#[derive(Clone, Debug)]
pub struct Shortlist {
    /// The first tokens of the vocabulary, the most frequent ones, may come in every translation:
    /// so many.
    pub first: usize,
    /// Where the list of each source token begins in `targets`, ascending, and at the end where the
    /// last one ends; at most the length of `targets`.
    pub offsets: Vec<usize>,
    /// Target tokens.
    pub targets: Vec<u32>,
    /// Whether source and target have one vocabulary: what stands in a source may then stand in its
    /// translation.
    pub shared: bool,
}

impl Shortlist {
    /// The tokens that may come in the translation of `source`, ascending, out of a vocabulary of
    /// that size. As in Marian they are made a multiple of eight, with frequent ones.
    pub fn tokens(&self, source: &[u32], vocabulary: usize) -> Vec<u32> {
        let mut chosen = vec![false; vocabulary];
        let first = self.first.min(vocabulary);
        chosen[..first].fill(true);
        for &token in source {
            let token = token as usize;
            let list = self
                .offsets
                .get(token)
                .zip(self.offsets.get(token + 1))
                .and_then(|(&from, &to)| self.targets.get(from..to));
            let own = [token as u32];
            for &target in
                list.into_iter().flatten().chain(if self.shared { &own[..] } else { &[] })
            {
                if let Some(place) = chosen.get_mut(target as usize) {
                    *place = true;
                }
            }
        }
        let mut lacking = chosen.iter().filter(|&&chosen| chosen).count().wrapping_neg() % 8;
        for place in chosen[first..].iter_mut().filter(|chosen| !**chosen) {
            if lacking == 0 {
                break;
            }
            *place = true;
            lacking -= 1;
        }
        (0..).zip(chosen).filter(|(_, chosen)| *chosen).map(|(token, _)| token).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_source_may_become() {
        let list = Shortlist {
            first: 3,
            offsets: vec![0, 0, 2, 3],
            targets: vec![9, 20, 70],
            shared: false,
        };
        // 0, 1, 2 always; 9 and 20 for the source token 1; three more to make eight; what lies
        // beyond vocabulary or lists is left out.
        assert_eq!(list.tokens(&[1, 2, 500], 32), [0, 1, 2, 3, 4, 5, 9, 20]);
        let shared = Shortlist { shared: true, ..list };
        assert_eq!(shared.tokens(&[1, 30, 31, 29, 1], 32), [0, 1, 2, 9, 20, 29, 30, 31]);
        assert_eq!(shared.tokens(&[7], 5), [0, 1, 2, 3, 4]);
    }
}
