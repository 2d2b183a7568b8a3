//! Finds out whether the starter's adapter is there to be built in. A clone of the repository has
//! it; the published package does not, because of its size and because its terms are not those of
//! the code.

use std::path::Path;

const ADAPTER: &str = "models/gemma-3-270m-news/adapter_model.safetensors";

fn main() {
    println!("cargo:rustc-check-cfg=cfg(starter_adapter)");
    println!("cargo:rerun-if-changed={ADAPTER}");
    if Path::new(ADAPTER).is_file() {
        println!("cargo:rustc-cfg=starter_adapter");
    }
}
