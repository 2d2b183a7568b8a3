//! The sentences before a text, which a language model may read to understand it.

use super::{Routed, Settings};
use crate::generate::Generate;
use crate::languages;
use crate::task::prompts;
use crate::types::Lang;

/// Characters of the sentences before a text, at most: some hundred words.
const LONGEST: usize = 800;

/// For each sentence of a text the `number` before it that are in the same language, as one text;
/// fewer where they are long.
pub fn preceding<'a>(
    sentences: impl Iterator<Item = (&'a str, &'a Lang)>,
    number: usize,
) -> Vec<String> {
    let mut before: Vec<(&str, &Lang)> = Vec::new();
    let context = |(text, language): (&'a str, &'a Lang)| {
        let of_language = before.iter().rev().filter(|(_, own)| *own == language);
        let mut left = LONGEST;
        let mut read: Vec<&str> = Vec::new();
        for (sentence, _) in of_language.take(number) {
            let length = sentence.chars().count();
            if length > left {
                break;
            }
            left -= length;
            read.push(sentence);
        }
        read.reverse();
        before.push((text, language));
        read.join(languages::sentence_gap(language))
    };
    if number == 0 {
        sentences.map(|_| String::new()).collect()
    } else {
        sentences.map(context).collect()
    }
}

/// What a model reads of the sentences before a text: nothing, of most models.
pub(super) fn read_by<'a>(
    model: &dyn Generate,
    languages: (&Lang, &Lang),
    context: &'a str,
    settings: &Settings,
) -> &'a str {
    let own = settings.instruction.as_ref();
    let reads = || prompts::reads_context(model, languages, own);
    if !context.is_empty() && reads() { context } else { "" }
}

/// What the first model on a text's way reads before it.
pub(super) fn read_before<'a>(text: &Routed<'a>, settings: &Settings) -> &'a str {
    text.route
        .hops()
        .first()
        .map_or("", |hop| read_by(hop.model, text.route.languages_of(0), text.context, settings))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_sentences_of_the_same_language_come_before() {
        let (en, fr) = (Lang::en(), Lang::parse("fr").unwrap());
        let long = "x".repeat(LONGEST - 3);
        let sentences =
            [("A.", &en), ("Un.", &fr), ("B.", &en), ("C.", &en), (&long, &en), ("D.", &en)];
        let of = |number| preceding(sentences.into_iter(), number);
        assert_eq!(of(0), [""; 6]);
        assert_eq!(of(1), ["", "", "A.", "B.", "C.", &long]);
        assert_eq!(of(2)[..5], ["", "", "A.", "A. B.", "B. C."]);
        assert_eq!(of(3)[5], format!("C. {long}"), "what is longer than all may be is left out");
        let zh = Lang::parse("zh").unwrap();
        let joined = preceding([("甲。", &zh), ("乙。", &zh), ("丙。", &zh)].into_iter(), 5);
        assert_eq!(joined[2], "甲。乙。");
    }
}
