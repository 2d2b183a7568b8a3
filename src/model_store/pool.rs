//! Models that are opened when the first text needs them, each once as long as it is in use.

use super::{Chooser, ChosenStep, open};
use crate::error::Result;
use crate::event::OnEvent;
use crate::generate::{Engine, Generate};
use crate::io::fetch::ResolvedModel;
use crate::model::Runtime;
use crate::task::translate::{Hop, Route, Router};
use crate::types::Lang;
use std::fs;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// The models of a [`Chooser`], opened as they are needed. What nobody uses can be let go.
#[doc(hidden)]
pub struct Pool {
    chooser: Arc<Chooser>,
    runtime: Runtime,
    /// A place for each model that may be chosen, locked while it is opened.
    places: Vec<Mutex<Option<Opened>>>,
    /// Held while a model is opened, so that not two are at once.
    opening: Mutex<()>,
}

/// A model in its place.
struct Opened {
    engine: Arc<Engine>,
    /// When somebody began to use it.
    used: Instant,
    /// About how much memory it takes: as much as its files.
    bytes: u64,
}

/// A pool as one piece of work uses it, and who hears of what is fetched and opened. The work holds
/// the models that it has asked for until it is done, whatever the pool lets go meanwhile.
pub(super) struct Listening<'a> {
    pool: &'a Pool,
    held: Vec<OnceLock<Arc<Engine>>>,
    on_event: OnEvent<'a>,
}

impl Pool {
    pub(super) fn new(chooser: &Arc<Chooser>, runtime: &Runtime) -> Pool {
        Pool {
            chooser: chooser.clone(),
            runtime: runtime.clone(),
            places: std::iter::repeat_with(Mutex::default).take(chooser.len()).collect(),
            opening: Mutex::default(),
        }
    }

    /// What chooses the models.
    pub fn chooser(&self) -> &Chooser {
        &self.chooser
    }

    pub(super) fn listening<'a>(&'a self, on_event: OnEvent<'a>) -> Listening<'a> {
        let held = std::iter::repeat_with(OnceLock::new).take(self.places.len()).collect();
        Listening { pool: self, held, on_event }
    }

    /// The names of the models that are open.
    pub fn loaded(&self) -> Vec<String> {
        let places = self.places.iter().filter_map(|place| place.try_lock().ok());
        places.filter_map(|place| Some(place.as_ref()?.engine.id().to_string())).collect()
    }

    /// Lets go of the models that nobody uses: those that nobody has begun to use for so long, and
    /// beyond so many bytes those that were not used for the longest time. Returns their names.
    pub fn release(&self, idle: Option<Duration>, most: Option<u64>) -> Vec<String> {
        let mut open: Vec<(Instant, usize, u64)> = Vec::new();
        for (number, place) in self.places.iter().enumerate() {
            // One that is being opened is used.
            if let Ok(place) = place.try_lock()
                && let Some(Opened { used, bytes, .. }) = &*place
            {
                open.push((*used, number, *bytes));
            }
        }
        open.sort_unstable();
        let mut total: u64 = open.iter().map(|(_, _, bytes)| bytes).sum();
        let mut gone = Vec::new();
        for (used, number, bytes) in open {
            let is_idle = idle.is_some_and(|idle| used.elapsed() >= idle);
            if !is_idle && most.is_none_or(|most| total <= most) {
                continue;
            }
            let Ok(mut place) = self.places[number].try_lock() else { continue };
            let is_free = |opened: &mut Opened| Arc::strong_count(&opened.engine) == 1;
            let taken = place.take_if(is_free);
            drop(place);
            if let Some(Opened { engine, .. }) = taken {
                total -= bytes;
                gone.push(engine.id().to_string());
            }
        }
        gone
    }

    /// Whether the memory that models may take has an end.
    fn is_bounded(&self) -> bool {
        self.runtime.memory.limit().is_some()
    }

    fn engine(
        &self,
        number: usize,
        model: &ResolvedModel,
        on_event: OnEvent<'_>,
    ) -> Result<Arc<Engine>> {
        let mut place = lock(&self.places[number]);
        if let Some(Opened { engine, used, .. }) = &mut *place {
            *used = Instant::now();
            return Ok(engine.clone());
        }
        let _opening = lock(&self.opening);
        let engine = match open(model, &self.runtime, on_event) {
            // What nobody uses may have taken the memory for it.
            Err(_) if self.is_bounded() && !self.release(None, Some(0)).is_empty() => {
                open(model, &self.runtime, on_event)?
            }
            opened => opened?,
        };
        let engine = Arc::new(engine);
        let sizes = model.files.iter().filter_map(|file| Some(fs::metadata(file).ok()?.len()));
        let (used, bytes) = (Instant::now(), sizes.sum());
        *place = Some(Opened { engine: engine.clone(), used, bytes });
        Ok(engine)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Listening<'_> {
    fn engine(&self, number: usize, model: &ResolvedModel) -> Result<&Engine> {
        let held = &self.held[number];
        if let Some(engine) = held.get() {
            return Ok(engine);
        }
        let engine = self.pool.engine(number, model, self.on_event)?;
        Ok(held.get_or_init(|| engine))
    }

    fn hop(&self, chosen: &ChosenStep) -> Result<Hop<'_>> {
        let step = &chosen.step;
        let engine = self.engine(step.number, &chosen.model)?;
        let hop = Hop::new(engine, &step.from, &step.to, step.number, Some(step.why.clone()))?;
        let Some((number, model)) = &chosen.reverse else { return Ok(hop) };
        Ok(hop.read_back_by(self.engine(*number, model)?))
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
        let hops = choice.steps.iter().map(|step| self.hop(step));
        Ok(Some(Route::new(from, hops.collect::<Result<_>>()?)))
    }

    fn refusal(&self, from: &Lang, to: &Lang) -> Option<String> {
        Some(self.pool.chooser.refusal(from, to))
    }
}
