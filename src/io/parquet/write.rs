//! A Parquet file of a flat table, written row group by row group.

use crate::types::{Cell, ColumnKind};
use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;
use std::io::{self, Write};
use std::sync::Arc;

/// A file that is being written.
pub struct TableWriter<W: Write + Send> {
    file: SerializedFileWriter<W>,
    kinds: Vec<ColumnKind>,
}

impl<W: Write + Send> TableWriter<W> {
    /// Begins a file with these columns.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn new(out: W, columns: &[(&str, ColumnKind)]) -> io::Result<TableWriter<W>> {
        let column = |(name, kind): &(&str, ColumnKind)| {
            let (physical, logical) = match kind {
                ColumnKind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
                ColumnKind::Integer => (Physical::INT64, None),
                ColumnKind::Real => (Physical::DOUBLE, None),
            };
            let builder = Type::primitive_type_builder(name, physical)
                .with_repetition(Repetition::OPTIONAL)
                .with_logical_type(logical);
            builder.build().map(Arc::new)
        };
        let fields = columns.iter().map(column).collect::<Result<Vec<_>, _>>().map_err(failed)?;
        let schema = Type::group_type_builder("article").with_fields(fields).build();
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(format!("polygist {}", env!("CARGO_PKG_VERSION")))
            .build();
        let schema = Arc::new(schema.map_err(failed)?);
        let file = SerializedFileWriter::new(out, schema, Arc::new(properties)).map_err(failed)?;
        Ok(TableWriter { file, kinds: columns.iter().map(|(_, kind)| *kind).collect() })
    }

    /// Adds rows, whose cells are in the order of the columns, as a row group.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn rows(&mut self, rows: &[Vec<Cell>]) -> io::Result<()> {
        let mut group = self.file.next_row_group().map_err(failed)?;
        for number in 0..self.kinds.len() {
            let Some(mut column) = group.next_column().map_err(failed)? else { break };
            let cells = || rows.iter().filter_map(|row| row.get(number));
            let levels: Vec<i16> = cells().map(|c| i16::from(*c != Cell::Missing)).collect();
            match column.untyped() {
                ColumnWriter::ByteArrayColumnWriter(column) => {
                    let texts: Vec<ByteArray> = cells().filter_map(text).collect();
                    column.write_batch(&texts, Some(&levels), None)
                }
                ColumnWriter::Int64ColumnWriter(column) => {
                    let numbers: Vec<i64> = cells().filter_map(integer).collect();
                    column.write_batch(&numbers, Some(&levels), None)
                }
                ColumnWriter::DoubleColumnWriter(column) => {
                    let numbers: Vec<f64> = cells().filter_map(real).collect();
                    column.write_batch(&numbers, Some(&levels), None)
                }
                _ => Ok(0),
            }
            .map_err(failed)?;
            column.close().map_err(failed)?;
        }
        group.close().map_err(failed)?;
        Ok(())
    }

    /// Ends the file.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn finish(self) -> io::Result<W> {
        self.file.into_inner().map_err(failed)
    }
}

fn text(cell: &Cell) -> Option<ByteArray> {
    if let Cell::Text(text) = cell { Some(text.as_str().into()) } else { None }
}

fn integer(cell: &Cell) -> Option<i64> {
    if let Cell::Integer(number) = cell { Some(*number) } else { None }
}

fn real(cell: &Cell) -> Option<f64> {
    if let Cell::Real(number) = cell { Some(*number) } else { None }
}

fn failed(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(inner) => io::Error::other(inner),
        other => io::Error::other(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::parquet::Rows;
    use std::io::Seek;

    #[test]
    fn what_is_written_is_read_and_damage_is_told() {
        let columns =
            [("text", ColumnKind::Text), ("words", ColumnKind::Integer), ("x", ColumnKind::Real)];
        let file = tempfile::tempfile().unwrap();
        let mut writer = TableWriter::new(file, &columns).unwrap();
        let row = |text: &str, n| vec![Cell::Text(text.into()), Cell::Integer(n), Cell::Real(0.5)];
        writer
            .rows(&[row("Le pont.", 2), vec![Cell::Missing, Cell::Integer(1), Cell::Missing]])
            .unwrap();
        writer.rows(&[row("日本", 1)]).unwrap();
        let mut file = writer.finish().unwrap();
        let told = |file: std::fs::File| {
            let mut rows = Rows::open(file)?;
            let rows = std::iter::from_fn(|| rows.next());
            rows.map(|row| row.map(|row| serde_json::Value::Object(row).to_string())).collect()
        };
        let found: Result<Vec<String>, String> = told(file.try_clone().unwrap());
        assert_eq!(
            found.unwrap(),
            [
                r#"{"text":"Le pont.","words":2,"x":0.5}"#,
                r#"{"words":1}"#,
                r#"{"text":"日本","words":1,"x":0.5}"#
            ]
        );
        let mut bytes = Vec::new();
        file.rewind().unwrap();
        std::io::Read::read_to_end(&mut file, &mut bytes).unwrap();
        for at in 0..bytes.len() {
            let mut damaged = tempfile::tempfile().unwrap();
            let mut copy = bytes.clone();
            copy[at] ^= 0xFF;
            copy.truncate(if at % 7 == 0 { at } else { copy.len() });
            damaged.write_all(&copy).unwrap();
            // Whatever comes of it: it ends, and nothing breaks.
            let _: Result<Vec<String>, String> = told(damaged);
        }
    }
}
