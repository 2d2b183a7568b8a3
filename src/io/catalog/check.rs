//! The rules for an entry of a catalog.

use super::builtin::builtin_file;
use super::model::{Model, ModelFile, Source};
use crate::io::names::{HubName, is_inside, is_plain_name, is_repo_part};
use std::collections::HashSet;
use std::path::Path;

/// Checks an entry; the message says what is wrong with it.
pub(super) fn check(model: &Model) -> Result<(), String> {
    if !is_plain_name(&model.id) {
        return Err("an id is made of letters, digits, `.`, `_` and single `-`, and begins and ends with a letter or digit".into());
    }
    let sides = (model.languages.is_empty(), model.from.is_empty(), model.to.is_empty());
    if !matches!(sides, (false, true, true) | (true, false, false)) {
        return Err("needs either languages, or both from and to".into());
    }
    match (&model.repo, model.files.is_empty()) {
        (None, true) => return Err("has neither a repo nor a [[model.file]]".into()),
        (Some(_), false) => {
            return Err(
                "has both a repo and a [[model.file]]; one of them says what there is to fetch"
                    .into(),
            );
        }
        (Some(repo), true) if HubName::parse(repo).is_none() => {
            return Err(format!(
                "repo {repo:?} is not of the form owner/name or owner/name:file.gguf"
            ));
        }
        (Some(_), true) if model.size_mb.is_none() => return Err("has no size_mb".into()),
        (None, false) if model.size_mb.is_some() => {
            return Err("has a size_mb beside the sizes of its files".into());
        }
        _ => {}
    }
    let mut seen = HashSet::new();
    for file in &model.files {
        check_file(file).map_err(|m| format!("file {:?}: {m}", file.path))?;
        if !seen.insert(file.path.to_lowercase()) {
            return Err(format!("file {:?} is listed twice", file.path));
        }
    }
    Ok(())
}

fn check_file(file: &ModelFile) -> Result<(), String> {
    let ours = ["manifest.json", "notice.txt"].contains(&file.path.to_lowercase().as_str());
    if !is_inside(&file.path) || file.path.starts_with('.') || file.path.ends_with(".part") || ours
    {
        return Err("must be a relative path with `/` that stays inside the model's folder, and none of the store's own names".into());
    }
    match &file.sha256 {
        Some(hex)
            if hex.len() == 64
                && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) => {}
        found => return Err(format!("sha256 must be 64 lower-case hex digits, found {found:?}")),
    }
    if file.sources.is_empty() {
        return Err("has no [[model.file.source]]".into());
    }
    file.sources.iter().try_for_each(|source| {
        check_source(source, file.size).map_err(|m| format!("{source}: {m}"))
    })
}

fn check_source(source: &Source, size: u64) -> Result<(), String> {
    match source {
        Source::Hub { repo, revision, file } => {
            if repo.split('/').count() != 2 || !repo.split('/').all(is_repo_part) {
                return Err("repo must be `owner/name`".into());
            }
            if revision.is_empty() || !is_inside(file) {
                return Err("needs a revision and a path in the repository".into());
            }
        }
        Source::Wheel { parts } => {
            for part in parts {
                let version =
                    |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '!' | '_' | '-');
                // pip reads these as arguments: nothing that could be an option, an URL or a path
                // may get through.
                if !is_repo_part(&part.package)
                    || part.version.is_empty()
                    || !part.version.chars().all(version)
                {
                    return Err(format!(
                        "{:?} {:?} is not the name and version of a package",
                        part.package, part.version
                    ));
                }
                if !is_inside(&part.member) {
                    return Err(format!(
                        "member {:?} must be a path inside the wheel",
                        part.member
                    ));
                }
            }
            let sum = parts.iter().map(|p| p.size).fold(0, u64::saturating_add);
            if sum != size {
                return Err(format!("its parts have {sum} bytes together, the file {size}"));
            }
        }
        Source::Builtin { name } => match builtin_file(name) {
            None => return Err("this program has no such part".into()),
            Some(bytes) if bytes.len() as u64 != size => {
                return Err(format!("it has {} bytes, the file {size}", bytes.len()));
            }
            Some(_) => {}
        },
        Source::Folder { path } if !path.is_absolute() => {
            return Err("must be an absolute path".into());
        }
        Source::Folder { .. } => {}
        Source::Packed { at } => {
            let is_address = at.starts_with("https://") || at.starts_with("http://");
            if !is_address && !Path::new(at).is_absolute() {
                return Err("must be an address (https://…) or an absolute path".into());
            }
        }
    }
    Ok(())
}
