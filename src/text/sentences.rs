use super::abbreviations::{self, Follows};
use super::protect;
use super::{function_words, script};
use crate::types::{Lang, Sentence};
use unicode_segmentation::UnicodeSegmentation;

/// Splits a text into sentences, each with the white space after it: the concatenation of `text +
/// gap` is the text, trimmed at its start. A line break ends a sentence.
///
/// The boundaries are those of Unicode (UAX #29), less the ones after abbreviations, initials,
/// ordinals and quoted sentences within a sentence, and with those of Armenian, Greek, and of
/// quotations in Chinese and Japanese added.
pub fn split(text: &str, lang: &Lang) -> Vec<Sentence> {
    let text = text.trim_start();
    let mut out = Vec::new();
    let mut start = 0;
    // No sentence ends inside of an address (`https://example.org/a?b=c`) or a piece of code.
    let mut spans = protect::spans(text).into_iter().peekable();
    for end in boundaries(text, lang) {
        while spans.next_if(|span| span.end <= end).is_some() {}
        if spans.peek().is_none_or(|span| end <= span.start)
            && is_boundary(&text[start..end], &text[end..], lang)
        {
            out.push(sentence(&text[start..end]));
            start = end;
        }
    }
    if start < text.len() {
        out.push(sentence(&text[start..]));
    }
    out
}

/// Splits what is too long into pieces that fit: at clauses, where that is not enough at words, and
/// at last between characters. The concatenation of `text + gap` is the text, trimmed at its start.
/// A single character that does not fit stands alone.
pub fn split_long(text: &str, lang: &Lang, fits: &dyn Fn(&str) -> bool) -> Vec<Sentence> {
    let text = text.trim_start();
    if text.is_empty() {
        return Vec::new();
    }
    if fits(text.trim_end()) {
        return vec![sentence(text)];
    }
    for level in [clauses, words, characters] {
        let units = level(text, lang);
        if units.len() > 1 {
            return pack(&units, text, lang, fits);
        }
    }
    vec![sentence(text)]
}

/// Joins neighbouring units as long as they fit; a unit that does not fit on its own is split
/// further.
fn pack(units: &[&str], text: &str, lang: &Lang, fits: &dyn Fn(&str) -> bool) -> Vec<Sentence> {
    let mut out = Vec::new();
    let (mut start, mut next, mut end) = (0, 0, 0);
    while next < units.len() {
        // Grow by doubling and then close in, so that `fits` (a tokenizer) is asked a logarithmic
        // number of times.
        let ends: Vec<usize> = units[next..]
            .iter()
            .scan(end, |at, u| (*at += u.len(), Some(*at)).1)
            .take(512)
            .collect();
        let taken = ends.partition_point(|&e| fits(text[start..e].trim_end()));
        if taken == 0 {
            out.extend(split_long(units[next], lang, fits));
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
fn clauses<'a>(text: &'a str, lang: &Lang) -> Vec<&'a str> {
    const WIDE: [char; 7] = ['，', '、', '；', '：', '。', '！', '？'];
    const NARROW: [char; 13] = [',', ';', ':', '،', '؛', '.', '!', '?', '–', '—', '…', '՝', '·'];
    cut(
        text,
        |before, after| {
            WIDE.contains(&before) && !after.is_whitespace()
                || before.is_whitespace() && !after.is_whitespace()
        },
        |piece, rest| {
            let trimmed = piece.trim_end();
            // The full stop of "z. B." or of "14. Juni" is no place to cut.
            let stops = || !trimmed.ends_with('.') || is_boundary(piece, rest, lang);
            trimmed.ends_with(WIDE)
                || trimmed.len() < piece.len() && trimmed.ends_with(NARROW) && stops()
        },
    )
}

/// Words, each with the space after it.
fn words<'a>(text: &'a str, _: &Lang) -> Vec<&'a str> {
    cut(text, |before, after| before.is_whitespace() && !after.is_whitespace(), |_, _| true)
}

/// What a reader takes for one character.
fn characters<'a>(text: &'a str, _: &Lang) -> Vec<&'a str> {
    text.graphemes(true).collect()
}

