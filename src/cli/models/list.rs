//! `polygist models list`: a table for people, or JSON.

use super::table::{self, Column};
use crate::cli::DONE;
use crate::cli::args::{ModelTaskArg, ModelsList, OutputFormat};
use crate::cli::output::print;
use crate::cli::plan::Environment;
use crate::error::{Error, Result};
use crate::io::catalog::{Licence, Model, Release, Score, Task, is_non_commercial};
use crate::io::fetch::Lookup;
use crate::io::store::{Manifest, State};
use crate::types::Lang;
use serde_json::json;
use std::collections::BTreeSet;

/// One model: what the catalog says, what the store has.
struct Row<'a> {
    id: String,
    entry: Option<&'a Model>,
    state: State,
}

pub(super) fn run(env: &Environment, args: &ModelsList) -> Result<u8> {
    if args.from.is_some() || args.to.is_some() {
        env.models.refresh_registry(&env.listener(), &env.cancel)?;
    }
    let mut rows = rows(env, args)?;
    match args.format {
        OutputFormat::Json => {
            let line = |row| serde_json::to_string(&object(row)).map(|line| line + "\n");
            let lines: std::result::Result<String, _> = rows.iter().map(line).collect();
            print(&lines.map_err(|e| Error::Usage(format!("the list cannot be written: {e}")))?)?;
        }
        OutputFormat::Text => {
            let hidden = if is_filtered(args) { 0 } else { hide_registry(&mut rows) };
            print(&table(&rows, args))?;
            if rows.is_empty() {
                env.reporter.say("no model fits; `polygist models list` shows all, and any of the Hub can be named (owner/name)");
            }
            if !args.installed && !is_filtered(args) {
                env.reporter.say(&match hidden {
                    0 => "Firefox's models are shown for a language: polygist models list --from fr --to en".into(),
                    pairs => format!("{pairs} pairs of Firefox's models beside these: --from and --to show them"),
                });
            }
            env.reporter
                .say(&format!("models are kept in {}", env.models.files().root().display()));
        }
    }
    Ok(DONE)
}

fn is_filtered(args: &ModelsList) -> bool {
    args.task.is_some() || args.from.is_some() || args.to.is_some()
}

/// Takes the models of Firefox's registry that are not here out of the list; returns how many pairs
/// they are for.
fn hide_registry(rows: &mut Vec<Row<'_>>) -> usize {
    let is_hidden = |row: &Row<'_>| {
        row.state == State::Absent && row.entry.is_some_and(|entry| !entry.loose.is_empty())
    };
    let pairs: BTreeSet<(Vec<&str>, Vec<&str>)> = rows
        .iter()
        .filter(|row| is_hidden(row))
        .filter_map(|row| row.entry)
        .map(|entry| (codes(&entry.from), codes(&entry.to)))
        .collect();
    let count = pairs.len();
    rows.retain(|row| !is_hidden(row));
    count
}

fn codes(languages: &[Lang]) -> Vec<&str> {
    languages.iter().map(Lang::as_str).collect()
}

/// The catalog's models in its order or, when something is asked for, the best first; then what
/// else is in the store.
fn rows<'a>(env: &'a Environment, args: &ModelsList) -> Result<Vec<Row<'a>>> {
    let task = args.task.map(|task| match task {
        ModelTaskArg::Translate => Task::Translate,
        ModelTaskArg::Summarize => Task::Summarize,
        ModelTaskArg::Encode => Task::Encode,
    });
    // From one language into another is a translation.
    let is_pair = args.from.is_some() && args.to.is_some() && args.from != args.to;
    let task = task.or_else(|| is_pair.then_some(Task::Translate));
    let entries = match is_filtered(args) {
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
    let known: BTreeSet<String> = rows.iter().map(|row| row.id.clone()).collect();
    // Of most of these nothing is known but their names.
    let is_wanted = |id: &String, state: &State| match state {
        State::Ready(manifest) if is_filtered(args) => {
            args.task.is_none_or(|task| task == ModelTaskArg::Translate)
                && !manifest.to.is_empty()
                && manifest.fits(args.from.as_ref(), args.to.as_ref())
                && !known.contains(id)
        }
        _ => !is_filtered(args),
    };
    let installed = env.models.files().installed()?.into_iter();
    let others = installed.filter(|(id, state)| {
        is_wanted(id, state) && env.models.catalog().by_stored_name(id).is_none()
    });
    rows.extend(others.map(|(id, state)| Row { id, entry: None, state }));
    rows.retain(|row| !args.installed || matches!(row.state, State::Ready(_)));
    Ok(rows)
}

