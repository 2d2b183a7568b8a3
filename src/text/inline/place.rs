//! The markup of a text in its translation: each tag once, well nested, next to the words that it
//! stood at.

use super::tree::{Node, tree};
use super::whole::whole_spans;
use super::word_links::{Link, WordLinks};
use crate::text::protect;
use crate::types::{Inline, Marked, Tag, TagKind};
use std::ops::Range;

/// The markup of `source` in its translation `text`; `links` say which bytes of the two belong
/// together. A span goes around the run of words that mostly come from its own; a point goes to the
/// word that it touched. Where the links say nothing the place in the sentence decides.
pub fn place(source: &Marked, text: &str, links: &[Link]) -> Inline {
    if source.inline.tags.is_empty() {
        return Inline::default();
    }
    if source.text == text {
        return Inline { tags: source.inline.tags.clone(), kept: Vec::new() };
    }
    let words = WordLinks::new(&source.text, text, links);
    let placer = Placer { source, text, words };
    let nodes = tree(&source.inline.tags, source.text.len());
    let mut taken = vec![false; placer.words.target.len()];
    let placed = placer.level(&nodes, 0..placer.words.target.len(), 0..text.len(), &mut taken);
    let mut tags = Vec::with_capacity(source.inline.tags.len());
    emit(&placed, source, &mut tags);
    leave_whole(&mut tags, source, text);
    Inline { tags, kept: Vec::new() }
}

/// Moves tags out of what must come through unchanged, and has none inside of it in the source.
/// They stay in their order, so what is well nested stays so.
fn leave_whole(tags: &mut [Tag], source: &Marked, text: &str) {
    let own: Vec<&str> = whole_spans(source).map(|span| &source.text[span]).collect();
    let mut first = 0;
    for span in protect::places(&own, text) {
        first += tags[first..].partition_point(|tag| tag.at <= span.start);
        let inside = tags[first..].partition_point(|tag| tag.at < span.end);
        let inside = &mut tags[first..first + inside];
        let opens = inside.iter().take_while(|tag| tag.kind == TagKind::Open).count();
        inside[..opens].iter_mut().for_each(|tag| tag.at = span.start);
        inside[opens..].iter_mut().for_each(|tag| tag.at = span.end);
    }
}

/// A node with its place in the translation.
struct Placed<'a> {
    node: &'a Node,
    range: Range<usize>,
    inner: Vec<Placed<'a>>,
}

struct Placer<'a> {
    source: &'a Marked,
    text: &'a str,
    words: WordLinks,
}

