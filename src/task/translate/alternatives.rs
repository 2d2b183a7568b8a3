//! Other translations than the one that is given: what else a beam has found.

use super::attempt::Attempt;
use super::context::read_by;
use super::lost;
use super::retry::RetryStrategy;
use super::{Hop, Router, Segment, Settings, Translation, terms};
use crate::error::Result;
use crate::task::checks::Severity;
use crate::text::protect;
use crate::text::terms::FoundTerm;
use std::collections::BTreeMap;

/// Most alternatives of a segment: a beam of so many hypotheses beside the best.
pub const MOST_ALTERNATIVES: usize = 8;

/// What could stand in the place of the translations of some segments, best first: at most
/// `number` of each, and at most [`MOST_ALTERNATIVES`]. Each is another text, no worse by the
/// checks, and with as many terms. On a way through English, only its last step has alternatives.
/// `goes_on` is asked as often as one is found; `false` stops the work.
///
/// # Errors
/// When a model cannot be had or fails, or the work is stopped.
pub fn alternatives(
    router: &dyn Router,
    segments: &[Segment],
    found: &[Translation],
    settings: &Settings,
    number: usize,
    goes_on: &(dyn Fn() -> bool + Sync),
) -> Result<Vec<Vec<String>>> {
    let number = number.min(MOST_ALTERNATIVES);
    let mut by_model: BTreeMap<usize, (Hop<'_>, Vec<(usize, Segment)>)> = BTreeMap::new();
    for (place, (segment, best)) in segments.iter().zip(found).enumerate() {
        let Segment { text, context, from, to, .. } = segment;
        let is_wanted = number > 0 && protect::is_translatable(text);
        let route = if is_wanted { router.route(from, to)? } else { None };
        let Some((hop, at)) = route.as_ref().and_then(|route| {
            let at = route.hops().len().checked_sub(1)?;
            Some((route.hops()[at].clone(), at))
        }) else {
            continue;
        };
        let from = route.map_or_else(|| from.clone(), |route| route.languages_of(at).0.clone());
        let context = if best.pivot.is_none() { context.as_str() } else { "" };
        let context = read_by(hop.model, (&from, &hop.to), context, settings).to_owned();
        let text = best.pivot.as_ref().unwrap_or(text).clone();
        let (to, kept) = (hop.to.clone(), Vec::new());
        let own = Segment { text, context, from, to, align: false, kept };
        by_model.entry(hop.number).or_insert((hop, Vec::new())).1.push((place, own));
    }
    let mut all = vec![Vec::new(); segments.len()];
    for (hop, asked) in by_model.into_values() {
        let (places, segments): (Vec<usize>, Vec<Segment>) = asked.into_iter().unzip();
        let within: Vec<bool> = places.iter().map(|&place| found[place].pivot.is_some()).collect();
        let terms = terms::of(settings, &segments, &within);
        let asked: Vec<(&Segment, &[FoundTerm])> =
            segments.iter().zip(terms.iter().map(Vec::as_slice)).collect();
        let attempt = Attempt {
            model: hop.model,
            reverse: None,
            segments: &asked,
            strategy: RetryStrategy::Plain,
            settings,
        };
        let candidates = attempt.hypotheses(number + 1, goes_on)?;
        for ((&place, (segment, terms)), candidates) in places.iter().zip(asked).zip(candidates) {
            all[place] = others(candidates, &found[place], (segment, terms), number);
        }
    }
    Ok(all)
}

/// The candidates that may stand in the place of the best.
fn others(
    candidates: Vec<Translation>,
    best: &Translation,
    (segment, terms): (&Segment, &[FoundTerm]),
    number: usize,
) -> Vec<String> {
    let (worst, met) = (Severity::of(&best.problems), terms::met(terms, &best.text));
    let mut others: Vec<String> = Vec::new();
    for mut candidate in candidates {
        lost::put_back(segment, terms, &mut candidate);
        let Translation { text, problems, .. } = candidate;
        let is_as_good = Severity::of(&problems) <= worst && terms::met(terms, &text) >= met;
        if is_as_good && text != best.text && !text.trim().is_empty() && !others.contains(&text) {
            others.push(text);
        }
    }
    others.truncate(number);
    others
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::{Finish, Output, Variant};
    use crate::task::translate::{Named, translate};
    use crate::testing::Stub;
    use crate::types::Lang;

    fn variant(text: &str) -> Variant {
        Variant { text: text.into(), ids: vec![1], score: 0.0, finish: Finish::Stop }
    }

    /// A model that writes the same whether it is asked for one text or several.
    fn model() -> Stub {
        Stub::writing(|request| {
            let options = &request.options;
            assert!(options.outputs <= options.num_beams.max(1) && options.outputs <= 9);
            let mut all = vec![
                variant("The bridge was closed for eleven months."),
                variant("The bridge was shut for eleven months."),
                variant("Le pont a été fermé onze mois."),
                variant("The bridge was shut for eleven months."),
                variant("For eleven months the bridge stayed shut."),
            ];
            all.truncate(options.outputs.saturating_sub(1));
            Output { variants: all, ..Output::of("The bridge was closed for eleven months.") }
        })
    }

    #[test]
    fn what_is_another_text_and_no_worse_is_an_alternative() {
        let lang = |code: &str| Lang::parse(code).unwrap();
        let segment = |text: &str, to: &str| Segment::new(text, lang("fr"), lang(to));
        let source = "Le pont a été fermé onze mois.";
        let segments = [segment(source, "en"), segment("12.05.2026", "en"), segment(source, "fr")];
        let (model, settings) = (model(), Settings::default());
        let models: [&dyn crate::generate::Generate; 1] = [&model];
        let best = translate(&models, &segments, &settings, &|_| true).unwrap();
        let of = |number| {
            let router = Named(&models);
            alternatives(&router, &segments, &best, &settings, number, &|| true).unwrap()
        };
        let (shut, stayed) =
            ("The bridge was shut for eleven months.", "For eleven months the bridge stayed shut.");
        assert_eq!(of(0), [[""; 0]; 3]);
        // Of so many as are looked for, some say nothing new.
        assert_eq!(of(2)[0], [shut]);
        assert_eq!(of(7), [vec![shut, stayed], vec![], vec![]]);
        assert_eq!(of(usize::MAX)[0].len(), 2);
    }
}