/// Cuts wherever `between` allows it and `ends` holds of the piece before and the text after.
fn cut(
    text: &str,
    between: impl Fn(char, char) -> bool,
    ends: impl Fn(&str, &str) -> bool,
) -> Vec<&str> {
    let mut out = Vec::new();
    let mut start = 0;
    let mut before = None;
    for (i, c) in text.char_indices() {
        if before.is_some_and(|b| between(b, c)) && ends(&text[start..i], &text[i..]) {
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

/// Where a sentence may end: after each Unicode sentence, and at the marks of single languages that
/// Unicode leaves out.
fn boundaries(text: &str, lang: &Lang) -> Vec<usize> {
    let mut straight_quotes = 0;
    let mut out: Vec<usize> = Vec::new();
    for (at, piece) in text.split_sentence_bound_indices() {
        straight_quotes += piece.matches('"').count();
        let end = at + without_opening(piece, straight_quotes % 2 == 1).len();
        // In French a space stands before the mark that closes a quotation.
        match text[end..].strip_prefix('»') {
            Some(after) if after.starts_with([',', ';', ':', '.', '!', '?', ')']) => {}
            Some(after) if !after.starts_with(char::is_alphanumeric) => out.push(
                text.len()
                    - after.trim_start_matches(|c: char| c.is_whitespace() && c != '\n').len(),
            ),
            _ => out.push(end),
        }
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
            if rest.len() < after.len()
                && rest.trim_start_matches(OPENING).starts_with(char::is_uppercase)
            {
                out.push(text.len() - rest.len());
            }
        }
        out.sort_unstable();
        out.dedup();
    }
    out
}

/// Unicode takes every quotation mark and bracket after a full stop for a closing one, but where no
/// space is written the next sentence's opening mark stands there too. `open`: the last straight
/// quotation mark opens.
fn without_opening(piece: &str, open: bool) -> &str {
    let kept = piece.trim_end_matches(|c| {
        matches!(c, '「' | '『' | '（' | '《' | '【' | '“' | '‘') || c == '"' && open
    });
    if kept.ends_with(['。', '！', '？'])
        || kept.ends_with(['」', '』', '”', '"']) && kept.len() < piece.len() && !piece.is_ascii()
    {
        kept
    } else {
        piece
    }
}

const OPENING: [char; 17] =
    ['"', '\'', '“', '„', '‘', '‚', '«', '»', '‹', '(', '[', '「', '『', '—', '–', '-', '¿'];
const CLOSING: [char; 16] =
    ['"', '\'', '”', '“', '’', '‘', '»', '«', '›', ')', ']', '」', '』', '）', '】', '〉'];

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
        return !["と", "って", "は", "が", "を", "に", "の", "で", "も", "など", "という"]
            .iter()
            .any(|p| rest.starts_with(p));
    }
    if !spaced && script::of(first) == script::Script::Hangul {
        // "…인가?"라고 물었다: likewise, Korean puts spaces between sentences.
        return false;
    }
    // "(rund 5 Mio.) Euro": the full stop before a bracket may be an abbreviation's as well.
    let stopped = body
        .strip_suffix('.')
        .or_else(|| body.strip_suffix([')', ']']).and_then(|inner| inner.strip_suffix('.')));
    stopped.is_none_or(|before| !is_abbreviated(before, rest, first, lang))
}

