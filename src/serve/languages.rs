//! Which languages the models translate into which others.

use crate::error::Result;
use crate::languages;
use crate::model_store::OpenModels;
use crate::types::Lang;
use serde::Serialize;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// A language that texts may be in, as LibreTranslate lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Source {
    pub code: String,
    /// Its English name.
    pub name: String,
    /// The codes of the languages that it is translated into, its own among them.
    pub targets: Vec<String>,
}

/// The list, once it is found out: which models there are does not change.
#[derive(Default)]
pub struct Languages {
    known: OnceLock<Arc<Vec<Source>>>,
    /// Held by the one who finds out.
    finding: Mutex<()>,
}

impl Languages {
    pub fn known(&self) -> Option<Arc<Vec<Source>>> {
        self.known.get().cloned()
    }

    /// The list; who comes while it is found out waits for it.
    ///
    /// # Errors
    /// When the store of models cannot be read.
    pub fn find(&self, models: &OpenModels) -> Result<Arc<Vec<Source>>> {
        let _finding = self.finding.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = self.known() {
            return Ok(known);
        }
        let found = Arc::new(of(models)?);
        Ok(self.known.get_or_init(|| found).clone())
    }
}

/// The pairs of languages that some models translate. Nothing is fetched for it.
///
/// # Errors
/// When the store of models cannot be read.
fn of(models: &OpenModels) -> Result<Vec<Source>> {
    let all: Vec<Lang> = languages::all().keys().filter_map(|code| Lang::parse(code)).collect();
    let en = Lang::en();
    let reach = |from: &Lang, to: &Lang| match languages::is_same_written(from, to) {
        true => Ok(false),
        false => translates(models, from, to),
    };
    // Most pairs are served by way of English, which is asked for once a language.
    let into_english = all.iter().map(|from| reach(from, &en)).collect::<Result<Vec<_>>>()?;
    let out_of_english = all.iter().map(|to| reach(&en, to)).collect::<Result<Vec<_>>>()?;
    let mut sources = Vec::new();
    for (from, into_english) in all.iter().zip(into_english) {
        let mut targets = Vec::new();
        for (to, out_of_english) in all.iter().zip(&out_of_english) {
            let is_other = !languages::is_same_written(from, to);
            let by_english = is_other && into_english && *out_of_english;
            if from == to || by_english || reach(from, to)? {
                targets.push(to.to_string());
            }
        }
        if targets.len() > 1 {
            let name = languages::name(from).to_string();
            sources.push(Source { code: from.to_string(), name, targets });
        }
    }
    Ok(sources)
}

/// Whether there is a way.
fn translates(models: &OpenModels, from: &Lang, to: &Lang) -> Result<bool> {
    match &models.pool {
        Some(pool) => Ok(pool.chooser().plan(from, to)?.is_some()),
        None => models.with(&|_| (), |models| Ok(models.translators.route(from, to)?.is_some())),
    }
}
