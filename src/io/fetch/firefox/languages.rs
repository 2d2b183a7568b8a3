//! Mozilla's codes of languages, and ours.

use crate::languages::canonical;
use crate::types::Lang;

/// The code that stands in a model's name, and the languages that it is for: `zh_hant` is `zh-TW`
/// here, `nb` is `no`, and `hbs` three languages that one model reads. `None` for what is no code.
pub(super) fn ours(code: &str) -> Option<(String, Vec<Lang>)> {
    let of = |codes: &[&str]| codes.iter().filter_map(|code| Lang::parse(code)).collect();
    Some(match code {
        "hbs" | "sh" => ("hbs".into(), of(&["bs", "hr", "sr"])),
        // A language of its own, with a model of its own.
        "nn" => ("nn".into(), of(&["nn"])),
        _ => {
            let lang = canonical(&Lang::parse(code)?);
            (lang.to_string(), vec![lang])
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_rest_of_the_program() {
        for (theirs, name, ours_are) in [
            ("fr", "fr", &["fr"][..]),
            ("zh", "zh", &["zh"]),
            ("zh-Hans", "zh", &["zh"]),
            ("zh_hant", "zh-TW", &["zh-TW"]),
            ("zh-Hant", "zh-TW", &["zh-TW"]),
            ("nb", "no", &["no"]),
            ("no", "no", &["no"]),
            ("nn", "nn", &["nn"]),
            ("hbs", "hbs", &["bs", "hr", "sr"]),
        ] {
            let (found, languages) = ours(theirs).unwrap();
            assert_eq!(found, name);
            assert_eq!(languages.iter().map(Lang::as_str).collect::<Vec<_>>(), ours_are);
        }
        assert!(ours("../x").is_none() && ours("").is_none());
    }
}
