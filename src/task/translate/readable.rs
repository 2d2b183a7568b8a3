//! Text as a model can read it.

use crate::error::Result;
use crate::generate::Generate;
use crate::task::prompts;
use crate::text::mask;
use std::borrow::Cow;

/// The text for a translation model: characters that its vocabulary lacks are written in plainer
/// ones that it has, where there are any. Many vocabularies have no typographic quotation marks,
/// apostrophes and dashes, and not every capital with an accent.
pub(super) fn readable<'a>(model: &dyn Generate, text: Cow<'a, str>) -> Result<Cow<'a, str>> {
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
}