impl Placer<'_> {
    /// The places of nodes that stand side by side, within a range of words and of bytes. Words
    /// that a span has taken are no other's.
    fn level<'n>(
        &self,
        nodes: &'n [Node],
        words: Range<usize>,
        bytes: Range<usize>,
        taken: &mut [bool],
    ) -> Vec<Placed<'n>> {
        let mut placed: Vec<Placed<'n>> = Vec::with_capacity(nodes.len());
        let (fixed, spans): (Vec<&Node>, Vec<&Node>) =
            nodes.iter().filter(|node| !self.is_point(node)).partition(|node| self.is_fixed(node));
        for node in fixed {
            let is_free = |range: &Range<usize>| {
                placed.iter().all(|o| o.range.end <= range.start || range.end <= o.range.start)
            };
            let at = self.point(node).clamp(bytes.start, bytes.end);
            let range = self.found(node, &bytes, is_free).unwrap_or(at..at);
            let own = self.words.target.iter().zip(taken.iter_mut());
            own.filter(|(word, _)| range.start <= word.start && word.end <= range.end)
                .for_each(|(_, taken)| *taken = true);
            placed.push(Placed { node, range, inner: Vec::new() });
        }
        // Those that go on in another part leave what the others have taken to them.
        let (spans, halves): (Vec<&Node>, Vec<&Node>) =
            spans.into_iter().partition(|node| node.open.is_some() && node.close.is_some());
        for node in spans.into_iter().chain(halves) {
            let words = beside_others(node, &words, taken);
            let run = self.run(node, &words, taken);
            let run = self.with_fixed(node, run, &bytes, taken);
            let range = self.span(node, &run, &bytes);
            run.clone().for_each(|word| taken[word] = true);
            // Inside of it, its words are free again.
            let mut own = vec![true; taken.len()];
            own[run.clone()].fill(false);
            let inner = self.level(&node.inner, run, range.clone(), &mut own);
            placed.push(Placed { node, range, inner });
        }
        let mut last_statement = bytes.start;
        for node in nodes.iter().filter(|node| self.is_point(node)) {
            let mut at = self.point(node).clamp(bytes.start, bytes.end);
            if self.is_statement(node) {
                at = at.max(last_statement);
            }
            // A point that stood outside of a span stays outside.
            for span in placed.iter().filter(|other| !self.is_point(other.node)) {
                if span.range.start < at && at < span.range.end {
                    let is_before = node.range.start <= span.node.range.start;
                    at = if is_before { span.range.start } else { span.range.end };
                }
            }
            if self.is_statement(node) {
                last_statement = last_statement.max(at);
            }
            let inner = node.inner.iter().map(|inner| at_point(inner, at)).collect();
            placed.push(Placed { node, range: at..at, inner });
        }
        // Of what stands at one place points come first, in the order of the source.
        placed.sort_by_key(|one| (one.range.start, one.range.end, one.node.first()));
        placed
    }

    /// Whether a node is around no words.
    fn is_point(&self, node: &Node) -> bool {
        let is_half = node.open.is_none() || node.close.is_none();
        let is_empty = !self.source.text[node.range.clone()].contains(char::is_alphanumeric);
        is_empty && (!is_half || node.point)
    }

    /// Whether a point is a statement of a template, as `<% else %>`: they stay in their order.
    fn is_statement(&self, node: &Node) -> bool {
        let markup = node.open.map_or("", |number| self.source.inline.tags[number].markup.trim());
        let begins = |mark: &&str| markup.starts_with(*mark);
        node.point && ["{%", "<%", "<?", "{{#", "{{/", "{{else"].iter().any(begins)
    }

    /// Whether what a span is around comes through a translation as it is: the address of a link
    /// like `<https://x.org>`, code.
    fn is_fixed(&self, node: &Node) -> bool {
        let is_whole = node.open.is_some() && node.close.is_some() && node.inner.is_empty();
        let has =
            |kept: &Range<usize>| kept.start <= node.range.start && node.range.end <= kept.end;
        address(node, self.source).is_some() || is_whole && self.source.inline.kept.iter().any(has)
    }

    /// Where the text of a span that comes through as it is stands within a range, in a place that
    /// no other has taken: by itself rather than in a word; none where the translation has lost it.
    fn found(
        &self,
        node: &Node,
        bytes: &Range<usize>,
        is_free: impl Fn(&Range<usize>) -> bool,
    ) -> Option<Range<usize>> {
        let text = &self.source.text[node.range.clone()];
        let places = self.text.get(bytes.clone())?.match_indices(text);
        let free: Vec<Range<usize>> = places
            .map(|(at, _)| bytes.start + at..bytes.start + at + text.len())
            .filter(is_free)
            .collect();
        let is_apart = |range: &&Range<usize>| {
            !self.text[..range.start].ends_with(char::is_alphanumeric)
                && !self.text[range.end..].starts_with(char::is_alphanumeric)
        };
        free.iter().find(is_apart).or(free.first()).cloned()
    }

    /// A run of words with those of the spans inside of it that come through as they are, where no
    /// others stand between.
    fn with_fixed(
        &self,
        node: &Node,
        run: Range<usize>,
        bytes: &Range<usize>,
        taken: &[bool],
    ) -> Range<usize> {
        let mut all = run;
        for inner in &node.inner {
            if !self.is_fixed(inner) {
                all = self.with_fixed(inner, all, bytes, taken);
                continue;
            }
            let Some(place) = self.found(inner, bytes, |_| true) else { continue };
            let first = self.words.target.partition_point(|word| word.end <= place.start);
            let end = self.words.target.partition_point(|word| word.start < place.end);
            let wider =
                if all.is_empty() { first..end } else { all.start.min(first)..all.end.max(end) };
            if first < end && !taken[wider.clone()].contains(&true) {
                all = wider;
            }
        }
        all
    }

    /// The run of words that a span goes around.
    fn run(&self, node: &Node, words: &Range<usize>, taken: &[bool]) -> Range<usize> {
        let own = self.words.source_words(&node.range);
        let is_all = own.len() == self.words.source.len();
        let is_free = |range: &Range<usize>| !taken[range.clone()].contains(&true);
        if is_all && is_free(words) {
            return words.clone();
        }
        let mut run = self.words.densest(&own, words, taken);
        // The other end of a span with one end here is in another part of the text.
        if node.open.is_none() && is_free(&(words.start..run.end)) {
            run.start = words.start;
        }
        if node.close.is_none() && is_free(&(run.start..words.end)) {
            run.end = words.end;
        }
        run
    }

    /// The bytes of a span that is around a part of a word which the translation has, too.
    fn inside_of_a_word(&self, node: &Node, run: &Range<usize>) -> Option<Range<usize>> {
        let own = self.words.source_words(&node.range);
        let (word, there) = (self.words.source.get(own.start)?, self.words.target.get(run.start)?);
        let is_part = node.range.start >= word.start
            && node.range.end <= word.end
            && node.range.len() < word.len();
        let is_same = self.source.text[word.clone()] == self.text[there.clone()];
        let at = |place: usize| there.start + (place - word.start);
        (own.len() == 1 && run.len() == 1 && is_part && is_same)
            .then(|| at(node.range.start)..at(node.range.end))
    }

    /// The bytes of a span's words, with the punctuation at its ends if it had some.
    fn span(&self, node: &Node, run: &Range<usize>, bytes: &Range<usize>) -> Range<usize> {
        let inside = &self.source.text[node.range.clone()];
        let targets = &self.words.target;
        // Without words of its own it leaves all to the others, on the side of its other end.
        match (node.open, node.close) {
            (None, _) if run.is_empty() => return bytes.start..bytes.start,
            (_, None) if run.is_empty() => return bytes.end..bytes.end,
            _ => {}
        }
        let (Some(first), Some(last)) = (targets.get(run.start), run.end.checked_sub(1)) else {
            return bytes.end..bytes.end;
        };
        if let Some(part) = self.inside_of_a_word(node, run) {
            return part.start.clamp(bytes.start, bytes.end)
                ..part.end.clamp(bytes.start, bytes.end);
        }
        if run.is_empty() {
            let at = first.start.clamp(bytes.start, bytes.end);
            return at..at;
        }
        let mut range = first.start..targets[last].end;
        let is_other = |c: char| !c.is_alphanumeric();
        let (start, end) = (inside.trim_start(), inside.trim_end());
        let own = &start[..start.len() - start.trim_start_matches(is_other).len()];
        if !own.is_empty() {
            let before = run.start.checked_sub(1).map_or(0, |word| targets[word].end);
            let marks = &self.text[before.max(bytes.start).min(range.start)..range.start];
            let kept = &marks[marks.trim_end_matches(|c| is_like(c, own)).len()..];
            range.start -= kept.trim_start().len();
        }
        let own = &end[end.trim_end_matches(is_other).len()..];
        if !own.is_empty() {
            let after = targets.get(run.end).map_or(self.text.len(), |word| word.start);
            let marks = &self.text[range.end..after.min(bytes.end).max(range.end)];
            let kept = &marks[..marks.len() - marks.trim_start_matches(|c| is_like(c, own)).len()];
            range.end += kept.trim_end().len();
        }
        if node.open.is_none() && run.start == 0 {
            range.start = bytes.start;
        }
        if node.close.is_none() && run.end == targets.len() {
            range.end = bytes.end;
        }
        range.start.clamp(bytes.start, bytes.end)..range.end.clamp(bytes.start, bytes.end)
    }

    /// The place of a point: after the word that it stood after, else before the one that it stood
    /// before; and on the same side of the punctuation.
    fn point(&self, node: &Node) -> usize {
        let Range { start, end } = node.range;
        let before = &self.source.text[..start];
        let after = &self.source.text[end..];
        let is_word = |c: char| c.is_alphanumeric();
        if !before.contains(is_word) {
            return 0;
        }
        let markup = node.open.map_or("", |number| self.source.inline.tags[number].markup.as_str());
        if !after.contains(is_word) && markup.starts_with(' ') {
            let body = self.text.trim_end();
            let is_last = after.trim().is_empty();
            return if is_last { body.len() } else { body.trim_end_matches(|c| !is_word(c)).len() };
        }
        if !after.contains(is_word) && before.ends_with(|c: char| !is_word(c)) {
            let is_apart = before.ends_with(char::is_whitespace);
            return if is_apart { self.text.len() } else { self.text.trim_end().len() };
        }
        let is_apart = before.ends_with(char::is_whitespace);
        if is_apart && after.starts_with(is_word) {
            let next = self.words.source.partition_point(|word| word.end <= end);
            if let Some(word) = self.words.first_of(next) {
                return self.words.target[word].start;
            }
        }
        let previous = self.words.source.partition_point(|word| word.end <= start);
        let Some(word) = self.words.last_of(previous.saturating_sub(1)) else {
            return self.text.len();
        };
        let at = self.words.target[word].end;
        let word_end = self.words.source.get(previous.saturating_sub(1)).map_or(0, |w| w.end);
        let marks = &self.source.text[word_end.min(start)..start];
        if marks.trim().is_empty() {
            return at;
        }
        let rest = &self.text[at..];
        at + rest.find(|c: char| c.is_alphanumeric() || c.is_whitespace()).unwrap_or(rest.len())
    }
}

