//! How often a client asks: a bucket for each, which fills up over a minute.

use super::failure::Failure;
use axum::http::StatusCode;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Clients that are remembered; of more, those are forgotten whose buckets are full.
const MOST: usize = 10_000;
const MINUTE: f64 = 60.0;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Client {
    /// The holder of a key, by its number.
    Key(usize),
    /// Whoever is at this address.
    Address(IpAddr),
}

/// The requests of the last minute, by client.
#[derive(Default)]
pub struct Rates {
    buckets: Mutex<HashMap<Client, Bucket>>,
}

struct Bucket {
    left: f64,
    /// When `left` was right.
    at: Instant,
    per_minute: f64,
}

impl Bucket {
    fn fill(&mut self, now: Instant) {
        let new = now.saturating_duration_since(self.at).as_secs_f64() * self.per_minute / MINUTE;
        self.left = (self.left + new).min(self.per_minute);
        self.at = now;
    }
}

impl Rates {
    /// Counts requests of a client, of which one a text.
    ///
    /// # Errors
    /// Those that are too many: says when to come again.
    pub fn take(&self, client: Client, per_minute: u32, now: Instant) -> Result<(), Failure> {
        let per_minute = f64::from(per_minute);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST && !buckets.contains_key(&client) {
            buckets.retain(|_, bucket| {
                bucket.fill(now);
                bucket.left < bucket.per_minute
            });
        }
        let bucket =
            buckets.entry(client).or_insert(Bucket { left: per_minute, at: now, per_minute });
        bucket.per_minute = per_minute;
        bucket.fill(now);
        if bucket.left >= 1.0 {
            bucket.left -= 1.0;
            return Ok(());
        }
        let wait = (1.0 - bucket.left) * MINUTE / per_minute;
        let message = format!("Slowdown: {per_minute} per 1 minute");
        let failure = Failure::new(StatusCode::TOO_MANY_REQUESTS, message);
        Err(Failure { retry_after: Some(Duration::from_secs_f64(wait)), ..failure })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_has_its_requests_a_minute_and_no_other_client_pays_for_it() {
        let (rates, start) = (Rates::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        let (one, other) = (Client::Key(0), Client::Address([10, 0, 0, 1].into()));
        for _ in 0..30 {
            rates.take(one, 30, at(0)).unwrap();
        }
        let refused = rates.take(one, 30, at(0)).unwrap_err();
        assert_eq!(refused.status, 429);
        assert_eq!(refused.retry_after, Some(Duration::from_secs(2)));
        rates.take(other, 30, at(0)).unwrap();
        rates.take(one, 30, at(2)).unwrap();
        assert!(rates.take(one, 30, at(2)).is_err());
        // A bucket holds a minute's worth, however long nobody asked.
        let taken = (0..100).filter(|_| rates.take(one, 30, at(4000)).is_ok()).count();
        assert_eq!(taken, 30);
    }
}
