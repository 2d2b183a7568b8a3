//! Encoding and decoding as SentencePiece itself does it, for tokenizers that `transformers` runs
//! on the SentencePiece library.
//!
//! The `tokenizers` crate is not used here because it differs: it adds up scores in f64 (another
//! segmentation where two are equal but for rounding: `!!!!!`, `hahaha`), replaces whole grapheme
//! clusters before characters, and may read control pieces out of a text.

pub(super) mod charsmap;
pub(super) mod model_file;

use crate::error::{Error, Result};
use charsmap::Charsmap;
use model_file::{Algorithm, Kind, Spm, SpmPiece, byte_of};
use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

/// The mark that stands for a space.
pub(super) const SPACE: &str = "▁";
/// The score of an unknown character below that of the least likely piece.
const UNKNOWN_PENALTY: f32 = 10.0;
/// For each byte of a user-defined piece but the first: more likely than any ordinary piece, whose
/// log probability is negative, and the longer the better. So measured with SentencePiece 0.2.3.
const USER_DEFINED_BONUS: f32 = 0.1;
/// The text that SentencePiece writes for the unknown piece.
const UNKNOWN_SURFACE: &str = " \u{2047} ";

/// A SentencePiece model that is ready to encode.
pub(super) struct SentencePiece {
    spm: Spm,
    charsmap: Option<Charsmap>,
    ids: HashMap<String, u32>,
    /// The pieces that text can become, for unigram models.
    trie: Trie,
    /// The pieces that stand in a text as they are and always become one token.
    user_defined: Trie,
    min_score: f32,
}

