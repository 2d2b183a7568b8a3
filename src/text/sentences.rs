use super::abbreviations::{self, Follows};
use super::protect;
use super::{function_words, script};
use crate::types::{Lang, Sentence};
use unicode_segmentation::UnicodeSegmentation;

/// Splits a text into sentences, each with the white space after it: the concatenation of `text + gap` is the text, trimmed
/// at its start. A line break ends a sentence.
///
/// The boundaries are those of Unicode (UAX #29), less the ones after abbreviations, initials, ordinals and quoted
/// sentences within a sentence, and with those of Armenian, Greek, and of quotations in Chinese and Japanese added.
pub fn split(text: &str, lang: &Lang) -> Vec<Sentence> {
    let text = text.trim_start();
    let mut out = Vec::new();
    let mut start = 0;
    // No sentence ends inside of an address (`https://example.org/a?b=c`) or a piece of code.
    let mut spans = protect::spans(text).into_iter().peekable();
    for end in boundaries(text, lang) {
        while spans.next_if(|span| span.end <= end).is_some() {}
        if spans.peek().is_none_or(|span| end <= span.start) && is_boundary(&text[start..end], &text[end..], lang) {
            out.push(sentence(&text[start..end]));
            start = end;
        }
    }
    if start < text.len() {
        out.push(sentence(&text[start..]));
    }
    out
}

/// Splits what is too long into pieces that fit: at clauses, where that is not enough at words, and at last between characters.
/// The concatenation of `text + gap` is the text, trimmed at its start. A single character that does not fit stands alone.
pub fn split_long(text: &str, fits: &dyn Fn(&str) -> bool) -> Vec<Sentence> {
    let text = text.trim_start();
    if text.is_empty() {
        return Vec::new();
    }
    if fits(text.trim_end()) {
        return vec![sentence(text)];
    }
    for level in [clauses, words, characters] {
        let units = level(text);
        if units.len() > 1 {
            return pack(&units, text, fits);
        }
    }
    vec![sentence(text)]
}

/// Joins neighbouring units as long as they fit; a unit that does not fit on its own is split further.
fn pack(units: &[&str], text: &str, fits: &dyn Fn(&str) -> bool) -> Vec<Sentence> {
    let mut out = Vec::new();
    let (mut start, mut next, mut end) = (0, 0, 0);
    while next < units.len() {
        // Grow by doubling and then close in, so that `fits` (a tokenizer) is asked a logarithmic number of times.
        let ends: Vec<usize> = units[next..].iter().scan(end, |at, u| (*at += u.len(), Some(*at)).1).take(512).collect();
        let taken = ends.partition_point(|&e| fits(text[start..e].trim_end()));
        if taken == 0 {
            out.extend(split_long(units[next], fits));
            next += 1;
            end = ends[0];
        } else {
            out.push(sentence(&text[start..ends[taken - 1]]));
            next += taken;
            end = ends[taken - 1];
        }
        start = end;
    }
    out
}

/// Pieces that end with a clause mark (and the space after it).
fn clauses(text: &str) -> Vec<&str> {
    const WIDE: [char; 7] = ['，', '、', '；', '：', '。', '！', '？'];
    const NARROW: [char; 13] = [',', ';', ':', '،', '؛', '.', '!', '?', '–', '—', '…', '՝', '·'];
    cut(
        text,
        |before, after| WIDE.contains(&before) && !after.is_whitespace() || before.is_whitespace() && !after.is_whitespace(),
        |piece| {
            let trimmed = piece.trim_end();
            trimmed.ends_with(WIDE) || trimmed.len() < piece.len() && trimmed.ends_with(NARROW)
        },
    )
}

/// Words, each with the space after it.
fn words(text: &str) -> Vec<&str> {
    cut(text, |before, after| before.is_whitespace() && !after.is_whitespace(), |_| true)
}

/// What a reader takes for one character.
fn characters(text: &str) -> Vec<&str> {
    text.graphemes(true).collect()
}

/// Cuts wherever `between` allows it and `ends` holds of the piece before.
fn cut(text: &str, between: impl Fn(char, char) -> bool, ends: impl Fn(&str) -> bool) -> Vec<&str> {
    let mut out = Vec::new();
    let mut start = 0;
    let mut before = None;
    for (i, c) in text.char_indices() {
        if before.is_some_and(|b| between(b, c)) && ends(&text[start..i]) {
            out.push(&text[start..i]);
            start = i;
        }
        before = Some(c);
    }
    if start < text.len() {
        out.push(&text[start..]);
    }
    out
}

fn sentence(text: &str) -> Sentence {
    let kept = text.trim_end();
    Sentence { text: kept.to_string(), gap: text[kept.len()..].to_string() }
}

