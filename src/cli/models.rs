//! `polygist models`: what is there, what can be had.

mod info;
mod list;
mod pull;
mod table;

use super::args::ModelsCommand;
use super::output::print;
use super::plan::Environment;
use super::{DONE, SOME_FAILED};
use crate::error::{Error, Result};
use crate::io::store::ImportAs;
use crate::types::Lang;
use std::path::Path;

pub(super) fn run(env: &Environment, command: &ModelsCommand) -> Result<u8> {
    match command {
        ModelsCommand::List(args) => list::run(env, args),
        ModelsCommand::Pull(args) => pull::run(env, args),
        ModelsCommand::Info { model } => info::run(env, model),
        ModelsCommand::Verify { models } => verify(env, models),
        ModelsCommand::Rm { models } => {
            for model in models {
                let freed = env.models.files().remove(
                    &env.models.fetcher().stored_name(model)?,
                    &env.reporter,
                    &env.cancel,
                )?;
                env.reporter.say(&format!("{model}: deleted, {} freed", megabytes(freed)));
            }
            Ok(DONE)
        }
        ModelsCommand::Import { path, name, force } => {
            import(env, path, &ImportAs { name: name.clone(), force: *force })
        }
    }
}

pub(super) fn megabytes(bytes: u64) -> String {
    format!("{:.0} MB", bytes as f64 / 1e6)
}

/// A size in a few characters: `37 MB`, `2.5 GB`.
pub(super) fn short_size(bytes: u64) -> String {
    if bytes >= 1_000_000_000 { format!("{:.1} GB", bytes as f64 / 1e9) } else { megabytes(bytes) }
}

fn import(env: &Environment, path: &Path, keep: &ImportAs) -> Result<u8> {
    let (catalog, files) = (env.models.catalog(), env.models.files());
    let manifest = files.import(path, keep, catalog, &env.reporter, &env.cancel)?;
    let codes =
        |languages: &[Lang]| languages.iter().map(Lang::as_str).collect::<Vec<_>>().join(" ");
    if !manifest.from.is_empty() {
        let (from, to) = (codes(&manifest.from), codes(&manifest.to));
        env.reporter.say(&format!("{}: translates {from} → {to}", manifest.id));
    }
    if let Some(licence) = &manifest.licence {
        let licence = list::licence(Some(licence));
        env.reporter.say(&format!("{}: licence {licence}", manifest.id));
    }
    print(&format!("{}\t{}\n", manifest.id, megabytes(manifest.size())))?;
    Ok(DONE)
}

fn verify(env: &Environment, names: &[String]) -> Result<u8> {
    let installed =
        || Ok::<_, Error>(env.models.files().installed()?.into_iter().map(|(id, _)| id).collect());
    let names: Vec<String> = if names.is_empty() { installed()? } else { names.to_vec() };
    let mut code = DONE;
    for name in names {
        let faults = env.models.files().verify(
            &env.models.fetcher().stored_name(&name)?,
            &env.reporter,
            &env.cancel,
        )?;
        if faults.is_empty() {
            print(&format!("{name}\tok\n"))?;
        }
        for fault in faults {
            print(&format!("{name}\t{fault}\n"))?;
            code = SOME_FAILED;
        }
    }
    Ok(code)
}
