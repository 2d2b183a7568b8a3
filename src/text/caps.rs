use super::protect;
use crate::types::Lang;
use unicode_segmentation::UnicodeSegmentation;

/// Acronyms that are no word of another meaning in the languages of the world's news, so that they
/// may stay capitals when a headline in capitals is turned to sentence case.
const ACRONYMS: &[&str] = &[
    "AFP", "BBC", "BRICS", "CDU", "CIA", "CNN", "COVID", "DNA", "EU", "FBI", "FIFA", "GDP", "HIV",
    "IAEA", "IMF", "ISIS", "NASA", "NATO", "NBA", "NFL", "OECD", "OPEC", "OSCE", "SPD", "TV",
    "UAE", "UEFA", "UK", "UNESCO", "UNICEF", "USA", "USB", "VAT", "АЭС", "ВВП", "ЕС", "МВД",
    "НАТО", "ООН", "ОПЕК", "РФ", "США", "ΗΠΑ", "ΝΑΤΟ", "ΟΗΕ",
];

/// Whether a text is written in capitals: nearly all of its cased letters are, and they are more
/// than an acronym or two.
pub fn is_capitals(text: &str) -> bool {
    let (mut upper, mut lower) = (0usize, 0usize);
    for c in text.chars() {
        upper += usize::from(c.is_uppercase());
        lower += usize::from(c.is_lowercase());
    }
    if upper < 5 || lower * 10 > upper {
        return false;
    }
    let lengths: Vec<usize> = text
        .unicode_words()
        .filter(|w| w.chars().any(char::is_uppercase))
        .map(|w| w.chars().count())
        .collect();
    lengths.len() >= 3
        || lengths.iter().any(|&n| n > 5)
        || (lengths.len() == 2 && lengths.iter().any(|&n| n > 4))
}

/// Changes words in capitals to sentence case: the first letter of each sentence stays a capital,
/// the others become lower case. In text that also has lower case, words of up to four capitals are
/// taken for acronyms and kept, and so are words that are not in capitals. Words with digits,
/// well-known acronyms, abbreviations with dots, and the [`protect::spans`] stay as they are.
pub fn lower(text: &str, lang: &Lang) -> String {
    let all_capitals = is_capitals(text);
    let mut opens = true;
    let mut abbreviated = false;
    map_words(text, &mut |word, before, after| {
        opens |= !abbreviated
            && before.contains(['.', '!', '?', ':', '。', '\n'])
            && before.chars().any(char::is_whitespace);
        let first = std::mem::replace(&mut opens, false);
        let letters = word.chars().filter(|c| c.is_alphabetic()).count();
        let capitals = word.chars().all(|c| !c.is_lowercase()) && letters > 0;
        let dotted =
            letters == 1 && after.starts_with('.') && !before.ends_with(' ') || word.contains('.');
        abbreviated = dotted;
        let keep = !capitals
            || word.chars().any(char::is_numeric)
            || dotted
            || is_acronym(word, lang)
            || (!all_capitals && letters <= 4);
        match (keep, first) {
            (true, _) => word.to_string(),
            (false, true) => capitalize(&lower_word(word, lang), lang),
            (false, false) => lower_word(word, lang),
        }
    })
}

/// Changes a text in capitals that is too short to be told from an acronym to sentence case.
pub fn lower_short(text: &str, lang: &Lang) -> String {
    capitalize(&lower_word(text, lang), lang)
}

/// Whether a text has letters of a script with case, and all of them are capitals.
pub fn has_only_capitals(text: &str) -> bool {
    text.contains(char::is_uppercase) && !text.contains(char::is_lowercase)
}

/// Changes a text to capitals, except for its [`protect::spans`].
pub fn upper(text: &str, lang: &Lang) -> String {
    let turkic = matches!(lang.base(), "tr" | "az");
    let greek = lang.base() == "el";
    map_words(text, &mut |word, _, _| {
        let word = if turkic { word.replace('i', "İ") } else { word.to_string() };
        // Greek capitals carry no accent.
        word.to_uppercase().chars().map(|c| if greek { without_tonos(c) } else { c }).collect()
    })
}

