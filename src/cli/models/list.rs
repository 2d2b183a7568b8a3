//! `polygist models list`: a table for people, or JSON.

use crate::cli::DONE;
use crate::cli::args::{ModelsList, OutputFormat, TaskArg};
use crate::cli::output::print;
use crate::cli::plan::Environment;
use crate::error::{Error, Result};
use crate::io::catalog::{Licence, Model, Task, is_non_commercial};
use crate::io::fetch::Lookup;
use crate::io::store::{Manifest, State};
use crate::types::Lang;
use serde_json::json;

/// One model: what the catalog says, what the store has.
struct Row<'a> {
    id: String,
    entry: Option<&'a Model>,
    state: State,
}

pub(super) fn run(env: &Environment, args: &ModelsList) -> Result<u8> {
    let rows = rows(env, args)?;
    match args.format {
        OutputFormat::Json => {
            let line = |row| serde_json::to_string(&object(row)).map(|line| line + "\n");
            let lines: std::result::Result<String, _> = rows.iter().map(line).collect();
            print(&lines.map_err(|e| Error::Usage(format!("the list cannot be written: {e}")))?)?;
        }
        OutputFormat::Text => {
            print(&table(&rows))?;
            if rows.is_empty() {
                env.reporter.say("no model fits; `polygist models list` shows all, and any of the Hub can be named (owner/name)");
            }
            env.reporter
                .say(&format!("models are kept in {}", env.models.files().root().display()));
        }
    }
    Ok(DONE)
}

/// The catalog's models in its order or, when something is asked for, the best first; then what
/// else is in the store.
fn rows<'a>(env: &'a Environment, args: &ModelsList) -> Result<Vec<Row<'a>>> {
    let task = args.task.map(|task| match task {
        TaskArg::Translate => Task::Translate,
        TaskArg::Summarize => Task::Summarize,
    });
    let filtered = task.is_some() || args.from.is_some() || args.to.is_some();
    let entries = match filtered {
        true => env.models.catalog().recommended(task, args.from.as_ref(), args.to.as_ref()),
        false => env.models.catalog().models().iter().collect(),
    };
    let mut rows = Vec::new();
    for entry in entries {
        let state = match env.models.lookup(&entry.id)? {
            Lookup::Ready(_) => {
                env.models.files().state(&env.models.fetcher().stored_name(&entry.id)?)?
            }
            Lookup::Missing(_) => State::Absent,
        };
        rows.push(Row { id: entry.id.clone(), entry: Some(entry), state });
    }
    // Nothing is known of what these are for.
    if !filtered {
        let others = env
            .models
            .files()
            .installed()?
            .into_iter()
            .filter(|(id, _)| env.models.catalog().find(id).is_none());
        rows.extend(others.map(|(id, state)| Row { id, entry: None, state }));
    }
    rows.retain(|row| !args.installed || matches!(row.state, State::Ready(_)));
    Ok(rows)
}

fn table(rows: &[Row<'_>]) -> String {
    let heads = ["NAME", "FOR", "LANGUAGES", "QUALITY", "SIZE", "LICENCE", "STATE"];
    let mut cells = vec![heads.map(String::from)];
    cells.extend(rows.iter().map(|row| {
        let entry = row.entry;
        [
            row.id.clone(),
            entry.map(tasks).unwrap_or_default(),
            entry.map(languages).unwrap_or_default(),
            entry.filter(|e| e.quality > 0).map(|e| format!("{}/5", e.quality)).unwrap_or_default(),
            size(entry, row.manifest()),
            licence(row.licence()),
            match &row.state {
                State::Ready(_) => "installed".into(),
                State::Broken(why) => format!("broken: {why}"),
                State::Absent => "-".into(),
            },
        ]
    }));
    let widths: Vec<usize> = (0..heads.len())
        .map(|i| cells.iter().map(|row| row[i].chars().count()).max().unwrap_or(0))
        .collect();
    cells
        .iter()
        .map(|row| {
            let line = row
                .iter()
                .zip(&widths)
                .map(|(cell, width)| format!("{cell:<width$}"))
                .collect::<Vec<_>>()
                .join("  ");
            format!("{}\n", line.trim_end())
        })
        .collect()
}

fn object(row: &Row<'_>) -> serde_json::Value {
    let state = match &row.state {
        State::Ready(_) => "installed",
        State::Broken(_) => "broken",
        State::Absent => "absent",
    };
    let licence = row.licence();
    let mut object = json!({ "id": row.id, "state": state });
    if let Some(entry) = row.entry {
        object["name"] = json!(entry.name);
        object["tasks"] = json!(entry.tasks.iter().map(task_name).collect::<Vec<_>>());
        object["from"] = json!(entry.reads());
        object["to"] = json!(entry.writes());
        object["architecture"] = json!(entry.architecture);
        object["quality"] = json!(entry.quality);
        object["note"] = json!(entry.note);
        object["repo"] = json!(entry.repo);
    }
    object["bytes"] = json!(row.manifest().map(Manifest::size).or(row.entry.map(Model::size)));
    object["bytes_are_exact"] =
        json!(row.manifest().is_some() || row.entry.is_some_and(|e| e.repo.is_none()));
    object["licence"] = json!({
        "name": licence,
        "url": row.entry.map(|e| e.licence.url.as_str()).or(row.manifest().and_then(|m| m.licence_url.as_deref())),
        // Whether others forbid it is for their texts to say.
        "non_commercial": licence.filter(|name| *name != Licence::UNKNOWN).map(is_non_commercial),
    });
    object
}

impl Row<'_> {
    fn manifest(&self) -> Option<&Manifest> {
        if let State::Ready(manifest) = &self.state { Some(manifest) } else { None }
    }

    fn licence(&self) -> Option<&str> {
        let installed = self.manifest().and_then(|m| m.licence.as_deref());
        installed.or(self.entry.map(|e| e.licence.name.as_str()))
    }
}

pub(super) fn tasks(model: &Model) -> String {
    model.tasks.iter().map(task_name).collect::<Vec<_>>().join(",")
}

fn task_name(task: &Task) -> &'static str {
    match task {
        Task::Translate => "translate",
        Task::Summarize => "summarize",
    }
}

/// The two sides in short: `fr → en`, `101 languages`, `many → en`.
fn languages(model: &Model) -> String {
    match (short(model.reads()), short(model.writes())) {
        (from, to) if !model.from.is_empty() => format!("{from} → {to}"),
        (both, _) => both,
    }
}

fn short(languages: &[Lang]) -> String {
    match languages {
        [one] if one.as_str() == "mul" => "many".into(),
        [_, _, _, ..] => format!("{} languages", languages.len()),
        few => few.iter().map(Lang::as_str).collect::<Vec<_>>().join(" "),
    }
}

/// What there is, or about what there will be.
pub(super) fn size(entry: Option<&Model>, manifest: Option<&Manifest>) -> String {
    let megabytes = super::megabytes;
    match (manifest, entry) {
        (Some(manifest), _) => megabytes(manifest.size()),
        (None, Some(entry)) if entry.repo.is_some() => format!("about {}", megabytes(entry.size())),
        (None, Some(entry)) => megabytes(entry.size()),
        (None, None) => String::new(),
    }
}

/// The name of a licence, with what limits the model's use most.
pub(super) fn licence(name: Option<&str>) -> String {
    match name {
        Some(name) if is_non_commercial(name) => format!("{name} (non-commercial)"),
        Some(name) => name.into(),
        None => "unknown".into(),
    }
}
