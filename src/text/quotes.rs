use super::protect;
use crate::types::Lang;
use std::ops::Range;

/// Marks that set off a quotation; `"` does so in every language.
const MARKS: [char; 13] = ['"', '“', '”', '„', '‟', '«', '»', '「', '」', '『', '』', '《', '》'];

/// Opening mark and closing mark of a language, and further marks that are not wrong there.
fn conventions(lang: &Lang) -> (&'static str, &'static str, &'static str) {
    match lang.base() {
        "fr" => ("«\u{a0}", "\u{a0}»", "“”"),
        "de" | "lb" | "cs" | "sk" | "sl" | "is" | "bg" | "mk" | "et" | "lt" | "ka" => {
            ("„", "“", "”»«")
        }
        "pl" | "ro" | "hr" | "hu" | "sr" | "bs" => ("„", "”", "“»«"),
        "sv" | "fi" => ("”", "”", "»“«"),
        "ru" | "uk" | "be" | "kk" | "ky" | "hy" | "az" | "lv" => ("«", "»", "„“”"),
        "no" | "da" | "es" | "it" | "pt" | "ca" | "gl" | "el" | "fa" | "ar" | "sq" => {
            ("«", "»", "“”„")
        }
        "zh" => ("“", "”", "「」『』《》"),
        "ja" | "yue" => ("「", "」", "『』《》“”"),
        "he" => ("\"", "\"", "„”“"),
        // What models write in the others, as people do on keyboards.
        _ => ("\"", "\"", "“”"),
    }
}

/// A quotation mark in a text.
#[derive(Clone, Copy)]
struct Mark {
    at: usize,
    sign: char,
    opens: bool,
}

/// Marks of a text outside of its protected spans. Whether a mark opens or closes is told by its
/// neighbours, which are surer evidence than its shape.
fn marks(text: &str) -> Vec<Mark> {
    let mut out: Vec<Mark> = Vec::new();
    let mut spans = protect::spans(text).into_iter().peekable();
    let mut open = false;
    for (at, sign) in text.match_indices(MARKS) {
        while spans.next_if(|span| span.end <= at).is_some() {}
        if spans.peek().is_some_and(|span| span.contains(&at)) {
            continue;
        }
        let before = text[..at].chars().next_back();
        let after = text[at + sign.len()..].chars().next();
        let apart = |c: Option<char>| c.is_none_or(|c| c.is_whitespace());
        let word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let sign = sign.chars().next().unwrap_or('"');
        let opens = match (apart(before), apart(after)) {
            (true, false) if after.is_none_or(|c| !",.;:!?".contains(c)) => true,
            (false, true) => false,
            // At an end of the text there is only one thing to be.
            (true, true) if after.is_none() && before.is_some() => false,
            (true, true) if before.is_none() => true,
            // In scripts without spaces, and where spaces stand on both sides, the shape tells, or
            // else the order.
            _ if matches!(sign, '「' | '『' | '《' | '„') => true,
            _ if matches!(sign, '」' | '』' | '》') => false,
            _ if matches!(sign, '»' | '”') && after.is_some_and(|c| ",.;:!?".contains(c)) => {
                false
            }
            _ if !open && word(after) => true,
            _ => !open,
        };
        open = opens;
        out.push(Mark { at, sign, opens });
    }
    out
}

/// The quotations in a text, with their marks: the outermost ones. One that began before the text,
/// or goes on after it, is there as far as the text has it.
pub fn quotations(text: &str) -> Vec<Range<usize>> {
    let (mut found, mut open): (Vec<Range<usize>>, Vec<usize>) = Default::default();
    for Mark { at, sign, opens } in marks(text) {
        let end = at + sign.len_utf8();
        match (opens, open.pop()) {
            (true, outer) => open.extend(outer.into_iter().chain([at])),
            (false, Some(start)) if open.is_empty() => found.push(start..end),
            (false, None) if found.is_empty() => found.push(0..end),
            (false, _) => {}
        }
    }
    found.extend(open.first().map(|start| *start..text.len()));
    found
}

/// Writes the quotation marks of a translation as its language does: marks that are foreign to it
/// are replaced, white space between a mark and the quotation is dropped, and a mark at the very
/// beginning or end of the source that the translation lost is put back. What the language has is
/// left as it is.
pub fn localize(output: &str, source: &str, to: &Lang) -> String {
    let (open, close, others) = conventions(to);
    let found = marks(output);
    let is_own =
        |sign: char| sign == '"' || [open, close, others].iter().any(|own| own.contains(sign));
    // Where one mark is foreign its partner is, too, whatever it looks like; titles keep theirs in
    // Chinese and Japanese.
    let foreign = found.iter().any(|m| !is_own(m.sign));
    let is_title = |sign: char| matches!(sign, '《' | '》' | '『' | '』') && is_own(sign);
    let (open, close) =
        if found.iter().any(|m| m.sign == '"') { ("\"", "\"") } else { (open, close) };
    let mut out = String::with_capacity(output.len());
    let mut end = 0;
    for mark in &found {
        let after = mark.at + mark.sign.len_utf8();
        let changed = foreign && mark.sign != '"' && !is_title(mark.sign);
        let own = mark.sign.to_string();
        let sign = match (changed, mark.opens) {
            (false, _) => own.as_str(),
            (true, true) => open,
            (true, false) => close,
        };
        // The spaces within « … » are French.
        let spaced = to.base() == "fr" && matches!(mark.sign, '«' | '»') && !changed;
        out.push_str(&output[end..mark.at]);
        if !mark.opens && !spaced {
            out.truncate(out.trim_end().len());
        }
        out.push_str(sign);
        end = after;
        if mark.opens && !spaced {
            end += output[after..].len() - output[after..].trim_start().len();
        }
    }
    out.push_str(&output[end..]);
    put_back(out, source, found.len(), (open, close))
}