impl SentencePiece {
    /// `file` names the model in messages.
    pub fn new(spm: Spm, file: &str) -> Result<SentencePiece> {
        let charsmap = if spm.charsmap.is_empty() {
            None
        } else {
            Some(Charsmap::new(&spm.charsmap).map_err(|e| Error::model(file, e))?)
        };
        let of = |kinds: &'static [Kind]| {
            spm.pieces
                .iter()
                .enumerate()
                .filter(|(_, p)| kinds.contains(&p.kind))
                .map(|(id, p)| (p.text.as_str(), id))
        };
        let trie = match spm.algorithm {
            Algorithm::Unigram => Trie::new(of(&[Kind::Normal, Kind::UserDefined, Kind::Unused])),
            Algorithm::Bpe => Trie::new(std::iter::empty()),
        };
        let user_defined = Trie::new(of(&[Kind::UserDefined]));
        let normal = spm.pieces.iter().filter(|p| p.kind == Kind::Normal);
        let min_score = normal.map(|p| p.score).fold(f32::MAX, f32::min);
        let mut numbered: Vec<(u32, &SpmPiece)> = (0..).zip(&spm.pieces).collect();
        numbered.sort_by_key(|(_, piece)| !piece.kind.is_plain());
        let ids = numbered.into_iter().map(|(id, piece)| (piece.text.clone(), id)).collect();
        Ok(SentencePiece { charsmap, ids, trie, user_defined, min_score, spm })
    }

    /// The numbers of the pieces. Where two kinds share a text, the piece that is no plain text has
    /// it.
    pub fn ids(&self) -> &HashMap<String, u32> {
        &self.ids
    }

    /// The pieces of a text. A run of unknown characters is one piece, which is not in the
    /// vocabulary.
    pub fn encode(&self, text: &str) -> Vec<String> {
        let text = self.normalize(text);
        let segments = match self.spm.algorithm {
            Algorithm::Unigram => self.unigram(&text),
            Algorithm::Bpe => self.bpe(&text),
        };
        let mut pieces: Vec<String> = Vec::with_capacity(segments.len());
        let mut after_unknown = false;
        for (segment, id) in segments {
            let unknown = id == self.spm.unknown;
            match pieces.last_mut() {
                _ if unknown && self.spm.byte_fallback => {
                    pieces.extend(segment.bytes().map(|b| format!("<0x{b:02X}>")))
                }
                Some(last) if unknown && after_unknown => last.push_str(segment),
                _ => pieces.push(segment.to_string()),
            }
            after_unknown = unknown;
        }
        pieces
    }

    /// The text of some pieces; what is not in the vocabulary stands as it is.
    pub fn decode<'a>(&self, pieces: impl IntoIterator<Item = &'a str>) -> String {
        let strips = self.spm.add_dummy_prefix || self.spm.remove_extra_whitespaces;
        let (mut text, mut bytes) = (String::new(), Vec::new());
        let (mut at_start, mut start_seen) = (true, false);
        for piece in pieces {
            let known = self.ids.get(piece).map(|&id| self.spm.pieces[id as usize].kind);
            if let (Some(Kind::Byte), Some(byte)) = (known, byte_of(piece)) {
                bytes.push(byte);
                continue;
            }
            flush(&mut bytes, &mut text);
            at_start &= !start_seen && text.is_empty();
            start_seen = false;
            match known {
                Some(Kind::Control) => {}
                Some(Kind::Unknown) => text.push_str(UNKNOWN_SURFACE),
                None => text.push_str(piece),
                Some(_) => {
                    let rest = if at_start && strips { piece.strip_prefix(SPACE) } else { None };
                    // The first space is the dummy one; all at the start go if the model removes
                    // what is superfluous.
                    start_seen = rest.is_some() && !self.spm.remove_extra_whitespaces;
                    text.push_str(&rest.unwrap_or(piece).replace(SPACE, " "));
                }
            }
        }
        flush(&mut bytes, &mut text);
        text
    }

    /// Replaces characters, reduces and marks spaces.
    fn normalize(&self, text: &str) -> String {
        let spm = &self.spm;
        let space = if spm.escape_whitespaces { SPACE } else { " " };
        let mut rest = text;
        if spm.remove_extra_whitespaces {
            while let Some((" ", length)) = self.next_part(rest) {
                rest = &rest[length..];
            }
        }
        let mut out = String::with_capacity(rest.len() * 3 / 2);
        if rest.is_empty() {
            return out;
        }
        if spm.add_dummy_prefix && !spm.space_as_suffix {
            out.push_str(space);
        }
        let mut after_space = spm.remove_extra_whitespaces;
        while let Some((mut part, length)) = self.next_part(rest) {
            if after_space {
                part = part.trim_start_matches(' ');
            }
            if !part.is_empty() {
                after_space = spm.remove_extra_whitespaces && part.ends_with(' ');
                for (at, run) in part.split(' ').enumerate() {
                    out.push_str(if at == 0 { "" } else { space });
                    out.push_str(run);
                }
            }
            rest = &rest[length..];
        }
        if spm.remove_extra_whitespaces {
            out.truncate(out.trim_end_matches(space).len());
        }
        if spm.add_dummy_prefix && spm.space_as_suffix {
            out.push_str(space);
        }
        out
    }

    /// The normalized beginning of a text and the number of bytes it came from; none at the end.
    fn next_part<'a>(&'a self, text: &'a str) -> Option<(&'a str, usize)> {
        let first = text.chars().next()?.len_utf8();
        if let Some((_, length)) = self.user_defined.longest(text) {
            return Some((&text[..length], length));
        }
        match self.charsmap.as_ref().and_then(|c| c.longest(text)) {
            Some((length, replacement)) => Some((replacement, length)),
            None => Some((&text[..first], first)),
        }
    }

    /// The most likely segmentation. Scores are added up in f32 from left to right, as
    /// SentencePiece does it: the order decides ties.
    fn unigram<'a>(&self, text: &'a str) -> Vec<(&'a str, usize)> {
        /// The best way to get to a place in the text: the last piece of it and where that begins.
        #[derive(Clone, Default)]
        struct Best {
            score: f32,
            from: Option<(usize, usize)>,
        }
        let mut best = vec![Best::default(); text.len() + 1];
        let mut consider = |start: usize, end: usize, id: usize, score: f32| {
            let candidate = score + best[start].score;
            if best[end].from.is_none() || candidate > best[end].score {
                best[end] = Best { score: candidate, from: Some((start, id)) };
            }
        };
        for (start, first) in text.char_indices() {
            let mut has_single = false;
            for (length, id) in self.trie.prefixes(&text[start..]) {
                let piece = &self.spm.pieces[id];
                let score = match piece.kind {
                    Kind::Unused => continue,
                    Kind::UserDefined => (length - 1) as f32 * USER_DEFINED_BONUS,
                    _ => piece.score,
                };
                consider(start, start + length, id, score);
                has_single |= length == first.len_utf8();
            }
            if !has_single {
                consider(
                    start,
                    start + first.len_utf8(),
                    self.spm.unknown,
                    self.min_score - UNKNOWN_PENALTY,
                );
            }
        }
        let mut segments = Vec::new();
        let mut end = text.len();
        while let Some((start, id)) = best[end].from {
            segments.push((&text[start..end], id));
            end = start;
        }
        segments.reverse();
        segments
    }

    /// The piece of this text, if text can become it.
    fn plain(&self, text: &str) -> Option<usize> {
        self.ids.get(text).map(|&id| id as usize).filter(|&id| self.spm.pieces[id].kind.is_plain())
    }

    /// Merges neighbours in the order of the scores of what they become.
    fn bpe<'a>(&self, text: &'a str) -> Vec<(&'a str, usize)> {
        let mut symbols: Vec<Symbol> = Vec::new();
        let mut at = 0;
        while let Some(first) = text[at..].chars().next() {
            let whole = self.user_defined.longest(&text[at..]);
            let length = whole.map_or(first.len_utf8(), |(_, length)| length);
            let here = symbols.len();
            symbols.push(Symbol {
                start: at,
                end: at + length,
                previous: here.checked_sub(1),
                next: Some(here + 1),
                frozen: whole.is_some(),
            });
            at += length;
        }
        if let Some(last) = symbols.last_mut() {
            last.next = None;
        }
        let mut agenda = BinaryHeap::new();
        // What unused pieces were put together from: they are taken apart again in the end.
        let mut halves: HashMap<&str, usize> = HashMap::new();
        let mut propose = |symbols: &[Symbol],
                           agenda: &mut BinaryHeap<Pair>,
                           left: Option<usize>,
                           right: Option<usize>| {
            let (Some(left), Some(right)) = (left, right) else { return };
            let (a, b) = (&symbols[left], &symbols[right]);
            if a.frozen || b.frozen {
                return;
            }
            let piece = &text[a.start..b.end];
            if let Some(id) = self.plain(piece) {
                agenda.push(Pair {
                    left,
                    right,
                    score: self.spm.pieces[id].score,
                    length: piece.len(),
                });
                if self.spm.pieces[id].kind == Kind::Unused {
                    halves.insert(piece, a.end - a.start);
                }
            }
        };
        for right in 1..symbols.len() {
            propose(&symbols, &mut agenda, Some(right - 1), Some(right));
        }
        while let Some(Pair { left, right, length, .. }) = agenda.pop() {
            // One of the two may have been merged with another neighbour since.
            let (a, b) = (&symbols[left], &symbols[right]);
            if a.start == a.end || b.start == b.end || a.end != b.start || b.end - a.start != length
            {
                continue;
            }
            let (end, next) = (b.end, b.next);
            symbols[left].end = end;
            symbols[left].next = next;
            symbols[right].start = end;
            if let Some(next) = next {
                symbols[next].previous = Some(left);
            }
            let previous = symbols[left].previous;
            propose(&symbols, &mut agenda, previous, Some(left));
            propose(&symbols, &mut agenda, Some(left), next);
        }
        let mut segments = Vec::new();
        let mut parts: Vec<&str> = Vec::new();
        for symbol in symbols.iter().filter(|s| s.start < s.end) {
            parts.push(&text[symbol.start..symbol.end]);
            while let Some(part) = parts.pop() {
                let id = self.plain(part).unwrap_or(self.spm.unknown);
                match halves.get(part).filter(|_| self.spm.pieces[id].kind == Kind::Unused) {
                    Some(&cut) => parts.extend([&part[cut..], &part[..cut]]),
                    None => segments.push((part, id)),
                }
            }
        }
        segments
    }
}

