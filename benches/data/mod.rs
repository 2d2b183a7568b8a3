//! Where the evaluation data lie that benches read.

use std::path::{Path, PathBuf};

/// A folder below `POLYGIST_DATA`, or else `../shared/data`; says so where it is not there.
pub fn folder(name: &str) -> Option<PathBuf> {
    let data = std::env::var_os("POLYGIST_DATA")
        .map_or_else(|| PathBuf::from("../shared/data"), PathBuf::from);
    let folder = data.join(name);
    if !folder.is_dir() {
        println!(
            "{} is not there; set POLYGIST_DATA to the folder of the evaluation data",
            folder.display()
        );
        return None;
    }
    Some(folder)
}

/// Files or folders below, sorted.
pub fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut out: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|e| Some(e.ok()?.path()))
        .collect();
    out.sort();
    out
}
