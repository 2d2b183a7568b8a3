//! A file behind an address or on this machine, packed or plain.

use super::http::Http;
use super::job::{Failure, Job};
use super::options::{FetchOptions, MIRROR_HINT};
use crate::io::files::discard;
use crate::io::unpack::unpack;
use std::path::{Path, PathBuf};

/// Bytes by which a packed file may be larger than a plain one.
const OVERHEAD: u64 = 1 << 20;

/// Whether it is an address of the web, and not a path.
pub(super) fn is_address(at: &str) -> bool {
    at.starts_with("https://") || at.starts_with("http://")
}

/// Fills the part file. What has come of the packed file is kept beside it, and gone on with.
pub(super) fn fetch(options: &FetchOptions, at: &str, job: &Job<'_>) -> Result<(), Failure> {
    if !is_address(at) {
        let path = Path::new(at);
        if let Err(e) = std::fs::metadata(path) {
            return Err(Failure::Source(e.to_string()));
        }
        return into_part(path, job);
    }
    if options.offline {
        return Err(Failure::Source("not tried".into()));
    }
    let body = body(job);
    loop {
        let resumed = body.exists();
        let http = Http { options, hint: MIRROR_HINT };
        http.download(at, &body, job.file.size.saturating_add(OVERHEAD), job)?;
        let result = into_part(&body, job);
        discard(&body)?;
        match result {
            // What was there before may have been the bad half.
            Err(Failure::Source(_)) if resumed => job.position(0),
            result => return result,
        }
    }
}

/// Where the packed bytes gather.
fn body(job: &Job<'_>) -> PathBuf {
    job.part.with_extension("packed")
}

fn into_part(packed: &Path, job: &Job<'_>) -> Result<(), Failure> {
    match unpack(packed, &job.part, job.file.size, job.stop)? {
        Ok(_) => Ok(()),
        Err(why) => {
            discard(&job.part)?;
            Err(Failure::Source(why))
        }
    }
}
