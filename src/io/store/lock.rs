//! One lock a model, held by one thread of one process at a time.

use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::io::files::disk;
use crate::io::progress::Progress;
use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

/// Holds a model until it is dropped. The operating system lets go of it also when the process
/// dies.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    pub(super) fn acquire(
        path: &Path,
        id: &str,
        progress: &dyn Progress,
        stop: &CancelToken,
    ) -> Result<Lock> {
        // The file is never deleted: a waiter could otherwise hold a lock on a name that is gone.
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)
            .map_err(disk("creating", path))?;
        let mut noted = false;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Lock { _file: file }),
                Err(TryLockError::WouldBlock) => {
                    if !noted {
                        progress.note(&format!("{id}: another process is fetching or changing it; waiting for that to end"));
                        noted = true;
                    }
                    stop.check()?;
                    std::thread::sleep(Duration::from_millis(100));
                }
                Err(TryLockError::Error(e)) if e.kind() == ErrorKind::Unsupported => {
                    progress.note(&format!("{id}: this file system has no locks; do not fetch the same model twice at once"));
                    return Ok(Lock { _file: file });
                }
                Err(TryLockError::Error(e)) => return Err(Error::io("locking", path)(e)),
            }
        }
    }
}
