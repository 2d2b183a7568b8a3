//! Settings for fetching models.

use std::path::PathBuf;
use std::time::Duration;

/// Settings of a fetch.
#[derive(Clone, Debug)]
pub struct FetchOptions {
    /// Open no socket and start no other program.
    pub offline: bool,
    /// The Hub's address; by default `HF_ENDPOINT` or the public one.
    pub endpoint: Option<String>,
    /// The Hub's own cache folder, in which files are looked for first; by default `HF_HUB_CACHE`,
    /// `HF_HOME` or the usual one.
    pub hub_cache: Option<PathBuf>,
    /// Commands that may be pip, first choice first, each a program and its leading arguments.
    pub pip: Vec<Vec<String>>,
    /// The time that a server may take to accept a connection.
    pub connect_timeout: Duration,
    /// The time for which a connection may stay silent.
    pub stall_timeout: Duration,
    /// The first pause after a connection broke; it doubles with each further one.
    pub retry_pause: Duration,
}

impl Default for FetchOptions {
    fn default() -> Self {
        FetchOptions {
            offline: false,
            endpoint: None,
            hub_cache: None,
            pip: usual_pip_commands(),
            connect_timeout: Duration::from_secs(8),
            stall_timeout: Duration::from_secs(30),
            retry_pause: Duration::from_secs(1),
        }
    }
}

/// The commands by which pip is called, the likeliest first.
fn usual_pip_commands() -> Vec<Vec<String>> {
    let commands: &[&[&str]] = &[
        &["python3", "-m", "pip"],
        &["python", "-m", "pip"],
        &["py", "-m", "pip"],
        &["pip3"],
        &["pip"],
        &["uvx", "pip"],
        &["uv", "tool", "run", "pip"],
    ];
    commands.iter().map(|c| c.iter().map(|word| word.to_string()).collect()).collect()
}
