//! What an output has to say, as tokens: for each constraint a trie of the forms of which one is to
//! come (disjunctive constraints: Li et al. 2020; `DisjunctiveConstraint` of `transformers`), and
//! how far a hypothesis has come with them.

use super::word_pieces::WordPieces;
use std::ops::Range;
use std::sync::Arc;

/// A part of the source whose translation is told: one of some forms.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Constraint {
    /// Its place in [`super::Request::prompt`], in bytes.
    pub source: Range<usize>,
    /// The forms, of which one is to come; not empty.
    pub forms: Vec<String>,
    /// Whether a form's last word has to end with it; in scripts without spaces, none does.
    pub ends_word: bool,
    /// Whether a form may be a part of a compound with a hyphen, as a name is one in "Kyiv-based";
    /// of one that ends its word, none may where it says no.
    pub joins: bool,
    /// Whether it may begin where much of the attention is on its source, not only where most is.
    pub is_near: bool,
}

/// Token sequences that begin alike share their nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Trie {
    nodes: Vec<Node>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Node {
    /// Ascending by token.
    children: Vec<(u32, usize)>,
    /// Whether a sequence ends here.
    is_end: bool,
}

impl Trie {
    fn of(sequences: &[Vec<u32>]) -> Trie {
        let mut nodes = vec![Node::default()];
        for sequence in sequences {
            let mut at = 0;
            for &token in sequence {
                let next = nodes.len();
                let children = &mut nodes[at].children;
                at = match children.binary_search_by_key(&token, |child| child.0) {
                    Ok(place) => children[place].1,
                    Err(place) => {
                        children.insert(place, (token, next));
                        nodes.push(Node::default());
                        next
                    }
                };
            }
            nodes[at].is_end = true;
        }
        Trie { nodes }
    }

    fn child(&self, node: usize, token: u32) -> Option<usize> {
        let children = &self.nodes[node].children;
        let place = children.binary_search_by_key(&token, |child| child.0).ok()?;
        Some(children[place].1)
    }

    fn tokens(&self, node: usize) -> impl Iterator<Item = u32> + '_ {
        self.nodes[node].children.iter().map(|child| child.0)
    }
}

/// A constraint as tokens.
pub(super) struct Compiled {
    trie: Trie,
    /// Tokens of its longest form.
    longest: usize,
    /// Tokens of the source that it is about.
    source: Vec<usize>,
    ends_word: bool,
    /// Whether it is to stand for itself, and not in a compound with a hyphen.
    is_alone: bool,
    /// See [`Constraint::is_near`].
    is_near: bool,
}

/// The constraints of a request, as tokens.
pub(super) struct Constraints {
    all: Vec<Compiled>,
    pieces: Arc<WordPieces>,
    /// For each token of the source whether it stands for a part of the text.
    is_text: Vec<bool>,
}

/// The least share of the attention to a source that says what comes next.
const LEAST_ATTENTION: f32 = 0.15;
/// What is much of the attention, as a share of the greatest.
const MUCH: f32 = 0.4;

impl Compiled {
    /// A constraint as these token sequences, none of them empty, about these tokens of the source;
    /// `None` without a sequence.
    pub(super) fn new(
        sequences: &[Vec<u32>],
        source: Vec<usize>,
        constraint: &Constraint,
    ) -> Option<Compiled> {
        let longest = sequences.iter().map(Vec::len).max()?;
        let Constraint { ends_word, joins, is_near, .. } = *constraint;
        let (trie, is_alone) = (Trie::of(sequences), ends_word && !joins);
        Some(Compiled { trie, longest, source, ends_word, is_alone, is_near })
    }
}

impl Constraints {
    /// All constraints of a request; `is_text` says of each token of the source whether it stands
    /// for a part of the text.
    pub(super) fn new(
        all: Vec<Compiled>,
        pieces: Arc<WordPieces>,
        is_text: Vec<bool>,
    ) -> Constraints {
        Constraints { all, pieces, is_text }
    }

