//! Pairs of languages as the names of translation models have them: Mozilla's codes, and ours.

use crate::languages::canonical;
use crate::types::Lang;

/// A pair that a name tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    /// The pair in the name of a model: `fr-en`.
    pub name: String,
    /// The languages that are read.
    pub from: Vec<Lang>,
    /// The languages that are written.
    pub to: Vec<Lang>,
}

impl Pair {
    pub fn of(source: &str, target: &str) -> Option<Pair> {
        let ((source, from), (target, to)) = (ours(source)?, ours(target)?);
        Some(Pair { name: format!("{source}-{target}"), from, to })
    }

    /// The pair in the name of a folder: `en-fr`, `en-zh_hant`, `fren`, or either with more before
    /// or after it (`firefox-en-fr-tiny`).
    pub fn of_folder(name: &str) -> Option<Pair> {
        let words: Vec<&str> = name.split('-').collect();
        let is_code = |word: &str| {
            let known = ours(word).is_some_and(|(_, languages)| languages.iter().all(is_known));
            known && (word.len() == 2 || ["hbs", "zh_hant", "zh_hans"].contains(&word))
        };
        words
            .windows(2)
            .find(|pair| pair.iter().all(|word| is_code(word)))
            .and_then(|pair| Pair::of(pair[0], pair[1]))
    }

    /// The pair in the names of a model's files: four letters that two of them have in common, as
    /// in `model.enfr.intgemm.alphas.bin` and `vocab.enfr.spm`.
    pub fn of_files(names: &[String]) -> Option<Pair> {
        let is_pair = |part: &&str| part.len() == 4 && part.bytes().all(|b| b.is_ascii_lowercase());
        let parts = names.iter().flat_map(|name| name.split('.').filter(is_pair));
        let has = |name: &String, part: &str| name.split('.').any(|other| other == part);
        parts
            .filter(|part| names.iter().filter(|name| has(name, part)).count() > 1)
            .find_map(|part| Pair::of(&part[..2], &part[2..]).filter(Pair::is_known))
    }

    fn is_known(&self) -> bool {
        self.from.iter().chain(&self.to).all(is_known)
    }

    /// The four letters in the names of files: `enzh` of English and traditional Chinese too.
    /// `None` for languages of other codes.
    pub fn letters(&self) -> Option<String> {
        let (from, to) = (self.from.first()?.base(), self.to.first()?.base());
        (from.len() == 2 && to.len() == 2).then(|| format!("{from}{to}"))
    }
}

fn is_known(lang: &Lang) -> bool {
    crate::languages::get(lang).is_some()
}

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
    fn pairs_are_read_out_of_names() {
        let name = |pair: Option<Pair>| pair.map_or("none".into(), |pair| pair.name);
        for (folder, pair) in [
            ("en-fr", "en-fr"),
            ("en-zh_hant", "en-zh-TW"),
            ("hbs-en", "hbs-en"),
            ("firefox-en-fr-tiny", "en-fr"),
            ("my-model", "none"),
            ("no-such-thing", "none"),
            ("download", "none"),
        ] {
            assert_eq!(name(Pair::of_folder(folder)), pair, "{folder}");
        }
        let files = |names: [&str; 2]| Pair::of_files(&names.map(String::from));
        assert_eq!(name(files(["model.enfr.intgemm.alphas.bin", "vocab.enfr.spm"])), "en-fr");
        assert_eq!(name(files(["model.intgemm.alphas.bin", "vocab.deen.spm"])), "none");
        assert_eq!(name(files(["model.base.bin", "vocab.base.spm"])), "none");
    }

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
