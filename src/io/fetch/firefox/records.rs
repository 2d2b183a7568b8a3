//! The files of a model with their checksums, out of the records of Remote Settings: joined to the
//! registry by the checksum of the model.

use super::record::Record;
use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::io::catalog::{LooseFile, Model, ModelFile, Source};
use crate::io::fetch::UNREACHABLE;
use crate::io::fetch::http::Http;
use crate::io::fetch::job::{Failure, Listing};
use crate::io::fetch::options::{FIREFOX_VARIABLE, FetchOptions, MIRROR_HINT, RECORDS_VARIABLE};
use crate::io::progress::Progress;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::ops::Range;

const MOZILLA: &str = "https://firefox.settings.services.mozilla.com/v1";
/// Where Mozilla's attachments are, if the server does not say it.
const ATTACHMENTS: &str = "https://firefox-settings-attachments.cdn.mozilla.net";
/// Bytes of an answer, at most.
const ANSWER_LIMIT: usize = 8 << 20;
/// Bytes of a vocabulary or shortlist, at most.
pub(in crate::io::fetch) const MAX_LOOSE: u64 = 256 << 20;

/// A collection, the field by which it knows a file's checksum, those of its languages, and the
/// first numbers of the versions that are read.
struct Collection {
    name: &'static str,
    hash: &'static str,
    pair: (&'static str, &'static str),
    versions: Range<u64>,
}

const COLLECTIONS: [Collection; 2] = [
    Collection {
        name: "translations-models-v2",
        hash: "decompressedHash",
        pair: ("sourceLanguage", "targetLanguage"),
        versions: 3..4,
    },
    Collection {
        name: "translations-models",
        hash: "hash",
        pair: ("fromLang", "toLang"),
        versions: 1..3,
    },
];

#[derive(Deserialize)]
struct Answer {
    data: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Server {
    capabilities: Capabilities,
}

#[derive(Deserialize)]
struct Capabilities {
    attachments: Attachments,
}

#[derive(Deserialize)]
struct Attachments {
    base_url: String,
}

/// The files of a model of the registry. Those whose checksums no record has stay loose, which the
/// notes say.
///
/// # Errors
/// When the user stops it.
pub(in crate::io::fetch) fn listing(
    options: &FetchOptions,
    model: &Model,
    progress: &dyn Progress,
    stop: &CancelToken,
) -> Result<Listing> {
    let mut listing = Listing {
        files: model.files.clone(),
        loose: model.loose.clone(),
        licence: Some(model.licence.clone()),
        commit: model.files.first().and_then(|file| file.sha256.clone()),
        notes: Vec::new(),
    };
    let why = match Records::of(options, stop) {
        Some(records) => match records.join(&mut listing) {
            Ok(Some(version)) => {
                let note = format!("compared with Mozilla's records, version {version}");
                listing.notes.push(note);
                return Ok(listing);
            }
            Ok(None) => "no record has this model".to_string(),
            Err(Failure::Fatal(Error::Interrupted)) => return Err(Error::Interrupted),
            Err(Failure::Fatal(e)) => e.to_string(),
            Err(Failure::Source(why)) => why,
            Err(Failure::Unreachable(why)) => {
                options.session.is_news(UNREACHABLE);
                format!("{MOZILLA}: {why}")
            }
        },
        None if options.offline => "offline".into(),
        None => "no records are known to go with them".into(),
    };
    if !listing.loose.is_empty() {
        let names: Vec<&str> = listing.loose.iter().map(|file| file.path.as_str()).collect();
        let note = format!("{}: checked by their form only ({why})", names.join(", "));
        if !options.offline {
            progress.note(&format!("{}: {note}", model.id));
        }
        listing.notes.push(note);
    }
    Ok(listing)
}

/// A registry, in the form of Mozilla's, that is made of the records.
///
/// # Errors
/// When there are none, or they cannot be had.
pub(super) fn registry(options: &FetchOptions, stop: &CancelToken) -> Result<Vec<u8>, Failure> {
    let records = Records::of(options, stop);
    let records = records.ok_or_else(|| Failure::Source("no records are known".into()))?;
    let [collection, _] = COLLECTIONS;
    let all = records.records(collection.name, "")?;
    let mut best: BTreeMap<(&str, &str, &str), &Record> = BTreeMap::new();
    let rank = |record: &Record| (record.release(), record.version());
    for record in all.iter().filter(|record| record.file_type == "model") {
        let Some((source, target)) = record.pair() else { continue };
        if !collection.versions.contains(&record.version().major()) {
            continue;
        }
        let held = best.entry((source, target, record.architecture())).or_insert(record);
        if rank(record) > rank(held) {
            *held = record;
        }
    }
    let mut models = serde_json::Map::new();
    for ((source, target, architecture), model) in best {
        let mut files = serde_json::Map::new();
        for record in all.iter().filter(|record| record.goes_with(model)) {
            let kind = match record.file_type.as_str() {
                "vocab" => "vocab",
                "srcvocab" => "srcVocab",
                "trgvocab" => "trgVocab",
                "lex" => "lexicalShortlist",
                _ => continue,
            };
            files.insert(kind.into(), json!({"path": record.location(), "name": record.name}));
        }
        files.insert(
            "model".into(),
            json!({
                "path": model.location(), "name": model.name,
                "uncompressedHash": model.sha256(), "uncompressedSize": model.size(),
            }),
        );
        let entry = json!({
            "architecture": architecture, "releaseStatus": model.release_status(),
            "sourceLanguage": source, "targetLanguage": target, "files": files,
        });
        let list = models.entry(format!("{source}-{target}")).or_insert_with(|| json!([]));
        if let Some(list) = list.as_array_mut() {
            list.push(entry);
        }
    }
    if models.is_empty() {
        return Err(Failure::Source("there is no record of a model".into()));
    }
    let document = json!({"baseUrl": records.attachments(), "models": models});
    Ok(document.to_string().into_bytes())
}

/// The records of a server.
struct Records<'a> {
    options: &'a FetchOptions,
    address: String,
    stop: &'a CancelToken,
}

