//! Names from outside: of models, of repositories on the Hugging Face Hub, of files below a folder.
//! What becomes a path or an argument of another program is checked here.

use std::fmt;
use std::path::{Component, Path};

/// Whether a name can stand for a model in a catalog and be a folder of the store on every
/// platform.
pub fn is_plain_name(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    (1..=96).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.ends_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(inner)
        && !name.contains("--")
}

/// Whether a path with `/` names something below the folder that it is joined to, on every
/// platform.
pub fn is_inside(path: &str) -> bool {
    !path.is_empty()
        && !path.contains(['\\', ':', '\0'])
        && !path.ends_with('/')
        && Path::new(path).components().all(|c| matches!(c, Component::Normal(_)))
}

/// Whether the text can be one half of a Hub repository's `owner/name`, or a package's name.
pub(super) fn is_repo_part(part: &str) -> bool {
    part.starts_with(|c: char| c.is_ascii_alphanumeric())
        && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}

/// The name of a model on the Hub:
/// `owner/name`, `owner/name@revision`, and either with `:file` for one file of the repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubName {
    /// The user or organization.
    pub owner: String,
    /// The repository.
    pub name: String,
    /// Commit, tag or branch; the main branch when none is named.
    pub revision: Option<String>,
    /// One file, for repositories that hold the same model many times over.
    pub file: Option<String>,
}

impl HubName {
    /// Reads a name; `None` when it is not of that form.
    ///
    /// ```
    /// use polygist::io::names::HubName;
    /// let name = HubName::parse("owner/model-GGUF@v1:model-q4.gguf").unwrap();
    /// assert_eq!(name.revision.as_deref(), Some("v1"));
    /// assert_eq!(name.file.as_deref(), Some("model-q4.gguf"));
    /// assert!(HubName::parse("../model").is_none());
    /// ```
    pub fn parse(text: &str) -> Option<HubName> {
        let (rest, file) = match text.split_once(':') {
            Some((rest, file)) => (rest, Some(file)),
            None => (text, None),
        };
        let (repo, revision) = match rest.split_once('@') {
            Some((repo, revision)) => (repo, Some(revision)),
            None => (rest, None),
        };
        let (owner, name) = repo.split_once('/')?;
        // The store turns `/` into `--`; the Hub forbids `--` in names, so that cannot collide.
        let plain = |part: &str| is_repo_part(part) && !part.contains("--") && part.len() <= 96;
        let revision_char =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/');
        let good_revision = |r: &str| is_inside(r) && r.len() <= 64 && r.chars().all(revision_char);
        let good_file = |f: &str| {
            is_inside(f)
                && f.len() <= 128
                && !f.contains(|c: char| c.is_control() || "<>\"|?*@+".contains(c))
        };
        (plain(owner)
            && plain(name)
            && revision.is_none_or(good_revision)
            && file.is_none_or(good_file))
        .then(|| HubName {
            owner: owner.into(),
            name: name.into(),
            revision: revision.map(Into::into),
            file: file.map(Into::into),
        })
    }

    /// `owner/name`.
    pub fn repo(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }
}

impl fmt::Display for HubName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)?;
        self.revision.iter().try_for_each(|r| write!(f, "@{r}"))?;
        self.file.iter().try_for_each(|file| write!(f, ":{file}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_as_they_were_and_paths_are_not_names() {
        for name in [
            "a/b",
            "Helsinki-NLP/opus-mt-fr-en",
            "a/b@refs/pr/1",
            "a/b:c.gguf",
            "a/b@main:sub/c.gguf",
        ] {
            assert_eq!(HubName::parse(name).unwrap().to_string(), name);
        }
        for name in [
            "a",
            "a/b/c",
            "../b",
            "a/..",
            "/a/b",
            "a/b@",
            "a/b@../../x",
            "a/b:../x",
            "a/b:",
            "./b",
            "C:/x",
            "a/b@x y",
            "",
        ] {
            assert!(HubName::parse(name).is_none(), "{name}");
        }
    }
}
