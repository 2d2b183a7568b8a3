//! Weights out of nothing: random tensors of whatever shape is asked for, the same for the same
//! name every time.

use crate::cancel::CancelToken;
use crate::checkpoint::{MatrixReader, Weights};
use crate::error::{Error, Result};
use candle_core::{Device, Tensor};
use serde_json::Value;
use std::sync::atomic::{AtomicU64, Ordering};

/// Random weights for the model that a `config.json` describes.
pub(super) struct RandomWeights<'a> {
    model: &'a str,
    /// Rows of the tables whose number the caller leaves to the file.
    vocabulary: usize,
    positions: usize,
    buckets: usize,
    /// What the embeddings and the feed-forwards of a student of Marian's are wide.
    student: [usize; 2],
    /// What models of that type do not have, and what would change the graph if it were there.
    absent: Vec<&'static str>,
    cancel: CancelToken,
    /// Weights handed out so far.
    given: AtomicU64,
}

impl<'a> RandomWeights<'a> {
    pub fn new(model: &'a str, config: &Value, cancel: CancelToken) -> RandomWeights<'a> {
        let size = |key: &str| config.get(key).and_then(Value::as_u64).unwrap_or(0) as usize;
        let flag = |key: &str| config.get(key).and_then(Value::as_bool);
        let mut absent = match config.get("model_type").and_then(Value::as_str) {
            Some("m2m_100") => vec!["final_logits_bias"],
            _ => vec![],
        };
        if flag("tie_word_embeddings").unwrap_or(true) {
            absent.push("lm_head.weight");
        }
        if ["tied-embeddings", "tied-embeddings-all"].iter().any(|key| flag(key) == Some(true)) {
            absent.push("decoder_ff_logit_out_W");
        }
        RandomWeights {
            model,
            vocabulary: size("vocab_size"),
            // BART's learned positions begin at the third row.
            positions: size("max_position_embeddings") + 2,
            buckets: size("relative_attention_num_buckets"),
            student: [size("dim-emb"), size("transformer-dim-ffn")],
            absent,
            cancel,
            given: AtomicU64::new(0),
        }
    }

    /// The shape of a weight of a student of Marian's, whose names say what it is: vectors are one
    /// row, and matrices have their inputs first.
    fn student_shape(&self, name: &str) -> Option<[usize; 2]> {
        let [dim, hidden] = self.student;
        let part = name.rsplit_once('_').map_or(name, |(_, part)| part);
        match part {
            _ if dim == 0 => None,
            "Wemb" => Some([self.vocabulary, dim]),
            "W1" => Some([dim, hidden]),
            "W2" => Some([hidden, dim]),
            "b1" => Some([1, hidden]),
            "b" => Some([1, self.vocabulary]),
            _ if part.starts_with('W') => Some([dim, dim]),
            _ => Some([1, dim]),
        }
    }

    /// Random numbers from `middle - reach` to `middle + reach`, the same for the same name.
    fn random(&self, name: &str, shape: &[usize], middle: f32, reach: f32) -> Result<Tensor> {
        self.cancel.check()?;
        let count: usize = shape.iter().product();
        self.given.fetch_add(count as u64, Ordering::Relaxed);
        Ok(Tensor::from_vec(uniform(seed(name), count, middle, reach), shape, &Device::Cpu)?)
    }
}

impl Weights for RandomWeights<'_> {
    fn model(&self) -> &str {
        self.model
    }

    fn has(&self, name: &str) -> bool {
        !name.is_empty() && !self.absent.contains(&name)
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }

    fn get(&self, name: &str) -> Result<Tensor> {
        if let Some(shape) = self.student_shape(name) {
            let inputs = if name.ends_with("Wemb") { shape[1] } else { shape[0] };
            let (middle, reach) = match shape {
                _ if name.ends_with("_scale") => (1.0, 0.1),
                [1, _] => (0.0, 0.05),
                _ => (0.0, (3.0 / inputs as f32).sqrt()),
            };
            return self.random(name, &shape, middle, reach);
        }
        Err(Error::model(
            self.model,
            format!(
                "weight {name} is asked for without its shape, and random weights have none of their own"
            ),
        ))
    }

    fn get_rows(&self, name: &str, width: usize) -> Result<Tensor> {
        let rows = match name {
            _ if name.contains("relative_attention_bias") => self.buckets,
            _ if name.contains("embed_positions") => self.positions,
            _ => self.vocabulary,
        };
        self.get_shaped(name, &[rows, width])
    }