impl<'a> Records<'a> {
    /// The server that is configured, or Mozilla's; none offline, and none beside a mirror that has
    /// no server of its own: whoever has one does not want Mozilla to be asked.
    fn of(options: &'a FetchOptions, stop: &'a CancelToken) -> Option<Records<'a>> {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let named = variable(RECORDS_VARIABLE).or_else(|| options.firefox_records.clone());
        let mirrored = options.firefox_models.is_some() || variable(FIREFOX_VARIABLE).is_some();
        let address = match named {
            Some(address) => address.trim_end_matches('/').to_string(),
            None if mirrored => return None,
            None => MOZILLA.into(),
        };
        (!options.offline).then_some(Records { options, address, stop })
    }

    /// Gives the files of a listing their checksums and their second source; returns the version,
    /// `None` when there is no record of the model.
    fn join(&self, listing: &mut Listing) -> Result<Option<String>, Failure> {
        let hash = listing.commit.clone().unwrap_or_default();
        for collection in COLLECTIONS {
            let query = format!("{}={hash}", collection.hash);
            let mut models = self.records(collection.name, &query)?;
            models.retain(|record| {
                record.file_type == "model"
                    && record.sha256().as_ref() == Some(&hash)
                    && collection.versions.contains(&record.version().major())
            });
            let best = models.iter().max_by_key(|record| (record.release(), record.version()));
            let Some((model, (source, target))) = best.and_then(|m| Some((m, m.pair()?))) else {
                continue;
            };
            let (from, to) = collection.pair;
            let query = format!("{from}={source}&{to}={target}");
            let mut records = self.records(collection.name, &query)?;
            records.retain(|record| record.goes_with(model));
            let attachments = self.attachments();
            for file in &mut listing.files {
                file.sources.extend(source_of(model, &attachments));
            }
            listing.loose.retain(|loose| {
                let named = records.iter().filter(|record| record.name == loose.path);
                let record = named.max_by_key(|record| record.has_filter_of(model));
                let found = record.and_then(|record| listed(loose, record, &attachments));
                listing.files.extend(found.clone());
                found.is_none()
            });
            return Ok(Some(model.version.clone()));
        }
        Ok(None)
    }

    fn records(&self, collection: &str, query: &str) -> Result<Vec<Record>, Failure> {
        let path = format!("buckets/main/collections/{collection}/records?{query}");
        let answer: Answer = self.ask(&path)?;
        // A record that is not as it should be is none.
        Ok(answer.data.into_iter().filter_map(|value| serde_json::from_value(value).ok()).collect())
    }

    /// Where the attachments are.
    fn attachments(&self) -> String {
        let told = self.ask::<Server>("").map(|server| server.capabilities.attachments.base_url);
        let told = told.ok().filter(|told| crate::io::fetch::packed::is_address(told));
        told.map_or(ATTACHMENTS.into(), |told| told.trim_end_matches('/').to_string())
    }

    fn ask<T: for<'de> Deserialize<'de>>(&self, path: &str) -> Result<T, Failure> {
        let address = format!("{}/{path}", self.address);
        let http = Http { options: self.options, hint: MIRROR_HINT };
        let small = http.small(&address, None, ANSWER_LIMIT, self.stop)?;
        let bytes = small.map(|small| small.bytes).unwrap_or_default();
        serde_json::from_slice(&bytes)
            .map_err(|e| Failure::Source(format!("{address}: the answer cannot be read: {e}")))
    }
}

fn source_of(record: &Record, attachments: &str) -> Option<Source> {
    let location = record.location()?;
    Some(Source::Packed { at: format!("{attachments}/{location}") })
}

/// The loose file as its record describes it.
fn listed(loose: &LooseFile, record: &Record, attachments: &str) -> Option<ModelFile> {
    let mut sources = loose.sources.clone();
    sources.extend(source_of(record, attachments));
    Some(ModelFile {
        path: loose.path.clone(),
        size: record.size().filter(|size| (1..=MAX_LOOSE).contains(size))?,
        sha256: Some(record.sha256()?),
        sources,
    })
}
