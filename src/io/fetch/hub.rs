//! The Hugging Face Hub as a source, through `hf-hub` (which reads `HF_ENDPOINT`, `HF_TOKEN`,
//! `HF_HOME` and proxies).

use super::http::{Http, RETRIES, on_own_thread, root_cause, unless_stopped};
use super::job::{Failure, Job, Listing};
use super::options::FetchOptions;
use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::io::catalog::{Licence, ModelFile, Source};
use crate::io::files::{copy, disk, sha256_of};
use crate::io::layout;
use crate::io::names::{HubName, is_inside};
use futures_util::StreamExt;
use hf_hub::repository::download::HFByteStream;
use hf_hub::repository::{RepoTreeEntry, RepoTypeModel};
use hf_hub::{HFClient, HFError, HFRepository};
use serde::Deserialize;
use std::collections::HashMap;
use std::io::Write;
use std::ops::Range;
use std::time::{Duration, Instant};

/// A repository that lists more files than this is not read to its end.
const LIST_LIMIT: usize = 10_000;
/// Bytes of a list of files that are read at most.
const ANSWER_LIMIT: usize = 8 << 20;

/// The Hub during one fetch.
pub(super) struct Hub<'a> {
    pub options: &'a FetchOptions,
}

impl<'a> Hub<'a> {
    pub fn new(options: &'a FetchOptions) -> Self {
        Hub { options }
    }

    pub fn offline(&self) -> bool {
        self.options.offline
    }

    /// Fills the part file, going on where it ends.
    pub fn fetch(
        &self,
        repo: &str,
        revision: &str,
        file: &str,
        job: &Job<'_>,
    ) -> Result<(), Failure> {
        on_own_thread(async {
            let repo = self.repository(repo).map_err(Failure::Source)?;
            if self.take_cached(&repo, revision, file, job).await? {
                return Ok(());
            }
            if self.options.offline {
                return Err(Failure::Source(
                    "not in the Hub's cache folder on this machine".into(),
                ));
            }
            self.download(&repo, revision, file, job).await
        })
    }

    /// The files to fetch of a repository that is in no catalog, at the commit that its revision
    /// means now.
    pub fn list(&self, name: &HubName, stop: &CancelToken) -> Result<Listing> {
        let fail = |message: String| Error::Fetch { what: name.to_string(), message };
        on_own_thread(async {
            let repo = self.repository(&name.repo()).map_err(fail)?;
            let revision = name.revision.clone().unwrap_or_else(|| "main".into());
            let info = self.ask(repo.info().revision(revision.clone()).send(), stop).await;
            let info = info.map_err(|failure| match failure {
                Failure::Fatal(e) => e,
                Failure::Source(why) | Failure::Unreachable(why) => {
                    fail(format!("{why}. Check the name, and the network or proxy"))
                }
            })?;
            let limit = self.options.connect_timeout * 8;
            let commit = info.sha.unwrap_or(revision);
            let entries = async {
                let tree = repo
                    .list_tree()
                    .revision(commit.clone())
                    .recursive(true)
                    .limit(LIST_LIMIT)
                    .send()?;
                tree.collect::<Vec<_>>().await.into_iter().collect::<Result<Vec<_>, HFError>>()
            };
            let entries = unless_stopped(entries, limit, stop).await?;
            let entries =
                entries.and_then(|entries| entries.map_err(|e| describe(&e))).map_err(fail)?;
            let mut files = select(entries, name, &commit).map_err(fail)?;
            // Without them the sizes alone are compared, which the installation says.
            let checksums = unless_stopped(self.checksums(name, &commit), limit, stop)
                .await?
                .and_then(|sums| sums)
                .unwrap_or_default();
            for file in &mut files {
                file.sha256 = file.sha256.take().or_else(|| checksums.get(&file.path).cloned());
            }
            let licence = info
                .card_data
                .as_ref()
                .and_then(|card| card.get("license"))
                .and_then(|l| l.as_str());
            let licence = licence.map(|l| Licence {
                name: l.into(),
                url: format!("https://huggingface.co/{}", name.repo()),
                notice: None,
            });
            let commit = Some(commit);
            Ok(Listing { files, loose: Vec::new(), licence, commit, notes: Vec::new() })
        })
    }