/// Whether the full stop after `before` belongs to an abbreviation, an initial or an ordinal, and
/// the sentence goes on.
fn is_abbreviated(before: &str, rest: &str, first: char, lang: &Lang) -> bool {
    let word = last_word(before);
    if word.is_empty() || word.ends_with('.') {
        return false;
    }
    let letters = word.chars().count();
    let opens = || opens_sentence(rest, lang);
    if word.chars().all(|c| c.is_ascii_digit()) {
        // "1. First": a list; "am 3. Mai": an ordinal.
        return word.len() == before.len() && letters <= 3
            || has_ordinals(lang) && letters <= 2 && !opens();
    }
    if letters > 1 && has_ordinals(lang) && word.chars().all(|c| "IVXL".contains(c)) {
        // "im XIX. Jahrhundert", "Elisabeth II. Windsor"
        return !opens();
    }
    let lower = word.to_lowercase();
    // An abbreviation of several parts is written with spaces as well: "z. B. Hof", "v. Chr.
    // Geburt".
    let several = several_parts(before, &lower);
    if several.iter().any(|parts| begins_several(parts, rest, lang)) {
        return true;
    }
    match several.iter().skip(1).rev().find_map(|parts| abbreviations::follows(lang.base(), parts))
    {
        Some(Follows::Anything) => return !opens(),
        Some(_) => return true,
        None => {}
    }
    match abbreviations::follows(lang.base(), &lower) {
        Some(Follows::Word) => return true,
        Some(Follows::Number) if first.is_numeric() => return true,
        Some(Follows::Number) if letters > 1 => return false,
        Some(Follows::Anything) => return !opens(),
        _ => {}
    }
    let initial = letters == 1
        && word.chars().all(|c| c.is_uppercase() || script::of(c) == script::Script::Georgian);
    let dotted =
        lower.split('.').all(|part| (1..=2).contains(&part.chars().count())) && lower.contains('.');
    initial || dotted && !opens()
}

/// What stands after the last space or opening mark.
fn last_word(text: &str) -> &str {
    text.rsplit(|c: char| c.is_whitespace() || OPENING.contains(&c) && c != '-')
        .next()
        .unwrap_or(text)
}

/// The lower-case word before a full stop, and joined to one, two and three parts of up to four
/// letters before it that end with full stops too: "i. d. R" gives `r`, `d.r` and `i.d.r`.
fn several_parts(before: &str, lower: &str) -> Vec<String> {
    let mut out = vec![lower.to_string()];
    let mut head = before[..before.len() - last_word(before).len()].trim_end();
    while let (Some(stem), Some(joined)) = (head.strip_suffix('.'), out.last()) {
        let word = last_word(stem);
        if out.len() > 3
            || word.is_empty()
            || word.chars().count() > 4
            || !word.chars().all(char::is_alphabetic)
        {
            break;
        }
        out.push(format!("{}.{joined}", word.to_lowercase()));
        head = stem[..stem.len() - word.len()].trim_end();
    }
    out
}

/// Whether the next word, which ends with a full stop as well, goes on with an abbreviation that
/// began before.
fn begins_several(parts: &str, rest: &str, lang: &Lang) -> bool {
    let base = lang.base();
    if !abbreviations::begins_with(base, parts) {
        return false;
    }
    let next = rest.split(char::is_whitespace).next().unwrap_or_default();
    let Some(end) = next.rfind('.') else { return false };
    let both = format!("{parts}.{}", next[..end].to_lowercase());
    abbreviations::follows(base, &both).is_some() || abbreviations::begins_with(base, &both)
}

