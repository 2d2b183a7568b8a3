//! One attempt at some segments: in pieces, through the model, back together.

use super::pieces::{Assembly, Piece, Written, split};
use super::progress::Counter;
use super::readable::readable;
use super::retry::RetryStrategy;
use super::{Segment, Settings, Translation, terms};
use crate::error::Result;
use crate::generate::{Alignment, DecodingOptions, Finish, Generate, Output, Request, Variant};
use crate::task::checks::{self, Severity};
use crate::task::likelihood::Likelihood;
use crate::task::prompts::{self, Prompt, Told};
use crate::task::rerank::{self, Reranker};
use crate::text::terms::FoundTerm;
use crate::types::{AlignedToken, Lang, TokenAlignment};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Widest beam for terms.
const MOST_BEAMS_OF_TERMS: usize = 12;

/// An attempt at segments.
pub(super) struct Attempt<'a> {
    pub model: &'a dyn Generate,
    /// See [`super::Hop::reverse`].
    pub reverse: Option<&'a dyn Generate>,
    /// The segments, each with the terms that stand in it.
    pub segments: &'a [(&'a Segment, &'a [FoundTerm])],
    pub strategy: RetryStrategy,
    pub settings: &'a Settings,
}

/// The requests of an attempt, and what each is about.
#[derive(Default)]
struct Batch<'a> {
    /// The pieces of each segment.
    pieces: Vec<Vec<Piece>>,
    /// A request for each piece that is not kept as it is, in order.
    requests: Vec<Request>,
    /// The segment of each request.
    segments: Vec<&'a Segment>,
    /// Tokens of each request's prompt.
    sizes: Vec<usize>,
}

impl<'a> Attempt<'a> {
    /// The translations of the segments, in their order, with what the checks say of them.
    ///
    /// # Errors
    /// When the model fails.
    pub fn translate(&self, counter: &Counter<'_>) -> Result<Vec<Translation>> {
        let options = self.settings.options(self.model);
        // What has the terms has no variants to choose from.
        let reranks = !self.strategy.asks_for_terms()
            && rerank::is_wanted(self.model, self.reverse, &options);
        let mut first = self.strategy.options(self.model, self.settings);
        if reranks {
            first.outputs = rerank::CANDIDATES.min(first.num_beams);
        }
        let batch = self.batch(&first)?;
        // Reading back is a second step, of about the same length.
        let answers = batch.requests.len() * if reranks { 2 } else { 1 };
        let is_first = self.strategy == RetryStrategy::Plain;
        let counter = counter.attempt(is_first, self.segments.len(), answers);
        let one_more = || counter.one_more();
        let mut outputs = self.model.generate(&batch.requests, &|_, _| one_more())?;
        let mut likelihoods = vec![None; outputs.len()];
        if reranks {
            likelihoods = self.rerank(&batch, &mut outputs, &one_more)?;
            if self.reverse.is_some() {
                // How likely another model holds the source says less of the quality than the
                // model's own probabilities (docs/quality.md): it only helps to choose.
                likelihoods.iter_mut().flatten().for_each(|known| known.backward = None);
            }
        }
        if options.scored {
            for ((known, output), request) in
                likelihoods.iter_mut().zip(&outputs).zip(&batch.requests)
            {
                *known = known.or_else(|| Likelihood::searched(output, &request.options));
            }
        }
        let alignments = self.alignments(&batch, &outputs)?;
        let flipped = if reranks { self.flipped(&batch, &outputs)? } else { Vec::new() };
        let parts = outputs.into_iter().zip(batch.sizes).zip(likelihoods).zip(alignments);
        let mut written =
            parts.enumerate().map(|(number, (((output, tokens), likelihood), alignment))| {
                Written {
                    output,
                    tokens,
                    likelihood,
                    alignment,
                    is_flipped: flipped.contains(&number),
                }
            });
        let whole = |(segment, pieces): (&(&Segment, &[FoundTerm]), &Vec<Piece>)| {
            let how = Assembly {
                model: self.model,
                strategy: self.strategy,
                doubted_below: options.min_confidence,
            };
            how.assemble(*segment, pieces, &mut written)
        };
        Ok(self.segments.iter().zip(&batch.pieces).map(whole).collect())
    }

