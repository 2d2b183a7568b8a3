//! `polygist models`: what is there, what can be had.

use super::args::ModelsCommand;
use super::plan::{Setup, stopped};
use super::run::print;
use super::{DONE, SOME_FAILED};
use crate::error::{Error, Result};
use crate::io::catalog::{Model, Task};
use crate::io::fetch::Lookup;
use crate::io::store::State;

pub(super) fn run(setup: &Setup, command: &ModelsCommand) -> Result<u8> {
    match command {
        ModelsCommand::List => list(setup),
        ModelsCommand::Pull { models } => pull(setup, models),
        ModelsCommand::Info { model } => info(setup, model),
        ModelsCommand::Verify { models } => verify(setup, models),
        ModelsCommand::Rm { models } => {
            for model in models {
                let freed = setup.store.remove(model, &setup.reporter, &stopped)?;
                setup.reporter.say(&format!("{model}: deleted, {} freed", megabytes(freed)));
            }
            Ok(DONE)
        }
        ModelsCommand::Import { path, name } => {
            let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned());
            let name = name.clone().or(stem).ok_or_else(|| Error::Usage("which name? Say it with --name".into()))?;
            let manifest = setup.store.import(path, &name, &setup.catalog, &setup.reporter, &stopped)?;
            print(&format!("{}\t{}\n", manifest.id, megabytes(manifest.size())))?;
            Ok(DONE)
        }
    }
}

fn megabytes(bytes: u64) -> String {
    format!("{:.0} MB", bytes as f64 / 1e6)
}

fn tasks(model: &Model) -> String {
    let name = |task: &Task| match task {
        Task::Translate => "translate",
        Task::Summarize => "summarize",
    };
    model.tasks.iter().map(name).collect::<Vec<_>>().join(",")
}

fn list(setup: &Setup) -> Result<u8> {
    let installed = setup.store.installed()?;
    let row = |a: &str, b: &str, c: &str, d: &str, e: &str| format!("{a:<28} {b:<12} {c:>8}  {d:<20} {e}\n");
    let mut out = row("NAME", "FOR", "SIZE", "LICENCE", "STATE");
    for model in setup.catalog.models() {
        let state = match setup.lookup(&model.id)? {
            Lookup::Ready(_) => "installed",
            Lookup::Missing(_) => "-",
        };
        out += &row(&model.id, &tasks(model), &megabytes(model.size()), &model.licence.name, state);
    }
    for (id, state) in installed.iter().filter(|(id, _)| setup.catalog.get(id).is_none()) {
        out += &match state {
            State::Ready(manifest) => {
                row(id, "", &megabytes(manifest.size()), manifest.licence.as_deref().unwrap_or("unknown"), "installed")
            }
            State::Broken(why) => row(id, "", "", "", &format!("broken: {why}")),
            State::Absent => continue,
        };
    }
    print(&out)?;
    setup.reporter.say(&format!("models are kept in {}", setup.store.root().display()));
    Ok(DONE)
}

fn pull(setup: &Setup, names: &[String]) -> Result<u8> {
    let starters = || [Task::Translate, Task::Summarize].iter().filter_map(|&t| setup.catalog.default_for(t)).map(|m| m.id.clone());
    let names: Vec<String> = if names.is_empty() { starters().collect() } else { names.to_vec() };
    for name in names {
        let model = setup.resolve(&name)?;
        print(&format!("{}\t{}\n", model.id, model.folder.display()))?;
    }
    Ok(DONE)
}

fn info(setup: &Setup, name: &str) -> Result<u8> {
    let mut out = String::new();
    let (entry, state) = match setup.lookup(name)? {
        Lookup::Ready(model) => (model.entry.clone(), format!("installed in {}", model.folder.display())),
        Lookup::Missing(wanted) => (setup.catalog.get(name).cloned(), format!("not installed; `{}` fetches it", wanted.command())),
    };
    let mut line = |key: &str, value: &str| out.push_str(&format!("{key:<13} {value}\n"));
    line("name", name);
    line("state", &state);
    if let (None, Ok(State::Ready(manifest))) = (&entry, setup.store.state(name)) {
        line("size", &megabytes(manifest.size()));
        line("licence", manifest.licence.as_deref().unwrap_or("unknown"));
        for file in &manifest.files {
            line("file", &file.path);
            line("  sha256", &file.sha256);
            line("  source", &file.source);
        }
    }
    if let Some(model) = entry {
        line("title", &model.name);
        line("for", &tasks(&model));
        line("languages", &model.languages.iter().map(|l| l.as_str()).collect::<Vec<_>>().join(" "));
        line("architecture", &model.architecture);
        line("size", &megabytes(model.size()));
        line("licence", &format!("{} ({})", model.licence.name, model.licence.url));
        for file in &model.files {
            line("file", &file.path);
            line("  sha256", file.sha256.as_deref().unwrap_or("unknown"));
            for source in &file.sources {
                line("  source", &source.to_string());
            }
        }
        if let Some(notice) = &model.licence.notice {
            line("terms", &notice.trim().replace('\n', "\n              "));
        }
    }
    print(&out)?;
    Ok(DONE)
}

fn verify(setup: &Setup, names: &[String]) -> Result<u8> {
    let installed = || Ok::<_, Error>(setup.store.installed()?.into_iter().map(|(id, _)| id).collect());
    let names: Vec<String> = if names.is_empty() { installed()? } else { names.to_vec() };
    let mut code = DONE;
    for name in names {
        let faults = setup.store.verify(&name, &setup.reporter, &stopped)?;
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
