//! Results on standard output.

use crate::error::{Error, Result};
use std::io::Write;

/// Prints a result; a reader that has gone is an error and not a panic.
pub fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(Error::io("writing", "<stdout>"))
}