/// Where a sentence may end: after each Unicode sentence, and at the marks of single languages that Unicode leaves out.
fn boundaries(text: &str, lang: &Lang) -> Vec<usize> {
    let mut straight_quotes = 0;
    let mut out: Vec<usize> = Vec::new();
    for (at, piece) in text.split_sentence_bound_indices() {
        straight_quotes += piece.matches('"').count();
        out.push(at + without_opening(piece, straight_quotes % 2 == 1).len());
        if piece.ends_with('\n') {
            straight_quotes = 0;
        }
    }
    // Armenian sentences are also typed with a colon, Greek questions with a semicolon.
    let mark = match lang.base() {
        "hy" => Some(':'),
        "el" => Some(';'),
        _ => None,
    };
    if let Some(mark) = mark {
        for (at, _) in text.match_indices(mark) {
            let after = &text[at + 1..];
            let rest = after.trim_start();
            if rest.len() < after.len() && rest.trim_start_matches(OPENING).starts_with(char::is_uppercase) {
                out.push(text.len() - rest.len());
            }
        }
        out.sort_unstable();
        out.dedup();
    }
    out
}

/// Unicode takes every quotation mark and bracket after a full stop for a closing one, but where no space is written the
/// next sentence's opening mark stands there too. `open`: the last straight quotation mark opens.
fn without_opening(piece: &str, open: bool) -> &str {
    let kept = piece.trim_end_matches(|c| matches!(c, '「' | '『' | '（' | '《' | '【' | '“' | '‘') || c == '"' && open);
    if kept.ends_with(['。', '！', '？']) || kept.ends_with(['」', '』', '”', '"']) && kept.len() < piece.len() && !piece.is_ascii()
    {
        kept
    } else {
        piece
    }
}

const OPENING: [char; 17] = ['"', '\'', '“', '„', '‘', '‚', '«', '»', '‹', '(', '[', '「', '『', '—', '–', '-', '¿'];
const CLOSING: [char; 16] = ['"', '\'', '”', '“', '’', '‘', '»', '«', '›', ')', ']', '」', '』', '）', '】', '〉'];

/// Whether the sentence really ends between the two.
fn is_boundary(left: &str, right: &str, lang: &Lang) -> bool {
    if right.starts_with(char::is_whitespace) {
        return false;
    }
    let body = left.trim_end();
    if left[body.len()..].contains(['\n', '\u{2028}', '\u{2029}']) || right.is_empty() {
        return true;
    }
    // Stray punctuation belongs to its neighbour.
    if !body.contains(char::is_alphanumeric) {
        return false;
    }
    let spaced = body.len() < left.len();
    let rest = right.trim_start_matches(OPENING).trim_start();
    let Some(first) = rest.chars().next() else { return false };
    if !right.chars().take_while(|&c| c != '\n').any(char::is_alphanumeric) {
        return false;
    }
    if first.is_lowercase() && script::of(first).has_case() && spaced {
        return false;
    }
    let unclosed = body.trim_end_matches(CLOSING);
    if unclosed.len() < body.len() && script::of(first) == script::Script::Kana {
        // 「…。」と述べた: the quotation is a part of the sentence.
        return !["と", "って", "は", "が", "を", "に", "の", "で", "も", "など", "という"].iter().any(|p| rest.starts_with(p));
    }
    if !spaced && script::of(first) == script::Script::Hangul {
        // "…인가?"라고 물었다: likewise, Korean puts spaces between sentences.
        return false;
    }
    match body.strip_suffix('.') {
        Some(before) => !is_abbreviated(before, rest, first, lang),
        None => true,
    }
}

/// Whether the full stop after `before` belongs to an abbreviation, an initial or an ordinal, and the sentence goes on.
fn is_abbreviated(before: &str, rest: &str, first: char, lang: &Lang) -> bool {
    let word = before.rsplit(|c: char| c.is_whitespace() || OPENING.contains(&c) && c != '-').next().unwrap_or(before);
    if word.is_empty() || word.ends_with('.') {
        return false;
    }
    let letters = word.chars().count();
    let is_number = word.chars().all(|c| c.is_ascii_digit());
    if is_number {
        // "1. First": a list; "am 3. Mai": an ordinal.
        let ordinals =
            matches!(lang.base(), "de" | "da" | "no" | "nb" | "nn" | "fi" | "cs" | "sk" | "sl" | "hr" | "bs" | "et" | "is" | "lb" | "hu");
        return word.len() == before.len() && letters <= 3 || ordinals && letters <= 2 && !opens_sentence(rest, lang);
    }
    let opens = || opens_sentence(rest, lang);
    let lower = word.to_lowercase();
    match abbreviations::follows(lang.base(), &lower) {
        Some(Follows::Word) => return true,
        Some(Follows::Number) if first.is_numeric() => return true,
        Some(Follows::Number) if letters > 1 => return false,
        Some(Follows::Anything) => return !opens(),
        _ => {}
    }
    let initial = letters == 1 && word.chars().all(|c| c.is_uppercase() || script::of(c) == script::Script::Georgian);
    let dotted = lower.split('.').all(|part| (1..=2).contains(&part.chars().count())) && lower.contains('.');
    initial || dotted && !opens()
}

