//! Text into sentences.

use super::boundary::is_boundary;
use super::candidates::{Candidate, Kind, candidates};
use super::headings;
use crate::text::protect;
use crate::types::{Lang, Sentence};
use std::ops::Range;

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
    // No sentence ends inside of an address (`https://example.org/a?b=c`) or a piece of code. A
    // backtick is a comma in Armenian.
    let is_code = |span: &Range<usize>| lang.base() != "hy" || !text[span.start..].starts_with('`');
    let without_next = |span: Range<usize>| without_next_word(text, span);
    let mut spans = protect::spans(text).into_iter().filter(is_code).map(without_next).peekable();
    for Candidate { at, kind } in candidates(text, lang) {
        while spans.next_if(|span| span.end <= at).is_some() {}
        if at > start
            && spans.peek().is_none_or(|span| at <= span.start)
            && match kind {
                Kind::Sentence => is_boundary(&text[start..at], &text[at..], lang),
                Kind::Heading => headings::is_heading(&text[start..at], lang),
                Kind::Item => true,
            }
        {
            out.push(sentence(&text[start..at]));
            start = at;
        }
    }
    if start < text.len() {
        out.push(sentence(&text[start..]));
    }
    out
}

/// An e-mail address without the first word of the next sentence, where no space is between them:
/// `info@example.org.We`.
fn without_next_word(text: &str, span: Range<usize>) -> Range<usize> {
    let address = &text[span.clone()];
    let next = address.contains('@').then(|| address.rsplit_once('.')).flatten();
    match next {
        Some((kept, word))
            if word.starts_with(char::is_uppercase)
                && kept.ends_with(char::is_lowercase)
                && text[span.end..].starts_with([' ', ',']) =>
        {
            span.start..span.start + kept.len()
        }
        _ => span,
    }
}

pub(super) fn sentence(text: &str) -> Sentence {
    let kept = text.trim_end();
    Sentence { text: kept.to_string(), gap: text[kept.len()..].to_string() }
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
                "Dr. J. R. Smith of the U.S. Senate paid $3.5 to Acme Inc. Monday at No. 5, e.g. \
                 Once.",
            ),
            ("en", "“Really?” he asked, and left."),
            ("de", "Am 3. Mai traf Prof. Dr. Müller z.B. Angela Merkel in der Nr. 12."),
            ("fr", "M. Macron a reçu Mme. Dupont, p. ex. Jeudi."),
            ("ru", "А. С. Пушкин родился в 1799 г. в Москве, на ул. Немецкой."),
            ("ja", "「行きます。」と彼は言った。"),
            (
                "de",
                "Es kostet 18,4 Mio. Euro, d. h. i. d. R. Steuergeld, z. B. Hof Lüdersen u. a. \
                 Höfe.",
            ),
            (
                "de",
                "Am Freitag, 14. Juni, kamen ca. 300 Gäste (rund 2 Tsd. Menschen) in den 3. Stock, \
                 v. a. Kinder.",
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
                "W 15. Rocznicę ok. 18 proc. Polaków, m. in. Kraków, wydało 3 mln. Złotych na pt. \
                 „Ziemia”.",
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
            ("zh", "他来了。她走了！“真的吗？”“是的。”他说。", 4),
            ("zh", "他来了。\"是的。\"他说。", 2),
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
}
