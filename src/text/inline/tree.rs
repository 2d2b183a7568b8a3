//! The tags of a text as a tree: spans, and what is in them.

use crate::types::{Tag, TagKind};
use std::ops::Range;

/// A span or a point of a text.
#[derive(Debug)]
pub(super) struct Node {
    /// The number of the tag that opens it, or of a point; none if it began in another part.
    pub open: Option<usize>,
    /// The number of the tag that closes it; none if it ends in another part, or is a point.
    pub close: Option<usize>,
    /// Whether it is a point.
    pub point: bool,
    /// The bytes of the text that it is around.
    pub range: Range<usize>,
    /// What is in it.
    pub inner: Vec<Node>,
}

impl Node {
    /// The number of its first tag.
    pub fn first(&self) -> usize {
        let inner = || self.inner.iter().map(Node::first).min();
        self.open.or_else(inner).or(self.close).unwrap_or_default()
    }
}

/// The nodes of a text of a length, side by side. A tag that closes what no tag opens is around all
/// that stands before it on its level, one that is never closed around all that follows.
pub(super) fn tree(tags: &[Tag], length: usize) -> Vec<Node> {
    // The nodes of each level that is open, and the tag that opened it.
    let mut levels: Vec<(Option<usize>, usize, Vec<Node>)> = vec![(None, 0, Vec::new())];
    for (number, tag) in tags.iter().enumerate() {
        let at = tag.at.min(length);
        match tag.kind {
            TagKind::Open => levels.push((Some(number), at, Vec::new())),
            TagKind::Point => push(
                &mut levels,
                Node {
                    open: Some(number),
                    close: None,
                    point: true,
                    range: at..at,
                    inner: Vec::new(),
                },
            ),
            TagKind::Close => {
                let (open, start, inner) = levels.pop().unwrap_or_default();
                let (close, point) = (Some(number), false);
                push(&mut levels, Node { open, close, point, range: start..at, inner });
            }
        }
    }
    while levels.len() > 1 {
        let (open, start, inner) = levels.pop().unwrap_or_default();
        push(&mut levels, Node { open, close: None, point: false, range: start..length, inner });
    }
    levels.pop().map(|(_, _, nodes)| nodes).unwrap_or_default()
}

fn push(levels: &mut Vec<(Option<usize>, usize, Vec<Node>)>, node: Node) {
    match levels.last_mut() {
        Some((_, _, nodes)) => nodes.push(node),
        None => levels.push((None, 0, vec![node])),
    }
}
