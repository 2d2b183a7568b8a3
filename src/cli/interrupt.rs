//! Ctrl-C: the first one stops after the work at hand, the second at once.

use crate::cancel::CancelToken;
use crate::error::{Error, Result};

/// A token that Ctrl-C cancels. To be called once in a process.
pub fn token() -> Result<CancelToken> {
    let token = CancelToken::new();
    let cancelled = token.clone();
    let handler = move || {
        if cancelled.cancel() {
            std::process::exit(130);
        }
        eprintln!("\npolygist: stopping after the work at hand; Ctrl-C again stops at once");
    };
    ctrlc::set_handler(handler)
        .map_err(|e| Error::Usage(format!("cannot listen for Ctrl-C: {e}")))?;
    Ok(token)
}
