//! `polygist` without a command: something to read is translated, and nothing is answered with what
//! to do next.

use super::DONE;
use super::args::Cli;
use super::given::is_something_to_read;
use super::models::short_size;
use super::output::print;
use super::plan::Environment;
use crate::error::Result;
use crate::io::store::State;
use crate::languages;
use crate::types::Lang;
use clap::{Arg, Command, CommandFactory};
use std::ffi::OsString;
use std::path::Path;

/// Models that are named; of more the number is told.
const NAMED: usize = 3;

/// A word is taken for a command, misspelt, that is as like to it as this.
const LIKE: f64 = 0.6;

/// Arguments that are no command line, with the command that was left out: `polygist "Bonjour"`
/// translates. Nothing where none was.
pub(super) fn with_command(mut arguments: Vec<OsString>) -> Option<Vec<OsString>> {
    let mut commands = Cli::command();
    commands.build();
    let is_command = |name: &OsString| commands.find_subcommand(name).is_some();
    let is_like_command = |word: &str| {
        let like = |name: &str| strsim::normalized_damerau_levenshtein(word, name) >= LIKE;
        commands.get_subcommands().any(|command| like(command.get_name()))
    };
    let is_left_out = first_word(&arguments, &commands).is_some_and(|first| {
        !is_command(first) && is_something_to_read(Path::new(first), is_like_command)
    });
    is_left_out.then(|| {
        arguments.insert(1, "translate".into());
        arguments
    })
}

/// The first argument that is no flag of `translate`, nor a flag's value.
fn first_word<'a>(arguments: &'a [OsString], commands: &Command) -> Option<&'a OsString> {
    let takes_value = |flag: &str| {
        let is_it = |known: &&Arg| match flag.strip_prefix("--") {
            Some(long) => known.get_long() == Some(long),
            None => known.get_short().is_some_and(|short| flag[1..] == *short.to_string()),
        };
        let translate = commands.find_subcommand("translate");
        let known = translate.and_then(|command| command.get_arguments().find(is_it));
        known.is_some_and(|flag| flag.get_action().takes_values())
    };
    let mut rest = arguments.iter().skip(1);
    while let Some(argument) = rest.next() {
        match argument.to_str() {
            Some(flag) if flag.starts_with('-') && flag != "-" => {
                if takes_value(flag) {
                    rest.next();
                }
            }
            _ => return Some(argument),
        }
    }
    None
}

/// The language that the user's system speaks; English where it does not say.
pub(super) fn language_of_system() -> Lang {
    let named = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    named.and_then(|locale| language_of_locale(&locale)).unwrap_or_else(Lang::en)
}

/// The language of a locale's name, as `pt_BR.UTF-8`; none of `C`.
fn language_of_locale(locale: &str) -> Option<Lang> {
    let name = locale.split(['.', '@']).next()?.replace('_', "-");
    let lang = Lang::parse(&name).filter(|lang| !lang.is_und() && name.len() > 1)?;
    // A country counts where it is written otherwise there, as in Taiwan.
    let written = languages::canonical(&lang);
    let is_own = languages::all().contains_key(written.as_str());
    let lang = if is_own { written } else { Lang::parse(lang.base())? };
    languages::get(&lang).map(|_| languages::canonical(&lang))
}

/// What to do next, and what is here.
pub(super) fn welcome(env: &Environment) -> Result<u8> {
    let installed = env.models.files().installed()?;
    let ready = |(name, state): &(String, State)| match state {
        State::Ready(manifest) => Some((name.clone(), manifest.size())),
        _ => None,
    };
    let models: Vec<(String, u64)> = installed.iter().filter_map(ready).collect();
    let size = models.iter().map(|(_, size)| size).sum();
    let names: Vec<&str> = models.iter().take(NAMED).map(|(name, _)| name.as_str()).collect();
    let here = match models.len() {
        0 => "no models here yet: they are fetched when they are needed".into(),
        n if n > NAMED => format!(
            "models here: {} and {} more, {}",
            names.join(", "),
            n - NAMED,
            short_size(size)
        ),
        _ => format!("models here: {}, {}", names.join(", "), short_size(size)),
    };
    print(&format!(
        "polygist \"Bonjour le monde\"                        a text, a file, the address of a page
polygist batch articles --to en --out results      a folder of articles
polygist doctor                                    looks at this machine; --help tells the rest
{here}
"
    ))?;
    Ok(DONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_names_a_language() {
        let of = |locale| language_of_locale(locale).map(|lang| lang.to_string());
        assert_eq!(of("fr_FR.UTF-8").as_deref(), Some("fr"));
        assert_eq!(of("de").as_deref(), Some("de"));
        assert_eq!(of("zh_TW.UTF-8").as_deref(), Some("zh-TW"));
        assert_eq!(of("ca_ES@valencia").as_deref(), Some("ca"));
        for none in ["C", "C.UTF-8", "POSIX", "", "x_Y"] {
            assert_eq!(of(none), None, "{none}");
        }
    }

    #[test]
    fn a_command_that_is_left_out_is_to_translate() {
        let of = |line: &[&str]| {
            let words = ["polygist"].iter().chain(line).map(OsString::from).collect();
            let arguments = with_command(words)?;
            Some(arguments[1..].join(&OsString::from(" ")).into_string().unwrap())
        };
        for line in [
            &["Guten Tag", "--to", "en"][..],
            &["-q", "guten", "Tag"],
            &["--to", "en", "-q", "bonjour"],
            &["--to=en", "https://example.org/x"],
            &["missing.txt"],
        ] {
            assert_eq!(of(line), Some(format!("translate {}", line.join(" "))));
        }
        for line in [
            &["translate", "a"][..],
            &["--to", "en"],
            &["models", "list"],
            &["hep", "x"],
            &["-q", "translte"],
            &["--help"],
        ] {
            assert_eq!(of(line), None, "{line:?}");
        }
    }
}
