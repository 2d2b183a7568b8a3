//! A model of random weights, and sentences of random tokens for it.

use super::random::RandomWeights;
use super::shapes::Shape;
use crate::arch;
use crate::checkpoint::Config;
use crate::error::{Error, Result};
use crate::generate::{DecodingOptions, Engine, Generate, GenerationConfig, Request};
use crate::model::Runtime;
use crate::token::Tokenizer;
use serde_json::Value;

/// Ids below this are marks in most vocabularies.
const FIRST_WORD: u32 = 4;

/// Builds a model of a shape, as a model's files would be opened: the weights are made, packed and
/// put where the model computes.
///
/// # Errors
/// When the device fails, or the user stops it.
pub fn open(shape: &Shape, runtime: &Runtime) -> Result<Engine> {
    let config = shape.config();
    let id = |key: &str| config.get(key).and_then(Value::as_u64).map(|id| id as u32);
    let vocabulary = config.get("vocab_size").and_then(Value::as_u64).unwrap_or(0) as usize;
    let weights = RandomWeights::new(shape.name, &config, runtime.cancel.clone());
    let backend = runtime.backend();
    let tokenizer = Tokenizer::numbered(vocabulary, id("eos_token_id").unwrap_or(0))?;
    let generation = GenerationConfig {
        start: id("decoder_start_token_id").into_iter().collect(),
        ..GenerationConfig::default()
    };
    let model = arch::load(&Config::Json(config), &weights, &backend)?;
    Engine::new(shape.name, model, tokenizer, generation, runtime.settings())
}

/// What is to be read and written.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// How many sentences, or articles.
    pub count: usize,
    /// Source tokens of the shortest and the longest.
    pub lengths: (usize, usize),
    /// Target tokens of each, exactly.
    pub tokens: usize,
    /// Width of the beam.
    pub beams: usize,
}

impl Sample {
    /// Sources as long as the sentences of news: 10 to 60 tokens, 31 in the mean, about as in
    /// FLORES.
    pub const SENTENCES: (usize, usize) = (10, 60);
    /// Sources as long as articles: 200 to 1000 tokens, 530 in the mean.
    pub const ARTICLES: (usize, usize) = (200, 1000);
}

/// Requests with sources of random tokens, the same every time, those of a shorter sample the
/// beginning of a longer one's. Sources are no longer than the model reads.
///
/// # Errors
/// When the output does not fit into the model's context.
pub fn requests(engine: &Engine, sample: Sample) -> Result<Vec<Request>> {
    let prompted = engine.is_decoder_only();
    let longest = sample.lengths.1.min(engine.prompt_length());
    // A decoder reads a prompt in the same context; beside an encoder it has one token to start
    // with.
    let room = engine.context_length().saturating_sub(if prompted { longest } else { 1 });
    if sample.tokens > room {
        let message = format!(
            "--tokens {}: {} writes at most {room} tokens after such a source",
            sample.tokens,
            engine.id()
        );
        return Err(Error::Usage(message));
    }
    // What ends an output counts for nothing here, and neither does what it says.
    let options = DecodingOptions {
        max_tokens: sample.tokens,
        min_tokens: sample.tokens,
        end_loops: false,
        num_beams: sample.beams.max(1),
        // As in translation, where nobody asks how likely a greedy output is.
        scored: false,
        ..DecodingOptions::default()
    };
    let words = (engine.vocabulary_size() as u32).saturating_sub(FIRST_WORD + 1).max(1);
    let mut random = Random(7);
    let request = |_| {
        let length = random.length(sample.lengths).min(longest);
        let ids: Vec<u32> = (0..length).map(|_| FIRST_WORD + random.below(words)).collect();
        let text = || ids.iter().map(|id| format!("t{id}")).collect::<Vec<_>>().join(" ");
        let (prompt, source) = if prompted { (text(), None) } else { (String::new(), Some(ids)) };
        Request { prompt, source, options: options.clone(), ..Request::default() }
    };
    Ok((0..sample.count).map(request).collect())
}

/// A linear congruential generator (Knuth's MMIX).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((u64::from((self.0 >> 32) as u32) * u64::from(bound)) >> 32) as u32
    }

    /// From the shortest to the longest, those below the middle somewhat likelier, as with
    /// sentences.
    fn length(&mut self, (shortest, longest): (usize, usize)) -> usize {
        let reach = longest.saturating_sub(shortest) as u32;
        let [a, b] = std::array::from_fn(|_| self.below(reach + 1));
        shortest + ((a + b + 2 * a.min(b) + 2) / 4) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_as_long_as_sentences() {
        let mut random = Random(7);
        let lengths: Vec<usize> = (0..2000).map(|_| random.length(Sample::SENTENCES)).collect();
        let mean = lengths.iter().sum::<usize>() as f64 / lengths.len() as f64;
        assert!((30.0..32.0).contains(&mean), "{mean}");
        assert!(lengths.iter().all(|n| (10..=60).contains(n)));
        assert!(lengths.iter().any(|&n| n < 13) && lengths.iter().any(|&n| n > 55));
    }

    #[test]
    fn samples_are_the_same_every_time_and_outputs_exactly_as_long_as_asked() {
        for name in ["tiny", "tiny-decoder"] {
            let engine = open(Shape::named(name).unwrap(), &Runtime::cpu()).unwrap();
            for beams in [1, 3] {
                let sample = Sample { count: 5, lengths: Sample::SENTENCES, tokens: 9, beams };
                let asked = requests(&engine, sample).unwrap();
                assert_eq!(asked, requests(&engine, sample).unwrap());
                assert_eq!(asked[..3], requests(&engine, Sample { count: 3, ..sample }).unwrap());
                let outputs = engine.generate(&asked, &|_, _| true).unwrap();
                assert!(outputs.iter().all(|output| output.tokens == 9), "{name}, beam {beams}");
            }
            let sample = Sample { count: 1, lengths: Sample::SENTENCES, tokens: 100_000, beams: 1 };
            assert!(requests(&engine, sample).unwrap_err().to_string().contains("--tokens 100000"));
        }
    }
}
