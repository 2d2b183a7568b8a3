//! What a one-off command is given: files and folders, addresses of pages, or the text itself.

use super::args::Inputs;
use super::plan::{self, Environment};
use crate::error::{Error, Result};
use crate::io::articles::{Found, FoundFile, Skipped, format_of_name};
use crate::io::fetch;
use crate::report::counted;
use std::collections::HashMap;
use std::fs;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The name of a text that stands on the command line, in ids, records and messages.
const ARGUMENT: &str = "<argument>";

/// The files of a one-off command. Texts of the command line and pages of the web lie in a folder
/// of their own as long as this is there.
pub(super) struct Given {
    pub files: Vec<FoundFile>,
    _copies: Copies,
}

/// Files of what is no file, and where each is from; most commands have none.
#[derive(Default)]
struct Copies {
    folder: Option<TempDir>,
    origins: HashMap<PathBuf, String>,
}

impl Copies {
    fn add(&mut self, extension: Option<&str>, bytes: &[u8], origin: &str) -> Result<PathBuf> {
        let folder = match &self.folder {
            Some(folder) => folder,
            None => {
                let made = TempDir::with_prefix("polygist-");
                self.folder.insert(made.map_err(Error::io("making", "a folder"))?)
            }
        };
        let mut path = folder.path().join(self.origins.len().to_string());
        extension.iter().for_each(|extension| _ = path.set_extension(extension));
        fs::write(&path, bytes).map_err(Error::io("writing", &path))?;
        self.origins.insert(path.clone(), origin.into());
        Ok(path)
    }
}

