//! Chinese and Japanese: quotations and brackets that open within a sentence, with end marks of
//! their own, after which the sentence goes on: 他大喊“救命！”并跳进河里。

use super::parts::end_of;
use super::quotations::{attributes_in_chinese, is_quoted};
use crate::text::language::script::{self, Script};
use crate::types::Lang;

/// Marks that open and close.
const PAIRS: [(char, char); 4] = [('“', '”'), ('「', '」'), ('『', '』'), ('（', '）')];

/// Characters that are looked at for the other mark of a pair.
const NEAR: usize = 60;

/// Characters that a quotation may have after its first sentence to be a part of the one around it.
const LONGEST_REST: usize = 14;

/// Quotations in a row that are looked at.
const ROW: usize = 8;

/// Whether the sentence goes on between `body` and `right`: within such a quotation, or behind it.
pub(super) fn goes_on(body: &str, right: &str, lang: &Lang) -> bool {
    if !matches!(lang.base(), "zh" | "ja" | "yue") {
        return false;
    }
    // Four bytes are enough for a character.
    let near = end_of(body, 4 * NEAR);
    let is_whole = near.len() == body.len();
    PAIRS.iter().any(|&pair| {
        let (open, close) = pair;
        let Some(at) = near.rfind(open) else { return false };
        let (before, inner) = (before_row(&near[..at], pair), &near[at..]);
        let quotation = match inner.find(close) {
            None => until_close(right, pair),
            Some(end) if end + close.len_utf8() == inner.len() => Some((&inner[..end], right)),
            Some(_) => None,
        };
        let Some((said, after)) = quotation.and_then(|(s, after)| end_of_row(s, after, pair))
        else {
            return false;
        };
        if is_whole && before.trim().is_empty() {
            // “谁？谁来付钱？”她问。
            let is_open = inner.find(close).is_none() && lang.base() != "ja";
            let is_short = || said.chars().nth(LONGEST_REST).is_none();
            // 『来るな！』『帰れ！』と叫ぶ声がした。
            return right.starts_with(open) && !said.ends_with('。') && is_quoted(after)
                || is_open && is_short() && attributes_in_chinese(said, after);
        }
        continues(before, said, after, open)
    })
}

/// The text before the quotations in a row that it ends with.
fn before_row(text: &str, (open, close): (char, char)) -> &str {
    let mut head = text;
    while let Some(at) = head.strip_suffix(close).and_then(|inner| inner.rfind(open)) {
        head = &head[..at];
    }
    head
}

/// The last quotation of the row that begins with `said`, and the text behind it.
fn end_of_row<'a>(
    mut said: &'a str,
    mut after: &'a str,
    pair: (char, char),
) -> Option<(&'a str, &'a str)> {
    for _ in 0..ROW {
        let Some(next) = after.strip_prefix(pair.0) else { return Some((said, after)) };
        (said, after) = until_close(next, pair)?;
    }
    None
}

/// The text up to the mark that closes what is open, and the text behind that mark.
fn until_close(text: &str, (open, close): (char, char)) -> Option<(&str, &str)> {
    let mut near = text.char_indices().take(NEAR).take_while(|&(_, c)| c != '\n' && c != open);
    let (at, _) = near.find(|&(_, c)| c == close)?;
    Some((&text[..at], &text[at + close.len_utf8()..]))
}

/// Whether a sentence that was begun with `before`, and in which `said` stands in marks, goes on
/// with `after`.
fn continues(before: &str, said: &str, after: &str, open: char) -> bool {
    const SPEECH: [char; 10] = ['说', '說', '道', '问', '問', '喊', '叫', '称', '稱', '答'];
    const PARTICLES: [char; 18] = [
        '并', '並', '而', '时', '時', '的', '等', '后', '後', '为', '為', '之', 'と', 'の', 'は',
        'が', 'を', 'に',
    ];
    let is_word = |c: char| matches!(script::of(c), Script::Han | Script::Kana);
    let Some(next) = after.chars().next() else { return false };
    if !before.ends_with(|c: char| is_word(c) || c.is_numeric()) {
        return false;
    }
    match open {
        '（' => is_word(next),
        // After a verb of speech, or a full stop, another sentence may follow.
        _ if before.ends_with(SPEECH) || said.ends_with('。') => {
            PARTICLES.contains(&next) || is_term(after) || goes_on_acting(after)
        }
        _ => is_word(next) && !introduces(after),
    }
}

/// Whether a text begins with what the speaker does next, as a part of the sentence: 就走了。
fn goes_on_acting(after: &str) -> bool {
    const NEXT: [&str; 9] = ["然后", "然後", "就", "便", "随即", "隨即", "转身", "轉身", "才"];
    // 就在这时，…: another sentence begins.
    let begins = ["就在", "就是", "就连", "就連", "便宜", "才能"];
    NEXT.iter().any(|word| after.starts_with(word)) && !begins.iter().any(|b| after.starts_with(b))
}

/// Whether a text begins with the term for what was quoted: “完。”两个字。
fn is_term(after: &str) -> bool {
    const TERMS: [char; 7] = ['字', '词', '詞', '话', '話', '句', '语'];
    const LONGEST: usize = 5;
    let clause = after.char_indices().take(LONGEST + 1).find(|&(_, c)| !c.is_alphanumeric());
    clause.is_some_and(|(end, _)| after[..end].ends_with(TERMS))
}

/// Whether the clause that a text begins with introduces another quotation: 他是这样回答的：
fn introduces(after: &str) -> bool {
    let mark = after.chars().take(NEAR).find(|c| !c.is_alphanumeric());
    mark == Some('：')
}
