//! What an operator measures, in Prometheus' text format.

use crate::main_memory::Memory;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Upper ends of the buckets of times, in seconds.
const BUCKETS: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];

/// Counts since the server began.
#[derive(Default)]
pub struct Metrics {
    requests: Mutex<Requests>,
    characters: AtomicU64,
    connections: AtomicU64,
}

/// What is as it is at the moment.
pub struct Gauges {
    pub working: usize,
    pub waiting: usize,
    /// Batches that are not finished.
    pub batches: usize,
    /// Names of the models that are in memory.
    pub models: Vec<String>,
}

#[derive(Default)]
struct Requests {
    /// By method, route and status.
    counts: BTreeMap<(String, String, u16), u64>,
    /// By route.
    times: BTreeMap<String, Times>,
}

#[derive(Default)]
struct Times {
    buckets: [u64; BUCKETS.len()],
    count: u64,
    sum: f64,
}

impl Metrics {
    /// Counts a request that was answered.
    pub fn count(&self, method: &str, route: &str, status: u16, time: Duration) {
        let seconds = time.as_secs_f64();
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        *requests.counts.entry((method.into(), route.into(), status)).or_default() += 1;
        let times = requests.times.entry(route.into()).or_default();
        times.count += 1;
        times.sum += seconds;
        for (count, end) in times.buckets.iter_mut().zip(BUCKETS) {
            *count += u64::from(seconds <= end);
        }
    }

    /// Counts the characters of texts that were translated.
    pub fn count_characters(&self, characters: u64) {
        self.characters.fetch_add(characters, Ordering::Relaxed);
    }

    /// A connection was opened, or closed.
    pub fn connected(&self, opened: bool) {
        let change = if opened { 1 } else { u64::MAX };
        self.connections.fetch_add(change, Ordering::Relaxed);
    }

    /// All of it as text.
    pub fn text(&self, gauges: &Gauges) -> String {
        let mut out = Page(String::new());
        {
            let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
            out.head("polygist_requests_total", "counter", "Requests that were answered.");
            for ((method, route, status), count) in &requests.counts {
                let labels = format!("method=\"{method}\",route=\"{route}\",status=\"{status}\"");
                out.line("polygist_requests_total", &labels, *count as f64);
            }
            let name = "polygist_request_duration_seconds";
            out.head(name, "histogram", "Time from a request's head to that of its answer.");
            for (route, times) in &requests.times {
                let ends = BUCKETS.iter().map(f64::to_string).chain(["+Inf".into()]);
                for (end, count) in ends.zip(times.buckets.iter().chain([&times.count])) {
                    let labels = format!("route=\"{route}\",le=\"{end}\"");
                    out.line(&format!("{name}_bucket"), &labels, *count as f64);
                }
                let labels = format!("route=\"{route}\"");
                out.line(&format!("{name}_sum"), &labels, times.sum);
                out.line(&format!("{name}_count"), &labels, times.count as f64);
            }
        }
        let characters = self.characters.load(Ordering::Relaxed);
        let help = "Characters of texts that were translated.";
        out.value("polygist_translated_characters_total", "counter", help, characters as f64);
        let Gauges { working, waiting, batches, models } = gauges;
        let help = "Requests whose work is being done.";
        out.value("polygist_requests_working", "gauge", help, *working as f64);
        let help = "Requests that wait for their turn.";
        out.value("polygist_requests_waiting", "gauge", help, *waiting as f64);
        let connections = self.connections.load(Ordering::Relaxed);
        out.value("polygist_connections", "gauge", "Open connections.", connections as f64);
        let help = "Batches that are not finished.";
        out.value("polygist_batches_running", "gauge", help, *batches as f64);
        out.head("polygist_model_loaded", "gauge", "Models that are in memory.");
        for model in models {
            let model = model.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            out.line("polygist_model_loaded", &format!("model=\"{model}\""), 1.0);
        }
        if let Some(bytes) = Memory::resident() {
            let help = "Resident memory of the process.";
            out.value("process_resident_memory_bytes", "gauge", help, bytes as f64);
        }
        out.0
    }
}

struct Page(String);

impl Page {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a String does not fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn line(&mut self, name: &str, labels: &str, value: f64) {
        let _ = match labels {
            "" => writeln!(self.0, "{name} {value}"),
            labels => writeln!(self.0, "{name}{{{labels}}} {value}"),
        };
    }

    fn value(&mut self, name: &str, kind: &str, help: &str, value: f64) {
        self.head(name, kind, help);
        self.line(name, "", value);
    }
}
