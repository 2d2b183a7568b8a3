//! From a request to what runs: tokens, vocabulary, lengths. It is done on the caller's thread.

use super::prefix_cache::Prefix;
use super::reply::Reply;
use super::sequence::QueuedRequest;
use super::stream::TextStream;
use super::{Engine, Request};
use crate::arch::Encoder;
use crate::error::{Error, Result};
use std::sync::Arc;

/// What an output is given to begin with.
pub(super) struct Forced {
    /// The begin token, and those of the text.
    pub tokens: Vec<u32>,
    /// Tokens of the text: as in `transformers`, the begin token counts as written, the text as
    /// given.
    free_tokens: usize,
}

/// An output may have as many tokens, however short its source is: one token may be a word that
/// takes several in another language.
const SHORTEST_LIMIT: usize = 10;

impl Engine {
    /// A request, tokenized and ready to run.
    pub(super) fn prepare(&self, request: &Request, reply: Reply) -> Result<QueuedRequest> {
        let options = &request.options;
        let prompt = self.tokenizer.encode_plain(&request.prompt)?;
        let prompt_tokens = prompt.len();
        let Forced { tokens: forced, free_tokens } = self.forced(request)?;
        let (source, mut tokens, prefix) = if let Some(encoder) = self.model.encoder() {
            (Some(self.source(encoder, request)?), self.config.start.clone(), None)
        } else {
            (None, self.after_prefix(prompt, request)?, Some(self.prefix(request)?))
        };
        let constraints = match &source {
            Some(source) => self.constraints(request, source)?,
            None => None,
        };
        let mut options = options.clone();
        if constraints.is_some() {
            // Hypotheses that have a term stand beside those that wait for it.
            options.num_beams = options.num_beams.max(2);
            (options.temperature, options.outputs) = (0.0, 1);
        }
        let used = tokens.len() + prefix.as_ref().map_or(0, |prefix| prefix.tokens.len());
        tokens.extend(&forced);
        let max_length = (self.model.context_length().saturating_sub(used)).min(
            options.max_tokens.max(1 + forced.len() - free_tokens).saturating_add(free_tokens),
        );
        let longest = self.config.length_factor.zip(source.as_ref()).map(|(factor, source)| {
            let most = factor.saturating_mul(source.len()).max(SHORTEST_LIMIT);
            most.saturating_add(free_tokens).max(1 + forced.len())
        });
        let max_length = max_length.min(longest.unwrap_or(usize::MAX));
        if max_length <= forced.len() {
            return Err(self.too_long(used));
        }
        Ok(QueuedRequest {
            vocabulary: self.vocabularies.get(&options)?,
            options,
            constraints,
            source,
            tokens,
            forced_prefix: forced.len(),
            free_tokens,
            prompt_tokens,
            max_length,
            prefix,
            stream: TextStream::default(),
            share: None,
            holds_place: false,
            runs_alone: false,
            reply,
        })
    }

    /// The prefix of a request to a language model.
    pub(super) fn prefix(&self, request: &Request) -> Result<Arc<Prefix>> {
        let prefix = self.prefixes.get(&request.prefix)?;
        let tokens = prefix.tokens.len();
        if tokens >= self.model.context_length() { Err(self.too_long(tokens)) } else { Ok(prefix) }
    }

    /// What a language model reads after the prefix: the context, the prompt, as tokens, and the
    /// suffix.
    pub(super) fn after_prefix(&self, prompt: Vec<u32>, request: &Request) -> Result<Vec<u32>> {
        let mut tokens = self.tokenizer.encode_plain(&request.context)?;
        tokens.extend(prompt);
        tokens.extend(self.tokenizer.encode(&request.suffix)?);
        if tokens.is_empty() {
            return Err(Error::model(
                &self.id,
                "a prompt without text; expected at least one token after the prefix",
            ));
        }
        Ok(tokens)
    }

    /// What the encoder reads.
    pub(super) fn source(&self, encoder: &dyn Encoder, request: &Request) -> Result<Vec<u32>> {
        let source = match &request.source {
            Some(ids) => ids.clone(),
            None => self.tokenizer.encode_source(&request.prefix, &request.prompt)?,
        };
        let (tokens, context) = (source.len(), encoder.context_length());
        if tokens == 0 || tokens > context {
            return Err(Error::model(
                &self.id,
                format!("a source of {tokens} tokens; it reads 1 to {context}: split the text"),
            ));
        }
        Ok(source)
    }

    /// What the output of a request is given to begin with.
    pub(super) fn forced(&self, request: &Request) -> Result<Forced> {
        let begin = request.begin.as_ref().map(|text| self.begin(text)).transpose()?;
        let begin = begin.or(request.options.forced_begin);
        let given = self.tokenizer.encode_target(&request.output_prefix, "")?;
        let free_tokens = given.len();
        Ok(Forced { tokens: begin.into_iter().chain(given).collect(), free_tokens })
    }

    /// The error for what does not fit into the context.
    pub(super) fn too_long(&self, tokens: usize) -> Error {
        let context = self.model.context_length();
        Error::model(
            &self.id,
            format!(
                "a prompt of {tokens} tokens leaves no room in its context of {context}; split the text"
            ),
        )
    }

    /// The token that an output is to begin with.
    fn begin(&self, text: &str) -> Result<u32> {
        self.tokenizer.token_id(text).ok_or_else(|| {
            Error::model(&self.id, format!("its vocabulary has no token {text:?} to begin with"))
        })
    }
}
