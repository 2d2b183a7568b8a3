//! What a job needs before it begins.

use super::BatchJob;
use super::key::JobKey;
use super::keys::Keys;
use super::known::{ReadMemories, read_memories};
use crate::cancel::CancelToken;
use crate::error::Result;
use crate::event::OnEvent;
use crate::model_store::{ModelStore, ResolvedModels};
use crate::pipeline::Job;

/// What a job for one language needs.
pub(super) struct Prepared<'a> {
    pub job: &'a Job,
    pub models: ResolvedModels,
    /// What the user has brought.
    pub memories: Option<ReadMemories>,
}

impl<'a> Prepared<'a> {
    /// Fetches it.
    ///
    /// # Errors
    /// When models cannot be had, or a translation memory cannot be read.
    pub fn new(
        batch: &BatchJob,
        job: &'a Job,
        store: &ModelStore,
        cancel: &CancelToken,
        on_event: OnEvent<'_>,
    ) -> Result<Prepared<'a>> {
        let models = batch.models_for(job, store)?.resolve(store, on_event, cancel)?;
        let memories = read_memories(&batch.options.memories, job.to.as_ref(), on_event)?;
        Ok(Prepared { job, models, memories })
    }

    /// The keys of the articles.
    pub fn keys<'k>(&self, batch: &BatchJob, on_event: OnEvent<'k>) -> Keys<'k>
    where
        'a: 'k,
    {
        let options = &batch.options;
        let device = options.runtime.device.to_string();
        let computing = (device.as_str(), options.runtime.precision_key());
        let hashes = self.memories.as_ref().map_or_else(Vec::new, |read| read.hashes.clone());
        let key = JobKey::new(self.job, &self.models, &options.reading, computing, options.strict)
            .with_memories(hashes);
        Keys { key, job: self.job, chooser: self.models.chooser.clone(), on_event }
    }
}