/// Replaces each word outside of protected spans; `f` sees the word, the text since the word
/// before, and the text after.
fn map_words(text: &str, f: &mut dyn FnMut(&str, &str, &str) -> String) -> String {
    let spans = protect::spans(text);
    let mut out = String::with_capacity(text.len());
    let mut end = 0;
    let mut next_span = 0;
    for (start, word) in text.unicode_word_indices() {
        while next_span < spans.len() && spans[next_span].end <= start {
            next_span += 1;
        }
        if spans.get(next_span).is_some_and(|s| s.start < start + word.len()) {
            continue;
        }
        let before = &text[end..start];
        out.push_str(before);
        end = start + word.len();
        out.push_str(&f(word, before, &text[end..]));
    }
    out.push_str(&text[end..]);
    out
}

fn is_acronym(word: &str, lang: &Lang) -> bool {
    // "EU" is the pronoun "I" in Portuguese, Galician and Romanian.
    ACRONYMS.contains(&word) && !(word == "EU" && matches!(lang.base(), "pt" | "gl" | "ro"))
}

fn lower_word(word: &str, lang: &Lang) -> String {
    if matches!(lang.base(), "tr" | "az") {
        word.replace('I', "ı").replace('İ', "i").to_lowercase()
    } else {
        word.to_lowercase()
    }
}

pub fn capitalize(word: &str, lang: &Lang) -> String {
    if lang.base() == "nl" && word.starts_with("ij") {
        return format!("IJ{}", &word[2..]);
    }
    let mut chars = word.chars();
    match chars.next() {
        Some('i') if matches!(lang.base(), "tr" | "az") => format!("İ{}", chars.as_str()),
        Some(first) => format!("{}{}", first.to_uppercase(), chars.as_str()),
        None => String::new(),
    }
}

fn without_tonos(c: char) -> char {
    match c {
        'Ά' => 'Α',
        'Έ' => 'Ε',
        'Ή' => 'Η',
        'Ί' => 'Ι',
        'Ό' => 'Ο',
        'Ύ' => 'Υ',
        'Ώ' => 'Ω',
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lang(code: &str) -> Lang {
        Lang::parse(code).unwrap()
    }

    #[test]
    fn recognizes_capitals() {
        for yes in [
            "BREAKING NEWS",
            "WAR IN IRAQ",
            "КАЗАХСТАН И АРМЕНИЯ",
            "HURRICANE",
            "UN CHIEF VISITS iPHONE PLANT",
        ] {
            assert!(is_capitals(yes), "{yes}");
        }
        for no in
            ["NATO", "NASA 2024", "Breaking News", "EU, USA", "速報", "", "الأخبار", "საქართველო"]
        {
            assert!(!is_capitals(no), "{no}");
        }
    }

    #[test]
    fn lowers_to_sentence_case() {
        assert_eq!(
            lower("NATO CHIEF ARRIVES. TALKS BEGIN AT HTTPS://X.COM/A", &Lang::en()),
            "NATO chief arrives. Talks begin at HTTPS://X.COM/A"
        );
        assert_eq!(
            lower("BREAKING: the UN and the FAO met in GENEVA", &Lang::en()),
            "Breaking: the UN and the FAO met in geneva"
        );
        assert_eq!(
            lower("COVID-19 IN THE U.S. AND G20", &Lang::en()),
            "COVID-19 in the U.S. and G20"
        );
        assert_eq!(lower_short("BOM DIA", &lang("pt")), "Bom dia");
        assert!(has_only_capitals("FIM!") && !has_only_capitals("Fim") && !has_only_capitals("速"));
        assert_eq!(lower("IŞIK VE İZMİR HABERLERİ", &lang("tr")), "Işık ve izmir haberleri");
        assert_eq!(lower("ΟΙ ΔΡΟΜΟΙ ΤΗΣ ΑΘΗΝΑΣ", &lang("el")), "Οι δρομοι της αθηνας");
        assert_eq!(lower("IJSLAND WINT WEDSTRIJD", &lang("nl")), "IJsland wint wedstrijd");
    }

    #[test]
    fn raises() {
        assert_eq!(upper("straße an info@x.de", &lang("de")), "STRASSE AN info@x.de");
        assert_eq!(upper("izmir ışığı", &lang("tr")), "İZMİR IŞIĞI");
        assert_eq!(upper("Η Αθήνα", &lang("el")), "Η ΑΘΗΝΑ");
    }
}