    /// SHA-256 of the large files beside the one that is named, or of those at the root, by path.
    ///
    /// The Hub's list of files has them; hf-hub 1.0 looks for them under another key than the Hub
    /// uses there.
    async fn checksums(
        &self,
        name: &HubName,
        commit: &str,
    ) -> Result<HashMap<String, String>, String> {
        #[derive(Deserialize)]
        struct Large {
            #[serde(alias = "sha256")]
            oid: String,
        }
        #[derive(Deserialize)]
        struct Entry {
            path: String,
            lfs: Option<Large>,
        }
        let folder = name
            .file
            .as_deref()
            .and_then(|file| file.rsplit_once('/'))
            .map(|(folder, _)| format!("/{folder}"));
        let client = self.client()?;
        let url = format!(
            "{}/api/models/{}/tree/{commit}{}",
            client.endpoint(),
            name.repo(),
            folder.unwrap_or_default()
        );
        let mut request = self.http()?.get(&url);
        if let Some(token) = std::env::var("HF_TOKEN").ok().filter(|token| !token.is_empty()) {
            request = request.bearer_auth(token);
        }
        let mut answer = request
            .send()
            .await
            .and_then(reqwest::Response::error_for_status)
            .map_err(|e| root_cause(&e))?;
        let mut text = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|e| root_cause(&e))? {
            text.extend_from_slice(&chunk);
            if text.len() > ANSWER_LIMIT {
                return Err("its list of files is longer than any model's".into());
            }
        }
        let entries: Vec<Entry> = serde_json::from_slice(&text)
            .map_err(|e| format!("its list of files cannot be read: {e}"))?;
        Ok(entries
            .into_iter()
            .filter_map(|e| Some((e.path, e.lfs?.oid.to_ascii_lowercase())))
            .filter(|(_, sum)| sum.len() == 64)
            .collect())
    }

    fn http(&self) -> Result<reqwest::Client, String> {
        Http { options: self.options, hint: "" }.client(self.limit())
    }

    fn client(&self) -> Result<HFClient, String> {
        let http = self.http()?;
        // No retries in there: whether to go on or to try the next source is decided here.
        let mut client = HFClient::builder().client(http).retry_max_attempts(0);
        if let Some(endpoint) = &self.options.endpoint {
            client = client.endpoint(endpoint);
        }
        if let Some(dir) = &self.options.hub_cache {
            client = client.cache_dir(dir);
        }
        client.build().map_err(|e| describe(&e))
    }

    fn repository(&self, repo: &str) -> Result<HFRepository<RepoTypeModel>, String> {
        let (owner, name) = hf_hub::split_id(repo);
        Ok(self.client()?.model(owner, name))
    }

    /// Takes the file from the Hub's own cache folder, where another program may have put it.
    async fn take_cached(
        &self,
        repo: &HFRepository<RepoTypeModel>,
        revision: &str,
        file: &str,
        job: &Job<'_>,
    ) -> Result<bool, Failure> {
        let found = repo
            .download_file()
            .filename(file)
            .revision(revision)
            .local_files_only(true)
            .send()
            .await;
        let Ok(path) = found else { return Ok(false) };
        if job.have()? > 0 || !std::fs::metadata(&path).is_ok_and(|m| m.len() == job.file.size) {
            return Ok(false);
        }
        copy(&path, &job.part, job.stop, &|n| job.position(n))?;
        // A branch may have moved on since; then it is the network's turn.
        let right = match &job.file.sha256 {
            Some(expected) => sha256_of(&job.part, job.stop, &|_| ())? == *expected,
            None => true,
        };
        if !right {
            job.open(0)?;
        }
        Ok(right)
    }

    async fn download(
        &self,
        repo: &HFRepository<RepoTypeModel>,
        revision: &str,
        file: &str,
        job: &Job<'_>,
    ) -> Result<(), Failure> {
        let start = job.have()?;
        let mut idle = 0;
        loop {
            let before = job.have()?;
            let why = match self.stream(repo, revision, file, job).await {
                Err(Failure::Source(why)) => why,
                done => return done,
            };
            let after = job.have()?;
            idle = if after > before { 0 } else { idle + 1 };
            // A server that never gave a byte leaves the turn to the next source at once.
            if after <= start || idle > RETRIES {
                return Err(Failure::Source(why));
            }
            job.progress.note(&format!("{file}: {why}; going on from byte {after}"));
            let pause = self.options.retry_pause * 2u32.pow(idle);
            let _ = unless_stopped(tokio::time::sleep(pause), pause * 2, job.stop).await?;
        }
    }

    /// One connection's worth of bytes.
    async fn stream(
        &self,
        repo: &HFRepository<RepoTypeModel>,
        revision: &str,
        file: &str,
        job: &Job<'_>,
    ) -> Result<(), Failure> {
        let size = job.file.size;
        let mut have = job.have()?;
        let mut body = loop {
            let range = (have > 0).then_some(have..size);
            let (length, body) = self.open(repo, revision, file, range, job.stop).await?;
            match length {
                Some(n) if n == size - have => break body,
                None if have == 0 => break body,
                // A server that ignores the range sends everything: then everything is asked for.
                _ if have > 0 => have = 0,
                found => {
                    return Err(Failure::Source(format!(
                        "offers {} bytes instead of {size}",
                        found.unwrap_or_default()
                    )));
                }
            }
        };
        let mut part = job.open(have)?;
        loop {
            let chunk =
                match unless_stopped(body.next(), self.options.stall_timeout, job.stop).await? {
                    Ok(Some(Ok(chunk))) => chunk,
                    Ok(Some(Err(e))) => return Err(Failure::Source(describe(&e))),
                    Ok(None) if have < size => {
                        return Err(Failure::Source(format!(
                            "the connection ended after {have} of {size} bytes"
                        )));
                    }
                    Ok(None) => return Ok(()),
                    Err(why) => return Err(Failure::Source(why)),
                };
            if chunk.len() as u64 > size - have {
                job.open(0)?;
                return Err(Failure::Source(format!(
                    "sends more than the {size} bytes that there should be"
                )));
            }
            part.write_all(&chunk).map_err(disk("writing", &job.part))?;
            have += chunk.len() as u64;
            job.position(have);
        }
    }

    /// Asks for the file; how long the answer is, and the answer.
    async fn open(
        &self,
        repo: &HFRepository<RepoTypeModel>,
        revision: &str,
        file: &str,
        range: Option<Range<u64>>,
        stop: &CancelToken,
    ) -> Result<(Option<u64>, HFByteStream), Failure> {
        let request =
            repo.download_file_stream().filename(file).revision(revision).maybe_range(range).send();
        self.ask(request, stop).await
    }

    /// Waits for the first answer to a request, unless the Hub is known not to answer.
    async fn ask<T>(
        &self,
        request: impl Future<Output = Result<T, HFError>>,
        stop: &CancelToken,
    ) -> Result<T, Failure> {
        let (session, address) = (&self.options.session, self.options.hub_address());
        if let Some(why) = session.unreachable(&address) {
            return Err(Failure::Unreachable(why));
        }
        let begun = Instant::now();
        let why = match unless_stopped(request, self.limit() * 2, stop).await? {
            Ok(Ok(answer)) => {
                session.reached(&address);
                return Ok(answer);
            }
            Ok(Err(e)) if !never_came(&e) => return Err(Failure::Source(describe(&e))),
            Ok(Err(e)) => describe(&e),
            Err(why) => why,
        };
        session.failed(&address, &why, begun.elapsed());
        Err(Failure::Unreachable(why))
    }

    /// The time that a connection may take.
    fn limit(&self) -> Duration {
        self.options.session.limit(&self.options.hub_address(), self.options.connect_timeout)
    }
}