    /// The tokens of all forms, ascending: they must be among those that may be written.
    pub(super) fn tokens(&self) -> Vec<u32> {
        let of = |one: &Compiled| {
            let nodes = one.trie.nodes.iter().flat_map(|node| &node.children);
            nodes.map(|child| child.0).collect::<Vec<_>>()
        };
        let mut tokens: Vec<u32> = self.all.iter().flat_map(of).collect();
        tokens.sort_unstable();
        tokens.dedup();
        tokens
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether what comes next is about the source of each constraint, by the weights of the
    /// attention to the source's tokens: the greatest of those that stand for text is on it.
    pub(super) fn due(&self, weights: &[f32]) -> Vec<bool> {
        let text =
            weights.iter().enumerate().filter(|(at, _)| self.is_text.get(*at) == Some(&true));
        let best = text.fold(None, |best: Option<(usize, f32)>, (at, &weight)| match best {
            Some((_, held)) if held >= weight => best,
            _ => Some((at, weight)),
        });
        let is_due = |one: &Compiled| {
            let share: f32 = one.source.iter().filter_map(|&at| weights.get(at)).sum();
            let is_best = |(at, greatest): (usize, f32)| {
                one.source.contains(&at) || one.is_near && share >= MUCH * greatest
            };
            best.is_some_and(is_best) && share >= LEAST_ATTENTION
        };
        self.all.iter().map(is_due).collect()
    }

    /// The same without the first constraint.
    #[cfg(test)]
    pub(super) fn drop_first(&mut self) {
        self.all.remove(0);
    }

    /// Constraints of tests: the forms of each, the first about the first token of the source and
    /// so on, and the vocabulary.
    #[cfg(test)]
    pub(super) fn of_tokens(all: &[&[&[u32]]], pieces: &[&str]) -> Constraints {
        let compiled = |(number, forms): (usize, &&[&[u32]])| {
            let sequences: Vec<Vec<u32>> = forms.iter().map(|form| form.to_vec()).collect();
            let constraint = Constraint { ends_word: true, ..Constraint::default() };
            Compiled::new(&sequences, vec![number], &constraint)
        };
        let pieces = WordPieces::new(pieces, |_| false);
        let all = all.iter().enumerate().filter_map(compiled).collect();
        Constraints { all, pieces: Arc::new(pieces), is_text: vec![true; 64] }
    }
}

/// How far a hypothesis has come with its constraints.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// Tokens written.
    written: usize,
    /// Constraints that are met, and where their forms stand.
    met: Vec<(usize, Range<usize>)>,
    /// Forms that have begun: the constraint, where it begins, and the node of its trie.
    begun: Vec<(usize, usize, usize)>,
    /// The form that the last token has completed, unless its word goes on.
    ending: Option<(usize, usize, usize)>,
    /// Whether the last token leaves a word open.
    in_word: bool,
    /// Whether it ends with a hyphen after a word.
    after_hyphen: bool,
}

impl Progress {
    /// Whether all constraints are met.
    pub(super) fn is_complete(&self, constraints: &Constraints) -> bool {
        self.met.len() == constraints.len()
    }

    /// Whether nothing can change any longer, but that what is met is written again.
    pub(super) fn is_settled(&self, constraints: &Constraints) -> bool {
        self.is_complete(constraints) && self.ending.is_none()
    }

    /// Whether a form has begun that is not complete.
    pub(super) fn has_begun(&self) -> bool {
        !self.begun.is_empty()
    }

    /// Constraints that are met.
    pub(super) fn met(&self) -> usize {
        self.met.len()
    }

    /// Tokens of constraints that are written (the banks of Post and Vilar 2018): all of one that
    /// is met, whichever form it is.
    pub(super) fn bank(&self, constraints: &Constraints) -> usize {
        let met: usize = self.met.iter().map(|(one, _)| constraints.all[*one].longest).sum();
        let part = |(one, start, _): &(usize, usize, usize)| {
            (self.written - start).min(constraints.all[*one].longest - 1)
        };
        met + self.begun.iter().map(part).max().unwrap_or(0)
    }

    /// Tokens that bring a constraint on: those that go on with a form that has begun, and where
    /// `due` says so, those that begin another.
    pub(super) fn advancing(&self, constraints: &Constraints, due: &[bool]) -> Vec<u32> {
        let mut tokens: Vec<u32> = Vec::new();
        for &(one, _, node) in &self.begun {
            tokens.extend(constraints.all[one].trie.tokens(node));
        }
        for one in self.startable(constraints, due) {
            if due.get(one).copied().unwrap_or(true) {
                let begins = constraints.all[one].trie.tokens(0);
                tokens.extend(begins.filter(|&token| !self.is_within(constraints, one, token)));
            }
        }
        tokens.sort_unstable();
        tokens.dedup();
        tokens
    }

    /// Tokens, ascending, that must not come next: those that would go on with a word that ends
    /// with its form.
    pub(super) fn banned(&self, constraints: &Constraints) -> Vec<u32> {
        let Some((one, _, node)) = self.ending else { return Vec::new() };
        let Compiled { trie, ends_word, is_alone, .. } = &constraints.all[one];
        if !ends_word {
            return Vec::new();
        }
        let goes_on = |token: u32| {
            let own = trie.child(node, token).is_some();
            own || self
                .begun
                .iter()
                .any(|&(other, _, node)| constraints.all[other].trie.child(node, token).is_some())
        };
        let pieces = &constraints.pieces;
        let tokens = if *is_alone { pieces.extending() } else { pieces.continuing() };
        tokens.iter().copied().filter(|&token| !goes_on(token)).collect()
    }

