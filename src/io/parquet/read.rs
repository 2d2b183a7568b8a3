//! The rows of a Parquet file as JSON objects, one at a time.

use crate::io::guarded;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::reader::RowIter;
use parquet::record::{Field, Row};
use serde_json::{Map, Value};
use std::fs::File;

/// Rows for each byte of a file that are believed: equal ones take next to no room.
const MOST_ROWS: u64 = 1000;

/// The rows of a file.
pub(in crate::io) struct Rows {
    rows: RowIter<'static>,
    ended: bool,
}

impl Rows {
    /// Opens a file. The error is a phrase.
    pub fn open(file: File) -> Result<Rows, String> {
        let size = file.metadata().map_err(|e| e.to_string())?.len();
        let open = || SerializedFileReader::new(file);
        let reader = guarded(open)?.map_err(|e| e.to_string())?;
        let told = reader.metadata().file_metadata();
        let (rows, columns) = (told.num_rows(), told.schema_descr().num_columns());
        if columns == 0 || u64::try_from(rows).map_or(true, |n| n > size.saturating_mul(MOST_ROWS))
        {
            return Err(format!("{rows} rows of {columns} columns in {size} bytes"));
        }
        let rows = guarded(|| RowIter::from_file_into(Box::new(reader)))?;
        Ok(Rows { rows, ended: false })
    }

    /// The next row: its columns by their names, without those that are null. The error is a
    /// phrase, and the end.
    pub fn next(&mut self) -> Option<Result<Map<String, Value>, String>> {
        if self.ended {
            return None;
        }
        let next = guarded(|| self.rows.next()).map(|row| row.map(|row| row.map(object)));
        let next = match next {
            Ok(Some(Ok(row))) => return Some(Ok(row)),
            Ok(Some(Err(e))) => Some(Err(told(&e.to_string()))),
            Ok(None) => None,
            Err(why) => Some(Err(why)),
        };
        self.ended = true;
        next
    }
}

/// What a function of the reader returns, which may panic where a file is damaged.
fn guarded<T>(read: impl FnOnce() -> T) -> Result<T, String> {
    guarded::guarded(read).ok_or_else(|| "it is damaged".into())
}

/// An error in the words of a user.
fn told(error: &str) -> String {
    match error.split_once("Disabled feature at compile time: ") {
        Some((_, packing)) => format!(
            "its columns are packed by {packing}, which is not read; write it with snappy, gzip or \
             zstd"
        ),
        None => error.into(),
    }
}

fn object(row: Row) -> Map<String, Value> {
    let values = row.into_columns().into_iter().map(|(name, field)| (name, value(&field)));
    values.filter(|(_, value)| !value.is_null()).collect()
}

fn value(field: &Field) -> Value {
    match field {
        Field::Null => Value::Null,
        Field::Bool(value) => (*value).into(),
        Field::Byte(value) => (*value).into(),
        Field::Short(value) => (*value).into(),
        Field::Int(value) => (*value).into(),
        Field::Long(value) => (*value).into(),
        Field::UByte(value) => (*value).into(),
        Field::UShort(value) => (*value).into(),
        Field::UInt(value) => (*value).into(),
        Field::ULong(value) => (*value).into(),
        Field::Float16(value) => f32::from(*value).into(),
        Field::Float(value) => (*value).into(),
        Field::Double(value) => (*value).into(),
        Field::Str(text) => text.as_str().into(),
        // Text that its writer has not marked as such; other bytes are nothing for a record.
        Field::Bytes(bytes) => std::str::from_utf8(bytes.data()).map_or(Value::Null, Value::from),
        Field::Group(row) => {
            let inner = row.get_column_iter().map(|(name, field)| (name.clone(), value(field)));
            Value::Object(inner.filter(|(_, value)| !value.is_null()).collect())
        }
        Field::ListInternal(list) => list.elements().iter().map(value).collect(),
        Field::MapInternal(map) => {
            let key = |key: &Field| match value(key) {
                Value::String(text) => text,
                other => other.to_string(),
            };
            let pairs = map.entries().iter().map(|(name, field)| (key(name), value(field)));
            Value::Object(pairs.collect())
        }
        Field::Decimal(_)
        | Field::Date(_)
        | Field::TimeMillis(_)
        | Field::TimeMicros(_)
        | Field::TimestampMillis(_)
        | Field::TimestampMicros(_) => field.to_string().into(),
    }
}
