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

/// The pairs of languages that some models translate. Nothing is fetched for it, nor opened.
///
/// # Errors
/// When the store of models cannot be read.
fn of(models: &OpenModels) -> Result<Vec<Source>> {
    let all: Vec<Lang> = languages::all().keys().filter_map(|code| Lang::parse(code)).collect();
    let reach = match &models.pool {
        Some(pool) => pool.chooser().reach(&all)?,
        None => models.with(&|_| (), |models| {
            let routes = |from: &Lang, to: &Lang| -> Result<bool> {
                Ok(models.translators.route(from, to)?.is_some())
            };
            let row = |from| all.iter().map(|to| routes(from, to)).collect();
            all.iter().map(row).collect::<Result<Vec<Vec<bool>>>>()
        })?,
    };
    let source = |(from, reach): (&Lang, Vec<bool>)| {
        let is_target = |(to, is_reached): &(&Lang, bool)| {
            from == *to || *is_reached && !languages::is_same_written(from, to)
        };
        let targets = all.iter().zip(reach).filter(is_target);
        let targets: Vec<String> = targets.map(|(to, _)| to.to_string()).collect();
        let name = languages::name(from).to_string();
        (targets.len() > 1).then(|| Source { code: from.to_string(), name, targets })
    };
    Ok(all.iter().zip(reach).filter_map(source).collect())
}
