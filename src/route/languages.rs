//! Whether a model of the catalog serves a pair of languages.

use crate::io::catalog::{Model, Task};
use crate::languages::{canonical, is_same_written};
use crate::task::translatable_languages;
use crate::types::{Lang, Prompting};

/// Whether the catalog says that a model translates from one language into the other in one step.
pub fn serves(model: &Model, from: &Lang, to: &Lang) -> bool {
    if !model.fits(Some(Task::Translate), Some(from), Some(to)) {
        return false;
    }
    // A base model learns from examples in its prompt, one side of which is English.
    let has_english = from.base() == "en" || to.base() == "en";
    !is_shown_examples(model) || has_english && is_taught(from) && is_taught(to)
}

/// The pairs of some languages, by their numbers, that a model serves, as [`serves`] says of each.
/// Of a model for a hundred languages not each of ten thousand pairs is asked for.
pub fn served(model: &Model, languages: &[Lang]) -> Vec<(usize, usize)> {
    let task = Some(Task::Translate);
    let are = |is: &dyn Fn(&Lang) -> bool| -> Vec<usize> {
        (0..languages.len()).filter(|&number| is(&languages[number])).collect()
    };
    let read = are(&|from| model.fits(task, Some(from), None));
    let written = are(&|to| model.fits(task, None, Some(to)));
    let is_shown_examples = is_shown_examples(model);
    let is_english = |number: usize| languages[number].base() == "en";
    let mut pairs = Vec::new();
    for from in read {
        let served = written.iter().copied().filter(|&to| {
            !is_shown_examples
                || (is_english(from) || is_english(to))
                    && serves(model, &languages[from], &languages[to])
        });
        pairs.extend(served.map(|to| (from, to)));
    }
    pairs
}

/// The languages that a model writes, as polygist names them; `None` where it may be any.
pub fn written(model: &Model) -> Option<Vec<Lang>> {
    if is_shown_examples(model) {
        return Some(translatable_languages());
    }
    let is_any = model.writes().iter().any(|lang| lang.as_str() == "mul");
    (!is_any).then(|| model.writes().iter().map(canonical).collect())
}

/// Whether a model lists the very language that it is to read, and not only "many" or another way
/// of writing it.
pub(super) fn reads(model: &Model, from: &Lang) -> bool {
    let from = canonical(from);
    model.reads().iter().any(|known| is_same_written(&canonical(known), &from))
}

fn is_shown_examples(model: &Model) -> bool {
    matches!(model.prompt, Some(Prompting::FewShot | Prompting::FineTuned))
}

fn is_taught(lang: &Lang) -> bool {
    translatable_languages().iter().any(|known| is_same_written(known, lang))
}