    /// So many translations of each segment, by the hypotheses of a beam, best first; fewer where
    /// the beam has ended with fewer. A segment in several pieces has the best of each, the second
    /// best of each, and so on.
    ///
    /// # Errors
    /// When the model fails, or `goes_on` has stopped it.
    pub fn hypotheses(
        &self,
        number: usize,
        goes_on: &(dyn Fn() -> bool + Sync),
    ) -> Result<Vec<Vec<Translation>>> {
        let mut options = self.strategy.options(self.model, self.settings);
        options.num_beams = options.num_beams.max(number);
        (options.outputs, options.temperature) = (number, 0.0);
        let batch = self.batch(&options)?;
        let outputs = self.model.generate(&batch.requests, &|_, _| goes_on())?;
        let how = Assembly { model: self.model, strategy: self.strategy, doubted_below: 0.0 };
        let most = outputs.iter().map(|output| 1 + output.variants.len()).max().unwrap_or(1);
        let mut found = vec![Vec::new(); self.segments.len()];
        for rank in 0..most.min(number) {
            let mut written = outputs.iter().zip(&batch.sizes).map(|(output, &tokens)| Written {
                output: nth(output, rank),
                tokens,
                likelihood: None,
                alignment: None,
                is_flipped: false,
            });
            for ((segment, pieces), found) in
                self.segments.iter().zip(&batch.pieces).zip(&mut found)
            {
                found.push(how.assemble(*segment, pieces, &mut written));
            }
        }
        Ok(found)
    }

