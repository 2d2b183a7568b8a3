//! What the journal holds of a record: what is needed to go on, in a size that does not grow.

use crate::types::{Lang, Record, Status};
use serde::Deserialize;
use serde::de::IgnoredAny;
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;

/// First bytes of a SHA-256: ids and keys in a size that does not grow.
pub(super) type Digest = [u8; 16];

/// A record that is meant: that of an article, for one language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordId<'a> {
    /// The article's id.
    pub id: &'a str,
    /// The language wanted; none where each article is summarized in its own.
    pub target: Option<&'a Lang>,
}

/// A record that is there.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// How the article ended.
    pub status: Status,
    pub(super) line: &'a Line,
}

impl<'a> Known<'a> {
    /// Whether it was made with this key: with the same bytes, models and settings.
    pub fn has_key(&self, key: &str) -> bool {
        self.line.key == digest(key)
    }

    /// Whether it was made of these bytes, by their SHA-256 in hex.
    pub fn has_bytes(&self, sha256: &str) -> bool {
        self.line.sha256 == digest(sha256)
    }

    /// Whether it has a translation, and the segments of it.
    pub fn translated(&self) -> Translated {
        self.line.translated
    }

    /// Whether a file was written for the article.
    pub fn has_output(&self) -> bool {
        self.line.files.0
    }

    /// Whether a translated document was written for it.
    pub fn has_document(&self) -> bool {
        self.line.files.1
    }

    /// The languages of the article, where they were found out.
    pub fn languages(&self) -> Option<&'a Languages> {
        self.line.languages.as_ref()
    }
}

#[derive(Debug)]
pub(super) struct Line {
    pub key: Digest,
    pub status: Status,
    pub offset: u64,
    pub length: u64,
    translated: Translated,
    /// Of the article's bytes, by the hash of their hash.
    sha256: Digest,
    languages: Option<Languages>,
    /// Whether a file was written for it, and a document beside that.
    files: (bool, bool),
}

/// Whether a record has a translation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Translated {
    /// It has none.
    No,
    /// It has one, but not the segments of it.
    WithoutSegments,
    /// It has one with its segments.
    InSegments,
}

/// The languages of an article, as its record has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Languages {
    /// That of the article.
    pub own: Lang,
    /// Those of passages, see [`Record::passages`].
    pub passages: Vec<Lang>,
}

/// The part of a record that is needed to go on.
#[derive(Deserialize)]
pub(super) struct Head<'a> {
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    #[serde(borrow)]
    key: Cow<'a, str>,
    status: Status,
    pub target: Option<Lang>,
    #[serde(borrow)]
    source: Option<HeadSource<'a>>,
    language: Option<HeadLanguage>,
    #[serde(default)]
    passages: Vec<Lang>,
    #[serde(borrow)]
    output: Option<Cow<'a, str>>,
    #[serde(borrow)]
    document: Option<Cow<'a, str>>,
    translation: Option<IgnoredAny>,
    segments: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct HeadSource<'a> {
    #[serde(borrow)]
    sha256: Cow<'a, str>,
}

#[derive(Deserialize)]
struct HeadLanguage {
    code: Lang,
}

impl Translated {
    fn of(translation: bool, segments: bool) -> Translated {
        match (translation, segments) {
            (false, _) => Translated::No,
            (true, false) => Translated::WithoutSegments,
            (true, true) => Translated::InSegments,
        }
    }
}

impl Line {
    /// The line of a record.
    pub fn of(head: Head<'_>, offset: u64, length: u64) -> Line {
        let Head { key, status, source, language, passages, .. } = head;
        let known = language.filter(|language| !language.code.is_und());
        Line {
            key: digest(&key),
            status,
            offset,
            length,
            translated: Translated::of(head.translation.is_some(), head.segments.is_some()),
            sha256: source.map(|source| digest(&source.sha256)).unwrap_or_default(),
            languages: known.map(|language| Languages { own: language.code, passages }),
            files: (head.output.is_some(), head.document.is_some()),
        }
    }

    /// The line that a record was written as.
    pub fn of_record(record: &Record, offset: u64, length: u64) -> Line {
        let languages =
            Languages { own: record.language.code.clone(), passages: record.passages.clone() };
        Line {
            key: digest(&record.key),
            status: record.status,
            offset,
            length,
            translated: Translated::of(record.translation.is_some(), record.segments.is_some()),
            sha256: digest(&record.source.sha256),
            languages: (!languages.own.is_und()).then_some(languages),
            files: (record.output.is_some(), record.document.is_some()),
        }
    }
}

impl<'a> RecordId<'a> {
    /// That of a record.
    pub fn of(record: &'a Record) -> RecordId<'a> {
        RecordId { id: &record.id, target: record.target.as_ref() }
    }

    pub(super) fn digest(&self) -> Digest {
        match self.target {
            None => digest(self.id),
            Some(target) => digest(&format!("{}\n{target}", self.id)),
        }
    }
}

pub(super) fn digest(text: &str) -> Digest {
    let mut out = Digest::default();
    out.iter_mut().zip(Sha256::digest(text)).for_each(|(to, from)| *to = from);
    out
}