/// The words of a range that a span can have: all where it begins and ends here, else those before,
/// or after, all that others have taken.
fn beside_others(node: &Node, words: &Range<usize>, taken: &[bool]) -> Range<usize> {
    let own = &taken[words.clone()];
    let first = own.iter().position(|taken| *taken).map_or(words.end, |at| words.start + at);
    let last = own.iter().rposition(|taken| *taken).map_or(words.start, |at| words.start + at + 1);
    match (node.open, node.close) {
        (Some(_), Some(_)) => words.clone(),
        (None, _) => words.start..first,
        (_, None) => last..words.end,
    }
}

/// Whether a mark is one of some marks, or means the same in another language; or a space, which
/// some languages have between marks and words.
fn is_like(mark: char, marks: &str) -> bool {
    const ALIKE: [&str; 5] = [".。।։", ",，、،", "?？؟", "!！", ":：;；؛"];
    let is_quote = |c: char| "\"'“”„«»‘’‚「」『』《》".contains(c);
    marks.contains(mark)
        || mark.is_whitespace()
        || is_quote(mark) && marks.contains(is_quote)
        || ALIKE.iter().any(|alike| alike.contains(mark) && marks.contains(|c| alike.contains(c)))
}

/// The address of a link like `<https://x.org>`, which has nothing else in it.
fn address<'a>(node: &Node, source: &'a Marked) -> Option<&'a str> {
    let is = |number: Option<usize>, markup: &str| {
        number.is_some_and(|number| source.inline.tags[number].markup == markup)
    };
    (is(node.open, "<") && is(node.close, ">")).then(|| &source.text[node.range.clone()])
}