/// Whether the language writes a full stop after the figures of an ordinal number.
fn has_ordinals(lang: &Lang) -> bool {
    const ORDINALS: [&str; 21] = [
        "de", "da", "no", "nb", "nn", "fi", "cs", "sk", "sl", "hr", "bs", "sr", "et", "is", "lb",
        "hu", "pl", "tr", "lv", "fo", "eu",
    ];
    ORDINALS.contains(&lang.base())
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
        assert_eq!(
            out.iter().map(|s| format!("{}{}", s.text, s.gap)).collect::<String>(),
            text.trim_start(),
            "nothing is lost"
        );
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
            (
                "en",
                "Dr. J. R. Smith of the U.S. Senate paid $3.5 to Acme Inc. Monday at No. 5, e.g. Once.",
            ),
            ("en", "“Really?” he asked, and left."),
            ("de", "Am 3. Mai traf Prof. Dr. Müller z.B. Angela Merkel in der Nr. 12."),
            ("fr", "M. Macron a reçu Mme. Dupont, p. ex. Jeudi."),
            ("ru", "А. С. Пушкин родился в 1799 г. в Москве, на ул. Немецкой."),
            ("ja", "「行きます。」と彼は言った。"),
            (
                "de",
                "Es kostet 18,4 Mio. Euro, d. h. i. d. R. Steuergeld, z. B. Hof Lüdersen u. a. Höfe.",
            ),
            (
                "de",
                "Am Freitag, 14. Juni, kamen ca. 300 Gäste (rund 2 Tsd. Menschen) in den 3. Stock, v. a. Kinder.",
            ),
            ("de", "Am 14.\u{a0}Juni stand der Pegel im XIX. Jahrhundert 30 n. Chr. Geburt höher."),
            ("fr", "En 52 av. J.-C. César, p. ex. Jules, le sut."),
            ("es", "En EE. UU. Biden lo vio, p. ej. Ayer."),
            (
                "ru",
                "Обошелся в 4,2 млрд рублей, т. е. Почти 210 мест, в т. ч. Сидячих, 5 тыс. Рублей.",
            ),
            ("cs", "Dne 14. Června stálo 18,4 mil. Kč, tj. 5 tis. Eur."),
            (
                "pl",
                "W 15. Rocznicę ok. 18 proc. Polaków, m. in. Kraków, wydało 3 mln. Złotych na pt. „Ziemia”.",
            ),
            ("da", "Den 14. Juni kostede det 18 mio. Kroner, bl. a. Til Odense."),
            ("no", "Fredag 14. Juni kostet det 18 mill. Kroner."),
            ("sv", "Det kostar 18 milj. Kronor, t. ex. Malmö."),
            ("fi", "Perjantaina 14. Kesäkuuta se maksoi 18 milj. Euroa, mm. Turku."),
            ("hu", "A 14. Kerület 2 mrd. Forintot, a XX. Század."),
            ("tr", "Bu 2. Dünya Savaşı ve 15. Yüzyıl."),
            ("lt", "Kainavo 5 mln. Eurų, 14 d. Vilniuje."),
            ("hr", "Dana 14. Lipnja stoji 18 mil. Eura, npr. Split."),
            ("pl", "W 2018 r. prof. Jan Kowalski mieszkał przy ul. Długiej."),
        ] {
            assert_eq!(texts(code, one), [one], "{code}");
        }
    }

    #[test]
    fn sentence_ends_of_many_scripts() {
        for (code, text, n) in [
            ("en", "He lives in the U.S. The house is big. Is it? Yes! “It is.” Fine…", 6),
            ("de", "Es kostet 18,4 Mio. Der Rat zahlt. Er kam aus Hof, Wien usw. Es war spät.", 4),
            ("ru", "Хлеб, соль и т. д. Он ушел.", 2),
            ("fr", "En 52 av. J.-C. Il mourut. Fin.", 3),
            (
                "fr",
                "« Il y a un requin ! », explique Chad. « Non ? » Il est parti. » « Bien. »\nFin.",
                5,
            ),
            ("de", "»Ja.« »Nein.« Er ging.", 3),
            ("pl", "Kosztuje 18 mln. To dużo. Jest ich 120.", 3),
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
        assert_eq!(
            texts("en", "  Title\n\nFirst line\nsecond. "),
            ["Title", "First line", "second."]
        );
        assert!(texts("en", " \n ").is_empty());
    }

    #[test]
    fn long_text_is_split_at_the_best_place() {
        let by_chars = |n: usize| move |s: &str| s.chars().count() <= n;
        let cut = |text: &str, n: usize| -> Vec<String> {
            let out = split_long(text, &Lang::en(), &by_chars(n));
            assert_eq!(
                out.iter().map(|s| format!("{}{}", s.text, s.gap)).collect::<String>(),
                text.trim_start()
            );
            out.into_iter().map(|s| s.text).collect()
        };
        assert_eq!(cut("one two, three four, five six", 20), ["one two, three four,", "five six"]);
        assert_eq!(cut("one two three four", 9), ["one two", "three", "four"]);
        assert_eq!(cut("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(cut("我来了，他走了，她也走了", 5), ["我来了，", "他走了，", "她也走了"]);
        assert_eq!(cut("👨‍👩‍👧ab", 1), ["👨‍👩‍👧", "a", "b"]);
        assert!(cut("  ", 3).is_empty());
        let german = split_long(
            "Das war am 14. Juni, z. B. in Hof, bei 5 Mio. Euro.",
            &Lang::parse("de").unwrap(),
            &by_chars(24),
        );
        assert_eq!(
            german.iter().map(|s| s.text.as_str()).collect::<Vec<_>>(),
            ["Das war am 14. Juni,", "z. B. in Hof,", "bei 5 Mio. Euro."]
        );
    }
}
