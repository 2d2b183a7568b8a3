//! `auto`: the model for each pair of languages, chosen and fetched when the pair is met.

use super::ModelStore;
use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::event::{Event, OnEvent};
use crate::io::catalog::{Model, Release, Source, Task};
use crate::io::fetch::{Lookup, ResolvedModel, Wanted};
use crate::languages;
use crate::route::{
    Availability, Candidate, LanguagePair, Preferences, Step, Way, best, served, serves, way,
    written,
};
use crate::types::Lang;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Chooses the models for pairs of languages, each pair once.
#[derive(Debug)]
#[doc(hidden)]
pub struct Chooser {
    store: ModelStore,
    preferences: Preferences,
    cancel: CancelToken,
    /// The models that translate, those of the catalog first.
    entries: Vec<Model>,
    /// The one for what no other serves: the catalog's first that is for all languages.
    last_resort: Option<usize>,
    state: Mutex<State>,
}

/// What was found out so far.
#[derive(Debug, Default)]
struct State {
    availability: HashMap<usize, Availability>,
    /// The files of models; of those that cannot be had and have to be, why.
    resolved: HashMap<usize, Result<ResolvedModel, String>>,
    choices: BTreeMap<LanguagePair, Option<Arc<Choice>>>,
}

/// The models for a pair of languages, their files on this machine.
#[derive(Debug)]
#[doc(hidden)]
pub struct Choice {
    /// One for each step: one step, or two by way of English.
    pub steps: Vec<ChosenStep>,
}

/// The model for one step.
#[derive(Debug)]
#[doc(hidden)]
pub struct ChosenStep {
    /// Which one, and why.
    pub step: Step,
    /// Its files.
    pub model: ResolvedModel,
    /// The model of the other direction, by its number, where translations are read back.
    pub reverse: Option<(usize, ResolvedModel)>,
}

impl Choice {
    /// The models, each once.
    pub fn models(&self) -> Vec<ResolvedModel> {
        let mut models: Vec<ResolvedModel> =
            self.steps.iter().map(|chosen| chosen.model.clone()).collect();
        models.dedup_by(|a, b| a.id == b.id);
        models
    }

    /// The fingerprints of the models that read back.
    pub fn readers(&self) -> Vec<String> {
        let reverse = self.steps.iter().filter_map(|chosen| chosen.reverse.as_ref());
        reverse.map(|(_, model)| model.fingerprint.clone()).collect()
    }
}

impl Chooser {
    /// Of the models of a store.
    ///
    /// # Errors
    /// When the preferences name a model that is not known, or the store cannot be read.
    pub fn new(
        store: &ModelStore,
        preferences: &Preferences,
        cancel: &CancelToken,
    ) -> Result<Chooser> {
        let translates = |model: &&Model| model.tasks.contains(&Task::Translate);
        let mut entries: Vec<Model> =
            store.catalog().models().iter().filter(translates).cloned().collect();
        entries.extend(store.imported()?);
        for (pair, name) in &preferences.pairs {
            // A name that stands for nothing is told before any work is done.
            let (lookup, is_name) = (store.lookup(name)?, |e: &Model| e.id == *name);
            let is_known = |e: &Model| is_name(e) || e.repo.as_ref() == Some(name);
            if !entries.iter().any(is_known) {
                let known = match lookup {
                    Lookup::Ready(model) => model.entry,
                    Lookup::Missing(wanted) => wanted.entry().cloned(),
                };
                entries.push(known.unwrap_or_else(|| {
                    Model::brought(name, vec![pair.from.clone()], vec![pair.to.clone()])
                }));
            }
        }
        let is_for_all = |entry: &Model| entry.writes().iter().any(|lang| lang.as_str() == "mul");
        Ok(Chooser {
            store: store.clone(),
            preferences: preferences.clone(),
            cancel: cancel.clone(),
            last_resort: entries.iter().position(is_for_all),
            entries,
            state: Mutex::default(),
        })
    }

    /// Models that may be chosen.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// What the user wants of the choice.
    pub fn preferences(&self) -> &Preferences {
        &self.preferences
    }

    /// The model of a step, by its number.
    pub fn entry(&self, step: &Step) -> &Model {
        &self.entries[step.number]
    }

