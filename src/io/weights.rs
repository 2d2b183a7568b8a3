//! Model files: GGUF and safetensors.

use crate::error::{Error, Result};
use crate::nn::{Config, Weights};
use candle_core::quantized::gguf_file;
use candle_core::{DType, Device, Tensor};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// The weights of a GGUF file, dequantized as they are asked for.
pub struct Gguf {
    path: String,
    content: gguf_file::Content,
    file: Mutex<BufReader<File>>,
}

impl Gguf {
    /// Reads the header. The configuration is returned beside the weights.
    pub fn open(path: &Path) -> Result<(Config, Gguf)> {
        let name = path.display().to_string();
        let file = File::open(path).map_err(Error::io("reading", path))?;
        let size = file.metadata().map_err(Error::io("reading", path))?.len();
        let mut reader = BufReader::new(file);
        let content = gguf_file::Content::read(&mut reader).map_err(|e| {
            Error::model(&name, format!("not a readable GGUF file: {e}; fetch it again, or check it with `polygist models verify`"))
        })?;
        for (tensor, info) in &content.tensor_infos {
            // The header is checked against the file before anything is allocated for its tensors.
            let elements = info.shape.dims().iter().try_fold(1u64, |n, &d| n.checked_mul(d as u64));
            let bytes = elements.and_then(|n| (n / info.ggml_dtype.block_size() as u64).checked_mul(info.ggml_dtype.type_size() as u64));
            let end = bytes.and_then(|b| b.checked_add(info.offset)).and_then(|b| b.checked_add(content.tensor_data_offset));
            if end.is_none_or(|end| end > size) {
                return Err(Error::model(
                    &name,
                    format!("tensor {tensor} ends beyond the file's {size} bytes; the file is cut off: fetch it again"),
                ));
            }
        }
        let config = Config::Gguf(content.metadata.clone());
        Ok((config, Gguf { path: name, content, file: Mutex::new(reader) }))
    }
}

impl Weights for Gguf {
    fn model(&self) -> &str {
        &self.path
    }

    fn has(&self, name: &str) -> bool {
        self.content.tensor_infos.contains_key(name)
    }

    fn get(&self, name: &str) -> Result<Tensor> {
        if !self.has(name) {
            return Err(Error::model(&self.path, format!("weight {name} is missing")));
        }
        let quantized = {
            let mut file = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            self.content.tensor(&mut *file, name, &Device::Cpu)?
        };
        Ok(quantized.dequantize(&Device::Cpu)?)
    }
}

/// The weights of one or more safetensors files.
pub struct Safetensors {
    model: String,
    tensors: Vec<(PathBuf, std::collections::HashMap<String, Tensor>)>,
}

impl Safetensors {
    /// Reads `model.safetensors`, or the shards that `model.safetensors.index.json` names, of a folder in the Hub's layout,
    /// and its `config.json`.
    pub fn open(folder: &Path) -> Result<(Config, Safetensors)> {
        let model = folder.display().to_string();
        let config_path = folder.join("config.json");
        let text = std::fs::read(&config_path).map_err(Error::io("reading", &config_path))?;
        let config: serde_json::Value =
            serde_json::from_slice(&text).map_err(|e| Error::model(&model, format!("config.json is not JSON: {e}")))?;
        let mut shards: Vec<PathBuf> = std::fs::read_dir(folder)
            .map_err(Error::io("reading", folder))?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|e| e == "safetensors"))
            .collect();
        shards.sort();
        if shards.is_empty() {
            return Err(Error::model(&model, "the folder has no *.safetensors file"));
        }
        let mut tensors = Vec::new();
        for shard in shards {
            let read = candle_core::safetensors::load(&shard, &Device::Cpu)
                .map_err(|e| Error::model(&model, format!("{} is not a readable safetensors file: {e}", shard.display())))?;
            tensors.push((shard, read));
        }
        Ok((Config::Json(config), Safetensors { model, tensors }))
    }
}

impl Weights for Safetensors {
    fn model(&self) -> &str {
        &self.model
    }

    fn has(&self, name: &str) -> bool {
        self.tensors.iter().any(|(_, t)| t.contains_key(name))
    }

    fn get(&self, name: &str) -> Result<Tensor> {
        let tensor = self.tensors.iter().find_map(|(_, t)| t.get(name));
        let tensor = tensor.ok_or_else(|| Error::model(&self.model, format!("weight {name} is missing")))?;
        Ok(tensor.to_dtype(DType::F32)?)
    }
}