/// The marks that a sentence lacks when it stands without its neighbours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lacking {
    /// Opening mark of a quotation that began before it.
    pub before: String,
    /// Closing mark of a quotation that goes on after it.
    pub after: String,
}

/// Finds the marks that each sentence of a text lacks. A mark whose partner is not found within a
/// few sentences quotes its own sentence alone.
pub fn lacking(sentences: &[String], lang: &Lang) -> Vec<Lacking> {
    /// Quotations that go on for longer are taken for ones that somebody forgot to end.
    const LONGEST: usize = 5;
    let mut all = vec![Lacking::default(); sentences.len()];
    // Quotations within quotations have other marks.
    let mut open: Vec<(usize, char)> = Vec::new();
    for (i, sentence) in sentences.iter().enumerate() {
        for Mark { sign, opens, .. } in marks(sentence) {
            if opens {
                if let Some((at, _)) = open.pop_if(|(_, outer)| *outer == sign) {
                    all[at].after = closing(sign, lang);
                }
                open.push((i, sign));
                continue;
            }
            match open.pop() {
                Some((at, sign)) if i - at < LONGEST => {
                    all[at..i].iter_mut().for_each(|sentence| sentence.after = closing(sign, lang));
                    all[at + 1..=i]
                        .iter_mut()
                        .for_each(|sentence| sentence.before = opening(sign, lang));
                }
                forgotten => {
                    if let Some((at, sign)) = forgotten {
                        all[at].after = closing(sign, lang);
                    }
                    all[i].before = opening(partner(sign, lang), lang);
                }
            }
        }
    }
    for (at, sign) in open {
        all[at].after = closing(sign, lang);
    }
    all
}

/// An opening mark, with the space that French has after it.
fn opening(sign: char, lang: &Lang) -> String {
    if lang.base() == "fr" && sign == '«' { "«\u{a0}".into() } else { sign.into() }
}

/// The mark that closes what another one opened.
fn closing(opened: char, lang: &Lang) -> String {
    let sign = partner(opened, lang);
    if lang.base() == "fr" && sign == '»' { "\u{a0}»".into() } else { sign.into() }
}

/// The mark at the other end of a quotation.
fn partner(sign: char, lang: &Lang) -> char {
    let (open, close, _) = conventions(lang);
    let [open, close] = [open, close].map(|mark| mark.trim_matches('\u{a0}'));
    match sign {
        // Where the language has a pair, it is that; the same mark closes in one language what it
        // opens in another.
        _ if open.starts_with(sign) => close.chars().next().unwrap_or(sign),
        _ if close.starts_with(sign) => open.chars().next().unwrap_or(sign),
        '“' | '‟' => '”',
        '”' => '“',
        '„' => '“',
        '«' => '»',
        '»' => '«',
        '「' => '」',
        '」' => '「',
        '『' => '』',
        '』' => '『',
        '《' => '》',
        '》' => '《',
        _ => sign,
    }
}