    /// The models for a pair, fetched where that is needed; `None` where no model translates it. A
    /// model that cannot be fetched is told and the next one is taken.
    ///
    /// # Errors
    /// When the model of last resort, or one that the configuration names, cannot be had, or the
    /// work is cancelled.
    pub fn choose(
        &self,
        from: &Lang,
        to: &Lang,
        on_event: OnEvent<'_>,
    ) -> Result<Option<Arc<Choice>>> {
        let pair = LanguagePair::new(from, to);
        let mut state = self.state();
        if let Some(known) = state.choices.get(&pair) {
            return Ok(known.clone());
        }
        let choice = loop {
            let Some(way) = self.way(&mut state, from, to)? else { break None };
            let mut steps = Vec::new();
            for step in way {
                match self.fetched(&mut state, &step, on_event)? {
                    Some(model) => {
                        let reverse = self.reverse(&mut state, &step, on_event)?;
                        steps.push(ChosenStep { step, model, reverse });
                    }
                    None => break,
                }
            }
            // Otherwise what could not be had is out of the choice now.
            if steps.last().is_some_and(|last| languages::is_same_written(&last.step.to, to)) {
                break Some(Arc::new(Choice { steps }));
            }
        };
        state.choices.insert(pair, choice.clone());
        Ok(choice)
    }