fn table(rows: &[Row<'_>], args: &ModelsList) -> String {
    let width = table::width();
    let is_narrow = width.is_some();
    let column = |head, drop, least, cell: &dyn Fn(&Row<'_>) -> String| Column {
        head,
        drop,
        least,
        cells: rows.iter().map(cell).collect(),
    };
    let pair_is_named = args.from.is_some() && args.to.is_some();
    let columns = vec![
        column("NAME", 0, Some(20), &|row| row.id.clone()),
        column("FOR", 4, None, &|row| row.entry.map(tasks).unwrap_or_default()),
        column("LANGUAGES", u8::from(pair_is_named) * 2, None, &|row| {
            let languages = row.languages();
            if is_narrow { languages.replace(" languages", " langs") } else { languages }
        }),
        column("QUALITY", 3, None, &|row| {
            let entry = row.entry.filter(|e| e.quality > 0);
            entry.map(|e| format!("{}/5", e.quality)).unwrap_or_default()
        }),
        column("BLEU chrF COMET", u8::from(!pair_is_named) * 2, None, &|row| {
            row.entry.map(scores).unwrap_or_default()
        }),
        column("SIZE", 0, None, &|row| match is_narrow {
            true => short_size(row),
            false => size(row.entry, row.manifest()),
        }),
        column("LICENCE", 0, Some(12), &|row| match is_narrow {
            true => row.licence().unwrap_or("unknown").into(),
            false => licence(row.licence()),
        }),
        column("STATE", 0, None, &|row| match &row.state {
            State::Ready(_) if is_narrow => "here".into(),
            State::Broken(_) if is_narrow => "broken".into(),
            _ => row.state(),
        }),
    ];
    if rows.is_empty() { "NAME\n".into() } else { table::render(columns, width) }
}

/// A size in a few characters: `37 MB`, `~2.5 GB`.
fn short_size(row: &Row<'_>) -> String {
    let about = row.manifest().is_none() && !row.entry.is_some_and(Model::size_is_exact);
    let bytes = row.manifest().map(Manifest::size).or(row.entry.map(Model::size));
    let size = match bytes {
        None => return String::new(),
        Some(bytes) => super::short_size(bytes),
    };
    if about { format!("~{size}") } else { size }
}

/// Published scores in short: `44.0 69.0 .876`.
fn scores(model: &Model) -> String {
    // Those of single pairs are for `models info`.
    let Some(score) = model.scores.iter().find(|score| score.from.is_none()) else {
        return String::new();
    };
    let bleu = score.bleu.map_or("-".into(), |bleu| format!("{bleu:.1}"));
    let comet = score.comet.map_or(String::new(), |comet| format!(" {comet:.3}"));
    format!("{bleu:>4} {:.1}{}", score.chrf, comet.replace(" 0.", " ."))
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
        object["scores"] = json!(entry.scores.iter().map(score_object).collect::<Vec<_>>());
        object["release"] = json!(match entry.release {
            Release::Released => "released",
            Release::Nightly => "nightly",
            Release::Unreleased => "unreleased",
        });
        object["note"] = json!(entry.note);
        object["repo"] = json!(entry.repo);
    }
    object["bytes"] = json!(row.manifest().map(Manifest::size).or(row.entry.map(Model::size)));
    object["bytes_are_exact"] =
        json!(row.manifest().is_some() || row.entry.is_some_and(Model::size_is_exact));
    object["licence"] = json!({
        "name": licence,
        "url": row.entry.map(|e| e.licence.url.as_str()).or(row.manifest().and_then(|m| m.licence_url.as_deref())),
        // Whether others forbid it is for their texts to say.
        "non_commercial": licence.filter(|name| *name != Licence::UNKNOWN).map(is_non_commercial),
    });
    if let (None, Some(manifest)) = (row.entry, row.manifest()) {
        object["from"] = json!(manifest.from);
        object["to"] = json!(manifest.to);
    }
    object
}

fn score_object(score: &Score) -> serde_json::Value {
    json!({
        "set": score.set, "by": score.by, "bleu": score.bleu, "chrf": score.chrf,
        "comet": score.comet,
    })
}

impl Row<'_> {
    fn languages(&self) -> String {
        let pair = |from: &[Lang], to: &[Lang]| format!("{} → {}", short(from), short(to));
        match (self.entry, self.manifest()) {
            (Some(entry), _) => languages(entry),
            (None, Some(manifest)) if !manifest.to.is_empty() => pair(&manifest.from, &manifest.to),
            _ => String::new(),
        }
    }

    fn state(&self) -> String {
        match (&self.state, self.entry.map(|entry| entry.release)) {
            (State::Ready(_), _) => "installed".into(),
            (State::Broken(why), _) => format!("broken: {why}"),
            (State::Absent, Some(Release::Nightly)) => "nightly".into(),
            (State::Absent, Some(Release::Unreleased)) => "unreleased".into(),
            (State::Absent, _) => "-".into(),
        }
    }

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
        Task::Encode => "encode",
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
        (None, Some(entry)) if entry.size_is_exact() => megabytes(entry.size()),
        (None, Some(entry)) => format!("about {}", megabytes(entry.size())),
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
