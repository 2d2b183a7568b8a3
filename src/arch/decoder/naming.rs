//! The names of a decoder's weights.

use super::DecoderConfig;

/// A family's names of weights, and how its files store them.
pub(in crate::arch) struct Naming {
    pub embedding: &'static str,
    pub output: &'static str,
    pub output_norm: &'static str,
    /// Prefix of a layer's weights, `{}` for its number.
    pub layer: &'static str,
    pub attention_norm: &'static str,
    pub q: &'static str,
    pub k: &'static str,
    pub v: &'static str,
    pub o: &'static str,
    /// Queries, keys and values as one matrix.
    pub qkv: &'static str,
    pub q_norm: &'static str,
    pub k_norm: &'static str,
    pub post_attention_norm: &'static str,
    pub feed_forward_norm: &'static str,
    pub gate: &'static str,
    pub up: &'static str,
    /// Gate and up as one matrix.
    pub gate_up: &'static str,
    pub down: &'static str,
    pub post_feed_forward_norm: &'static str,
    /// Added to the stored weights of norms (Gemma's checkpoints store the difference from 1).
    pub norm_offset: f64,
    /// Whether the rows of queries and keys are stored in interleaved order (GGUF files of Llama,
    /// all of Cohere's).
    pub interleaved_rope: bool,
}

impl Naming {
    /// The names of all weights that a decoder needs, its embedding under the name `embedding`.
    pub fn required(&self, c: &DecoderConfig, embedding: &str) -> impl Iterator<Item = String> {
        let mut parts = vec![self.attention_norm];
        let qkv: &[&str] = if c.fused { &[self.qkv] } else { &[self.q, self.k, self.v] };
        parts.extend(qkv);
        parts.push(self.o);
        parts.extend((!c.parallel).then_some(self.feed_forward_norm));
        let gate_up: &[&str] = if c.fused { &[self.gate_up] } else { &[self.gate, self.up] };
        parts.extend(gate_up);
        parts.push(self.down);
        if c.qk_norm.is_some() {
            parts.extend([self.q_norm, self.k_norm]);
        }
        if c.post_norm {
            parts.extend([self.post_attention_norm, self.post_feed_forward_norm]);
        }
        let with_bias = qkv.iter().filter(|_| c.qkv_bias).copied();
        let with_bias = with_bias.chain(c.o_bias.then_some(self.o));
        let biases: Vec<String> = with_bias.map(bias).collect();
        let parts: Vec<String> = parts.into_iter().map(String::from).chain(biases).collect();
        let layer = move |i: usize| parts.iter().map(|part| self.part(i, part)).collect::<Vec<_>>();
        [embedding, self.output_norm]
            .map(String::from)
            .into_iter()
            .chain((0..c.layers.len()).flat_map(layer))
    }

    /// The name of a part of a layer.
    pub fn part(&self, layer: usize, part: &str) -> String {
        format!("{}{part}", self.layer.replace("{}", &layer.to_string()))
    }

    /// The weights of layers that adapters change.
    pub fn adaptable(&self) -> [&'static str; 9] {
        [self.q, self.k, self.v, self.o, self.qkv, self.gate, self.up, self.gate_up, self.down]
    }
}

/// The name of the bias beside a weight.
pub(super) fn bias(weight: &str) -> String {
    format!("{}.bias", weight.strip_suffix(".weight").unwrap_or(weight))
}
