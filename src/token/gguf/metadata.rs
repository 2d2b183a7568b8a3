//! Typed access to the metadata of a GGUF file.

use crate::error::{Error, Result};
use candle_core::quantized::gguf_file::Value;
use std::collections::HashMap;

/// The metadata of one file.
pub(super) struct Metadata<'a> {
    pub meta: &'a HashMap<String, Value>,
    /// The file, for messages.
    pub model: &'a str,
}

impl Metadata<'_> {
    fn list(&self, key: &str) -> Result<&Vec<Value>> {
        let value = self.meta.get(key).and_then(|v| v.to_vec().ok());
        value.ok_or_else(|| Error::model(self.model, format!("its metadata has no list {key}")))
    }

    /// Whether the tokenizer says as many things of its tokens as it has tokens.
    pub fn same_length(&self, tokens: usize, found: usize, what: &str) -> Result<()> {
        if tokens == found {
            return Ok(());
        }
        Err(Error::model(
            self.model,
            format!(
                "the tokenizer has {tokens} tokens and {found} {what}; the file is damaged: fetch it again"
            ),
        ))
    }

    pub fn strings(&self, key: &str) -> Result<Vec<String>> {
        let text = |v: &Value| v.to_string().cloned();
        self.list(key)?
            .iter()
            .map(text)
            .collect::<Result<_, _>>()
            .map_err(|_| Error::model(self.model, format!("{key} is not a list of texts")))
    }

    pub fn floats(&self, key: &str) -> Result<Vec<f32>> {
        let number = |v: &Value| v.to_f32();
        self.list(key)?
            .iter()
            .map(number)
            .collect::<Result<_, _>>()
            .map_err(|_| Error::model(self.model, format!("{key} is not a list of numbers")))
    }

    pub fn integers(&self, key: &str) -> Result<Vec<i64>> {
        Ok(self.list(key)?.iter().map(|v| integer(v).unwrap_or(0)).collect())
    }

    pub fn string(&self, key: &str) -> Result<String> {
        let value = self.meta.get(key).and_then(|v| v.to_string().ok());
        value
            .cloned()
            .ok_or_else(|| Error::model(self.model, format!("its metadata has no text {key}")))
    }

    pub fn flag(&self, key: &str) -> Option<bool> {
        self.meta.get(key)?.to_bool().ok()
    }

    /// A list of numbers of one byte that may be missing.
    pub fn bytes(&self, key: &str) -> Result<Vec<u8>> {
        let Some(value) = self.meta.get(key) else { return Ok(Vec::new()) };
        let byte = |v: &Value| match v {
            Value::U8(v) => Some(*v),
            Value::I8(v) => Some(v.cast_unsigned()),
            _ => None,
        };
        let bytes = value.to_vec().ok().and_then(|all| all.iter().map(byte).collect());
        bytes.ok_or_else(|| Error::model(self.model, format!("{key} is not a list of bytes")))
    }

    pub fn integer(&self, key: &str) -> Option<i64> {
        integer(self.meta.get(key)?)
    }
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::U8(v) => Some(i64::from(*v)),
        Value::I8(v) => Some(i64::from(*v)),
        Value::U16(v) => Some(i64::from(*v)),
        Value::I16(v) => Some(i64::from(*v)),
        Value::U32(v) => Some(i64::from(*v)),
        Value::I32(v) => Some(i64::from(*v)),
        Value::U64(v) => i64::try_from(*v).ok(),
        Value::I64(v) => Some(*v),
        _ => None,
    }
}