/// Whether the request came to nobody.
fn never_came(e: &HFError) -> bool {
    matches!(e, HFError::Request { source, .. } if source.is_connect() || source.is_timeout())
}

/// The files that make up the model.
fn select(
    entries: Vec<RepoTreeEntry>,
    name: &HubName,
    commit: &str,
) -> Result<Vec<ModelFile>, String> {
    let mut files: Vec<ModelFile> =
        entries.into_iter().filter_map(|entry| as_file(entry, &name.repo(), commit)).collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    // Folders hold the same in other formats (onnx, openvino).
    let is_beside = |path: &String| !path.contains('/') || layout::is_sentence_part(path);
    let names: Vec<String> = files.iter().map(|f| f.path.clone()).filter(is_beside).collect();
    let chosen = match &name.file {
        None => layout::select(&names, &|file| format!("{}:{file}", name.repo()))?,
        Some(wanted) if files.iter().any(|f| f.path == *wanted) => {
            names.into_iter().filter(|n| layout::is_companion(n)).chain([wanted.clone()]).collect()
        }
        Some(wanted) => {
            let known: Vec<&str> =
                files.iter().map(|f| f.path.as_str()).filter(|f| layout::is_weights(f)).collect();
            return Err(format!(
                "there is no file {wanted:?} in it; its weights are: {}",
                known.join(", ")
            ));
        }
    };
    files.retain(|f| chosen.contains(&f.path));
    Ok(files)
}

fn as_file(entry: RepoTreeEntry, repo: &str, commit: &str) -> Option<ModelFile> {
    let RepoTreeEntry::File { path, size, lfs, .. } = entry else { return None };
    // The list is the server's: a name that leads out of the folder is no file of a model.
    is_inside(&path).then(|| ModelFile {
        sources: vec![Source::Hub {
            repo: repo.into(),
            revision: commit.into(),
            file: path.clone(),
        }],
        path,
        size,
        sha256: lfs.and_then(|l| l.sha256).map(|s| s.to_ascii_lowercase()),
    })
}

/// The error in words for someone who wants to know what to do.
fn describe(e: &HFError) -> String {
    let permission =
        "it asks for permission; accept its terms on its page at the Hub, and set HF_TOKEN";
    match e {
        HFError::Request { source, .. } if source.is_connect() => {
            format!("cannot be reached ({})", root_cause(source))
        }
        HFError::Request { source, .. } if source.is_timeout() => "no answer in time".into(),
        HFError::Request { source, .. } => format!("the connection broke ({})", root_cause(source)),
        HFError::AuthRequired { .. } => {
            format!("401: {permission} (an unknown name is answered the same way)")
        }
        HFError::Forbidden { .. } => {
            format!("403: refused; {permission}, or ask whoever runs the network")
        }
        HFError::RepoNotFound { .. }
        | HFError::RevisionNotFound { .. }
        | HFError::EntryNotFound { .. } => format!("not found there ({e})"),
        HFError::RateLimited { .. } => {
            "429: too many requests; try again later, or set HF_TOKEN".into()
        }
        HFError::Http { context } => format!("the server answered {}", context.status),
        other => other.to_string(),
    }
}
