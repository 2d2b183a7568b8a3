//! Files that are part of the program: the adapter of the starter model (models/gemma-3-270m-news,
//! with its card).

/// The bytes of a file, by its path below `models/`.
pub fn builtin_file(name: &str) -> Option<&'static [u8]> {
    macro_rules! files {
        ($($name:literal)*) => {
            match name {
                $($name => Some(include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/models/", $name)).as_slice()),)*
                _ => None,
            }
        };
    }
    files!(
        "gemma-3-270m-news/adapter_config.json"
        "gemma-3-270m-news/adapter_model.safetensors"
        "gemma-3-270m-news/polygist.json"
        "gemma-3-270m-news/shortlist.json"
        "gemma-3-270m-news/smoothing.safetensors"
    )
}
