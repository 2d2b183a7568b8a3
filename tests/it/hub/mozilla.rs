//! A server that speaks both of Mozilla's registries of translation models: `db/models.json` with
//! the files beside it, and Remote Settings with its attachments. The models are a tiny student of
//! the fixtures under whatever name.

use super::{Reply, Request, Server, sha256};
use crate::common::fixture;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::Write;
use std::sync::{Arc, OnceLock};

/// How a file is served.
pub type Pack = fn(&[u8]) -> Vec<u8>;

pub fn plain(bytes: &[u8]) -> Vec<u8> {
    bytes.to_vec()
}

pub fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn zst(bytes: &[u8]) -> Vec<u8> {
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

/// What the server has.
pub struct Mozilla {
    /// `db/models.json`.
    pub registry: Value,
    /// Bodies by their paths.
    pub files: HashMap<String, Vec<u8>>,
    /// Records of Remote Settings, with their collection as `collection`.
    pub records: Vec<Value>,
}

impl Mozilla {
    pub fn new() -> Mozilla {
        let registry = json!({
            "baseUrl": "https://nowhere.invalid", "generated": "2026-01-01T00:00:00Z", "models": {},
        });
        Mozilla { registry, files: HashMap::new(), records: Vec::new() }
    }

    /// The files of the student that stands for every model: kind in the registry, name, bytes. One
    /// byte of the model is the pair's own, so that no two are the same.
    fn student(pair: &str) -> Vec<(&'static str, String, Vec<u8>)> {
        let read = |name: &str| std::fs::read(fixture("bergamot/firefox").join(name)).unwrap();
        let letters: String = pair.split('-').map(|code| &code[..2]).collect();
        let mut model = read("model.enfr.intgemm.alphas.bin");
        // In the middle are weights.
        let (at, own) = (model.len() / 2, pair.bytes().fold(0u8, |a, b| a.wrapping_mul(31) ^ b));
        model[at] = own;
        vec![
            ("model", format!("model.{letters}.intgemm.alphas.bin"), model),
            ("srcVocab", format!("srcvocab.{letters}.spm"), read("srcvocab.enfr.spm")),
            ("trgVocab", format!("trgvocab.{letters}.spm"), read("trgvocab.enfr.spm")),
        ]
    }

    /// The bytes of a pair's file.
    pub fn bytes(pair: &str, kind: &str) -> Vec<u8> {
        Self::student(pair).into_iter().find(|file| file.0 == kind).unwrap().2
    }

    /// Adds a model to the registry, with its files.
    pub fn add(&mut self, pair: &str, architecture: &str, status: Option<&str>, pack: Pack) {
        let (source, target) = pair.split_once('-').unwrap();
        let mut files = json!({});
        for (kind, name, bytes) in Self::student(pair) {
            let path = format!("models/{pair}/run_{architecture}/exported/{name}.gz");
            files[kind] = json!({"path": path});
            if kind == "model" {
                files[kind]["uncompressedHash"] = json!(sha256(&bytes));
                files[kind]["uncompressedSize"] = json!(bytes.len());
            }
            self.files.insert(format!("/{path}"), pack(&bytes));
        }
        let entry = json!({
            "architecture": architecture, "releaseStatus": status,
            "sourceLanguage": source, "targetLanguage": target, "files": files,
            "metrics": {"flores200-plus": {"bleu": 40.5, "chrf": 65.1, "comet22": 0.8653}},
            "modelStatistics": {"parameters": 12},
        });
        let models = self.registry["models"].as_object_mut().unwrap();
        let list = models.entry(pair).or_insert_with(|| json!([]));
        list.as_array_mut().unwrap().push(entry);
    }

    /// Adds the records of a pair, and their attachments, packed by zstd.
    pub fn record(&mut self, pair: &str, version: &str, change: impl Fn(&mut Value)) {
        let (source, target) = pair.split_once('-').unwrap();
        for (kind, name, bytes) in Self::student(pair) {
            let location = format!("main-workspace/translations-models-v2/{pair}-{version}-{kind}");
            let kind = if kind == "model" { kind.to_string() } else { kind.to_lowercase() };
            let mut record = json!({
                "collection": "translations-models-v2", "name": name, "fileType": kind,
                "version": version, "architecture": "base-memory", "filter_expression": "",
                "sourceLanguage": source, "targetLanguage": target, "id": location,
                "decompressedHash": sha256(&bytes), "decompressedSize": bytes.len(),
                "attachment": {"location": location, "size": 1, "hash": "0", "filename": name},
            });
            change(&mut record);
            self.records.push(record);
            self.files.insert(format!("/attachments/{location}"), zst(&bytes));
        }
    }

    pub fn serve(self) -> Server {
        self.serve_with(|_| None)
    }

    /// Serves it, where `first` has nothing else to say.
    pub fn serve_with(
        self,
        first: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static,
    ) -> Server {
        let address = Arc::new(OnceLock::<String>::new());
        let own = address.clone();
        let server = Server::start(move |request| {
            first(request)
                .unwrap_or_else(|| self.answer(request, own.get().map_or("", String::as_str)))
        });
        address.set(server.url.clone()).unwrap();
        server
    }

    fn answer(&self, request: &Request, own: &str) -> Reply {
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        if path == "/db/models.json" {
            let text = self.registry.to_string();
            let tag = format!("\"{}\"", &sha256(text.as_bytes())[..8]);
            let same = request.etag.as_ref() == Some(&tag);
            let mut reply = if same { Reply::status(304) } else { Reply::json(&text) };
            reply.headers.push(("ETag".into(), tag));
            return reply;
        }
        if path == "/v1/" {
            let base = format!("{own}/attachments/");
            let server = json!({"capabilities": {"attachments": {"base_url": base}}});
            return Reply::json(&server.to_string());
        }
        if let Some(rest) = path.strip_prefix("/v1/buckets/main/collections/") {
            let collection = rest.strip_suffix("/records").unwrap();
            let wanted: Vec<(&str, &str)> =
                query.split('&').filter_map(|part| part.split_once('=')).collect();
            let fits = |record: &&Value| {
                record["collection"] == collection
                    && wanted.iter().all(|(key, value)| record[*key] == **value)
            };
            let found: Vec<&Value> = self.records.iter().filter(fits).collect();
            return Reply::json(&json!({"data": found}).to_string());
        }
        match self.files.get(path) {
            Some(body) => Reply::file(body, request),
            None => Reply::status(404),
        }
    }
}
