//! `polygist models`: what is there, what can be had.

mod list;

use super::args::ModelsCommand;
use super::output::print;
use super::plan::Environment;
use super::{DONE, SOME_FAILED};
use crate::error::{Error, Result};
use crate::io::catalog::Task;
use crate::io::fetch::Lookup;
use crate::io::store::State;
use crate::types::Lang;

pub(super) fn run(env: &Environment, command: &ModelsCommand) -> Result<u8> {
    match command {
        ModelsCommand::List(args) => list::run(env, args),
        ModelsCommand::Pull { models } => pull(env, models),
        ModelsCommand::Info { model } => info(env, model),
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
        ModelsCommand::Import { path, name } => {
            let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned());
            let name = name
                .clone()
                .or(stem)
                .ok_or_else(|| Error::Usage("which name? Say it with --name".into()))?;
            let manifest = env.models.files().import(
                path,
                &name,
                env.models.catalog(),
                &env.reporter,
                &env.cancel,
            )?;
            print(&format!("{}\t{}\n", manifest.id, megabytes(manifest.size())))?;
            Ok(DONE)
        }
    }
}

fn megabytes(bytes: u64) -> String {
    format!("{:.0} MB", bytes as f64 / 1e6)
}

fn pull(env: &Environment, names: &[String]) -> Result<u8> {
    let starters = || {
        [Task::Translate, Task::Summarize]
            .iter()
            .filter_map(|&t| env.models.catalog().default_for(t))
            .map(|m| m.id.clone())
    };
    let names: Vec<String> = if names.is_empty() { starters().collect() } else { names.to_vec() };
    for name in names {
        let model = env.models.resolve(&name, &env.listener(), &env.cancel)?;
        print(&format!("{}\t{}\n", model.id, model.folder.display()))?;
    }
    Ok(DONE)
}

fn info(env: &Environment, name: &str) -> Result<u8> {
    let mut out = String::new();
    let lookup = env.models.lookup(name)?;
    let entry = match &lookup {
        Lookup::Ready(model) => model.entry.clone(),
        Lookup::Missing(wanted) => wanted.entry().cloned(),
    };
    let manifest = match &lookup {
        Lookup::Ready(_) => {
            match env.models.files().state(&env.models.fetcher().stored_name(name)?) {
                Ok(State::Ready(manifest)) => Some(manifest),
                _ => None,
            }
        }
        Lookup::Missing(_) => None,
    };
    let mut line = |key: &str, value: &str| out.push_str(&format!("{key:<13} {value}\n"));
    line("name", name);
    line(
        "state",
        &match &lookup {
            Lookup::Ready(model) => format!("installed in {}", model.folder.display()),
            Lookup::Missing(wanted) => format!("not installed; `{}` fetches it", wanted.command()),
        },
    );
    if let Some(model) = &entry {
        line("title", &model.name);
        line("for", &list::tasks(model));
        if model.from.is_empty() {
            line("languages", &codes(&model.languages));
        } else {
            line("from", &codes(&model.from));
            line("to", &codes(&model.to));
        }
        line("architecture", &model.architecture);
        if model.quality > 0 {
            line(
                "quality",
                &format!("{} of 5, as published scores lead one to expect", model.quality),
            );
        }
        model.note.iter().for_each(|note| line("note", note));
        if let Some(hub) = model.hub() {
            line(
                "source",
                &format!("Hub {hub}, at the commit that its main branch has when it is fetched"),
            );
        }
    }
    let size = list::size(entry.as_ref(), manifest.as_ref());
    if !size.is_empty() {
        line("size", &size);
    }
    let licence = manifest
        .as_ref()
        .and_then(|m| m.licence.as_deref())
        .or(entry.as_ref().map(|e| e.licence.name.as_str()));
    let url = entry
        .as_ref()
        .map(|e| e.licence.url.as_str())
        .or(manifest.as_ref().and_then(|m| m.licence_url.as_deref()));
    line(
        "licence",
        &(list::licence(licence) + &url.map_or(String::new(), |url| format!(", {url}"))),
    );
    match (&manifest, &entry) {
        (Some(manifest), _) => {
            line("fetched", &manifest.installed);
            for file in &manifest.files {
                line("file", &file.path);
                line("  sha256", &file.sha256);
                line("  source", &file.source);
            }
        }
        (None, Some(model)) => {
            for file in &model.files {
                line("file", &file.path);
                line("  sha256", file.sha256.as_deref().unwrap_or("unknown"));
                file.sources.iter().for_each(|source| line("  source", &source.to_string()));
            }
        }
        (None, None) => {}
    }
    if let Some(notice) = entry.and_then(|model| model.licence.notice) {
        line("terms", &notice.trim().replace('\n', "\n              "));
    }
    print(&out)?;
    Ok(DONE)
}

fn codes(languages: &[Lang]) -> String {
    languages.iter().map(Lang::as_str).collect::<Vec<_>>().join(" ")
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
