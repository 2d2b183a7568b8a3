//! Which languages the models translate into which others.

use crate::error::Result;
use crate::languages;
use crate::model_store::OpenModels;
use crate::types::Lang;
use serde::Serialize;

/// A language that texts may be in, as LibreTranslate lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Source {
    pub code: String,
    /// Its English name.
    pub name: String,
    /// The codes of the languages that it is translated into, its own among them.
    pub targets: Vec<String>,
}

/// The pairs of languages that some models translate. Nothing is fetched for it.
///
/// # Errors
/// When the store of models cannot be read.
pub fn of(models: &OpenModels) -> Result<Vec<Source>> {
    let all: Vec<Lang> = languages::all().keys().filter_map(|code| Lang::parse(code)).collect();
    let mut sources = Vec::new();
    for from in &all {
        let mut targets = Vec::new();
        for to in &all {
            if from == to || !languages::is_same_written(from, to) && translates(models, from, to)?
            {
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
