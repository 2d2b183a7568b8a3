//! Firefox's translation models. Mozilla's registry (`db/models.json`) says which there are and
//! where; the records of Remote Settings, which Firefox itself reads, have the checksums that the
//! registry lacks, and a second copy of every file.

mod local;
mod record;
mod records;
mod registry;
mod shape;
mod version;

use super::http::Http;
use super::job::Failure;
use super::options::{FIREFOX_VARIABLE, FetchOptions, MIRROR_HINT};
use super::packed::is_address;
use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::io::catalog::Model;
use crate::io::progress::Progress;
use local::LocalCopy;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

pub(super) use records::{MAX_LOOSE, listing};
pub(super) use shape::check as check_shape;

/// Mozilla's own place for models; the registry names it too.
const MOZILLA: &str =
    "https://storage.googleapis.com/moz-fx-translations-data--303e-prod-translations-data";
/// The registry below such a place.
const REGISTRY: &str = "db/models.json";
/// Bytes of a registry that are read at most; Mozilla's has 160,000.
const REGISTRY_LIMIT: usize = 16 << 20;

/// The models that Firefox has, as far as this machine knows them.
#[derive(Clone, Copy, Debug)]
pub struct FirefoxRegistry<'a> {
    options: &'a FetchOptions,
    /// The cache folder, which has the copy.
    root: &'a Path,
}

impl<'a> FirefoxRegistry<'a> {
    /// The registry whose copy lies in a cache folder.
    pub fn new(options: &'a FetchOptions, root: &'a Path) -> Self {
        FirefoxRegistry { options, root }
    }

    /// The models of the copy, whatever its age, or of the folder that is configured; none when
    /// there is neither. Opens no connection.
    pub fn at_hand(&self) -> Vec<Model> {
        let place = self.place();
        let text = match is_address(&place) {
            true => LocalCopy::read(&self.path()).map(|copy| match copy.is_own {
                true => (copy.body, registry::Base::Own),
                false => (copy.body, self.base()),
            }),
            false => read_folder(&place).ok().map(|text| (text, self.base())),
        };
        let registry = text.and_then(|(text, base)| registry::parse(&text, base).ok());
        registry.map_or(Vec::new(), |registry| registry.models)
    }

    /// The models of the registry as it is now; `None` when nothing has changed, or nothing could
    /// be had, which is said.
    ///
    /// # Errors
    /// When the user stops it.
    pub fn refresh(
        &self,
        progress: &dyn Progress,
        stop: &CancelToken,
    ) -> Result<Option<Vec<Model>>> {
        let place = self.place();
        if !is_address(&place) {
            if let Err(why) = read_folder(&place).and_then(|t| registry::parse(&t, self.base())) {
                progress.note(&format!("Firefox's models: {place}/{REGISTRY}: {why}"));
            }
            return Ok(None);
        }
        let copy = LocalCopy::read(&self.path());
        if self.options.offline || copy.as_ref().is_some_and(|copy| copy.is_fresh(&place)) {
            return Ok(None);
        }
        match self.fetch(&place, copy, stop) {
            Ok(registry) => {
                if let Some(why) = registry.as_ref().and_then(|registry| registry.dropped.first()) {
                    let count = registry.as_ref().map_or(0, |registry| registry.dropped.len());
                    let text = format!("Firefox's models: {count} left out: {why}");
                    self.options.session.is_news(&text).then(|| progress.note(&text));
                }
                Ok(registry.map(|registry| registry.models))
            }
            Err(Failure::Fatal(Error::Interrupted)) => Err(Error::Interrupted),
            Err(failure) => {
                let instead = self.of_records(&place, stop)?;
                self.say(&place, failure, instead.is_some(), progress);
                Ok(instead)
            }
        }
    }

    /// The models as Firefox's own records have them, where the registry cannot be had and this
    /// machine has no copy of it.
    fn of_records(&self, place: &str, stop: &CancelToken) -> Result<Option<Vec<Model>>> {
        if LocalCopy::read(&self.path()).is_some_and(|copy| !copy.is_own) {
            return Ok(None);
        }
        let text = match records::registry(self.options, stop) {
            Ok(text) => text,
            Err(Failure::Fatal(Error::Interrupted)) => return Err(Error::Interrupted),
            Err(_) => return Ok(None),
        };
        let Ok(registry) = registry::parse(&text, registry::Base::Own) else { return Ok(None) };
        let mut copy = LocalCopy::new(place, None, text);
        copy.is_own = true;
        copy.write(&self.path())?;
        Ok(Some(registry.models))
    }

    /// Fetches the registry unless it is still that of the copy.
    fn fetch(
        &self,
        place: &str,
        copy: Option<LocalCopy>,
        stop: &CancelToken,
    ) -> Result<Option<registry::Registry>, Failure> {
        let etag = copy.as_ref().filter(|copy| copy.place == place);
        let etag = etag.and_then(|copy| copy.etag.as_deref());
        let address = format!("{place}/{REGISTRY}");
        let http = Http { options: self.options, hint: MIRROR_HINT };
        let Some(small) = http.small(&address, etag, REGISTRY_LIMIT, stop)? else {
            // Only the age is new.
            if let Some(copy) = copy {
                LocalCopy::new(place, copy.etag, copy.body).write(&self.path())?;
            }
            return Ok(None);
        };
        let registry = registry::parse(&small.bytes, self.base()).map_err(Failure::Source)?;
        LocalCopy::new(place, small.etag, small.bytes).write(&self.path())?;
        Ok(Some(registry))
    }

    /// Says why there is nothing new; that nobody answers is said once for all.
    fn say(&self, place: &str, failure: Failure, has_records: bool, progress: &dyn Progress) {
        let why = match failure {
            Failure::Unreachable(why) if self.options.session.is_news(super::UNREACHABLE) => why,
            Failure::Unreachable(_) => return,
            Failure::Source(why) => why,
            Failure::Fatal(e) => e.to_string(),
        };
        let host = super::session::host(place);
        let with = if has_records { "Firefox's own records" } else { "what there is" };
        progress.note(&format!(
            "Firefox's models: {host} {why}; going on with {with} \
             (--offline asks nobody)"
        ));
    }

    /// The address of the registry, or the folder in which it is.
    pub fn address(&self) -> String {
        let place = self.place();
        if is_address(&place) { format!("{place}/{REGISTRY}") } else { place }
    }

    /// The address or folder that has the models.
    fn place(&self) -> String {
        self.mirror().unwrap_or_else(|| MOZILLA.into())
    }

    /// The place that was named by the user.
    fn mirror(&self) -> Option<String> {
        let variable = std::env::var(FIREFOX_VARIABLE).ok().filter(|place| !place.is_empty());
        let place = variable.or_else(|| self.options.firefox_models.clone())?;
        let place = place.strip_prefix("file://").unwrap_or(&place);
        Some(place.trim_end_matches('/').to_string())
    }

    /// Where files are taken from: a mirror, or what the registry itself names.
    fn base(&self) -> registry::Base {
        match self.mirror() {
            Some(place) => registry::Base::Mirror(place),
            None => registry::Base::Named { usual: MOZILLA },
        }
    }

    fn path(&self) -> PathBuf {
        self.root.join("firefox-models.copy")
    }
}

fn read_folder(place: &str) -> Result<Vec<u8>, String> {
    let mut text = Vec::new();
    let file = File::open(Path::new(place).join(REGISTRY)).map_err(|e| e.to_string())?;
    let limit = REGISTRY_LIMIT as u64 + 1;
    file.take(limit).read_to_end(&mut text).map_err(|e| e.to_string())?;
    Ok(text)
}
