//! Text as a model can read it.

use crate::error::Result;
use crate::generate::Generate;
use crate::task::prompts;
use crate::text::mask;
use regex::{Captures, Regex};
use std::borrow::Cow;
use std::sync::LazyLock;

/// Hours and minutes as French typography has them, with what stands before a time of day.
static TIME: LazyLock<Regex> = LazyLock::new(|| {
    const SPACE: &str = "[ \u{a0}\u{202f}]";
    let before = format!(r"(?:(?P<at>(?:[Àà]|[Dd]ès|[Vv]ers){SPACE})|(?-u:\b))");
    let minutes = r"(?P<minutes>[0-5][0-9])(?-u:\b)";
    let time = format!("{before}(?P<hours>[0-9]{{1,2}}){SPACE}h{SPACE}{minutes}");
    Regex::new(&time).expect("the pattern is constant and tested")
});

/// The text for a model. Times of French typography are written as one word: small models lose the
/// minutes of "6 h 42". For a translation model, characters that its vocabulary lacks are written
/// in plainer ones that it has, where there are any: many vocabularies have no typographic
/// quotation marks, apostrophes and dashes, and not every capital with an accent.
pub(super) fn readable<'a>(model: &dyn Generate, text: Cow<'a, str>) -> Result<Cow<'a, str>> {
    let text = match TIME.replace_all(&text, time) {
        Cow::Borrowed(_) => text,
        Cow::Owned(written) => written.into(),
    };
    if !prompts::is_translation_model(model) {
        return Ok(text);
    }
    let unknown = model.unknown(&text)?;
    if unknown.is_empty() {
        return Ok(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut end = 0;
    for part in unknown {
        plain.push_str(&text[end..part.start]);
        end = part.end;
        for c in text[part].chars() {
            let start = plain.trim_end_matches(char::is_alphanumeric).len();
            let mut known = None;
            for form in mask::plainer(c, &plain[start..]) {
                if model.unknown(&form)?.is_empty() {
                    known = Some(form);
                    break;
                }
            }
            match known {
                Some(form) => plain.push_str(&form),
                None => plain.push(c),
            }
        }
    }
    plain.push_str(&text[end..]);
    Ok(plain.into())
}

/// A time of day as all languages have it; what may be a duration with its letter.
fn time(found: &Captures<'_>) -> String {
    let (hours, minutes) = (&found["hours"], &found["minutes"]);
    match found.name("at") {
        Some(at) => format!("{}{hours}:{minutes}", at.as_str()),
        None => format!("{hours}h{minutes}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::Capability;
    use crate::testing::Stub;

    #[test]
    fn what_is_unknown_is_written_with_what_is_known() {
        let unknown = |c: char| "’“”—ÍüÀ🙂".contains(c);
        let model = |capability| Stub::answering(|_| "").with([capability]).lacking(unknown);
        let read = |text: &'static str| {
            readable(&model(Capability::Translation), text.into()).unwrap().into_owned()
        };
        assert_eq!(read("À “Índia” — d’água 🙂"), "à \"índia\" - d'água 🙂");
        assert_eq!(read("lingüiça—Müller"), "linguiça - Müller");
        let others = readable(&model(Capability::FewShot), "“Oi”".into()).unwrap();
        assert_eq!(others, "“Oi”");
    }

    #[test]
    fn times_are_one_word() {
        let model = Stub::answering(|_| "").with([Capability::FewShot]);
        for (text, expected) in [
            ("À 6 h 42, vendredi", "À 6:42, vendredi"),
            ("vers\u{a0}14\u{202f}h\u{a0}30.", "vers\u{a0}14:30."),
            ("un trajet de 2 h 30 ou 3 h 5", "un trajet de 2h30 ou 3 h 5"),
            ("à 18 h, à 18 h 300 personnes", "à 18 h, à 18 h 300 personnes"),
        ] {
            assert_eq!(readable(&model, text.into()).unwrap(), expected);
        }
    }
}
