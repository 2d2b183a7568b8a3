//! `polygist models pull`: by name, or all that a machine needs for some pairs of languages.

use crate::cli::args::ModelsPull;
use crate::cli::output::print;
use crate::cli::plan::Environment;
use crate::cli::{DONE, SOME_FAILED};
use crate::error::{Error, Result};
use crate::io::catalog::Task;
use crate::types::Lang;
use std::collections::BTreeMap;

pub(super) fn run(env: &Environment, args: &ModelsPull) -> Result<u8> {
    if !args.from.is_empty() {
        return pairs(env, &args.from, &args.to);
    }
    let catalog = env.models.catalog();
    let starters = || {
        [Task::Translate, Task::Encode, Task::Summarize]
            .iter()
            .filter_map(|&t| catalog.default_for(t))
            .map(|m| m.id.clone())
    };
    let names: Vec<String> =
        if args.models.is_empty() { starters().collect() } else { args.models.clone() };
    for name in names {
        let model = env.models.pull(&name, &env.listener(), &env.cancel)?;
        print(&format!("{}\t{}\n", model.id, model.folder.display()))?;
    }
    Ok(DONE)
}

/// The models for pairs of languages, each fetched once.
struct Pairs<'a> {
    env: &'a Environment,
    /// What came of each pair: the model's name, or why there is none.
    tried: BTreeMap<(String, String), Result<String, String>>,
}

fn pairs(env: &Environment, from: &[Lang], to: &[Lang]) -> Result<u8> {
    env.models.refresh_registry(&env.listener(), &env.cancel)?;
    let mut pairs = Pairs { env, tried: BTreeMap::new() };
    let (mut code, english) = (DONE, Lang::en());
    for source in from {
        for target in to.iter().filter(|target| *target != source) {
            let found = match pairs.fetch(source, target)? {
                Err(why) if *source != english && *target != english => {
                    let first = pairs.fetch(source, &english)?;
                    let second = pairs.fetch(&english, target)?;
                    match (first, second) {
                        (Ok(first), Ok(second)) => Ok(format!("{first}, {second}")),
                        (Err(other), _) | (_, Err(other)) => {
                            Err(format!("{why}; and through English, {other}"))
                        }
                    }
                }
                found => found,
            };
            match found {
                Ok(names) => env.reporter.say(&format!("{source} → {target}: {names}")),
                Err(why) => {
                    env.reporter.warn(&format!("{source} → {target}: {why}"));
                    code = SOME_FAILED;
                }
            }
        }
    }
    encoder(env, from, to)?;
    Ok(code)
}

/// Fetches the encoder that ranks the sentences of summaries, where it knows one of the languages;
/// summaries do without it, too.
fn encoder(env: &Environment, from: &[Lang], to: &[Lang]) -> Result<()> {
    let helps = from.iter().chain(to).find_map(|lang| env.models.default_encoder(Some(lang), None));
    let Some(name) = helps else { return Ok(()) };
    match env.models.pull(&name, &env.listener(), &env.cancel) {
        Ok(model) => print(&format!("{}\t{}\n", model.id, model.folder.display())),
        Err(Error::Interrupted) => Err(Error::Interrupted),
        Err(why) => {
            let why = why.to_string();
            let why = why.lines().next().unwrap_or_default();
            env.reporter.warn(&format!("summaries: words rank sentences without {name} ({why})"));
            Ok(())
        }
    }
}

impl Pairs<'_> {
    /// Fetches the best model for a pair that can be had; its name, or why there is none.
    fn fetch(&mut self, from: &Lang, to: &Lang) -> Result<Result<String, String>> {
        let pair = (from.to_string(), to.to_string());
        if let Some(found) = self.tried.get(&pair) {
            return Ok(found.clone());
        }
        let (mut found, mut why) = (None, None);
        for model in self.env.models.catalog().for_pair(from, to) {
            match self.env.models.pull(&model.id, &self.env.listener(), &self.env.cancel) {
                Ok(model) => {
                    print(&format!("{}\t{}\n", model.id, model.folder.display()))?;
                    found = Some(model.id);
                    break;
                }
                Err(Error::Interrupted) => return Err(Error::Interrupted),
                // The first is the one that was wanted.
                Err(e) => why = why.or_else(|| Some(e.to_string())),
            }
        }
        let none = || "no model that polygist knows of is for this pair alone".to_string();
        let found = found.ok_or_else(|| why.unwrap_or_else(none));
        self.tried.insert(pair, found.clone());
        Ok(found)
    }
}