    /// The models that [`Chooser::choose`] would take if all can be fetched; nothing is.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn plan(&self, from: &Lang, to: &Lang) -> Result<Option<Way>> {
        self.way(&mut self.state(), from, to)
    }

    /// Which of some languages are translated into which: `[from][to]`, as [`Chooser::plan`] says
    /// of each pair, found out in one go.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn reach(&self, languages: &[Lang]) -> Result<Vec<Vec<bool>>> {
        let mut state = self.state();
        let mut direct = vec![vec![false; languages.len()]; languages.len()];
        for (number, entry) in self.entries.iter().enumerate() {
            let availability = self.find_out(&mut state, number)?;
            if self.candidate(number, availability).is_allowed(self.preferences.preset) {
                served(entry, languages).into_iter().for_each(|(from, to)| direct[from][to] = true);
            }
        }
        let named = |from: &Lang, to: &Lang| {
            self.preferences.pairs.contains_key(&LanguagePair::new(from, to))
        };
        for (from, row) in languages.iter().zip(&mut direct) {
            for (to, is_direct) in languages.iter().zip(row).filter(|(to, _)| named(from, to)) {
                *is_direct = self.way(&mut state, from, to)?.is_some();
            }
        }
        let en = Lang::en();
        let Some(english) = languages.iter().position(|lang| *lang == en) else {
            return Ok(direct);
        };
        let has_detour =
            |from: &Lang, to: &Lang| !named(from, to) && !from.same_base(&en) && !to.same_base(&en);
        let out_of_english = direct[english].clone();
        for (from, row) in languages.iter().zip(&mut direct) {
            let into_english = row[english];
            for ((to, reached), second) in languages.iter().zip(row).zip(&out_of_english) {
                *reached |= into_english && *second && has_detour(from, to);
            }
        }
        Ok(direct)
    }

    /// Whether a model is here, can be fetched, or cannot be had.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn availability(&self, step: &Step) -> Result<Availability> {
        self.find_out(&mut self.state(), step.number)
    }

    /// Whether a model is neither here nor may be fetched.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn is_out_of_reach(&self, step: &Step) -> Result<bool> {
        let lookup = self.store.lookup(&self.entries[step.number].id)?;
        Ok(self.store.is_offline()
            && matches!(lookup, Lookup::Missing(wanted) if !is_local(&wanted)))
    }

    /// Makes sure that there is a model at all.
    ///
    /// # Errors
    /// When none is on this machine and none may be fetched: says how the one of last resort can be
    /// brought.
    pub(super) fn check(&self, on_event: OnEvent<'_>) -> Result<()> {
        let Some(last) = self.last_resort.filter(|_| self.store.is_offline()) else {
            return Ok(());
        };
        let mut state = self.state();
        for number in (0..self.entries.len()).filter(|number| *number != last) {
            if !matches!(self.find_out(&mut state, number)?, Availability::Unavailable(_)) {
                return Ok(());
            }
        }
        self.store.resolve(&self.entries[last].id, on_event, &self.cancel).map(drop)
    }

    fn way(&self, state: &mut State, from: &Lang, to: &Lang) -> Result<Option<Way>> {
        let en = Lang::en();
        for (from, to) in [(from, to), (from, &en), (&en, to)] {
            for number in self.serving(from, to) {
                self.find_out(state, number)?;
            }
        }
        let candidates = |from: &Lang, to: &Lang| {
            let known = |number: usize| Some((number, state.availability.get(&number)?.clone()));
            let known = self.serving(from, to).into_iter().filter_map(known);
            known.map(|(number, available)| self.candidate(number, available)).collect()
        };
        Ok(way(&candidates, (from, to), &self.preferences))
    }

    /// The numbers of the models for a pair, in one step.
    fn serving(&self, from: &Lang, to: &Lang) -> Vec<usize> {
        let named = self.preferences.pairs.get(&LanguagePair::new(from, to));
        let is_one = |entry: &Model| {
            serves(entry, from, to)
                || named.is_some_and(|n| entry.id == *n || entry.repo.as_ref() == Some(n))
        };
        (0..self.entries.len()).filter(|&number| is_one(&self.entries[number])).collect()
    }

    fn candidate(&self, number: usize, availability: Availability) -> Candidate<'_> {
        let (entry, is_last_resort) = (&self.entries[number], self.last_resort == Some(number));
        Candidate { number, entry, availability, is_last_resort }
    }

    /// Whether a model can be had, found out once.
    fn find_out(&self, state: &mut State, number: usize) -> Result<Availability> {
        if let Some(known) = state.availability.get(&number) {
            return Ok(known.clone());
        }
        let entry = &self.entries[number];
        let found = match self.store.lookup(&entry.id)? {
            Lookup::Ready(_) => Availability::Installed,
            Lookup::Missing(_) if self.store.is_looked_at => {
                Availability::Unavailable("not here".into())
            }
            // Its error says how it can be brought.
            Lookup::Missing(_) if self.last_resort == Some(number) => {
                Availability::Fetchable(entry.size())
            }
            Lookup::Missing(wanted) if self.store.is_offline() && !is_local(&wanted) => {
                Availability::Unavailable("--offline".into())
            }
            Lookup::Missing(_) => Availability::Fetchable(entry.size()),
        };
        state.availability.insert(number, found.clone());
        Ok(found)
    }

    /// The files of the model of a step; `None`, which is told, where they cannot be had and others
    /// may do.
    fn fetched(
        &self,
        state: &mut State,
        step: &Step,
        on_event: OnEvent<'_>,
    ) -> Result<Option<ResolvedModel>> {
        let entry = &self.entries[step.number];
        if let Some(known) = state.resolved.get(&step.number) {
            return known.clone().map(Some).map_err(|why| Error::model(&entry.id, why));
        }
        match self.store.resolve(&entry.id, on_event, &self.cancel) {
            Ok(model) => {
                state.resolved.insert(step.number, Ok(model.clone()));
                Ok(Some(model))
            }
            Err(Error::Interrupted) => Err(Error::Interrupted),
            Err(error) if step.is_last_resort || self.is_named(step) => {
                let why = match error {
                    Error::Model { message, .. } => message,
                    other => other.to_string(),
                };
                state.resolved.insert(step.number, Err(why.clone()));
                Err(Error::model(&entry.id, why))
            }
            Err(error) => {
                let why = error.to_string().lines().next().unwrap_or_default().to_string();
                on_event(Event::Note(&format!(
                    "{} → {} goes without {}, the best model for it, which could not be fetched \
                     ({why}); later: `polygist models pull {}`",
                    step.from, step.to, entry.id, entry.id
                )));
                state.availability.insert(step.number, Availability::Unavailable(why));
                Ok(None)
            }
        }
    }

    /// The model that reads back what a step writes, if that is wanted and there is one. The
    /// model of last resort does so itself.
    fn reverse(
        &self,
        state: &mut State,
        step: &Step,
        on_event: OnEvent<'_>,
    ) -> Result<Option<(usize, ResolvedModel)>> {
        if !self.preferences.reads_back || step.is_last_resort {
            return Ok(None);
        }
        let Some(way) = self.way(state, &step.to, &step.from)? else { return Ok(None) };
        match way.as_slice() {
            [back] if !back.is_last_resort => {
                let model = self.fetched(state, back, on_event)?;
                Ok(model.map(|model| (back.number, model)))
            }
            _ => Ok(None),
        }
    }

    fn is_named(&self, step: &Step) -> bool {
        self.preferences.pairs.contains_key(&LanguagePair::new(&step.from, &step.to))
    }

    /// The languages that can be translated into; `None` where a model is here that may know any.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn targets(&self) -> Result<Option<Vec<Lang>>> {
        let mut state = self.state();
        let mut all: BTreeSet<Lang> =
            self.preferences.pairs.keys().map(|pair| pair.to.clone()).collect();
        for (number, entry) in self.entries.iter().enumerate() {
            let availability = self.find_out(&mut state, number)?;
            if !self.candidate(number, availability).is_allowed(self.preferences.preset) {
                continue;
            }
            match written(entry) {
                Some(languages) => all.extend(languages),
                None => return Ok(None),
            }
        }
        Ok(Some(all.into_iter().collect()))
    }

    /// The best model for a step that there is, rather below a gigabyte; `None` where that is the
    /// last resort.
    fn better(&self, from: &Lang, to: &Lang) -> Option<&Model> {
        let best = |largest: u64| {
            let fits = |number: &usize| {
                let entry = &self.entries[*number];
                let is_released = entry.release != Release::Unreleased;
                is_released && entry.size() <= largest && self.last_resort != Some(*number)
            };
            let numbers = self.serving(from, to).into_iter().filter(fits);
            let candidates: Vec<Candidate<'_>> =
                numbers.map(|number| self.candidate(number, Availability::Installed)).collect();
            best(&candidates, (from, to), &Preferences::default())
                .map(|(best, _)| best.entry.id.clone())
        };
        let id = best(1_000_000_000).or_else(|| best(u64::MAX))?;
        self.entries.iter().find(|entry| entry.id == id)
    }

    /// Why there is no way between two languages, in words that follow "it is in French (fr), and".
    pub(super) fn refusal(&self, from: &Lang, to: &Lang) -> String {
        let (name, code) = (languages::name(to), to);
        let known = self
            .better(from, to)
            .map(|model| format!(", {} does: `polygist models pull {}`", model.id, model.id));
        format!(
            "no model that is here or is fetched unasked translates that into {name} ({code}){}; \
             or name one with --model",
            known.unwrap_or_default()
        )
    }

    /// What to know about the choices that were made: one line on the pairs that only the model of
    /// last resort serves.
    pub fn remarks(&self) -> Vec<String> {
        self.remarks_on(|_| true)
    }

    /// The same about the choices for some pairs.
    pub fn remarks_on(&self, is_meant: impl Fn(&LanguagePair) -> bool) -> Vec<String> {
        let state = self.state();
        let choices = state.choices.iter().filter(|(pair, _)| is_meant(pair));
        let steps = choices.filter_map(|(_, choice)| choice.as_ref());
        let steps = steps.flat_map(|choice| &choice.steps);
        let mut weak: Vec<(&Step, &str)> = steps
            .filter(|chosen| chosen.step.is_last_resort)
            .map(|chosen| (&chosen.step, chosen.model.id.as_str()))
            .collect();
        weak.sort_by_key(|(step, _)| (&step.to, &step.from));
        weak.dedup_by_key(|(step, _)| (&step.to, &step.from));
        let Some((_, starter)) = weak.first() else { return Vec::new() };
        let mut sources: BTreeMap<&Lang, Vec<&str>> = BTreeMap::new();
        for (step, _) in &weak {
            sources.entry(&step.to).or_default().push(step.from.as_str());
        }
        let pairs: Vec<String> =
            sources.iter().map(|(to, from)| format!("{} → {to}", from.join(", "))).collect();
        let mut better: Vec<&str> = weak
            .iter()
            .filter_map(|(step, _)| Some(self.better(&step.from, &step.to)?.id.as_str()))
            .collect();
        better.sort_unstable();
        better.dedup();
        let better = match better.is_empty() {
            true => "name a better model with --model".to_string(),
            false => format!("better: `polygist models pull {}`", better.join(" ")),
        };
        vec![format!(
            "{}: left to the starter ({starter}), which is weak; {better}",
            pairs.join("; ")
        )]
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether all files of a model lie on this machine, or are part of the program.
fn is_local(wanted: &Wanted) -> bool {
    let is_near =
        |source: &Source| matches!(source, Source::Folder { .. } | Source::Builtin { .. });
    let Wanted::Listed(model) = wanted else { return false };
    model.files.iter().all(|file| file.sources.iter().any(is_near))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_reached_is_what_is_planned_for_each_pair() {
        let folder = tempfile::tempdir().unwrap();
        let codes = ["en", "fr", "de", "pt", "pt-BR", "zh", "zh-TW", "no", "hr", "uk", "zu", "yo"];
        let all: Vec<Lang> = codes.iter().map(|code| Lang::parse(code).unwrap()).collect();
        let mut named = Preferences::default();
        named.pairs.insert("zu-en".parse().unwrap(), "firefox-pt-en-tiny".into());
        named.pairs.insert("fr-de".parse().unwrap(), "nllb-200-distilled-600M".into());
        for (preferences, is_offline) in
            [(Preferences::default(), false), (named.clone(), false), (named, true)]
        {
            let store = ModelStore::builder().folder(folder.path()).offline(is_offline);
            let store = store.open().unwrap();
            let chooser = Chooser::new(&store, &preferences, &CancelToken::new()).unwrap();
            let reach = chooser.reach(&all).unwrap();
            let mut reached = 0;
            for (from, row) in all.iter().zip(&reach) {
                for (to, &is_reached) in all.iter().zip(row) {
                    let planned = chooser.plan(from, to).unwrap();
                    assert_eq!(is_reached, planned.is_some(), "{from} {to} {planned:?}");
                    reached += usize::from(is_reached);
                }
            }
            assert!(0 < reached && reached < all.len() * all.len(), "{reached}");
        }
    }
}
