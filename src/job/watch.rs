//! Whether the files of a job have changed.

use super::BatchJob;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};

impl BatchJob {
    /// What the files of the job look like from outside, their names, sizes and times, as a number:
    /// as long as it is the same, another run would most likely find nothing to do. It means
    /// nothing in another process.
    #[doc(hidden)]
    pub fn stamp(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        for file in &self.found.files {
            file.path.hash(&mut hasher);
            if let Ok(metadata) = fs::metadata(&file.path) {
                metadata.len().hash(&mut hasher);
                metadata.modified().ok().hash(&mut hasher);
            }
        }
        hasher.finish()
    }
}