    /// The requests for the segments, with these options.
    fn batch(&self, options: &DecodingOptions) -> Result<Batch<'a>> {
        let Attempt { model, strategy, settings, .. } = *self;
        let mut prompts: HashMap<(&Lang, &Lang, bool), Prompt> = HashMap::new();
        let mut batch = Batch::default();
        for &(segment, terms) in self.segments {
            let Segment { from, to, .. } = segment;
            let in_context = !segment.context.is_empty() && strategy.reads_context();
            let told = Told { own: settings.instruction.as_ref(), in_context };
            let to_tell = self.to_tell(segment, terms);
            let with_terms = prompts::with_terms(model, (from, to), &to_tell, told)?;
            let usual: &Prompt = match prompts.entry((from, to, in_context)) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(self.prompt_of(model, from, to, in_context)?),
            };
            let prompt = with_terms.as_ref().unwrap_or(usual);
            let text = readable(model, strategy.source(segment))?;
            let pieces = split(model, &text, (segment, terms), strategy)?;
            for piece in pieces.iter().filter(|piece| !piece.keep) {
                let sent = &piece.sent.text;
                let tokens = model.count_tokens(sent)?;
                let most = settings.decoding.max_tokens.unwrap_or(max_tokens(tokens, to));
                let options = DecodingOptions { max_tokens: most, ..options.clone() };
                let mut request = match in_context {
                    true => prompt.request_after(&segment.context, sent, to, options),
                    false => prompt.request(sent, to, options),
                };
                if strategy.asks_for_terms() && model.aligns() {
                    request.constraints = terms::constraints(terms, segment, sent);
                    let is_near = strategy == RetryStrategy::MoreTerms;
                    request.constraints.iter_mut().for_each(|one| one.is_near = is_near);
                    // Each term beside the first has hypotheses of its own.
                    let more = request.constraints.len().saturating_sub(1);
                    request.options.num_beams =
                        (request.options.num_beams + 2 * more).min(MOST_BEAMS_OF_TERMS);
                }
                batch.requests.push(request);
                batch.segments.push(segment);
                batch.sizes.push(tokens);
            }
            batch.pieces.push(pieces);
        }
        Ok(batch)
    }

    /// What a chat model is told of the terms of a segment: the term and its forms.
    fn to_tell<'t>(
        &self,
        segment: &'t Segment,
        terms: &'t [FoundTerm],
    ) -> Vec<(&'t str, &'t [String])> {
        let told = |term: &'t FoundTerm| (&segment.text[term.range.clone()], term.forms.as_slice());
        terms.iter().map(told).collect()
    }

    fn prompt_of(
        &self,
        model: &dyn Generate,
        from: &Lang,
        to: &Lang,
        in_context: bool,
    ) -> Result<Prompt> {
        let examples = self.strategy.examples(prompts::is_fine_tuned(model));
        let told = Told { own: self.settings.instruction.as_ref(), in_context };
        prompts::prompt(model, from, to, examples, told)
    }

    /// Puts the best variant in the place of each output; see [`Reranker::choose`].
    fn rerank(
        &self,
        batch: &Batch<'_>,
        outputs: &mut [Output],
        one_more: &(dyn Fn() -> bool + Sync),
    ) -> Result<Vec<Option<Likelihood>>> {
        let languages: Vec<(&Lang, &Lang)> =
            batch.segments.iter().map(|segment| (&segment.from, &segment.to)).collect();
        let severity = |number: usize, text: &str| {
            let (source, (from, to)) = (&batch.requests[number].prompt, languages[number]);
            Severity::of(&checks::translation(source, text, Finish::Stop, from, to))
        };
        let back = self.reverse.unwrap_or(self.model);
        let reranker = Reranker {
            model: self.model,
            back,
            requests: &batch.requests,
            languages: &languages,
            severity: &severity,
            prompt: &|from, to| self.prompt_of(back, from, to, false),
        };
        reranker.choose(outputs, one_more)
    }

    /// The numbers of the outputs that deny what their source affirms, or the other way round, as
    /// far as the model of the other direction, where there is one, reads the same out of them.
    fn flipped(&self, batch: &Batch<'_>, outputs: &[Output]) -> Result<Vec<usize>> {
        let Some(back) = self.reverse else { return Ok(Vec::new()) };
        let (mut numbers, mut requests) = (Vec::new(), Vec::new());
        for (number, (output, segment)) in outputs.iter().zip(&batch.segments).enumerate() {
            let Segment { from, to, .. } = segment;
            let source = &batch.requests[number].prompt;
            if !checks::may_flip(source, &output.text, from, to)
                || back.count_tokens(&output.text)? > back.prompt_length()
            {
                continue;
            }
            let options = DecodingOptions {
                num_beams: 1,
                max_tokens: max_tokens(batch.sizes[number], from),
                ..back.defaults()
            };
            requests.push(self.prompt_of(back, to, from, false)?.request(
                &output.text,
                from,
                options,
            ));
            numbers.push(number);
        }
        let readings = back.generate(&requests, &|_, _| true)?;
        let is_flipped = |(&number, reading): (&usize, &Output)| {
            let from = &batch.segments[number].from;
            let source = &batch.requests[number].prompt;
            checks::may_flip(source, &reading.text, from, from).then_some(number)
        };
        Ok(numbers.iter().zip(&readings).filter_map(is_flipped).collect())
    }

    /// The alignment of each output with its source, where that is asked for: by attention to the
    /// source, of a model that has an encoder, else by what it takes to mean the same. Those who
    /// asked for all alignments want the first.
    fn alignments(
        &self,
        batch: &Batch<'_>,
        outputs: &[Output],
    ) -> Result<Vec<Option<TokenAlignment>>> {
        let mut alignments = vec![None; outputs.len()];
        let is_asked = |number: usize| self.settings.align || batch.segments[number].align;
        let asked: Vec<usize> = (0..outputs.len()).filter(|&number| is_asked(number)).collect();
        if asked.is_empty() {
            return Ok(alignments);
        }
        let found: Vec<Option<TokenAlignment>> = if self.settings.align || self.model.aligns() {
            let pair = |&number: &usize| (&batch.requests[number], outputs[number].ids.as_slice());
            let pairs: Vec<(&Request, &[u32])> = asked.iter().map(pair).collect();
            self.model
                .align(&pairs, None)?
                .into_iter()
                .map(|found| Some(likeliest(found)))
                .collect()
        } else {
            let pair = |&number: &usize| {
                (batch.requests[number].prompt.as_str(), outputs[number].text.as_str())
            };
            self.model.relate(&asked.iter().map(pair).collect::<Vec<_>>())?
        };
        for (number, alignment) in asked.into_iter().zip(found) {
            alignments[number] = alignment;
        }
        Ok(alignments)
    }
}

/// The source token that each token comes from.
fn likeliest(alignment: Alignment) -> TokenAlignment {
    let best = alignment.best();
    let token = |(text, (source, weight))| AlignedToken { text, source, weight };
    TokenAlignment {
        source: alignment.source,
        target: alignment.target.into_iter().zip(best).map(token).collect(),
    }
}

/// The output with the variant of this rank in its place; as it is, where it has none.
fn nth(output: &Output, rank: usize) -> Output {
    let variant = rank.checked_sub(1).and_then(|at| output.variants.get(at));
    let Some(Variant { text, ids, score, finish }) = variant.cloned() else {
        return output.clone();
    };
    Output { text, tokens: ids.len(), ids, score, finish, ..output.clone() }
}

/// The new tokens that are allowed for a text: enough for any honest translation.
fn max_tokens(source_tokens: usize, to: &Lang) -> usize {
    // Scripts that are rare in the vocabulary take several tokens a word.
    let factor = match to.base() {
        "en" | "fr" | "de" | "es" | "it" | "pt" | "nl" => 2,
        _ => 4,
    };
    source_tokens * factor + 24
}
