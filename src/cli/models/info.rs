//! `polygist models info`: all that is known of a model.

use super::list;
use crate::cli::DONE;
use crate::cli::output::print;
use crate::cli::plan::Environment;
use crate::error::Result;
use crate::io::catalog::{Model, Release};
use crate::io::fetch::Lookup;
use crate::io::store::{Manifest, State};
use crate::types::Lang;

/// Lines of a key and what there is to say.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn add(&mut self, key: &str, value: &str) {
        self.0.push_str(&format!("{key:<13} {value}\n"));
    }
}

pub(super) fn run(env: &Environment, name: &str) -> Result<u8> {
    if name.starts_with("firefox-") && env.models.lookup(name).is_err() {
        env.models.refresh_registry(&env.listener(), &env.cancel)?;
    }
    let mut lines = Lines::default();
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
    let stands_for = entry.as_ref().filter(|entry| entry.id != name && entry.repo.is_none());
    lines.add("name", stands_for.map_or(name, |entry| &entry.id));
    lines.add(
        "state",
        &match &lookup {
            Lookup::Ready(model) => format!("installed in {}", model.folder.display()),
            Lookup::Missing(wanted) => format!("not installed; `{}` fetches it", wanted.command()),
        },
    );
    match (&entry, &manifest) {
        (Some(model), _) => described(&mut lines, model),
        (None, Some(manifest)) if !manifest.from.is_empty() => {
            lines.add("from", &codes(&manifest.from));
            lines.add("to", &codes(&manifest.to));
        }
        _ => {}
    }
    let size = list::size(entry.as_ref(), manifest.as_ref());
    if !size.is_empty() {
        lines.add("size", &size);
    }
    terms(&mut lines, entry.as_ref(), manifest.as_ref());
    files(&mut lines, entry.as_ref(), manifest.as_ref());
    if let Some(notice) = entry.and_then(|model| model.licence.notice) {
        lines.add("terms", &notice.trim().replace('\n', "\n              "));
    }
    print(&lines.0)?;
    Ok(DONE)
}

fn described(lines: &mut Lines, model: &Model) {
    lines.add("title", &model.name);
    lines.add("for", &list::tasks(model));
    if model.from.is_empty() {
        lines.add("languages", &codes(&model.languages));
    } else {
        lines.add("from", &codes(&model.from));
        lines.add("to", &codes(&model.to));
    }
    lines.add("architecture", &model.architecture);
    if model.quality > 0 {
        let quality = format!("{} of 5, as published scores lead one to expect", model.quality);
        lines.add("quality", &quality);
    }
    for score in &model.scores {
        let bleu = score.bleu.map_or(String::new(), |bleu| format!("BLEU {bleu:.1}, "));
        let comet = score.comet.map_or(String::new(), |comet| format!(", COMET-22 {comet:.3}"));
        let pair = score.from.as_ref().zip(score.to.as_ref());
        let pair = pair.map_or(String::new(), |(from, to)| format!("{from} to {to}: "));
        let (chrf, set, by) = (score.chrf, &score.set, &score.by);
        let figures = format!("{pair}{bleu}chrF {chrf:.1}{comet}");
        lines.add("score", &format!("{figures} on {set}, measured by {by}"));
    }
    match model.release {
        Release::Released => {}
        Release::Nightly => lines.add("release", "nightly: given to testers"),
        Release::Unreleased => lines.add("release", "none: used only when it is named"),
    }
    if let Some(prefix) = &model.input_prefix {
        lines.add("reads", &format!("every text after {prefix:?}"));
    }
    model.note.iter().for_each(|note| lines.add("note", note));
    if let Some(hub) = model.hub() {
        let source = "at the commit that its main branch has when it is fetched";
        lines.add("source", &format!("Hub {hub}, {source}"));
    }
}

fn terms(lines: &mut Lines, entry: Option<&Model>, manifest: Option<&Manifest>) {
    let licence =
        manifest.and_then(|m| m.licence.as_deref()).or(entry.map(|e| e.licence.name.as_str()));
    let url =
        entry.map(|e| e.licence.url.as_str()).or(manifest.and_then(|m| m.licence_url.as_deref()));
    let url = url.map_or(String::new(), |url| format!(", {url}"));
    lines.add("licence", &(list::licence(licence) + &url));
}

fn files(lines: &mut Lines, entry: Option<&Model>, manifest: Option<&Manifest>) {
    match (manifest, entry) {
        (Some(manifest), _) => {
            lines.add("fetched", &manifest.installed);
            manifest.notes.iter().for_each(|note| lines.add("note", note));
            for file in &manifest.files {
                lines.add("file", &file.path);
                lines.add("  sha256", &file.sha256);
                lines.add("  source", &file.source);
            }
        }
        (None, Some(model)) => {
            for file in &model.files {
                lines.add("file", &file.path);
                lines.add("  sha256", file.sha256.as_deref().unwrap_or("unknown"));
                file.sources.iter().for_each(|source| lines.add("  source", &source.to_string()));
            }
            for file in &model.loose {
                lines.add("file", &file.path);
                file.sources.iter().for_each(|source| lines.add("  source", &source.to_string()));
            }
        }
        (None, None) => {}
    }
}

fn codes(languages: &[Lang]) -> String {
    languages.iter().map(Lang::as_str).collect::<Vec<_>>().join(" ")
}