/// Whether the text begins with a word that begins sentences: a function word with a capital.
fn opens_sentence(rest: &str, lang: &Lang) -> bool {
    let Some(word) = rest.unicode_words().next() else { return false };
    function_words::languages(&word.to_lowercase()).contains(&lang.base())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(code: &str, text: &str) -> Vec<String> {
        let out = split(text, &Lang::parse(code).unwrap());
        assert_eq!(out.iter().map(|s| format!("{}{}", s.text, s.gap)).collect::<String>(), text.trim_start(), "nothing is lost");
        out.into_iter().map(|s| s.text).collect()
    }

    #[test]
    fn addresses_are_not_cut() {
        let text = "See [the bulletin](https://a.example/b?n=48), it is new. Next.";
        let split = split(text, &Lang::en());
        assert_eq!(
            split.iter().map(|s| s.text.as_str()).collect::<Vec<_>>(),
            ["See [the bulletin](https://a.example/b?n=48), it is new.", "Next."]
        );
    }

    #[test]
    fn full_stops_that_end_nothing() {
        for (code, one) in [
            ("en", "Dr. J. R. Smith of the U.S. Senate paid $3.5 to Acme Inc. Monday at No. 5, e.g. Once."),
            ("en", "“Really?” he asked, and left."),
            ("de", "Am 3. Mai traf Prof. Dr. Müller z.B. Angela Merkel in der Nr. 12."),
            ("fr", "M. Macron a reçu Mme. Dupont, p. ex. Jeudi."),
            ("ru", "А. С. Пушкин родился в 1799 г. в Москве, на ул. Немецкой."),
            ("ja", "「行きます。」と彼は言った。"),
            ("pl", "W 2018 r. prof. Jan Kowalski mieszkał przy ul. Długiej."),
        ] {
            assert_eq!(texts(code, one), [one], "{code}");
        }
    }

    #[test]
    fn sentence_ends_of_many_scripts() {
        for (code, text, n) in [
            ("en", "He lives in the U.S. The house is big. Is it? Yes! “It is.” Fine…", 6),
            ("zh", "他来了。她走了！“真的吗？”“是的。”他说。", 5),
            ("zh", "他来了。\"是的。\"他说。", 3),
            ("ja", "彼は来た。「行こう。」彼女は行った。", 3),
            ("ar", "وصل الرئيس. هل غادر؟ نعم.", 3),
            ("hi", "वह आया। वह गई।", 2),
            ("hy", "Նա եկավ։ Նա գնաց: Վերջ։", 3),
            ("el", "Ήρθε; Ναι. Έφυγε.", 3),
            ("ka", "ის მოვიდა. ის წავიდა.", 2),
            ("ko", "그는 왔다. 그녀는 갔다.", 2),
            ("am", "እሱ መጣ። እሷ ሄደች።", 2),
            ("es", "¿Vino? Sí. ¡Vaya!", 3),
        ] {
            assert_eq!(texts(code, text).len(), n, "{code}: {:?}", texts(code, text));
        }
    }

    #[test]
    fn line_breaks_end_sentences_and_are_kept() {
        assert_eq!(texts("en", "  Title\n\nFirst line\nsecond. "), ["Title", "First line", "second."]);
        assert!(texts("en", " \n ").is_empty());
    }

    #[test]
    fn long_text_is_split_at_the_best_place() {
        let by_chars = |n: usize| move |s: &str| s.chars().count() <= n;
        let cut = |text: &str, n: usize| -> Vec<String> {
            let out = split_long(text, &by_chars(n));
            assert_eq!(out.iter().map(|s| format!("{}{}", s.text, s.gap)).collect::<String>(), text.trim_start());
            out.into_iter().map(|s| s.text).collect()
        };
        assert_eq!(cut("one two, three four, five six", 20), ["one two, three four,", "five six"]);
        assert_eq!(cut("one two three four", 9), ["one two", "three", "four"]);
        assert_eq!(cut("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(cut("我来了，他走了，她也走了", 5), ["我来了，", "他走了，", "她也走了"]);
        assert_eq!(cut("👨‍👩‍👧ab", 1), ["👨‍👩‍👧", "a", "b"]);
        assert!(cut("  ", 3).is_empty());
    }
}