    /// Whether a token would begin a form within a word, or within a compound.
    fn is_within(&self, constraints: &Constraints, one: usize, token: u32) -> bool {
        let Compiled { ends_word, is_alone, .. } = constraints.all[one];
        let is_open = ends_word && self.in_word || is_alone && self.after_hyphen;
        is_open && constraints.pieces.continues(token)
    }

    /// Constraints whose forms may begin: not met, and of equal ones the first that is due, or else
    /// the first.
    fn startable(&self, constraints: &Constraints, due: &[bool]) -> Vec<usize> {
        let mut found: Vec<usize> = Vec::new();
        let is_busy = |one: usize| {
            self.met.iter().any(|(met, _)| *met == one)
                || self.begun.iter().any(|&(begun, ..)| begun == one)
        };
        let is_due = |one: &usize| due.get(*one).copied().unwrap_or(false);
        let (first, second): (Vec<usize>, Vec<usize>) =
            (0..constraints.len()).filter(|&one| !is_busy(one)).partition(is_due);
        for one in first.into_iter().chain(second) {
            let trie = &constraints.all[one].trie;
            if found.iter().all(|&other| constraints.all[other].trie != *trie) {
                found.push(one);
            }
        }
        found
    }

    /// The progress after one more token, where these constraints were due.
    pub(super) fn after(&self, token: u32, constraints: &Constraints, due: &[bool]) -> Progress {
        let Constraints { all, pieces, .. } = constraints;
        let goes_on = pieces.continues(token);
        let mut next = Progress {
            written: self.written + 1,
            met: self.met.clone(),
            begun: Vec::new(),
            ending: None,
            in_word: pieces.is_open(token),
            // A hyphen by itself joins what follows to the word before it.
            after_hyphen: pieces.is_joint(token) && (self.in_word || !pieces.joins(token)),
        };
        // A word that goes on is another word.
        if let Some((one, start, node)) = self.ending
            && (goes_on && all[one].ends_word || all[one].is_alone && pieces.joins(token))
        {
            next.met.retain(|(met, _)| *met != one);
            if let Some(node) = all[one].trie.child(node, token) {
                next.step(one, start, node, constraints);
            }
        }
        for &(one, start, node) in &self.begun {
            if let Some(node) = all[one].trie.child(node, token) {
                next.step(one, start, node, constraints);
            }
        }
        // What has failed may begin anew with the same token.
        for one in next.startable(constraints, due) {
            if self.is_within(constraints, one, token) {
                continue;
            }
            if let Some(node) = all[one].trie.child(0, token) {
                next.step(one, self.written, node, constraints);
            }
        }
        next
    }

