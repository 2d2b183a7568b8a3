//! Models that are opened when the first text needs them, each once.

use super::{Chooser, ChosenStep, open};
use crate::error::Result;
use crate::event::OnEvent;
use crate::generate::Engine;
use crate::io::fetch::ResolvedModel;
use crate::model::Runtime;
use crate::task::translate::{Hop, Route, Router};
use crate::types::Lang;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The models of a [`Chooser`], opened as they are needed. A place that is filled stays filled, so
/// that routes can borrow what is in it.
#[doc(hidden)]
pub struct Pool {
    chooser: Arc<Chooser>,
    runtime: Runtime,
    /// A place for each model that may be chosen.
    engines: Vec<OnceLock<Engine>>,
    /// Held while a model is opened.
    opening: Mutex<()>,
}

/// A pool, and who hears of what is fetched and opened.
pub(super) struct Listening<'a> {
    pool: &'a Pool,
    on_event: OnEvent<'a>,
}

impl Pool {
    pub(super) fn new(chooser: &Arc<Chooser>, runtime: &Runtime) -> Pool {
        Pool {
            chooser: chooser.clone(),
            runtime: runtime.clone(),
            engines: std::iter::repeat_with(OnceLock::new).take(chooser.len()).collect(),
            opening: Mutex::default(),
        }
    }

    /// What chooses the models.
    pub fn chooser(&self) -> &Chooser {
        &self.chooser
    }

    pub(super) fn listening<'a>(&'a self, on_event: OnEvent<'a>) -> Listening<'a> {
        Listening { pool: self, on_event }
    }

    fn engine(
        &self,
        number: usize,
        model: &ResolvedModel,
        on_event: OnEvent<'_>,
    ) -> Result<&Engine> {
        let place = &self.engines[number];
        if let Some(engine) = place.get() {
            return Ok(engine);
        }
        let _opening = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(engine) = place.get() {
            return Ok(engine);
        }
        let engine = open(model, &self.runtime, on_event)?;
        Ok(place.get_or_init(|| engine))
    }

    fn hop(&self, chosen: &ChosenStep, on_event: OnEvent<'_>) -> Result<Hop<'_>> {
        let step = &chosen.step;
        let engine = self.engine(step.number, &chosen.model, on_event)?;
        let hop = Hop::new(engine, &step.from, &step.to, step.number, Some(step.why.clone()))?;
        let Some((number, model)) = &chosen.reverse else { return Ok(hop) };
        Ok(hop.read_back_by(self.engine(*number, model, on_event)?))
    }
}

impl Router for Listening<'_> {
    fn route(&self, from: &Lang, to: &Lang) -> Result<Option<Route<'_>>> {
        if from.same_base(to) {
            return Ok(Some(Route::none(from)));
        }
        let Some(choice) = self.pool.chooser.choose(from, to, self.on_event)? else {
            return Ok(None);
        };
        let hops = choice.steps.iter().map(|step| self.pool.hop(step, self.on_event));
        Ok(Some(Route::new(from, hops.collect::<Result<_>>()?)))
    }

    fn refusal(&self, from: &Lang, to: &Lang) -> Option<String> {
        Some(self.pool.chooser.refusal(from, to))
    }
}
