//! Results on standard output.

use crate::error::{Error, Result};
use std::io::Write;

/// Prints a result; a reader that has gone is an error and not a panic.
pub fn print(text: &str) -> Result<()> {
    print_bytes(text.as_bytes())
}

/// Prints a result that may be no text.
pub fn print_bytes(bytes: &[u8]) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(Error::io("writing", "<stdout>"))
}
