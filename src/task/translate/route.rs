//! The models that a translation goes through, and the languages on its way.

use crate::error::Result;
use crate::generate::Generate;
use crate::languages;
use crate::task::prompts;
use crate::types::Lang;

/// The way from one language to another: no hop where they are the same, one where a model
/// translates directly, two by way of English.
#[derive(Clone)]
pub struct Route<'a> {
    from: Lang,
    hops: Vec<Hop<'a>>,
}

/// One step of a route.
#[derive(Clone)]
pub struct Hop<'a> {
    /// The model that translates.
    pub model: &'a dyn Generate,
    /// A translation model of the other direction, which reads back what [`Hop::model`] writes
    /// where [`crate::generate::DecodingOptions::channel_weight`] asks for it.
    pub reverse: Option<&'a dyn Generate>,
    /// The language of its output.
    pub to: Lang,
    /// The model's number among those that the route was chosen from.
    pub(super) number: usize,
    /// Why it is this model, where it was not named.
    pub why: Option<String>,
}

/// Chooses the way of each pair of languages.
pub trait Router: Sync {
    /// The way from one language to the other; `None` where the models have none.
    ///
    /// # Errors
    /// When the models on the way cannot be had or opened, or the work is cancelled.
    fn route(&self, from: &Lang, to: &Lang) -> Result<Option<Route<'_>>>;

    /// Why there is no way, in words that follow "it is in French, and"; `None` where there are no
    /// models at all.
    fn refusal(&self, from: &Lang, to: &Lang) -> Option<String>;

    /// A model that counts the tokens of what is not translated.
    fn counter(&self) -> Option<&dyn Generate> {
        None
    }
}

/// Models that a user has named: each pair of languages goes to the first that knows it, or else
/// through English.
#[derive(Clone, Copy, Default)]
pub struct Named<'a>(pub &'a [&'a dyn Generate]);

impl Router for Named<'_> {
    fn route(&self, from: &Lang, to: &Lang) -> Result<Option<Route<'_>>> {
        Ok(Route::find(self.0, from, to))
    }

    fn refusal(&self, from: &Lang, to: &Lang) -> Option<String> {
        if let Some(advice) = prompts::advice(self.0, from, to) {
            return Some(advice);
        }
        let ids: Vec<&str> = self.0.iter().map(|model| model.id()).collect();
        let mut message = format!(
            "{} cannot translate that into {} ({to}); name a model that can with --model",
            ids.join(", "),
            languages::name(to)
        );
        if self.0.iter().any(|model| prompts::uses_examples(*model)) {
            let known = prompts::translatable_languages();
            let known: Vec<&str> = known.iter().map(Lang::as_str).collect();
            message.push_str(&format!(". It translates {}", known.join(" ")));
        }
        (!ids.is_empty()).then_some(message)
    }

    fn counter(&self) -> Option<&dyn Generate> {
        self.0.first().copied()
    }
}

impl<'a> Route<'a> {
    /// The route through these models, one after the other.
    pub fn new(from: &Lang, hops: Vec<Hop<'a>>) -> Route<'a> {
        Route { from: from.clone(), hops }
    }

    /// The route of a text that stays as it is.
    pub fn none(from: &Lang) -> Route<'a> {
        Route { from: from.clone(), hops: Vec::new() }
    }

    /// The route through the first of some models that know its pairs of languages; `None` when
    /// they have no way.
    pub fn find(models: &[&'a dyn Generate], from: &Lang, to: &Lang) -> Option<Route<'a>> {
        let hops = if from.same_base(to) {
            Vec::new()
        } else if let Some(hop) = Hop::find(models, from, to) {
            vec![hop]
        } else {
            let en = Lang::en();
            vec![Hop::find(models, from, &en)?, Hop::find(models, &en, to)?]
        };
        Some(Route { from: from.clone(), hops })
    }

    /// The steps in order.
    pub fn hops(&self) -> &[Hop<'a>] {
        &self.hops
    }

    /// The language of the source and that of the last output.
    pub fn ends(&self) -> (&Lang, &Lang) {
        (&self.from, self.hops.last().map_or(&self.from, |hop| &hop.to))
    }

    /// The languages of a hop, by its number: that of the source, and that of the output.
    pub(super) fn languages_of(&self, hop: usize) -> (&Lang, &Lang) {
        let from = hop.checked_sub(1).map_or(&self.from, |before| &self.hops[before].to);
        (from, &self.hops[hop].to)
    }

    /// The languages that a text goes through, from the first to the last.
    pub fn languages(&self) -> Vec<Lang> {
        let outputs = self.hops.iter().map(|hop| hop.to.clone());
        std::iter::once(self.from.clone()).chain(outputs).collect()
    }

    /// The ids of the models, each once.
    pub fn ids(&self) -> Vec<String> {
        let mut ids: Vec<String> = self.hops.iter().map(|hop| hop.model.id().to_string()).collect();
        ids.dedup();
        ids
    }
}

impl<'a> Hop<'a> {
    fn find(models: &[&'a dyn Generate], from: &Lang, to: &Lang) -> Option<Hop<'a>> {
        let number = models.iter().position(|model| prompts::is_direct(*model, from, to))?;
        let reads_back = |model: &&dyn Generate| {
            prompts::is_translation_model(*model) && prompts::is_direct(*model, to, from)
        };
        let reverse = models.iter().copied().find(reads_back);
        Some(Hop { model: models[number], reverse, to: to.clone(), number, why: None })
    }

    /// A step through a model that was chosen for its languages.
    ///
    /// # Errors
    /// When the model does not know them.
    pub fn new(
        model: &'a dyn Generate,
        from: &Lang,
        to: &Lang,
        number: usize,
        why: Option<String>,
    ) -> Result<Hop<'a>> {
        if !prompts::is_direct(model, from, to) {
            return Err(prompts::refusal(model, from, to));
        }
        Ok(Hop { model, reverse: None, to: to.clone(), number, why })
    }

    /// The step with a model that reads back.
    pub fn read_back_by(self, reverse: &'a dyn Generate) -> Hop<'a> {
        Hop { reverse: Some(reverse), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Stub;

    #[test]
    fn a_way_by_english_is_found_where_there_is_no_other() {
        let (base, other) = (Stub::answering(|_| ""), Stub::answering(|_| "").named("other"));
        let models: [&dyn Generate; 2] = [&base, &other];
        let lang = |code: &str| Lang::parse(code).unwrap();
        for (from, to, languages) in [
            ("fr", "fr-CA", vec!["fr"]),
            ("fr", "en", vec!["fr", "en"]),
            ("fr", "de", vec!["fr", "en", "de"]),
        ] {
            let route = Route::find(&models, &lang(from), &lang(to)).unwrap();
            let found = route.languages();
            assert_eq!(found.iter().map(Lang::as_str).collect::<Vec<_>>(), languages);
            let ids = if from == "fr" && to == "fr-CA" { vec![] } else { vec!["stub"] };
            assert_eq!(route.ids(), ids);
        }
        assert!(Route::find(&models, &lang("qqq"), &lang("en")).is_none());
        assert!(Route::find(&[], &lang("fr"), &lang("en")).is_none());
        let refusal =
            |models: &[&dyn Generate], from: &str| Named(models).refusal(&lang(from), &lang("en"));
        assert!(refusal(&models, "qqq").unwrap().contains("cannot translate that into English"));
        assert_eq!(refusal(&[], "fr"), None);
    }
}