/// A node and all in it at one place.
fn at_point(node: &Node, at: usize) -> Placed<'_> {
    Placed {
        node,
        range: at..at,
        inner: node.inner.iter().map(|inner| at_point(inner, at)).collect(),
    }
}

/// Writes the tags out in reading order.
fn emit(placed: &[Placed<'_>], source: &Marked, out: &mut Vec<Tag>) {
    for Placed { node, range, inner } in placed {
        let tag = |number: usize, at: usize, kind: TagKind| Tag {
            at,
            markup: source.inline.tags[number].markup.clone(),
            kind,
        };
        // A link that was lost is there all the same.
        if let Some(address) = address(node, source).filter(|_| range.is_empty()) {
            let markup = format!("<{address}>");
            out.push(Tag { at: range.start, markup, kind: TagKind::Point });
            continue;
        }
        if let Some(open) = node.open {
            out.push(tag(
                open,
                range.start,
                if node.point { TagKind::Point } else { TagKind::Open },
            ));
        }
        emit(inner, source, out);
        if let Some(close) = node.close {
            out.push(tag(close, range.end, TagKind::Close));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::numbers;

    /// A text in which `[…]` are spans, `^` points.
    fn marked(text: &str) -> Marked {
        let mut marked = Marked::default();
        for c in text.chars() {
            let kind = match c {
                '[' | '(' => TagKind::Open,
                ']' | ')' => TagKind::Close,
                '^' | '!' => TagKind::Point,
                c => {
                    marked.text.push(c);
                    continue;
                }
            };
            let at = marked.text.len();
            marked.inline.tags.push(Tag { at, markup: c.to_string(), kind });
        }
        marked
    }

    /// Pairs of words, by the places of their first letters.
    fn links(source: &str, target: &str, pairs: &[(&str, &str)]) -> Vec<Link> {
        let range = |text: &str, word: &str| text.find(word).map(|at| at..at + word.len());
        let link = |(from, to): &(&str, &str)| {
            let (source, target) = (range(source, from)?, range(target, to)?);
            Some(Link { source, target, weight: 1.0 })
        };
        pairs.iter().filter_map(link).collect()
    }

    fn placed(source: &str, target: &str, pairs: &[(&str, &str)]) -> String {
        let source = marked(source);
        let links = links(&source.text, target, pairs);
        let inline = place(&source, target, &links);
        Marked { text: target.into(), inline }.to_markup()
    }

    #[test]
    fn spans_go_around_their_words() {
        let pairs =
            [("le", "the"), ("maison", "house"), ("blanche", "white"), ("conseil", "council")];
        assert_eq!(
            placed(
                "Pour le conseil la maison [blanche].",
                "For the council the white house.",
                &pairs
            ),
            "For the council the [white] house."
        );
        assert_eq!(
            placed("Pour [le (conseil)]^, la maison.", "For the council, the house.", &pairs),
            "For [the (council)]^, the house."
        );
        assert_eq!(placed("Le [« conseil »].", "The “council”.", &pairs), "The [“council”].");
        assert_eq!(placed("Pour [12 %].", "For 12%.", &[]), "For [12%].");
        assert_eq!(placed("[Pour le conseil.]", "For the council.", &[]), "[For the council.]");
        assert_eq!(placed("[^] Pour le conseil.", "For the council.", &[]), "[^]For the council.");
    }

    #[test]
    fn an_address_keeps_its_brackets() {
        let at = |at, markup: &str, kind| Tag { at, markup: markup.into(), kind };
        let text = "Voir https://x.org/a ici.";
        let tags = vec![at(5, "<", TagKind::Open), at(20, ">", TagKind::Close)];
        let source = Marked { text: text.into(), inline: Inline { tags, kept: Vec::new() } };
        for (target, expected) in [
            ("Here https://x.org/a see.", "Here <https://x.org/a> see."),
            ("https://x.org/a see here.", "<https://x.org/a> see here."),
        ] {
            let inline = place(&source, target, &[]);
            assert_eq!(Marked { text: target.into(), inline }.to_markup(), expected);
        }
        let inline = place(&source, "See it here.", &[]);
        let found = Marked { text: "See it here.".into(), inline }.to_markup();
        assert_eq!(found.matches("<https://x.org/a>").count(), 1, "{found}");
    }

    #[test]
    fn a_part_of_a_word_stays_one() {
        assert_eq!(placed("Le H[2]O est là.", "The H2O is here.", &[]), "The H[2]O is here.");
        let source = "Une auto[mobile] ici.";
        assert_eq!(placed(source, "A car here.", &[("automobile", "car")]), "A [car] here.");
    }

    #[test]
    fn points_stay_with_their_words_and_marks() {
        let pairs = [("lundi", "Monday"), ("voté", "voted"), ("conseil", "council")];
        let target = "On Monday, the council voted.";
        for (source, expected) in [
            ("Le conseil a voté lundi.^", "On Monday, the council voted.^"),
            ("Le conseil^ a voté lundi.", "On Monday, the council^ voted."),
            ("Le conseil a voté lundi^.", "On Monday^, the council voted."),
            ("^Le conseil a voté lundi.", "^On Monday, the council voted."),
            ("Le conseil !voté lundi.", "On Monday, the council !voted."),
        ] {
            assert_eq!(placed(source, target, &pairs), expected);
        }
    }

    #[test]
    fn without_links_the_same_words_and_the_order_decide() {
        assert_eq!(
            placed("Voir [Kyiv] et [14] ponts.", "See Kyiv and 14 bridges.", &[]),
            "See [Kyiv] and [14] bridges."
        );
        assert_eq!(
            placed("un [deux] trois quatre", "one two three four", &[]),
            "one [two] three four"
        );
    }

    #[test]
    fn spans_with_one_end_reach_the_border() {
        let mut open = marked("un deux trois");
        open.inline.tags.push(Tag { at: 3, markup: "[".into(), kind: TagKind::Open });
        let inline = place(&open, "one two three", &[]);
        assert_eq!(Marked { text: "one two three".into(), inline }.to_markup(), "one [two three");
        let mut close = marked("un deux trois");
        close.inline.tags.push(Tag { at: 7, markup: "]".into(), kind: TagKind::Close });
        let inline = place(&close, "one two three", &[]);
        assert_eq!(Marked { text: "one two three".into(), inline }.to_markup(), "one two] three");
        // What is taken by another at the border leaves it none.
        let mut taken = marked("un deux (12)");
        taken.inline.tags.insert(0, Tag { at: 7, markup: "]".into(), kind: TagKind::Close });
        taken.inline.kept.push(8..10);
        let inline = place(&taken, "12 two one", &[]);
        assert_eq!(Marked { text: "12 two one".into(), inline }.to_markup(), "](12) two one");
    }

    #[test]
    fn every_tag_is_there_once_and_well_nested() {
        for seed in 0..3000 {
            let next = &mut numbers(seed);
            let mut text = String::new();
            let mut depth = 0;
            for _ in 0..next(14) {
                match next(8) {
                    0 => text.push('^'),
                    1 => {
                        text.push('[');
                        depth += 1;
                    }
                    2 if depth > 0 => {
                        text.push(']');
                        depth -= 1;
                    }
                    3 => text.push('.'),
                    n => text.push_str([" ab", " cd", " 字", "é", " 12"][n % 5]),
                }
            }
            if next(3) > 0 {
                text.push_str(&"]".repeat(depth));
            }
            let source = marked(&text);
            let target: String =
                (0..next(9)).map(|_| ["x ", "cd", "12 ", ". ", "字", "«y» "][next(6)]).collect();
            let links: Vec<Link> = (0..next(6))
                .map(|_| {
                    let (a, b) = (next(source.text.len() + 1), next(target.len() + 1));
                    Link { source: a..a + next(4), target: b..b + next(4), weight: next(3) as f32 }
                })
                .collect();
            let inline = place(&source, &target, &links);
            let mut found: Vec<String> =
                inline.tags.iter().map(|tag| format!("{}{:?}", tag.markup, tag.kind)).collect();
            let mut expected: Vec<String> =
                source.inline.tags.iter().map(|t| format!("{}{:?}", t.markup, t.kind)).collect();
            let nesting = |tags: &[Tag]| {
                let marks = tags.iter().filter(|tag| tag.kind != TagKind::Point);
                let (mut depth, mut lowest) = (0i32, 0i32);
                for tag in marks {
                    depth += if tag.kind == TagKind::Open { 1 } else { -1 };
                    lowest = lowest.min(depth);
                }
                (depth, lowest)
            };
            assert_eq!(nesting(&inline.tags), nesting(&source.inline.tags), "{text:?} {target:?}");
            found.sort();
            expected.sort();
            assert_eq!(found, expected, "{text:?} {target:?}");
            assert!(inline.tags.is_sorted_by_key(|tag| tag.at), "{text:?} {target:?} {inline:?}");
            assert!(inline.tags.iter().all(|tag| target.is_char_boundary(tag.at)));
        }
    }
}
