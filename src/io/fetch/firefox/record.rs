//! One record of Remote Settings: a file of a translation model, in the collection of today
//! (`translations-models-v2`, packed) or in the one before it (`translations-models`, plain).

use super::version::Version;
use crate::io::catalog::Release;
use serde::Deserialize;

/// A record, as far as it is needed here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Record {
    /// The file's name, which several pairs may share.
    pub name: String,
    pub version: String,
    pub file_type: String,
    source_language: Option<String>,
    target_language: Option<String>,
    from_lang: Option<String>,
    to_lang: Option<String>,
    decompressed_hash: Option<String>,
    decompressed_size: Option<u64>,
    hash: Option<String>,
    attachment: Option<Attachment>,
    #[serde(default, rename = "filter_expression")]
    filter: String,
    variant: Option<String>,
    architecture: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Attachment {
    location: String,
    size: u64,
}

impl Record {
    /// The languages, in Mozilla's codes.
    pub fn pair(&self) -> Option<(&str, &str)> {
        let source = self.source_language.as_deref().or(self.from_lang.as_deref())?;
        let target = self.target_language.as_deref().or(self.to_lang.as_deref())?;
        let plain =
            |code: &str| code.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
        (plain(source) && plain(target)).then_some((source, target))
    }

    /// The SHA-256 of the file, unpacked.
    pub fn sha256(&self) -> Option<String> {
        let hash = self.decompressed_hash.as_ref().or(self.hash.as_ref())?.to_ascii_lowercase();
        (hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit())).then_some(hash)
    }

    /// The bytes of the file, unpacked.
    pub fn size(&self) -> Option<u64> {
        self.decompressed_size.or_else(|| Some(self.attachment.as_ref()?.size))
    }

    /// Where the file lies among the attachments.
    pub fn location(&self) -> Option<&str> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
        let location = self.attachment.as_ref()?.location.as_str();
        let is_plain = crate::io::names::is_inside(location) && location.chars().all(plain);
        is_plain.then_some(location)
    }

    pub fn version(&self) -> Version {
        Version::parse(&self.version)
    }

    /// To whom Firefox gives the file. Firefox computes the expression; those that Mozilla uses are
    /// known here by their words, and any other is taken for a file that is not given to anybody.
    pub fn release(&self) -> Release {
        const NIGHTLY: &str = "env.channel == 'default' || env.channel == 'nightly'";
        const BETA: &str =
            "env.channel == 'default' || env.channel == 'nightly' || env.channel == 'beta'";
        const PLATFORMS: [&str; 2] = ["env.appinfo.OS == 'Android'", "env.appinfo.OS != 'Android'"];
        let (mut channel, mut everywhere) = (self.filter.trim(), true);
        for platform in PLATFORMS {
            if channel == platform {
                return Release::Released;
            }
            if let Some(rest) = channel.strip_suffix(platform).and_then(|r| r.strip_suffix(" && "))
            {
                channel = rest.trim_start_matches('(').trim_end_matches(')');
                everywhere = false;
            }
        }
        match channel {
            "" if everywhere => Release::Released,
            NIGHTLY | BETA | "env.channel != 'release'" => Release::Nightly,
            _ => Release::Unreleased,
        }
    }

    /// The same in the words of the registry; `None` for a file that is not given to anybody.
    pub fn release_status(&self) -> Option<&'static str> {
        match self.release() {
            Release::Unreleased => None,
            Release::Nightly => Some("Nightly"),
            Release::Released if self.filter.contains("!= 'Android'") => Some("Release Desktop"),
            Release::Released if self.filter.contains("== 'Android'") => Some("Release Android"),
            Release::Released => Some("Release"),
        }
    }

    /// The kind of model; the first ones, which were all of one kind, do not say it.
    pub fn architecture(&self) -> &str {
        self.architecture.as_deref().unwrap_or("tiny")
    }

    /// Whether both belong to one model: a vocabulary of an older one may lie about, and a pair may
    /// have a model for telephones beside that for computers.
    pub fn goes_with(&self, model: &Record) -> bool {
        let same_architecture = match (&self.architecture, &model.architecture) {
            (Some(one), Some(other)) => one == other,
            _ => true,
        };
        same_architecture
            && self.pair() == model.pair()
            && self.version() == model.version()
            && self.variant == model.variant
    }

    /// Whether both are given to the same users.
    pub fn has_filter_of(&self, other: &Record) -> bool {
        self.filter == other.filter
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_known_by_their_words() {
        let release = |filter: &str| {
            let record = serde_json::json!({"name": "n", "version": "3.0", "fileType": "lex",
                "filter_expression": filter});
            serde_json::from_value::<Record>(record).unwrap().release()
        };
        for released in ["", "env.appinfo.OS == 'Android'", "env.appinfo.OS != 'Android'"] {
            assert_eq!(release(released), Release::Released);
        }
        for nightly in [
            "env.channel == 'default' || env.channel == 'nightly'",
            "env.channel != 'release'",
            "(env.channel == 'default' || env.channel == 'nightly') && env.appinfo.OS != 'Android'",
        ] {
            assert_eq!(release(nightly), Release::Nightly, "{nightly}");
        }
        for other in ["env.version|versionCompare('99') > 0", " && env.appinfo.OS != 'Android'"] {
            assert_eq!(release(other), Release::Unreleased, "{other}");
        }
    }
}
