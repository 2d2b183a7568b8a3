//! Chinese and Japanese: quotations and brackets that open within a sentence, with end marks of
//! their own, after which the sentence goes on: 他大喊“救命！”并跳进河里。

use super::parts::end_of;
use crate::text::language::script::{self, Script};
use crate::types::Lang;

/// Marks that open and close.
const PAIRS: [(char, char); 4] = [('“', '”'), ('「', '」'), ('『', '』'), ('（', '）')];

/// Characters that are looked at for the other mark of a pair.
const NEAR: usize = 60;

/// Whether the sentence goes on between `body` and `right`: within such a quotation, or behind it.
pub(super) fn goes_on(body: &str, right: &str, lang: &Lang) -> bool {
    if !matches!(lang.base(), "zh" | "ja" | "yue") {
        return false;
    }
    // Four bytes are enough for a character.
    let near = end_of(body, 4 * NEAR);
    let is_whole = near.len() == body.len();
    PAIRS.iter().any(|&(open, close)| {
        let Some(at) = near.rfind(open) else { return false };
        let (before, inner) = (&near[..at], &near[at..]);
        let after = match inner.find(close) {
            None => rest_after(right, open, close),
            Some(end) if end + close.len_utf8() == inner.len() => Some(right),
            Some(_) => None,
        };
        let stands_first = is_whole && before.trim().is_empty();
        after.is_some_and(|after| !stands_first && continues(before, after, (open, close)))
    })
}

/// The text behind the mark that closes what is open.
fn rest_after(right: &str, open: char, close: char) -> Option<&str> {
    let mut near = right.char_indices().take(NEAR).take_while(|&(_, c)| c != '\n' && c != open);
    near.find(|&(_, c)| c == close).map(|(at, _)| &right[at + close.len_utf8()..])
}

/// Whether a sentence that was begun with `before`, up to the opening mark, goes on with `after`.
fn continues(before: &str, after: &str, (open, close): (char, char)) -> bool {
    const SPEECH: [char; 10] = ['说', '說', '道', '问', '問', '喊', '叫', '称', '稱', '答'];
    const PARTICLES: [char; 18] = [
        '并', '並', '而', '时', '時', '的', '等', '后', '後', '为', '為', '之', 'と', 'の', 'は',
        'が', 'を', 'に',
    ];
    let Some(next) = after.chars().next() else { return false };
    if next == open {
        return rest_after(&after[open.len_utf8()..], open, close)
            .is_some_and(|after| continues(before, after, (open, close)));
    }
    // What came before in the same row of quotations is a part of it.
    let before = match before.strip_suffix(close).and_then(|inner| inner.rfind(open)) {
        Some(at) => &before[..at],
        None => before,
    };
    let is_word = |c: char| matches!(script::of(c), Script::Han | Script::Kana);
    let last = before.chars().next_back().filter(|&c| is_word(c) || c.is_numeric());
    let Some(last) = last else { return false };
    match open {
        // After a verb of speech another sentence may follow.
        '（' => is_word(next),
        _ if SPEECH.contains(&last) => PARTICLES.contains(&next),
        _ => is_word(next),
    }
}
