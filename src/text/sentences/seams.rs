use crate::text::language::function_words;
use crate::types::Lang;
use std::borrow::Cow;

/// Marks that end a sentence.
pub const STOPS: [char; 11] = ['.', '!', '?', '…', '。', '！', '？', '।', '։', '؟', '۔'];

/// Fits the translation of a piece into its sentence: models write every piece as a sentence of its
/// own, with a capital and a full stop.
///
/// `piece` is the source of the translation, `before` the text before the translation, and
/// `goes_on` tells whether more of the sentence follows.
pub fn fit<'a>(
    translation: &'a str,
    piece: &str,
    before: &str,
    goes_on: bool,
    to: &Lang,
) -> Cow<'a, str> {
    let mut out = Cow::Borrowed(translation);
    if goes_on && !piece.ends_with(STOPS) {
        let bare = translation
            .strip_suffix(['.', '。', '।', '։'])
            .filter(|rest| !rest.ends_with(STOPS))
            .unwrap_or(translation);
        let goes_on = bare.ends_with(char::is_alphanumeric);
        let mark = match (piece.chars().next_back().filter(|_| goes_on), to.base()) {
            (Some(',' | '，' | '、' | '،' | '՝'), base) => match base {
                "zh" => "，",
                "ja" => "、",
                "ar" | "fa" | "ur" => "،",
                _ => ",",
            },
            (Some(';' | '；' | '؛'), base) => match base {
                "zh" | "ja" => "；",
                "ar" | "fa" | "ur" => "؛",
                _ => ";",
            },
            _ => "",
        };
        out = if mark.is_empty() { bare.into() } else { format!("{bare}{mark}").into() };
    }
    let begins = before.trim_end().is_empty()
        || before.trim_end().ends_with(STOPS)
        || piece.starts_with(char::is_uppercase);
    // Only of function words is it sure that the capital is not theirs.
    let word = out.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
    let is_capital = word.chars().next().is_some_and(char::is_uppercase) && word != "I";
    if !begins && is_capital && function_words::languages(&word.to_lowercase()).contains(&to.base())
    {
        let rest = &out[word.len()..];
        out = format!("{}{rest}", word.to_lowercase()).into();
    }
    out
}

/// Removes the full stop or comma at the end of a translation whose source, a heading or an item of
/// a list, has none, and the full stop after that of an abbreviation.
pub fn end<'a>(translation: &'a str, source: &str) -> &'a str {
    let is_bare = source.ends_with(char::is_alphanumeric);
    if let Some(rest) = translation.strip_suffix([',', '،', '、', '，']).filter(|_| is_bare) {
        return rest;
    }
    if translation.ends_with("..") && !translation.ends_with("...") && !source.ends_with("..") {
        return &translation[..translation.len() - 1];
    }
    let bare =
        translation.strip_suffix(['.', '。', '।', '։']).filter(|_| is_bare).unwrap_or(translation);
    // "U.S." and "..." keep theirs.
    let last = bare.rsplit(char::is_whitespace).next().unwrap_or_default();
    if last.contains('.') { translation } else { bare }
}

/// Gives a translation the mark at its end that its source has, where the text that was translated
/// had another one or none.
pub fn close(translation: &str, source: &str) -> String {
    let Some(mark) = source.chars().next_back().filter(|mark| STOPS.contains(mark)) else {
        return translation.into();
    };
    let ends = |text: &str| text.ends_with(STOPS);
    match translation.strip_suffix(['.', '。', '।', '։']) {
        Some(bare) if !ends(bare) && !matches!(mark, '.' | '。' | '।' | '։') => {
            format!("{bare}{mark}")
        }
        None if !ends(translation) && translation.ends_with(char::is_alphanumeric) => {
            format!("{translation}{mark}")
        }
        _ => translation.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_become_one_sentence() {
        let en = Lang::en();
        assert_eq!(fit("In the pictures.", "写真では、", "", true, &en), "In the pictures,");
        assert_eq!(
            fit(
                "In the desert, cars were grey.",
                "メキシコでは車が灰色だった。",
                "In the pictures, ",
                false,
                &en
            ),
            "in the desert, cars were grey."
        );
        assert_eq!(
            fit("Mexico was grey.", "メキシコは灰色だった。", "In the pictures, ", false, &en),
            "Mexico was grey."
        );
        assert_eq!(fit("I saw it", "j'ai vu cela,", "Then ", true, &en), "I saw it,");
        assert_eq!(fit("It rained.", "llovió;", "Then ", true, &en), "it rained;");
        assert_eq!(fit("And so on...", "usw. und", "Then ", true, &en), "and so on...");
    }

    #[test]
    fn headings_have_no_full_stop() {
        assert_eq!(end("The bridge is open.", "Le pont est ouvert"), "The bridge is open");
        assert_eq!(end("Olá,", "Hello"), "Olá");
        assert_eq!(end("em 551 a.C..", "in 551 BC."), "em 551 a.C.");
        for (text, source) in [
            ("It is open.", "Il est ouvert."),
            ("In the U.S.", "Aux USA"),
            ("And so...", "Et"),
            ("Is it?", "Est-ce"),
        ] {
            assert_eq!(end(text, source), text);
        }
    }

    #[test]
    fn the_mark_of_the_source_comes_back() {
        for (translation, source, expected) in [
            ("Good morning.", "Bom dia!", "Good morning!"),
            ("Good morning", "Bom dia!", "Good morning!"),
            ("Good morning", "Bom dia.", "Good morning."),
            ("Good morning.", "Bom dia.", "Good morning."),
            ("Good morning?", "Bom dia!", "Good morning?"),
            ("Well...", "Bem!", "Well..."),
            ("Good morning.", "Bom dia", "Good morning."),
        ] {
            assert_eq!(close(translation, source), expected);
        }
    }

    #[test]
    fn what_ends_or_begins_a_sentence_stays() {
        let en = Lang::en();
        assert_eq!(fit("He came.", "Er kam.", "", true, &en), "He came.");
        assert_eq!(fit("The end.", "das Ende", "He came. ", false, &en), "The end.");
        assert_eq!(fit("The Hague", "Der Haag", "in ", false, &en), "The Hague");
    }
}
