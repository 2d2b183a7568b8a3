//! What there is where the program was built without Parquet.

use crate::types::{Cell, ColumnKind};
use serde_json::{Map, Value};
use std::convert::Infallible;
use std::fs::File;
use std::io::{self, Write};
use std::marker::PhantomData;

/// Why there are none.
const WHY: &str = "this program was built without the feature `parquet`";

/// No rows.
pub(in crate::io) enum Rows {}

impl Rows {
    pub fn open(_: File) -> Result<Rows, String> {
        Err(WHY.into())
    }

    pub fn next(&mut self) -> Option<Result<Map<String, Value>, String>> {
        match *self {}
    }
}

/// No file.
pub struct TableWriter<W> {
    never: Infallible,
    out: PhantomData<W>,
}

impl<W: Write + Send> TableWriter<W> {
    /// Always an error.
    ///
    /// # Errors
    /// Always.
    pub fn new(_: W, _: &[(&str, ColumnKind)]) -> io::Result<TableWriter<W>> {
        Err(io::Error::new(io::ErrorKind::Unsupported, WHY))
    }

    /// Writes nothing.
    ///
    /// # Errors
    /// Never.
    pub fn rows(&mut self, _: &[Vec<Cell>]) -> io::Result<()> {
        match self.never {}
    }

    /// Ends nothing.
    ///
    /// # Errors
    /// Never.
    pub fn finish(self) -> io::Result<W> {
        match self.never {}
    }
}
