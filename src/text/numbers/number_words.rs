//! Numbers written in words, in the languages of `models/number_words.txt`.

use super::magnitude::magnitude;
use super::numerals::numerals;
use super::spelled::Spelled;
use crate::languages;
use crate::text::caps;
use crate::text::hash::{FixedMap, FixedSet};
use crate::text::tokens::{Token, tokens};
use crate::types::Lang;
use std::cell::OnceCell;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

/// The numbers that are written in words, in their order; none in a language whose words are not
/// known. Fractions are left out, and the hours that are counted from before (`halb fünf`).
///
/// ```
/// use polygist::{text::numbers::spelled, types::Lang};
/// let text = "vingt et un ans et trois mois";
/// let found = spelled(text, &Lang::parse("fr").unwrap());
/// let found: Vec<_> = found.into_iter().map(|s| (s.value, &text[s.place])).collect();
/// assert_eq!(found, [(21, "vingt et un"), (3, "trois")]);
/// ```
pub fn spelled(text: &str, lang: &Lang) -> Vec<Spelled> {
    spelled_in(text, &tokens(text), lang)
}

/// The same of a text whose tokens are known.
pub(crate) fn spelled_in(text: &str, tokens: &[Token], lang: &Lang) -> Vec<Spelled> {
    let lang = languages::canonical(lang);
    if languages::is_spaceless(&lang) {
        return numerals(text, &lang);
    }
    let Some(words) = WORDS.get(lang.base()) else { return Vec::new() };
    let in_capitals = OnceCell::new();
    let in_capitals = || *in_capitals.get_or_init(|| caps::is_capitals(text));
    let mut out = Vec::new();
    let mut i = 0;
    while i < tokens.len() {
        let Some((number, end)) = words.read(text, tokens, i) else {
            i += 1;
            continue;
        };
        let before = i.checked_sub(1).filter(|_| tokens[i].joined).map(|before| &tokens[before]);
        // "3 mille" is in digits; "halb fünf" is half past four.
        let other = before.is_some_and(|b| {
            HALVES.contains(&b.word.as_str())
                || (b.word.starts_with(char::is_numeric) && number.value >= 100)
        });
        // "Four fifths": the parts are no number of anything.
        let fraction = number.kind != Kind::Ordinal
            && words.read(text, tokens, end).is_some_and(|(next, _)| {
                tokens[end].joined && next.kind == Kind::Ordinal && next.value > 2
            });
        if !other && !fraction {
            let counts = number.kind == Kind::Cardinal
                && (in_capitals() || !is_name(text, tokens, i..end))
                && !is_collective(tokens, end);
            out.push(Spelled {
                value: number.value,
                counts,
                is_ordinal: number.kind == Kind::Ordinal,
                place: tokens[i].place.start..tokens[end - 1].place.end,
            });
        }
        i = if fraction { end + 1 } else { end };
    }
    out
}

/// Whether a number is a part of a name: "the Four Corners".
fn is_name(text: &str, tokens: &[Token], number: Range<usize>) -> bool {
    let is_capitalized = |token: &Token| text[token.place.clone()].starts_with(char::is_uppercase);
    let (first, next) = (&tokens[number.start], tokens.get(number.end));
    first.joined
        && is_capitalized(first)
        && next.is_some_and(|next| next.joined && is_capitalized(next))
}

/// Whether the counted things are tens or dozens: "three decades" may be thirty years.
fn is_collective(tokens: &[Token], at: usize) -> bool {
    tokens.get(at).is_some_and(|token| {
        token.joined && COLLECTIVES.split(' ').any(|stem| token.word.starts_with(stem))
    })
}

/// Words before an hour that is only half reached.
const HALVES: &[&str] = &["halb", "half", "halv", "halvt", "puoli", "fél"];

/// Beginnings of the words for ten years and a dozen: a number before them does not count years or
/// things.
const COLLECTIVES: &str = "decad décad décenn decenn deceni década dècad jahrzehnt dekad \
    dziesięciole desetilet desaťroč desetljeć десятил десетилет \
    δεκαετ évtized vuosikymmen tiår årti thập dasawarsa عقود عقد دهه עשור दशक dozen dutzend \
    douzain docena dozzin dúzia dozijn dussin tusin dusin tuzin \
    tucet tuct дюжин ντουζίν tucat düzine";

/// Meaning of a phrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Cardinal,
    Ordinal,
    /// A cardinal that is commoner as another word.
    Ambiguous,
}

#[derive(Clone, Copy)]
struct Number {
    value: u64,
    kind: Kind,
}

/// A number, and the token where it ends.
type Found = (Number, usize);

/// The words of a language.
#[derive(Default)]
struct Words {
    /// By their tokens, a space between them.
    phrases: FixedMap<&'static str, Number>,
    /// Words that may stand between the parts of a number.
    joints: Vec<&'static str>,
    /// Number of tokens of the longest phrase.
    longest: usize,
    /// See [`beginning`]: no other word is a number or begins one.
    beginnings: FixedSet<(char, char)>,
}