/// Appends what bytes spell; those that spell nothing become replacement characters, one each.
fn flush(bytes: &mut Vec<u8>, text: &mut String) {
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    bytes.clear();
}

/// A part of the text that BPE has put together so far; empty once it is a part of its left
/// neighbour.
struct Symbol {
    start: usize,
    end: usize,
    previous: Option<usize>,
    next: Option<usize>,
    frozen: bool,
}

/// Two neighbours that could be merged.
struct Pair {
    left: usize,
    right: usize,
    score: f32,
    /// The length of both together when this was proposed.
    length: usize,
}

impl Ord for Pair {
    fn cmp(&self, other: &Pair) -> Ordering {
        self.score
            .partial_cmp(&other.score)
            .unwrap_or(Ordering::Equal)
            .then(other.left.cmp(&self.left))
    }
}

impl PartialOrd for Pair {
    fn partial_cmp(&self, other: &Pair) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Pair {
    fn eq(&self, other: &Pair) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Pair {}

/// The pieces by their bytes.
struct Trie {
    /// From a node by a byte to the next, see [`edge`].
    edges: HashMap<u64, u32, BuildHasherDefault<EdgeHasher>>,
    /// The piece that ends at a node.
    values: Vec<Option<usize>>,
}

/// The edge that leaves a node by a byte.
fn edge(node: u32, byte: u8) -> u64 {
    u64::from(node) << 8 | u64::from(byte)
}

/// Hashes edges: a product is enough for numbers that are given out one after the other, and text
/// is looked up byte by byte.
#[derive(Default)]
struct EdgeHasher(u64);

impl Hasher for EdgeHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_u64(u64::from(byte)));
    }

    fn write_u64(&mut self, edge: u64) {
        // The table uses the lowest bits and the highest ones.
        self.0 = (self.0 ^ edge).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(26);
    }
}

