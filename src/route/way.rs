//! The way from one language to another: direct, or through English.

use super::{Candidate, Preferences, best};
use crate::types::Lang;

/// One step of a way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The model's number in the catalog.
    pub number: usize,
    /// The language that it reads.
    pub from: Lang,
    /// The language that it writes.
    pub to: Lang,
    /// Why it is this model.
    pub why: String,
    /// Whether it is the model for what no other model serves.
    pub is_last_resort: bool,
    grade: u8,
}

/// The steps from one language to another.
pub type Way = Vec<Step>;

/// The best way: direct, or through English where that is better though a detour costs a grade.
/// `candidates` are the models for one step.
pub fn way<'c>(
    candidates: &dyn Fn(&Lang, &Lang) -> Vec<Candidate<'c>>,
    (from, to): (&Lang, &Lang),
    preferences: &Preferences,
) -> Option<Way> {
    let step = |from: &Lang, to: &Lang| {
        let candidates = candidates(from, to);
        let (best, why) = best(&candidates, (from, to), preferences)?;
        let (number, is_last_resort) = (best.number, best.is_last_resort);
        let (from, to) = (from.clone(), to.clone());
        Some(Step { number, from, to, why, is_last_resort, grade: best.grade() })
    };
    let direct = step(from, to);
    let en = Lang::en();
    let is_named = preferences.pairs.contains_key(&super::LanguagePair::new(from, to));
    if is_named || from.same_base(&en) || to.same_base(&en) {
        return direct.map(|step| vec![step]);
    }
    let through_english = step(from, &en).zip(step(&en, to));
    match (direct, through_english) {
        (Some(direct), Some((first, second)))
            if direct.grade + 1 < first.grade.min(second.grade) =>
        {
            Some(vec![first, second])
        }
        (Some(direct), _) => Some(vec![direct]),
        (None, through_english) => through_english.map(|(first, second)| vec![first, second]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::catalog::Catalog;
    use crate::route::{Availability, serves};

    #[test]
    fn english_is_a_detour_that_has_to_be_worth_it() {
        let entry = |id: &str, from: &str, to: &str, quality: u8| {
            format!(
                "[[model]]\nid='{id}'\nname='N'\ntasks=['translate']\nfrom={from}\nto={to}\n\
                 architecture='a'\nquality={quality}\nrepo='o/{id}'\nsize_mb=20\n\
                 licence={{name='MIT',url='u'}}\n"
            )
        };
        let text = [
            entry("starter", "['mul']", "['mul']", 1)
                .replace("size_mb", "prompt='few-shot'\nsize_mb"),
            entry("fr-en", "['fr']", "['en']", 4),
            entry("en-de", "['en']", "['de']", 4),
            entry("en-it", "['en']", "['it']", 3),
            entry("rough", "['fr']", "['de', 'it']", 2),
        ]
        .concat();
        let catalog = Catalog::parse(&text, "test").unwrap();
        let candidates = |from: &Lang, to: &Lang| {
            let candidate = |(number, entry): (usize, _)| {
                let availability = Availability::Fetchable(20);
                Candidate { number, entry, availability, is_last_resort: number == 0 }
            };
            let all = catalog.models().iter().enumerate();
            all.filter(|(_, entry)| serves(entry, from, to)).map(candidate).collect()
        };
        let found = |from: &str, to: &str| -> Vec<&str> {
            let (from, to) = (Lang::parse(from).unwrap(), Lang::parse(to).unwrap());
            let way = way(&candidates, (&from, &to), &Preferences::default()).unwrap_or_default();
            way.iter().map(|step| catalog.models()[step.number].id.as_str()).collect()
        };
        assert_eq!(found("fr", "en"), ["fr-en"]);
        assert_eq!(found("fr", "de"), ["fr-en", "en-de"]);
        // A grade better is not enough.
        assert_eq!(found("fr", "it"), ["rough"]);
        assert_eq!(found("es", "de"), ["starter", "en-de"]);
        assert_eq!(found("es", "ru"), ["starter", "starter"]);
        assert_eq!(found("es", "xx"), Vec::<&str>::new());
        assert_eq!(found("qqq", "en"), Vec::<&str>::new());
    }
}
