//! The batches of a server: a folder each, a number of them at once, the finished ones until there
//! are too many.

use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::serve::failure::Failure;
use crate::serve::kept::id;
use crate::serve::rate::Client;
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::watch;

/// Finished batches that are kept.
const MOST_FINISHED: usize = 100;

/// The articles of a batch, and its records, in its folder.
pub const ARTICLES: &str = "articles.jsonl";
const RESULTS: &str = "results.jsonl";

/// See the module.
pub struct Jobs {
    root: Root,
    most: usize,
    all: Mutex<Vec<Arc<Batch>>>,
}

/// The folder of all batches.
enum Root {
    Own(TempDir),
    Named(PathBuf),
}

/// A batch.
pub struct Batch {
    pub id: String,
    pub client: Client,
    folder: PathBuf,
    cancel: CancelToken,
    state: watch::Sender<State>,
}

#[derive(Clone, Debug)]
struct State {
    status: &'static str,
    articles: usize,
    done: usize,
    failed: usize,
    /// Bytes of the results, all of whole lines.
    written: u64,
    error: Option<String>,
}

/// A new batch's folder, which goes again unless the batch begins.
pub struct NewFolder {
    id: String,
    path: PathBuf,
    is_kept: bool,
}

impl NewFolder {
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for NewFolder {
    fn drop(&mut self) {
        if !self.is_kept {
            remove(&self.path);
        }
    }
}

/// Removes a batch's folder.
fn remove(folder: &Path) {
    // What cannot be removed is in nobody's way: no other batch gets its name.
    let _ = fs::remove_dir_all(folder);
}

impl Jobs {
    /// Keeps batches in this folder, or in one that goes with the server.
    pub fn open(folder: Option<&Path>, most: usize) -> Result<Jobs> {
        let root = match folder {
            Some(folder) => {
                fs::create_dir_all(folder).map_err(Error::io("creating the folder", folder))?;
                Root::Named(folder.to_path_buf())
            }
            None => {
                let own = TempDir::with_prefix("polygist-batches-");
                Root::Own(own.map_err(Error::io("creating a folder in", std::env::temp_dir()))?)
            }
        };
        Ok(Jobs { root, most, all: Mutex::default() })
    }

    /// A folder for a batch that comes in, if there is room for one.
    ///
    /// # Errors
    /// When so many batches are in the works.
    pub fn folder(&self) -> Result<NewFolder, Failure> {
        self.check_room()?;
        let root = match &self.root {
            Root::Own(own) => own.path(),
            Root::Named(named) => named,
        };
        let id = id()?;
        let path = root.join(&id);
        let failed =
            |error: std::io::Error| Failure::internal(format!("{}: {error}", path.display()));
        fs::create_dir(&path).map_err(failed)?;
        Ok(NewFolder { id, path, is_kept: false })
    }

    fn check_room(&self) -> Result<(), Failure> {
        if self.running() < self.most {
            return Ok(());
        }
        let message = "so many batches are in the works already; send this one later";
        Err(Failure::busy(message, Duration::from_secs(30)))
    }

    /// Begins a batch of articles that are there.
    ///
    /// # Errors
    /// As [`Jobs::folder`].
    pub fn start(
        &self,
        mut folder: NewFolder,
        client: Client,
        articles: usize,
    ) -> Result<Arc<Batch>, Failure> {
        let state =
            State { status: "running", articles, done: 0, failed: 0, written: 0, error: None };
        let batch = Arc::new(Batch {
            id: folder.id.clone(),
            client,
            folder: folder.path.clone(),
            cancel: CancelToken::new(),
            state: watch::Sender::new(state),
        });
        let mut all = self.all();
        if all.iter().filter(|batch| !batch.is_over()).count() >= self.most {
            drop(all);
            self.check_room()?;
            return Err(Failure::busy("ask again", Duration::from_secs(1)));
        }
        folder.is_kept = true;
        all.push(batch.clone());
        while all.iter().filter(|batch| batch.is_over()).count() > MOST_FINISHED {
            let Some(oldest) = all.iter().position(|batch| batch.is_over()) else { break };
            remove(&all.remove(oldest).folder);
        }
        Ok(batch)
    }

    pub fn get(&self, id: &str) -> Option<Arc<Batch>> {
        self.all().iter().find(|batch| batch.id == id).cloned()
    }

    /// Stops a batch and forgets it.
    pub fn remove(&self, batch: &Arc<Batch>) {
        batch.cancel.cancel();
        self.all().retain(|other| other.id != batch.id);
        remove(&batch.folder);
    }

    /// Batches that are not finished.
    pub fn running(&self) -> usize {
        self.all().iter().filter(|batch| !batch.is_over()).count()
    }

    /// Stops all of them: the server stops.
    pub fn stop(&self) {
        for batch in self.all().iter() {
            batch.cancel.cancel();
        }
    }

    fn all(&self) -> MutexGuard<'_, Vec<Arc<Batch>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Batch {
    /// Whether nothing more comes.
    pub fn is_over(&self) -> bool {
        self.state.borrow().status != "running"
    }

    /// What is told of it.
    pub fn told(&self) -> Value {
        let State { status, articles, done, failed, error, .. } = self.state.borrow().clone();
        let mut told = json!({
            "id": self.id, "status": status, "articles": articles, "done": done, "failed": failed,
        });
        if let Some(error) = error {
            told["error"] = error.into();
        }
        told
    }

    /// What hears of each change.
    pub fn changes(&self) -> Changes {
        Changes(self.state.subscribe())
    }

    /// The file of its records, and how much of it is written.
    pub fn results(&self) -> PathBuf {
        self.folder.join(RESULTS)
    }

    pub fn written(&self) -> u64 {
        self.state.borrow().written
    }

    /// The folder with its articles.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Cancelled when it is to stop.
    pub fn token(&self) -> &CancelToken {
        &self.cancel
    }

    /// It has ended, this way.
    pub fn end(&self, status: &'static str, error: Option<String>) {
        self.state.send_modify(|state| {
            state.status = status;
            state.error = error;
        });
    }

    /// Takes records.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn take(&self, out: &mut impl Write, lines: &[String]) -> Result<()> {
        let path = self.results();
        let text: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
        let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        written.map_err(Error::io("writing", &path))?;
        let is_failed = |line: &&String| {
            let record = serde_json::from_str::<Value>(line);
            record.is_ok_and(|record| record["status"] == "failed")
        };
        let failed = lines.iter().filter(is_failed).count();
        self.state.send_modify(|state| {
            state.failed += failed;
            state.done += lines.len() - failed;
            state.written += text.len() as u64;
        });
        Ok(())
    }
}

/// The changes of a batch.
pub struct Changes(watch::Receiver<State>);

impl Changes {
    /// What was until now is known.
    pub fn mark_unchanged(&mut self) {
        self.0.mark_unchanged();
    }

    /// Returns at the next change.
    pub async fn changed(&mut self) {
        // The batch has the sender, and whoever waits has the batch.
        let _ = self.0.changed().await;
    }
}
