//! What a process has found out about the network, and said of it: each host is tried once, the
//! waiting for all of them together has an end, and nobody is told the same twice.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The time that all hosts which do not answer may take together.
const PATIENCE: Duration = Duration::from_secs(5);
/// The time that a host is given at least.
const LEAST: Duration = Duration::from_millis(200);
/// The time after which a host that could not be reached is tried again: some programs run for
/// days.
const FORGOTTEN: Duration = Duration::from_secs(600);

/// The memory of a [`ModelStore`](crate::ModelStore) for the hosts that it asks; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Session {
    known: Arc<Mutex<Known>>,
}

#[derive(Debug, Default)]
struct Known {
    hosts: HashMap<String, Host>,
    waited: Duration,
    said: HashSet<String>,
}

#[derive(Debug)]
enum Host {
    Reached,
    Unreachable { why: String, since: Instant },
}

impl Session {
    /// Why an address cannot be reached, if its host has been tried lately.
    pub(super) fn unreachable(&self, address: &str) -> Option<String> {
        match self.known().hosts.get(host(address)) {
            Some(Host::Unreachable { why, since }) if since.elapsed() < FORGOTTEN => {
                Some(why.clone())
            }
            _ => None,
        }
    }

    /// The time that a connection to an address may take: `usual`, or less when others have been
    /// waited for in vain; more when its host has answered before.
    pub(super) fn limit(&self, address: &str, usual: Duration) -> Duration {
        let known = self.known();
        match known.hosts.get(host(address)) {
            Some(Host::Reached) => usual * 4,
            _ => (PATIENCE.saturating_sub(known.waited) / 2).clamp(LEAST, usual.max(LEAST)),
        }
    }

    /// Notes that the host of an address answered.
    pub(super) fn reached(&self, address: &str) {
        self.known().hosts.insert(host(address).into(), Host::Reached);
    }

    /// Notes that the host of an address did not answer, and how long it was waited for.
    pub(super) fn failed(&self, address: &str, why: &str, waited: Duration) {
        let mut known = self.known();
        known.waited += waited;
        let state = Host::Unreachable { why: why.into(), since: Instant::now() };
        known.hosts.insert(host(address).into(), state);
    }

    /// Whether this is said for the first time.
    pub(super) fn is_news(&self, text: &str) -> bool {
        self.known().said.insert(text.into())
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The host and port of an address.
pub(super) fn host(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_hosts_together_are_waited_for_five_seconds() {
        let (session, usual) = (Session::default(), Duration::from_millis(2500));
        let mut waited = Duration::ZERO;
        for n in 0..4 {
            let address = format!("https://host{n}.example/path");
            let limit = session.limit(&address, usual) * 2;
            session.failed(&address, "no answer", limit);
            assert!(session.unreachable(&address).is_some());
            waited += limit;
        }
        assert!(waited <= PATIENCE + LEAST * 6, "{waited:?}");
        session.reached("https://host9.example");
        assert_eq!(session.limit("https://host9.example/x", usual), usual * 4);
        assert!(session.unreachable("https://host9.example/y").is_none());
        assert!(session.is_news("a") && !session.is_news("a"));
    }
}
