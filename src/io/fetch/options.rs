//! Settings for fetching models.

use super::session::Session;
use std::path::PathBuf;
use std::time::Duration;

/// Environment variable that names a mirror of Firefox's models.
pub const FIREFOX_VARIABLE: &str = "POLYGIST_FIREFOX_MODELS";
/// Environment variable that names another address of Mozilla's Remote Settings.
pub const RECORDS_VARIABLE: &str = "POLYGIST_FIREFOX_RECORDS";

/// What to do where a server refuses Firefox's models.
pub(super) const MIRROR_HINT: &str = "; name a mirror, or a folder with the same files \
    (POLYGIST_FIREFOX_MODELS, or firefox-models in config.toml)";

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
    /// An address or a folder that has Firefox's models, in the layout of Mozilla's; by default
    /// `POLYGIST_FIREFOX_MODELS` or Mozilla's public one.
    pub firefox_models: Option<String>,
    /// The address of Remote Settings, which has records of Firefox's models; by default
    /// `POLYGIST_FIREFOX_RECORDS` or Mozilla's.
    pub firefox_records: Option<String>,
    /// Commands that may be pip, first choice first, each a program and its leading arguments.
    pub pip: Vec<Vec<String>>,
    /// The time that a server may take to accept a connection.
    pub connect_timeout: Duration,
    /// The time for which a connection may stay silent.
    pub stall_timeout: Duration,
    /// The first pause after a connection broke; it doubles with each further one.
    pub retry_pause: Duration,
    /// What has been found out about the network.
    pub session: Session,
}

impl FetchOptions {
    /// The Hub's address, as `hf-hub` finds it.
    pub fn hub_address(&self) -> String {
        let named = || std::env::var("HF_ENDPOINT").ok();
        let endpoint = self.endpoint.clone().or_else(named);
        endpoint.unwrap_or_else(|| "https://huggingface.co".into())
    }
}

impl Default for FetchOptions {
    fn default() -> Self {
        FetchOptions {
            offline: false,
            endpoint: None,
            hub_cache: None,
            firefox_models: None,
            firefox_records: None,
            pip: usual_pip_commands(),
            connect_timeout: Duration::from_millis(2500),
            stall_timeout: Duration::from_secs(30),
            retry_pause: Duration::from_secs(1),
            session: Session::default(),
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
