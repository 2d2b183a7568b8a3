//! The vocabularies that an engine writes with, one for each language, made once.

use super::vocabulary::Vocabulary;
use super::{DecodingOptions, GenerationConfig};
use crate::arch::Model;
use crate::error::Result;
use crate::token::{Piece, Tokenizer};
use crate::types::Lang;
use rayon::prelude::*;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Which tokens may be written: a language, and whether its shortlist is kept to.
type Key = (Option<Lang>, bool);

/// The vocabularies made so far. They are made outside of the lock: that takes rayon, and a thread
/// that waits for its rayon tasks may be given another caller's, which needs a vocabulary too.
pub(super) struct VocabularyCache {
    model: Arc<dyn Model>,
    tokenizer: Arc<Tokenizer>,
    config: Arc<GenerationConfig>,
    allows: fn(&Lang, char) -> bool,
    held: Mutex<HashMap<Key, Arc<Vocabulary>>>,
}

impl VocabularyCache {
    pub(super) fn new(
        model: Arc<dyn Model>,
        tokenizer: Arc<Tokenizer>,
        config: Arc<GenerationConfig>,
        allows: fn(&Lang, char) -> bool,
    ) -> VocabularyCache {
        VocabularyCache { model, tokenizer, config, allows, held: Mutex::default() }
    }

    /// The tokens that may be written: those whose every character the language's scripts allow,
    /// and that are in its shortlist if the options ask for that.
    pub(super) fn get(&self, options: &DecodingOptions) -> Result<Arc<Vocabulary>> {
        let listed = options.shortlist
            && options
                .language
                .as_ref()
                .is_some_and(|lang| self.config.languages.contains_key(lang.as_str()));
        let key = (options.language.clone(), listed);
        if let Some(vocabulary) = self.lock().get(&key) {
            return Ok(vocabulary.clone());
        }
        let vocabulary = self.make(&key)?;
        // Where two threads have made the same, the first counts for both.
        Ok(self.lock().entry(key).or_insert(vocabulary).clone())
    }

    fn make(&self, key: &Key) -> Result<Arc<Vocabulary>> {
        let (Some(lang), listed) = key else { return Ok(Arc::new(Vocabulary::all())) };
        let shortlist = self.config.languages.get(lang.as_str()).filter(|_| *listed);
        let output = self.model.output();
        let size = output.vocabulary() as u32;
        let may_be_written = |(id, piece): &(u32, Piece)| match piece {
            Piece::Text(_) if shortlist.is_some_and(|listed| !listed.contains(*id)) => false,
            Piece::Text(text) => text.chars().all(|c| (self.allows)(lang, c)),
            Piece::Bytes => true,
            Piece::Control => self.tokenizer.is_end(*id),
        };
        let tokens: Vec<u32> = self
            .tokenizer
            .pieces()
            .into_par_iter()
            .filter(may_be_written)
            .map(|(id, _)| id)
            .filter(|&id| id < size)
            .collect();
        // A language that allows everything needs no copy of the layer, nor does one that allows
        // what another one does.
        let same = self.lock().values().find(|held| held.is(&tokens)).cloned();
        Ok(match same {
            Some(same) => same,
            None if tokens.len() as u32 * 10 > size * 9 => Arc::new(Vocabulary::all()),
            None => Arc::new(Vocabulary::some(tokens, output)?),
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Arc<Vocabulary>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