    /// Takes a form on to a node. What is complete is met, unless it stands in a longer one.
    fn step(&mut self, one: usize, start: usize, node: usize, constraints: &Constraints) {
        if !constraints.all[one].trie.nodes[node].is_end {
            self.begun.push((one, start, node));
            return;
        }
        let own = start..self.written;
        let cuts = |held: &Range<usize>| held.start < start && held.end > start;
        if self.met.iter().any(|(_, held)| cuts(held)) {
            return;
        }
        self.met.retain(|(_, held)| held.start < start);
        self.met.push((one, own));
        self.ending = Some((one, start, node));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Tokens: 1 ▁a, 2 ▁b, 3 ▁c, 4 s (goes on), 5 "(", 6 a (goes on).
    const A: u32 = 1;
    const B: u32 = 2;
    const C: u32 = 3;
    const S: u32 = 4;
    const OPEN: u32 = 5;
    const INNER: u32 = 6;

    fn constraints(all: &[&[&[u32]]]) -> Constraints {
        Constraints::of_tokens(all, &["", "▁a", "▁b", "▁c", "s", "(", "a", "<0xC3>"])
    }

    fn after(constraints: &Constraints, tokens: &[u32]) -> Progress {
        tokens
            .iter()
            .fold(Progress::default(), |state, &token| state.after(token, constraints, &[]))
    }

    fn met(constraints: &Constraints, tokens: &[u32]) -> Vec<usize> {
        let mut met: Vec<usize> =
            after(constraints, tokens).met.into_iter().map(|(one, _)| one).collect();
        met.sort_unstable();
        met
    }

    #[test]
    fn a_form_is_met_where_its_word_ends() {
        let one = constraints(&[&[&[A, B]]]);
        assert_eq!(met(&one, &[C, A, B]), [0]);
        assert_eq!(met(&one, &[A, B, C]), [0]);
        assert!(met(&one, &[A, C, B]).is_empty());
        // The word goes on, and is another.
        assert!(met(&one, &[A, B, S]).is_empty());
        let state = after(&one, &[A, B]);
        assert_eq!(state.banned(&one), [S, INNER, 7]);
        assert!(state.is_complete(&one) && !state.is_settled(&one));
        assert!(after(&one, &[A, B, C]).is_settled(&one));
        // A failed beginning may be the beginning of another.
        assert_eq!(met(&one, &[A, A, B]), [0]);
    }

    #[test]
    fn alternatives_may_go_on() {
        let forms = constraints(&[&[&[A], &[A, S]]]);
        assert_eq!(met(&forms, &[A]), [0]);
        assert_eq!(met(&forms, &[A, S]), [0]);
        assert!(met(&forms, &[A, S, INNER]).is_empty());
        assert_eq!(after(&forms, &[A]).banned(&forms), [INNER, 7]);
        assert_eq!(after(&forms, &[A, S]).banned(&forms), [S, INNER, 7]);
    }

    #[test]
    fn a_form_within_a_word_does_not_count() {
        let one = constraints(&[&[&[A], &[INNER]]]);
        assert!(met(&one, &[B, INNER]).is_empty());
        assert_eq!(met(&one, &[OPEN, INNER]), [0]);
        assert_eq!(after(&one, &[B]).advancing(&one, &[true]), [A]);
        assert_eq!(after(&one, &[OPEN]).advancing(&one, &[true]), [A, INNER]);
        assert!(after(&one, &[OPEN]).advancing(&one, &[false]).is_empty());
    }

    #[test]
    fn a_compound_with_a_hyphen_is_another_word() {
        const HYPHEN: u32 = 4;
        const JOINED: u32 = 5;
        let pieces = ["", "▁a", "▁b", "c", "-", "-c", "▁b-", "▁-"];
        let forms: &[&[u32]] = &[&[A], &[C]];
        let mut one = Constraints::of_tokens(&[forms], &pieces);
        assert!(met(&one, &[A, HYPHEN, C]).is_empty());
        assert!(met(&one, &[A, JOINED]).is_empty());
        assert_eq!(after(&one, &[A]).banned(&one), [C, HYPHEN, JOINED]);
        assert!(met(&one, &[B, HYPHEN, C]).is_empty());
        assert!(met(&one, &[6, C]).is_empty());
        // A dash is no hyphen.
        assert_eq!(met(&one, &[A, 7, B]), [0]);
        assert_eq!(met(&one, &[B, 7, C]), [0]);
        // A name is still one in a compound.
        one.all[0].is_alone = false;
        assert_eq!(met(&one, &[A, HYPHEN, C]), [0]);
        assert_eq!(met(&one, &[B, HYPHEN, C]), [0]);
        assert_eq!(after(&one, &[A]).banned(&one), [C]);
    }

    #[test]
    fn equal_terms_are_met_one_after_the_other() {
        let two = constraints(&[&[&[A, B]], &[&[A, B]]]);
        assert_eq!(met(&two, &[A, B]), [0]);
        assert_eq!(met(&two, &[A, B, C, A, B]), [0, 1]);
        assert_eq!(after(&two, &[A, B, A]).bank(&two), 3);
    }

    #[test]
    fn a_longer_term_holds_the_shorter_one_in_it() {
        let both = constraints(&[&[&[A]], &[&[A, B]]]);
        assert_eq!(met(&both, &[A]), [0]);
        assert_eq!(met(&both, &[A, B]), [1]);
        assert_eq!(met(&both, &[A, B, C, A]), [0, 1]);
        assert_eq!(met(&both, &[A, C, A, B]), [0, 1]);
        // Terms that overlap do not both stand in the same words.
        let chain = constraints(&[&[&[A, B]], &[&[B, C]]]);
        assert_eq!(met(&chain, &[A, B, C]), [0]);
        assert_eq!(met(&chain, &[A, B, B, C]), [0, 1]);
    }

    #[test]
    fn the_attention_says_when_a_term_is_due() {
        let two = constraints(&[&[&[A]], &[&[B]]]);
        assert_eq!(two.due(&[0.6, 0.2, 0.2]), [true, false]);
        assert_eq!(two.due(&[0.05, 0.1, 0.05]), [false, false]);
        assert_eq!(two.due(&[0.1, 0.2, 0.7]), [false, false]);
        let mut apart = constraints(&[&[&[A]], &[&[B]]]);
        // The weight on what is no text, as an end token, does not count.
        apart.is_text[2] = false;
        assert_eq!(apart.due(&[0.1, 0.2, 0.7]), [false, true]);
    }
}