impl Trie {
    fn new<'a>(pieces: impl Iterator<Item = (&'a str, usize)>) -> Trie {
        let mut trie = Trie { edges: HashMap::default(), values: vec![None] };
        for (piece, id) in pieces {
            let mut node = 0;
            for byte in piece.bytes() {
                let fresh = trie.values.len() as u32;
                node = *trie.edges.entry(edge(node, byte)).or_insert(fresh);
                if node == fresh {
                    trie.values.push(None);
                }
            }
            trie.values[node as usize] = Some(id);
        }
        trie
    }

    /// The pieces that a text begins with, the shortest first, with their lengths in bytes.
    fn prefixes(&self, text: &str) -> impl Iterator<Item = (usize, usize)> {
        let mut node = Some(0u32);
        text.bytes()
            .enumerate()
            .map_while(move |(at, byte)| {
                node = self.edges.get(&edge(node?, byte)).copied();
                Some((at + 1, self.values[node? as usize]))
            })
            .filter_map(|(length, id)| Some((length, id?)))
    }

    /// The longest piece that a text begins with, and its length in bytes.
    fn longest(&self, text: &str) -> Option<(usize, usize)> {
        self.prefixes(text).last().map(|(length, id)| (id, length))
    }
}

#[cfg(test)]
mod tests {
    use super::{Algorithm, Kind, SentencePiece, Spm, SpmPiece};

    fn model(pieces: &[(&str, f32, Kind)]) -> SentencePiece {
        let unknown = ("<unk>", 0.0, Kind::Unknown);
        let piece = |(text, score, kind): &(&str, f32, Kind)| SpmPiece {
            text: text.to_string(),
            score: *score,
            kind: *kind,
        };
        let spm = Spm {
            pieces: std::iter::once(&unknown).chain(pieces).map(piece).collect(),
            algorithm: Algorithm::Unigram,
            byte_fallback: false,
            unknown: 0,
            charsmap: Vec::new(),
            add_dummy_prefix: false,
            remove_extra_whitespaces: false,
            escape_whitespaces: true,
            space_as_suffix: false,
        };
        SentencePiece::new(spm, "test").unwrap()
    }

    /// Where SentencePiece 0.2.3 changes over from the one segmentation to the other.
    #[test]
    fn user_defined_pieces_are_preferred_to_likely_ones() {
        let encode = |whole: f32| {
            let pieces = [
                ("xy", 0.0, Kind::UserDefined),
                ("z", -8.0, Kind::Normal),
                ("xyz", whole, Kind::Normal),
            ];
            model(&pieces).encode("xyz")
        };
        assert_eq!(encode(-7.95), ["xy", "z"]);
        assert_eq!(encode(-7.85), ["xyz"]);
    }

    #[test]
    fn control_pieces_are_not_read_out_of_a_text() {
        let model = model(&[("</s>", 0.0, Kind::Control), ("s", -2.0, Kind::Normal)]);
        assert_eq!(model.encode("</s>s"), ["</", "s", ">", "s"]);
        assert_eq!(model.decode(["s", "</s>", "<unk>", "new"]), "s \u{2047} new");
    }
}
