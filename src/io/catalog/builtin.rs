//! Files that are part of the program: the adapter of the starter model (models/gemma-3-270m-news,
//! with its card). A program that was built from the published package does not have them.

use super::model::{Model, Source};

/// The bytes of a file, by its path below `models/`.
pub fn builtin_file(name: &str) -> Option<&'static [u8]> {
    FILES.iter().find(|(known, _)| *known == name).map(|(_, bytes)| *bytes)
}

/// Whether the program has the parts of a model that only it could have.
pub(super) fn has_parts_of(model: &Model) -> bool {
    model.files.iter().flat_map(|file| &file.sources).all(|source| match source {
        Source::Builtin { name } => builtin_file(name).is_some(),
        _ => true,
    })
}

#[cfg(starter_adapter)]
macro_rules! starter {
    ($name:literal) => {
        (
            concat!("gemma-3-270m-news/", $name),
            include_bytes!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/models/gemma-3-270m-news/",
                $name
            )),
        )
    };
}

#[cfg(not(starter_adapter))]
const FILES: &[(&str, &[u8])] = &[];

#[cfg(starter_adapter)]
const FILES: &[(&str, &[u8])] = &[
    starter!("adapter_config.json"),
    starter!("adapter_model.safetensors"),
    starter!("polygist.json"),
    starter!("shortlist.json"),
    starter!("smoothing.safetensors"),
];
