//! Pegasus (Zhang et al. 2019, arXiv:1912.08777); reference: `transformers`'
//! `PegasusForConditionalGeneration`.

use super::Model;
use super::bart::{BartVariant, load_variant};
use super::family::PositionKind;
use crate::checkpoint::{Config, Weights};
use crate::error::Result;
use crate::nn::Backend;

pub(super) fn load(
    config: &Config,
    weights: &dyn Weights,
    backend: &Backend,
) -> Result<Box<dyn Model>> {
    let variant = BartVariant {
        pre_norm: true,
        embedding_norm: false,
        final_norm: true,
        positions: PositionKind::Sinusoidal,
        activation: "relu",
        ..BartVariant::default()
    };
    load_variant(variant, config, weights, backend)
}
