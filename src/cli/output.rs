//! Results on standard output, or in a file.

use crate::error::{Error, Result};
use crate::io::write::atomic;
use std::cell::RefCell;
use std::io::Write;
use std::path::Path;

/// Where the results of a command go.
pub enum Output<'a> {
    /// To standard output, as they come.
    Printed,
    /// To a file, which appears when all of them are there.
    File(&'a Path, RefCell<String>),
}

impl<'a> Output<'a> {
    /// To the file that is named, or to standard output.
    pub fn to(path: Option<&'a Path>) -> Output<'a> {
        path.map_or(Output::Printed, |path| Output::File(path, RefCell::default()))
    }

    /// Takes a result.
    pub fn write(&self, text: &str) -> Result<()> {
        match self {
            Output::Printed => print(text)?,
            Output::File(_, all) => all.borrow_mut().push_str(text),
        }
        Ok(())
    }

    /// There are no more.
    pub fn finish(&self) -> Result<()> {
        match self {
            Output::Printed => Ok(()),
            Output::File(path, all) => atomic(path, all.borrow().as_bytes()),
        }
    }
}

/// Prints a result; a reader that has gone is an error and not a panic.
pub fn print(text: &str) -> Result<()> {
    print_bytes(text.as_bytes())
}

/// Prints a result that may be no text.
pub fn print_bytes(bytes: &[u8]) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(Error::io("writing", "<stdout>"))
}