/// What an argument is.
enum Kind<'a> {
    Place,
    Page(&'a str),
    Text(&'a str),
}

/// Looks at what a command is given: standard input where it is nothing. Pages are fetched.
///
/// # Errors
/// When a file is not there, or a page cannot be had.
pub(super) fn given(env: &Environment, inputs: &Inputs) -> Result<Given> {
    let arguments = &inputs.inputs;
    let mut paths = Vec::new();
    let mut copies = Copies::default();
    if arguments.is_empty() {
        if std::io::stdin().is_terminal() {
            env.reporter.say(&format!(
                "reading what you type, until {}; or name files, or put a text in quotes",
                if cfg!(windows) { "Ctrl-Z and Enter" } else { "Ctrl-D" }
            ));
        }
        paths.push(PathBuf::from("-"));
    } else if let Some(sentence) = sentence(arguments) {
        paths.push(copies.add(Some("txt"), sentence.as_bytes(), ARGUMENT)?);
    } else {
        for argument in arguments {
            paths.push(match kind(argument) {
                Kind::Place => argument.clone(),
                Kind::Text(text) => {
                    if !text.contains(char::is_whitespace) {
                        env.reporter.say(&format!("no file is named {text}: it is taken as text"));
                    }
                    copies.add(Some("txt"), text.as_bytes(), ARGUMENT)?
                }
                Kind::Page(address) => {
                    let limit = usize::try_from(inputs.reading.max_bytes).unwrap_or(usize::MAX);
                    env.reporter.step(&format!("fetching {address}"));
                    let page = fetch::page(env.models.fetch_options(), address, limit, &env.cancel);
                    env.reporter.end();
                    let page = page?;
                    copies.add(page.extension.as_deref(), &page.bytes, address)?
                }
            });
        }
    }
    let Found { mut files, skipped } = plan::find_files(&paths, &inputs.reading)?;
    if files.is_empty() {
        let names: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        let left_out = skipped.first().map_or(String::new(), |Skipped { path, reason }| {
            format!(
                "; {} left out, as {} ({reason})",
                counted(skipped.len(), "file"),
                path.display()
            )
        });
        return Err(Error::Usage(format!("nothing to read in {}{left_out}", names.join(", "))));
    }
    for file in &mut files {
        if let Some(origin) = copies.origins.get(&file.path) {
            file.id.clone_from(origin);
            file.copy_of = Some(origin.clone());
        }
    }
    Ok(Given { files, _copies: copies })
}

/// The arguments as one text, where all of them are words of it, figures and signs: somebody left
/// out the quotes.
fn sentence(arguments: &[PathBuf]) -> Option<String> {
    let is_word = |argument: &&&str| matches!(kind(Path::new(argument)), Kind::Text(_));
    let may_stand = |argument: &str| match kind(Path::new(argument)) {
        Kind::Text(text) => !text.contains(char::is_whitespace),
        Kind::Page(_) => false,
        Kind::Place => {
            let is_named = argument.contains(['/', '\\']) || format_of_name(argument).is_some();
            !is_named && !Path::new(argument).exists()
        }
    };
    let words = arguments.iter().map(|argument| argument.to_str().filter(|word| may_stand(word)));
    let words: Vec<&str> = words.collect::<Option<_>>()?;
    let is_sentence = words.len() > 1 && words.iter().filter(is_word).count() * 2 >= words.len();
    is_sentence.then(|| words.join(" "))
}

/// What an argument is. What looks like a place and is none stays one, so that it is said to be
/// missing.
fn kind(argument: &Path) -> Kind<'_> {
    let Some(text) = argument.to_str() else { return Kind::Place };
    let is_page = |scheme: &&str| {
        text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    if text == "-" || argument.exists() {
        Kind::Place
    } else if ["https://", "http://"].iter().any(is_page) {
        Kind::Page(text)
    } else if format_of_name(text.trim_end()).is_some() {
        Kind::Place
    } else if text.contains(char::is_whitespace) && text.contains(char::is_alphanumeric) {
        Kind::Text(text)
    } else {
        // One word may be a word; with a stop or a stroke in its middle it is a place.
        let inner = text.trim_end_matches(|c: char| !c.is_alphanumeric());
        let is_word = inner.contains(char::is_alphabetic) && !inner.contains(['.', '/', '\\']);
        if is_word { Kind::Text(text) } else { Kind::Place }
    }
}

/// Whether somebody who leaves out the command means a text, a page or a file. `is_like_command`
/// tells a misspelt command from a lone word.
pub(super) fn is_something_to_read(
    argument: &Path,
    is_like_command: impl Fn(&str) -> bool,
) -> bool {
    match kind(argument) {
        // One that is missing is said to be.
        Kind::Place => !argument.is_dir() && format_of_name(&argument.to_string_lossy()).is_some(),
        Kind::Page(_) => true,
        Kind::Text(text) => {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
            let may_be_command =
                text.chars().all(is_plain) && !text.starts_with(char::is_uppercase);
            !may_be_command || !is_like_command(text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_told_apart() {
        let is = |text: &str| match kind(Path::new(text)) {
            Kind::Place => "place",
            Kind::Page(_) => "page",
            Kind::Text(_) => "text",
        };
        for text in ["Bonjour", "Hallo Welt.", "¿Qué?", "Привет!", "你好。", "A. B. sagt: nein"]
        {
            assert_eq!(is(text), "text", "{text}");
        }
        for page in ["https://example.org", "HTTP://example.org/a b"] {
            assert_eq!(is(page), "page", "{page}");
        }
        for place in
            ["-", "no/such", "a.txt", "my notes.txt", "./no", "...", " ", "a.b", "Cargo.toml"]
        {
            assert_eq!(is(place), "place", "{place}");
        }
    }

    #[test]
    fn words_without_quotes_are_one_text() {
        let of = |words: &[&str]| {
            sentence(&words.iter().map(PathBuf::from).collect::<Vec<_>>()).unwrap_or_default()
        };
        assert_eq!(of(&["Où", "est", "la", "gare?"]), "Où est la gare?");
        assert_eq!(of(&["Il", "a", "40", "ans", "—", "dit-on."]), "Il a 40 ans — dit-on.");
        assert_eq!(of(&["no.such", "a.b"]), "");
        assert_eq!(of(&["Bonjour"]), "");
        assert_eq!(of(&["Bonjour", "a.txt"]), "");
        assert_eq!(of(&["Bonjour.", "Ça va ?"]), "");
    }

    #[test]
    fn a_misspelt_command_is_no_text() {
        let is = |text: &str, like: bool| is_something_to_read(Path::new(text), |_| like);
        for text in ["Bonjour", "où", "guten Tag", "https://example.org/", "missing.txt"] {
            assert!(is(text, true), "{text}");
        }
        for command in ["translte", "model", "batch-"] {
            assert!(!is(command, true), "{command}");
        }
        assert!(is("bonjour", false) && !is("src", false), "a word, and a folder");
    }
}
