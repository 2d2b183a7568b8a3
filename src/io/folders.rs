//! The folders of this program on this machine: configuration and cache.
//!
//! | | configuration | cache |
//! |---|---|---|
//! | Linux | `$XDG_CONFIG_HOME` or `~/.config` | `$XDG_CACHE_HOME` or `~/.cache` |
//! | macOS | as on Linux | `~/Library/Caches`, which backups leave out |
//! | Windows | `%APPDATA%` | `%LOCALAPPDATA%` |
//!
//! Each has a folder `polygist` there: `config.toml` and `models.toml` lie side by side.

use crate::error::{Error, Result};
use etcetera::base_strategy::{BaseStrategy, choose_base_strategy, choose_native_strategy};
use std::path::{Path, PathBuf};

/// Environment variable that names another cache folder.
pub const CACHE_VARIABLE: &str = "POLYGIST_CACHE";

/// The folder of `config.toml` and `models.toml`; `None` where the platform has no place for it.
pub fn config() -> Option<PathBuf> {
    choose_base_strategy().ok().map(|dirs| dirs.config_dir().join("polygist"))
}

/// The cache folder: the one given, the one that `POLYGIST_CACHE` names, or the platform's. It is
/// absolute, since other programs that download into it have a working folder of their own.
///
/// # Errors
/// When none is named and the platform has no place for it.
pub fn cache(given: Option<&Path>) -> Result<PathBuf> {
    let from_variable =
        || std::env::var_os(CACHE_VARIABLE).filter(|v| !v.is_empty()).map(PathBuf::from);
    match given.map(Path::to_path_buf).or_else(from_variable) {
        Some(dir) => std::path::absolute(&dir).map_err(Error::io("finding", &dir)),
        None => Ok(choose_native_strategy()
            .map_err(|e| Error::Usage(format!("no cache folder can be found ({e}); name one with --cache-dir or {CACHE_VARIABLE}")))?
            .cache_dir()
            .join("polygist")),
    }
}

/// Bytes that can still be written to the disk of a folder; `None` where the system does not say.
pub fn free_space(folder: &Path) -> Option<u64> {
    #[cfg(unix)]
    return rustix::fs::statvfs(folder)
        .ok()
        .map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize));
    #[cfg(not(unix))]
    return None;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_is_absolute() {
        let cache = cache(Some(Path::new("models/here"))).unwrap();
        assert!(cache.is_absolute() && cache.ends_with("models/here"), "{}", cache.display());
    }
}
