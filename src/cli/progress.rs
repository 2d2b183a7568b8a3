//! Showing how far the work is: a bar on a terminal, a plain line now and then elsewhere, nothing
//! with `--quiet`.

use crate::cancel::CancelToken;
use crate::event::{Event, JobProgress};
use crate::io::progress;
use crate::pipeline::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Between two plain lines.
const PAUSE: Duration = Duration::from_secs(10);

/// What is said on standard error while work goes on.
pub struct Reporter {
    quiet: bool,
    bar: Option<ProgressBar>,
    line: Mutex<Option<PlainLine>>,
    /// The stage that is shown, and how much there is of it.
    stage: Mutex<Option<(String, usize)>>,
}

/// What a plain line tells, where there is no terminal.
struct PlainLine {
    what: String,
    total: u64,
    begun: Instant,
    said: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    Bytes,
    Count,
}

impl Reporter {
    /// Finds out where standard error goes.
    pub fn new(quiet: bool) -> Reporter {
        let bar = std::io::stderr().is_terminal() && !quiet;
        let bar = bar.then(|| ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()));
        Reporter { quiet, bar, line: Mutex::new(None), stage: Mutex::new(None) }
    }

    /// Says a line, without disturbing a bar.
    pub fn say(&self, text: &str) {
        match &self.bar {
            _ if self.quiet => {}
            Some(bar) if !bar.is_hidden() => bar.suspend(|| eprintln!("{text}")),
            _ => eprintln!("{text}"),
        }
    }

    /// Says what went wrong, with `--quiet` too.
    pub fn warn(&self, text: &str) {
        let text = format!("polygist: {text}");
        match &self.bar {
            Some(bar) if !bar.is_hidden() => bar.suspend(|| eprintln!("{text}")),
            _ => eprintln!("{text}"),
        }
    }

    /// Says that something is going on that has no measure, as loading a model.
    pub fn step(&self, text: &str) {
        if self.bar.is_none() {
            self.say(text);
        } else if let Some(bar) = &self.bar {
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
                bar.set_style(style);
            }
            self.appear(bar);
            bar.set_message(text.to_string());
            bar.enable_steady_tick(Duration::from_millis(120));
        }
    }

    /// Shows the bar. One that is there keeps its line: a new target would not know of it and leave
    /// it standing.
    fn appear(&self, bar: &ProgressBar) {
        if bar.is_hidden() {
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }

    fn begin(&self, what: &str, total: u64, unit: Unit) {
        if let Some(bar) = &self.bar {
            let template = match unit {
                Unit::Bytes => {
                    "{msg:32!} {bar:30} {bytes}/{total_bytes} {binary_bytes_per_sec} {eta} left"
                }
                Unit::Count => "{msg} {bar:30} {pos}/{len} {eta} left",
            };
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar.disable_steady_tick();
            bar.reset();
            bar.set_length(total);
            bar.set_message(what.to_string());
            self.appear(bar);
            // It may be a while until the first of it is done.
            bar.tick();
        } else {
            let now = Instant::now();
            *self.line() = Some(PlainLine { what: what.into(), total, begun: now, said: now });
        }
    }

    /// Begins to count something up to `total`.
    pub fn count(&self, what: &str, total: u64) {
        self.begin(what, total, Unit::Count);
    }

    /// What shows the stages of some work, one after the other, as they come; it says whether to go
    /// on.
    pub fn stages<'a>(
        &'a self,
        work: &str,
        cancel: &'a CancelToken,
    ) -> impl Fn(Progress) -> bool + Sync + 'a {
        let head = if work.is_empty() { String::new() } else { format!("{work}: ") };
        move |progress| {
            self.stage(&head, progress);
            !cancel.is_cancelled()
        }
    }

    /// Shows how far a stage of some work is; a new stage begins a new count.
    fn stage(&self, head: &str, progress: Progress) {
        let (name, done, all) = progress.parts();
        let mut stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        let label = format!("{head}{name}");
        if stage.as_ref().is_none_or(|(shown, count)| *shown != label || *count != all) {
            self.count(&label, all as u64);
            *stage = Some((label, all));
        }
        self.at(done as u64);
    }

    /// So many are done.
    pub fn at(&self, done: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(done);
        } else if let Some(line) = &mut *self.line()
            && line.said.elapsed() >= PAUSE
        {
            line.said = Instant::now();
            let percent = done * 100 / line.total.max(1);
            let left = line.begun.elapsed().as_secs_f64()
                * (line.total.saturating_sub(done)) as f64
                / done.max(1) as f64;
            // Of what has hardly begun nobody knows.
            let left = match percent {
                0 => String::new(),
                _ => format!(", about {left:.0} s left"),
            };
            self.say(&format!("{}: {percent} %{left}", line.what));
        }
    }

    /// Shows how far a job is.
    fn job(&self, progress: &JobProgress) {
        let share = progress.share.unwrap_or_default();
        let permille = (share * 1000.0) as u64;
        let words = in_words(progress);
        if let Some(bar) = &self.bar {
            if bar.is_hidden() || bar.length() != Some(1000) {
                // What a narrow terminal has no room for is cut off.
                let known = progress.share.is_some();
                let template = if known { "{bar:12} {wide_msg}" } else { "{wide_msg}" };
                if let Ok(style) = ProgressStyle::with_template(template) {
                    bar.set_style(style);
                }
                bar.disable_steady_tick();
                bar.reset();
                bar.set_length(1000);
                self.appear(bar);
            }
            bar.set_message(words);
            bar.set_position(permille);
            return;
        }
        let mut line = self.line();
        let now = Instant::now();
        let shown = line.get_or_insert_with(|| PlainLine {
            what: String::new(),
            total: 1000,
            begun: now,
            said: now,
        });
        if shown.said.elapsed() >= PAUSE {
            shown.said = now;
            drop(line);
            self.say(&words);
        }
    }

    /// Takes the bar away.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.disable_steady_tick();
            bar.finish_and_clear();
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        *self.line() = None;
        *self.stage.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Shows an event of long work.
    pub fn event(&self, event: &Event<'_>) {
        use progress::Progress as _;
        match event {
            Event::Skipped { path, reason } => {
                self.say(&format!("skipped {}: {reason}", path.display()));
            }
            Event::Note(text) => self.say(text),
            Event::Warning(text) => self.warn(text),
            Event::FetchStarted { what, total } => self.start(what, *total),
            Event::Fetched(done) => self.position(*done),
            Event::FetchFinished => self.finish(),
            Event::Loading(model) => self.step(&format!("loading {model}")),
            Event::Working { articles, progress } => {
                let head = articles.as_ref().map_or_else(String::new, |numbers| {
                    format!("articles {}–{}: ", numbers.start(), numbers.end())
                });
                self.stage(&head, *progress);
            }
            Event::Loaded | Event::Worked => self.end(),
            Event::Progress(progress) => self.job(progress),
            Event::Finished(_) => {}
        }
    }

    fn line(&self) -> std::sync::MutexGuard<'_, Option<PlainLine>> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How far a job is, short enough for a narrow terminal: `12/300 articles, 84 sentences/s, 3 to