/// Adds the mark that the source begins or ends with and the output, which has fewer, does not.
fn put_back(mut output: String, source: &str, found: usize, (open, close): (&str, &str)) -> String {
    let wanted = marks(source);
    if found >= wanted.len() || wanted.len() > 2 || output.is_empty() {
        return output;
    }
    let opens = wanted.first().is_some_and(|m| m.opens && m.at == 0);
    let closes = wanted
        .last()
        .is_some_and(|m| !m.opens && !source[m.at..].chars().any(char::is_alphanumeric));
    // A quotation of a few words at one end of the sentence may stand anywhere in the translation.
    if wanted.len() == 2 && !(opens && closes) {
        return output;
    }
    let kept = marks(&output);
    if opens && !kept.iter().any(|m| m.opens) {
        output.insert_str(0, open);
    }
    if closes && kept.iter().all(|m| m.opens) {
        output.push_str(close);
    }
    output
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(code: &str, output: &str, source: &str) -> String {
        localize(output, source, &Lang::parse(code).unwrap())
    }

    #[test]
    fn foreign_marks_and_stray_spaces_go() {
        for (code, output, expected) in [
            (
                "en",
                "\"But I prefer a bridge that will rot. \"",
                "\"But I prefer a bridge that will rot.\"",
            ),
            ("en", "I didn't think it was two times. »", "I didn't think it was two times.\""),
            ("en", "\"Once\", he said. \"Not twice. »", "\"Once\", he said. \"Not twice.\""),
            ("en", "« We go », he said, « now ».", "\"We go\", he said, \"now\"."),
            ("en", "„We go“, he said.", "\"We go\", he said."),
            ("en", "The 《Daily》 wrote 「no」.", "The \"Daily\" wrote \"no\"."),
            ("de", "「Ja」, sagte er.", "„Ja“, sagte er."),
            ("fr", "「Oui」, dit-il.", "«\u{a0}Oui\u{a0}», dit-il."),
            ("ru", "「Да」, сказал он.", "«Да», сказал он."),
            ("ja", "彼は«はい»と言った。", "彼は「はい」と言った。"),
        ] {
            assert_eq!(check(code, output, output), expected, "{code}");
        }
    }

    #[test]
    fn quotations_are_found_with_their_marks() {
        let find = |text: &str| {
            quotations(text).into_iter().map(|range| text[range].to_string()).collect::<Vec<_>>()
        };
        assert_eq!(find("« Oui », dit-il, « et “non” ». Rien."), ["« Oui »", "« et “non” »"]);
        assert_eq!(find("Now I play,\" he said. \"But not"), ["Now I play,\"", "\"But not"]);
        assert_eq!(find("彼は「はい。『本』です」と言った。"), ["「はい。『本』です」"]);
        assert!(find("It's the mayor's.").is_empty() && find("").is_empty());
    }

    #[test]
    fn what_is_right_stays() {
        for (code, text) in [
            ("en", "“Yes,” he said, \"no\" and 'maybe' at 5\" or 6'."),
            ("en", "<a href=\"x y\">The \"Post\"</a> `a = \" b \"`"),
            ("fr", "« Oui », dit-il, “non” et \"si\"."),
            ("de", "„Ja“, sagte er, »nein« und \"doch\"."),
            ("sv", "”Ja”, sa han."),
            ("zh", "他说：“是的。”《日报》写道。"),
            ("ja", "「はい」と『本』。"),
            ("en", ""),
            ("en", "\""),
        ] {
            assert_eq!(check(code, text, text), text, "{code}");
        }
    }

    #[test]
    fn lost_marks_come_back() {
        assert_eq!(
            check("en", "Not all had this chance.", "Tous n'ont pas eu cette chance. »"),
            "Not all had this chance.\""
        );
        assert_eq!(check("en", "I stayed.", "« Je suis resté."), "\"I stayed.");
        assert_eq!(check("en", "\"I stayed.", "« Je suis resté. »"), "\"I stayed.\"");
        assert_eq!(
            check("en", "The \"Post\" says no.", "Die Post sagt nein.“"),
            "The \"Post\" says no."
        );
        assert_eq!(check("en", "He saw the Post.", "Er sah die „Post“."), "He saw the Post.");
    }

    #[test]
    fn sentences_that_stand_alone_are_quoted_whole() {
        let find = |code: &str, sentences: &[&str]| {
            let sentences: Vec<String> = sentences.iter().map(|s| s.to_string()).collect();
            let lacking = lacking(&sentences, &Lang::parse(code).unwrap());
            lacking
                .iter()
                .zip(&sentences)
                .map(|(l, s)| format!("{}{s}{}", l.before, l.after))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            find(
                "en",
                &[
                    "He came.",
                    "\"I was ill.",
                    "It was long.",
                    "Now I play,\" he said.",
                    "The \"Post\" agrees."
                ]
            ),
            [
                "He came.",
                "\"I was ill.\"",
                "\"It was long.\"",
                "\"Now I play,\" he said.",
                "The \"Post\" agrees."
            ]
        );
        assert_eq!(
            find("fr", &["«\u{a0}Je suis là.", "Enfin\u{a0}», dit-il."]),
            ["«\u{a0}Je suis là.\u{a0}»", "«\u{a0}Enfin\u{a0}», dit-il."]
        );
        assert_eq!(find("de", &["Er sagte: „Ja.", "Gewiss.“"]), ["Er sagte: „Ja.“", "„Gewiss.“"]);
        assert_eq!(find("en", &["“One ‘two’ “three", "four.”"]), ["“One ‘two’ “three”", "“four.”"]);
        assert_eq!(
            find("ja", &["彼は「はい。", "『本』です」と言った。"]),
            ["彼は「はい。」", "「『本』です」と言った。"]
        );
        // Nobody knows where these end, or began.
        assert_eq!(
            find("en", &["\"One.", "\"Two.", "Three.", "4.", "5.", "6.", "Seven.\""]),
            ["\"One.\"", "\"Two.\"", "Three.", "4.", "5.", "6.", "\"Seven.\""]
        );
        assert_eq!(find("en", &["Six.\"", "Eight. \""]), ["\"Six.\"", "\"Eight. \""]);
    }
}
