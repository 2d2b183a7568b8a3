//! Parquet: each row of a file is an article, with columns for the text, the title and the like.

use super::super::options::ReadOptions;
use super::super::reader::{Cut, Cutter, Input, Piece, Reader, Several};
use super::json;
use crate::io::parquet::Rows;
use crate::types::Format;
use serde_json::Value;
use std::fs::File;
use std::io;

pub(super) const READER: Reader = Reader {
    on_disk: Some(open),
    ..Reader::several(
        Format::Parquet,
        &["parquet"],
        |head| head.starts_with(b"PAR1"),
        Several { cut, parse: json::parse, piece: "row", expected: "rows" },
    )
};

/// What comes as a stream is put on the disk first: the file says at its end where its parts are.
fn cut(_: &[u8], mut input: Input, options: &ReadOptions) -> Result<Box<dyn Cutter>, String> {
    let mut spool = || -> io::Result<File> {
        let mut file = tempfile::tempfile()?;
        io::copy(&mut input, &mut file)?;
        Ok(file)
    };
    let file = spool().map_err(|e| format!("could not be put into a temporary file: {e}"))?;
    open(file, options)
}

fn open(file: File, options: &ReadOptions) -> Result<Box<dyn Cutter>, String> {
    let rows = Rows::open(file).map_err(|why| format!("is no Parquet that can be read: {why}"))?;
    Ok(Box::new(Articles { rows, max: options.max_bytes, number: 0 }))
}

/// The rows of a file that hold something.
struct Articles {
    rows: Rows,
    max: usize,
    number: usize,
}

impl Cutter for Articles {
    fn next(&mut self) -> Cut {
        let piece = loop {
            let Some(row) = self.rows.next() else { break Ok(None) };
            self.number += 1;
            break match row {
                Ok(row) if row.is_empty() => continue,
                Ok(row) => {
                    let bytes = Value::Object(row).to_string().into_bytes();
                    let is_large = bytes.len() > self.max;
                    Ok(Some(if is_large { Piece::TooLarge } else { Piece::Whole(bytes) }))
                }
                Err(why) => Err(io::Error::other(why)),
            };
        };
        Cut { number: self.number.max(1), alone: false, piece }
    }
}