/// check, 4 min left`.
fn in_words(progress: &JobProgress) -> String {
    let JobProgress { articles, of, failed, doubtful, sentences, elapsed, left, .. } = *progress;
    let mut out = match of {
        Some(of) => format!("{articles}/{of} articles"),
        None => format!("{articles} articles"),
    };
    let seconds = elapsed.as_secs_f64();
    if seconds >= 1.0 && sentences > 0 {
        out.push_str(&format!(", {:.0} sent./s", (sentences as f64 / seconds).max(1.0)));
    }
    for (number, what) in [(failed, "failed"), (doubtful, "to check")] {
        if number > 0 {
            out.push_str(&format!(", {number} {what}"));
        }
    }
    if let Some(left) = left {
        out.push_str(&format!(", {} left", time(left)));
    }
    out
}

/// A length of time as people say it: `45 s`, `4 min`, `2 h 10 min`.
pub fn time(time: Duration) -> String {
    let seconds = time.as_secs_f64().round() as u64;
    let (hours, minutes) = (seconds / 3600, (seconds + 30) / 60);
    match seconds {
        0..10 => format!("{:.1} s", time.as_secs_f64()),
        10..100 => format!("{seconds} s"),
        100..3600 => format!("{minutes} min"),
        3600..86400 => format!("{hours} h {} min", seconds / 60 % 60),
        _ => format!("{} d {} h", hours / 24, hours % 24),
    }
}

impl progress::Progress for Reporter {
    fn start(&self, what: &str, total: u64) {
        self.say(&format!("{what}: {:.0} MB", total as f64 / 1e6));
        self.begin(what, total, Unit::Bytes);
    }

    fn position(&self, done: u64) {
        self.at(done);
    }

    fn note(&self, text: &str) {
        self.say(text);
    }

    fn finish(&self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_fits_a_narrow_terminal() {
        let seconds = Duration::from_secs;
        assert_eq!(
            [8, 59, 100, 7300, 90_000].map(|s| time(seconds(s))),
            ["8.0 s", "59 s", "2 min", "2 h 1 min", "1 d 1 h"]
        );
        let mut progress = JobProgress::default();
        assert_eq!(in_words(&progress), "0 articles");
        progress.articles = 12_345;
        progress.of = Some(99_999);
        progress.sentences = 500_000;
        progress.elapsed = seconds(1000);
        progress.doubtful = 321;
        progress.left = Some(seconds(7000));
        let words = in_words(&progress);
        assert_eq!(words, "12345/99999 articles, 500 sent./s, 321 to check, 1 h 56 min left");
        assert!(words.len() < 70);
    }
}