/// Words by language, read from `models/number_words.txt`, which begins with a description of its
/// format.
static WORDS: LazyLock<HashMap<&str, Words>> = LazyLock::new(|| {
    let mut all: HashMap<&str, Words> = HashMap::new();
    let mut words = all.entry("").or_default();
    for line in include_str!("../../../models/number_words.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
    {
        if let Some(code) = line.strip_prefix('[') {
            words = all.entry(code.trim_end_matches(']')).or_default();
        } else if let Some((value, phrases)) = line.split_once(' ') {
            let phrases = phrases.split('|');
            if value == "+" {
                words.joints.extend(phrases);
                continue;
            }
            let kind = if value.ends_with('.') { Kind::Ordinal } else { Kind::Cardinal };
            let kind = if value.ends_with('~') { Kind::Ambiguous } else { kind };
            let value = value.trim_end_matches(['.', '~']).parse().unwrap_or_default();
            for phrase in phrases {
                words.beginnings.extend(phrase.split(' ').next().and_then(beginning));
                words.longest = words.longest.max(phrase.split(' ').count());
                words.phrases.insert(phrase, Number { value, kind });
            }
        }
    }
    all
});

/// The first two characters of a phrase or word; of a single one, nothing for the second.
fn beginning(text: &str) -> Option<(char, char)> {
    let mut chars = text.chars();
    Some((chars.next()?, chars.next().unwrap_or('\0')))
}

impl Words {
    /// The number that begins at a token, and the token where it ends.
    fn read(&self, text: &str, tokens: &[Token], start: usize) -> Option<Found> {
        let group = |at, first: &str| self.group(text, tokens, at, first);
        let (mut number, mut end) = group(start, &tokens.get(start)?.word)?;
        while let Some((part, after)) = self.next(tokens, number, end, &group) {
            (number, end) = (number.plus(part), after);
        }
        Some((number, end))
    }

    /// A number that is multiplied by one thousand or million: "five hundred and three thousand".
    fn group(&self, text: &str, tokens: &[Token], start: usize, first: &str) -> Option<Found> {
        let part = |at, first: &str| self.part(tokens, at, first);
        let (mut number, mut end) = part(start, first)?;
        while let Some((part, after)) = self.next(tokens, number, end, &part) {
            (number, end) = (number.plus(part), after);
        }
        while let Some(next) =
            tokens.get(end).filter(|token| token.joined && number.kind != Kind::Ordinal)
        {
            let zeros = magnitude(&text[next.place.start..]) as u32;
            if zeros == 0 {
                break;
            }
            // One of them may be "a million" elsewhere, or just "million".
            let kind = if number.value < 2 { Kind::Ambiguous } else { Kind::Cardinal };
            number =
                Number { value: number.value.saturating_mul(10u64.saturating_pow(zeros)), kind };
            end += 1;
        }
        Some((number, end))
    }

    /// The next smaller part of a number at a token, read by `read` with or without a joint before
    /// it.
    fn next(
        &self,
        tokens: &[Token],
        number: Number,
        at: usize,
        read: &dyn Fn(usize, &str) -> Option<Found>,
    ) -> Option<Found> {
        let joined = |at: usize| {
            tokens.get(at).filter(|token| token.joined).map(|token| token.word.as_str())
        };
        let word = joined(at)?;
        let takes = |found: &Found| number.kind != Kind::Ordinal && number.takes(found.0);
        let after_joint = |joint: &&str| match word.strip_prefix(joint)? {
            "" => read(at + 1, joined(at + 1)?),
            rest => read(at, rest),
        };
        read(at, word)
            .filter(takes)
            .or_else(|| self.joints.iter().filter_map(after_joint).find(takes))
    }

    /// The longest phrase that begins at a token, which is taken to be `first`, and where it ends.
    fn part(&self, tokens: &[Token], start: usize, first: &str) -> Option<Found> {
        let (letter, next) = beginning(first)?;
        let begins = |next| self.beginnings.contains(&(letter, next));
        if !begins(next) && !begins('\0') {
            return None;
        }
        let mut phrase = first.to_string();
        let mut found = self
            .phrases
            .get(first)
            .copied()
            .or_else(|| self.compound(first))
            .map(|number| (number, start + 1));
        for (end, token) in tokens
            .iter()
            .enumerate()
            .take(start + self.longest)
            .skip(start + 1)
            .take_while(|(_, token)| token.joined)
        {
            phrase.push(' ');
            phrase.push_str(&token.word);
            found = self.phrases.get(phrase.as_str()).map(|&number| (number, end + 1)).or(found);
        }
        found
    }

    /// The number that a word is when it is put together of others: `zweihundertfünfzig`.
    fn compound(&self, word: &str) -> Option<Number> {
        /// Lengths of compounds in characters: shorter words look like numbers by chance, longer
        /// ones are none.
        const LENGTHS: std::ops::RangeInclusive<usize> = 6..=100;
        if !LENGTHS.contains(&word.chars().count()) {
            return None;
        }
        word.char_indices().skip(1).find_map(|(at, _)| {
            let (head, tail) = word.split_at(at);
            let head = self.phrases.get(head)?;
            let tails =
                self.joints.iter().filter_map(|joint| tail.strip_prefix(joint)).chain([tail]);
            let tail = tails
                .filter_map(|tail| self.phrases.get(tail).copied().or_else(|| self.compound(tail)))
                .find(|tail| head.takes(*tail));
            Some(head.plus(tail?))
        })
    }
}

impl Number {
    /// Whether `part` may follow as the smaller part: it fits into the zeros at the end.
    fn takes(self, part: Number) -> bool {
        let zeros = std::iter::successors(Some(10), |unit| Some(unit * 10))
            .take_while(|unit| self.value.is_multiple_of(*unit))
            .take(18)
            .last();
        self.value > 0 && zeros.is_some_and(|unit| part.value < unit)
    }

    fn plus(self, part: Number) -> Number {
        let kind = if part.kind == Kind::Ordinal { Kind::Ordinal } else { Kind::Cardinal };
        Number { value: self.value.saturating_add(part.value), kind }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values, those that count nothing negative.
    fn read(text: &str, lang: &str) -> Vec<i64> {
        let found = spelled(text, &Lang::parse(lang).unwrap());
        found
            .into_iter()
            .map(|s| if s.counts { s.value as i64 } else { -(s.value as i64) })
            .collect()
    }

    #[test]
    fn numbers_of_many_languages() {
        for (lang, text, values) in [
            (
                "en",
                "Twenty-one men, three hundred and five women; six million four hundred thousand \
                 others",
                &[21, 305, 6_400_000][..],
            ),
            (
                "de",
                "Die Brücke war einundzwanzig Tage und zweihundertfünfzig Stunden zu.",
                &[21, 250],
            ),
            (
                "fr",
                "Quatre-vingt-dix-sept ans, dix-huit mois et vingt et une heures d'onze jours",
                &[97, 18, 21, 11],
            ),
            ("es", "treinta y cinco personas y dos mil trescientos veinte perros", &[35, 2320]),
            ("it", "l'undici maggio, quarantadue ore", &[11, 42]),
            ("ru", "двадцати пяти человек из трёх стран", &[25, 3]),
            ("uk", "п’ять років і п'ятнадцять днів", &[5, 15]),
            ("pl", "pięciu z dwudziestu trzech", &[5, 23]),
            ("nl", "tweeëntwintig jaar", &[22]),
            ("hu", "huszonöt év", &[25]),
            ("tr", "on bir ay, yirmi üç gün", &[11, 23]),
            ("fi", "kahdenkymmenenviiden vuoden", &[25]),
            ("ar", "خمسة وعشرين يومًا", &[25]),
            ("fa", "بیست و پنج روز", &[25]),
            ("he", "עשרים וחמישה ימים", &[25]),
            ("hi", "पच्चीस दिन", &[25]),
            ("ko", "스물다섯 명", &[25]),
            ("vi", "hai mươi lăm ngày", &[25]),
            ("nb", "tjuefem dager", &[25]),
            ("sv", "tjugofem dagar", &[25]),
            ("xx", "three", &[]),
        ] {
            assert_eq!(read(text, lang), values, "{text}");
        }
    }

    #[test]
    fn what_is_no_count() {
        for (lang, text, values) in [
            ("en", "the twenty-third man, the third", &[-23, -3][..]),
            ("en", "four fifths, two-thirds and half five", &[]),
            ("en", "five seconds, twenty, three", &[5, 20, 3]),
            ("de", "um halb fünf", &[]),
            ("fr", "cent raisons, mille fois", &[-100, -1000]),
            ("fr", "3 mille euros", &[]),
            ("es", "veinte segundos", &[20]),
            ("en", "the Four Corners, three decades, some four dozen", &[-4, -3, -4]),
            ("fr", "LE PONT ROUVRE APRÈS ONZE MOIS", &[11]),
            ("en", "a canine, weighty, often tense, tent", &[]),
        ] {
            assert_eq!(read(text, lang), values, "{text}");
        }
    }

    #[test]
    fn what_the_rules_of_cldr_spell_is_read() {
        for line in include_str!("../../../tests/fixtures/number_words.tsv").lines() {
            let [lang, value, text] =
                line.split('\t').collect::<Vec<_>>().try_into().expect("three columns");
            let found: Vec<i64> = read(text, lang).into_iter().map(i64::abs).collect();
            assert_eq!(found, [value.parse::<i64>().unwrap()], "{lang} {text}");
        }
    }

    #[test]
    fn any_text_is_read_without_harm() {
        for text in [
            "",
            "-",
            "’one",
            "nine thousand million million million billion billion",
            "\u{301}\u{301}",
            "one-hundred-and",
            "vingt et",
        ] {
            spelled(text, &Lang::en());
            spelled(text, &Lang::parse("fr").unwrap());
        }
    }
}
