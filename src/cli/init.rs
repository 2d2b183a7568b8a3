//! `polygist init`: a configuration file with comments.

use super::DONE;
use super::args::{Global, Init};
use super::config::Config;
use crate::error::{Error, Result};
use crate::io::write::atomic;
use std::fs;

/// Everything that can be set, commented out.
const TEMPLATE: &str = include_str!("config.toml");

pub(super) fn run(global: &Global, args: &Init) -> Result<u8> {
    let path = args.path.clone().or_else(Config::usual_place).ok_or_else(|| {
        Error::Usage("this system has no place for configurations; name a file".into())
    })?;
    if path.exists() && !args.force {
        return Err(Error::Usage(format!(
            "{} is there already; change it, or write over it with --force",
            path.display()
        )));
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(Error::io("making the folder", folder))?;
    }
    atomic(&path, TEMPLATE.as_bytes())?;
    if !global.quiet {
        eprintln!("{} is written: all of it is commented out, for you to change", path.display());
    }
    Ok(DONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The template as somebody has it who takes all comments away.
    fn uncommented() -> String {
        let is_set = |line: &&str| !line.starts_with("# ");
        let lines = TEMPLATE.lines().filter(is_set).map(|line| line.trim_start_matches('#'));
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_template_says_nothing_until_it_is_changed() {
        assert_eq!(toml::from_str::<Config>(TEMPLATE).unwrap(), Config::default());
    }

    #[test]
    fn the_template_has_every_key() {
        let all: Config = toml::from_str(&uncommented()).unwrap();
        let Config {
            to,
            model,
            preset: _,
            route,
            adapter,
            summary_model,
            device,
            threads,
            memory,
            precision,
            cache_dir,
            offline,
            firefox_models,
            firefox_records,
        } = all;
        let named = [to, model, summary_model, device, firefox_models, firefox_records];
        assert!(named.iter().all(Option::is_some), "{named:?}");
        assert!(adapter.is_some() && cache_dir.is_some() && threads.is_some());
        assert!(memory.is_some() && precision.is_some() && offline && !route.is_empty());
        assert!(uncommented().contains("\npreset = "));
    }
}
