//! Turns of a conversation: lines that begin with the name of who speaks, as transcripts and
//! interviews have them.

use super::lines::Line;

/// Characters and words of the longest name.
const LONGEST: usize = 30;
const MOST_WORDS: usize = 4;

/// Turns that a text has at least, if it is a conversation; one speaker has two of them.
const LEAST: usize = 3;

/// Marks the lines that begin a turn.
pub(super) fn mark(lines: &mut [Line]) {
    let mut names: Vec<&str> = lines.iter().filter_map(|line| speaker(line.text)).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    if all >= LEAST && names.len() < all {
        lines.iter_mut().for_each(|line| line.begins_turn = speaker(line.text).is_some());
    }
}

/// The name before the colon that a line begins with: `Host: hello`, `主持人：大家好`.
pub(super) fn speaker(text: &str) -> Option<&str> {
    let (at, colon) = text.char_indices().take(LONGEST).find(|&(_, c)| matches!(c, ':' | '：'))?;
    let (name, said) = (&text[..at], &text[at + colon.len_utf8()..]);
    let is_apart = colon == '：' || said.is_empty() || said.starts_with(char::is_whitespace);
    let is_of_name =
        |c: char| c.is_alphanumeric() || matches!(c, ' ' | '.' | '-' | '’' | '\'' | '·');
    let begins = name.chars().next().is_some_and(|c| c.is_alphabetic() && !c.is_lowercase());
    let is_name = name.chars().all(is_of_name) && name.split(' ').nth(MOST_WORDS).is_none();
    (is_apart && begins && is_name).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::super::lines::line;
    use super::*;

    fn turns(text: &str) -> Vec<bool> {
        let mut lines: Vec<Line> = text.split_inclusive('\n').map(line).collect();
        mark(&mut lines);
        lines.into_iter().map(|line| line.begins_turn).collect()
    }

    #[test]
    fn speakers_take_turns() {
        let two = [true, true, true, false];
        assert_eq!(turns("Host: hello\nDr. Ana Lee: thanks\nHost: and now\nto the bridge"), two);
        assert_eq!(turns("主持人：大家好\n市长：谢谢\n主持人：居民怎么过河\n坐渡船"), two);
        assert_eq!(turns("記者：橋は\n市長：春\n記者：費用は\n県です"), two);
    }

    #[test]
    fn colons_in_prose_are_no_turns() {
        for text in [
            "At 4:15 it rained.\nat 4:16: more\nat 4:17: less",
            "The mayor: a portrait\nThe bridge: a history\nThe quay: a plan",
            "Note: one.\nNote: two.",
            "he said: no\nhe said: no\nhe said: no",
        ] {
            assert!(!turns(text).contains(&true), "{text}");
        }
    }
}