    fn get_matrix(&self, name: &str, rows: usize, width: usize) -> Result<MatrixReader<'_>> {
        MatrixReader::from_tensor(self.get_shaped(name, &[rows, width])?)
    }

    fn get_shaped(&self, name: &str, shape: &[usize]) -> Result<Tensor> {
        if self.student_shape(name).is_some() {
            let tensor = self.get(name)?;
            self.check_shape(name, tensor.dims(), shape)?;
            return Ok(tensor);
        }
        // About what training begins with, so that nothing grows or vanishes on its way through the
        // layers.
        let (middle, reach) = match shape {
            _ if name.ends_with("bias") => (0.0, 0.05),
            [_] => (1.0, 0.1),
            [.., inputs] => (0.0, (3.0 / *inputs as f32).sqrt()),
            [] => (0.0, 1.0),
        };
        self.random(name, shape, middle, reach)
    }
}

/// FNV-1a.
fn seed(name: &str) -> u32 {
    name.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// Numbers from `middle - reach` to `middle + reach`: Murmur3's mixing of their places, which
/// vectorizes.
fn uniform(seed: u32, count: usize, middle: f32, reach: f32) -> Vec<f32> {
    let number = |place: usize| {
        let mut x = (place as u32).wrapping_mul(0x9e37_79b9) ^ seed;
        x = (x ^ (x >> 16)).wrapping_mul(0x85eb_ca6b);
        x = (x ^ (x >> 13)).wrapping_mul(0xc2b2_ae35);
        x ^= x >> 16;
        // 24 bits are what a float holds exactly.
        middle + reach * ((x >> 8) as f32 / 8_388_608.0 - 1.0)
    };
    (0..count).map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch;
    use crate::bench::{SHAPES, Shape};
    use crate::checkpoint::Config;
    use crate::kernel::Precision;
    use crate::nn::Backend;

    #[test]
    fn numbers_are_spread_evenly_and_the_same_every_time() {
        let numbers = uniform(seed("a"), 100_000, 1.0, 0.5);
        let mean = numbers.iter().sum::<f32>() / numbers.len() as f32;
        let deviation =
            (numbers.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / numbers.len() as f32).sqrt();
        assert!(
            (mean - 1.0).abs() < 0.01 && (deviation - 0.5 / 3f32.sqrt()).abs() < 0.01,
            "{mean} {deviation}"
        );
        assert!(numbers.iter().all(|x| (0.5..=1.5).contains(x)));
        assert_eq!(numbers, uniform(seed("a"), 100_000, 1.0, 0.5));
        assert_ne!(numbers, uniform(seed("b"), 100_000, 1.0, 0.5));
    }

    /// What a model says that it multiplies, against the weights that it asks for: each is used
    /// once for each token.
    #[test]
    fn the_work_is_the_weights() {
        for name in ["tiny", "tiny-decoder"] {
            let shape = Shape::named(name).unwrap();
            let config = shape.config();
            let weights = RandomWeights::new(name, &config, CancelToken::new());
            let backend = Backend::new(Device::Cpu, Precision::F32);
            let work =
                arch::load(&Config::Json(config.clone()), &weights, &backend).unwrap().macs();
            let matrices = work.source + work.token + work.output;
            // Norms and biases are the rest.
            let rest = weights.given.load(Ordering::Relaxed) - matrices;
            assert!(rest > 0 && rest * 20 < matrices, "{name}: {matrices} and {rest}");
        }
    }

    /// As many as Mozilla's registry states, but for the multipliers of activations: one for each
    /// matrix, and two for the embeddings.
    #[test]
    fn students_have_as_many_weights_as_the_published_ones() {
        for (name, published, multipliers) in [
            ("firefox-tiny", 16_907_062, 6 * 6 + 2 * 8 + 2),
            ("firefox-base-memory", 31_248_966, 6 * 6 + 4 * 8 + 2),
            ("firefox-base", 42_686_774, 6 * 6 + 2 * 8 + 2),
        ] {
            let config = Shape::named(name).unwrap().config();
            let weights = RandomWeights::new(name, &config, CancelToken::new());
            let backend = Backend::new(Device::Cpu, Precision::Int8);
            let model = arch::load(&Config::Json(config), &weights, &backend).unwrap();
            let given = weights.given.load(Ordering::Relaxed);
            assert_eq!(given, published - multipliers, "{name}");
            let work = model.macs();
            let matrices = work.source + work.token + work.output;
            assert!((given - matrices) * 100 < matrices, "{name}: {given} and {matrices}");
        }
    }

    #[test]
    fn every_shape_has_a_name_of_its_own_and_a_known_architecture() {
        for (i, shape) in SHAPES.iter().enumerate() {
            assert!(SHAPES[..i].iter().all(|other| other.name != shape.name));
            let config = shape.config();
            let kind = config["model_type"].as_str().unwrap();
            assert!(arch::REGISTRY.iter().any(|a| a.hub.contains(&kind)), "{kind}");
            assert!(
                config["vocab_size"].is_u64() && config["eos_token_id"].is_u64(),
                "{}",
                shape.name
            );
        }
    }
}
