//! A benchmark as a page of HTML that needs nothing else: plots drawn as SVG, no scripts.

use super::results::{Machine, Measurement, Report, Spread};
use super::table::{bytes, label, number, percent, roughly, runs, score, seconds, stages, threads};
use crate::report::permitted;
use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = include_str!("page.css");

/// Writes the report as a page.
pub fn page(report: &Report) -> String {
    let title = format!("polygist {} on this machine", report.version);
    let page = html! {
        (DOCTYPE)
        "\n" html lang="en" {
            "\n" head {
                "\n" meta charset="utf-8";
                "\n" meta name="viewport" content="width=device-width, initial-scale=1";
                "\n" title { (title) }
                "\n" style { "\n" (PreEscaped(STYLE)) }
                "\n"
            }
            "\n" body {
                "\n" (header(report, &title))
                (plots(&report.measurements))
                (table(&report.measurements))
                footer {
                    p {
                        "Bars are medians, lines reach from the slowest run to the fastest. "
                        "The share of the peak counts matrix products with weights alone, "
                        "and time in the models alone. "
                        "What else the machine did slows all of this down."
                    }
                }
                "\n"
            }
            "\n"
        }
        "\n"
    };
    permitted(&page.into_string()).into_owned()
}

fn header(report: &Report, title: &str) -> Markup {
    let Machine { os, arch, isa, cores, load_average } = &report.machine;
    let load = load_average.map_or(String::new(), |load| format!(", load average {load:.1}"));
    let peaks: Vec<String> = report
        .peaks
        .iter()
        .map(|p| format!("{} on {} {} GOPS", p.precision, threads(p.threads), number(p.gops)))
        .collect();
    let peaks = if peaks.is_empty() { "none".into() } else { peaks.join(", ") };
    html! {
        header {
            "\n" h1 { (title) }
            "\n" p { (os) " " (arch) ", " (cores) " cores, " (isa) (load) "; " (report.created) }
            "\n" p {
                (report.sample) "; " (runs(report.runs)) " after " (runs(report.warmup))
                " to warm up"
            }
            "\n" p { "Measured peak of matrix products: " (peaks) }
            "\n"
        }
        "\n"
    }
}

fn plots(all: &[Measurement]) -> Markup {
    let bars = |number: fn(&Measurement) -> Option<Spread>| {
        all.iter().filter_map(|m| Some((label(m), number(m)?))).collect::<Vec<_>>()
    };
    let articles = bars(|m| m.articles_per_second);
    let tokens = bars(|m| Some(m.target_tokens_per_second));
    let sentences = bars(|m| m.sentences_per_second);
    let first_token = bars(|m| m.first_token_seconds);
    let share = bars(|m| m.share_of_peak.map(single));
    let memory = bars(|m| m.peak_memory.map(|n| single(n as f64)));
    html! {
        (plot("Articles a second", &articles, number))
        (plot("Target tokens a second", &tokens, number))
        (plot("Sentences a second", &sentences, number))
        (plot("Time to the first token", &first_token, seconds))
        (plot("Share of the measured peak", &share, percent))
        (plot("Peak memory", &memory, |n| bytes(n as u64)))
    }
}

/// The spread of a number that was measured once.
fn single(x: f64) -> Spread {
    Spread { median: x, min: x, max: x }
}

const WIDTH: f64 = 960.0;
const LEFT: f64 = 330.0;
const RIGHT: f64 = 110.0;
const ROW: f64 = 26.0;

/// Bars, one below the other, with lines from the smallest to the largest; nothing when there is
/// nothing to show.
fn plot(title: &str, bars: &[(String, Spread)], format: fn(f64) -> String) -> Markup {
    let largest = bars.iter().map(|(_, s)| s.max).fold(0.0, f64::max);
    if bars.is_empty() || largest <= 0.0 {
        return Markup::default();
    }
    let view = format!("0 0 {WIDTH} {}", ROW * bars.len() as f64);
    html! {
        section {
            "\n" h2 { (title) }
            "\n" svg viewBox=(view) role="img" aria-label=(title) {
                "\n" @for (i, (label, spread)) in bars.iter().enumerate() {
                    (bar(label, *spread, ROW * (i as f64 + 0.5), largest, format))
                    "\n"
                }
            }
            "\n"
        }
        "\n"
    }
}

/// A bar with its label and its number, the middle of its row at `y`.
fn bar(label: &str, s: Spread, y: f64, largest: f64, format: fn(f64) -> String) -> Markup {
    let track = WIDTH - LEFT - RIGHT;
    let place = |x: f64| x / largest * track;
    let to_tenth = |x: f64| format!("{x:.1}");
    let (top, baseline) = (to_tenth(y - 7.0), to_tenth(y + 4.5));
    let median = format(s.median);
    let spread = (s.max > s.min).then(|| {
        let (a, b) = (LEFT + place(s.min), LEFT + place(s.max));
        let (up, down) = (y - 4.0, y + 4.0);
        format!("M{a:.1} {y:.1}H{b:.1}M{a:.1} {up:.1}V{down:.1}M{b:.1} {up:.1}V{down:.1}")
    });
    html! {
        g {
            title { (label) ": " (median) " (" (format(s.min)) "–" (format(s.max)) ")" }
            text x="0" y=(baseline) { (label) }
            rect class="track" x=(LEFT) y=(top) width=(to_tenth(track)) height="14" rx="2"
                opacity=".4" {}
            rect class="bar" x=(LEFT) y=(top) width=(to_tenth(place(s.median).max(1.0)))
                height="14" rx="2" {}
            "\n"
            @if let Some(spread) = spread { path class="spread" d=(spread) {} }
            text x=(to_tenth(WIDTH - RIGHT + 12.0)) y=(baseline) { (median) }
        }
    }
}

fn table(all: &[Measurement]) -> Markup {
    let columns = Columns {
        articles: all.iter().any(|m| m.articles.is_some()),
        folder: all.iter().any(|m| m.folder_seconds.is_some()),
        scores: all.iter().any(|m| m.bleu.is_some()),
    };
    html! {
        section {
            "\n" h2 { "All numbers" }
            "\n" table {
                "\n" thead {
                    tr {
                        th { "what" }
                        @if columns.articles { th { "articles/s" } }
                        th { "sentences/s" }
                        @if columns.folder { th { "all of the folder" } }
                        @if columns.scores { th { "BLEU" } th { "chrF" } }
                        th { "source tokens/s" }
                        th { "target tokens/s" }
                        th { "first token" }
                        th { "memory" }
                        th { "of peak" }
                    }
                }
                "\n" tbody {
                    "\n" @for m in all { (row(m, columns)) "\n" }
                }
                "\n"
            }
            "\n"
        }
        "\n"
    }
}

/// Which of the columns there are that not all benchmarks have.
#[derive(Clone, Copy)]
struct Columns {
    articles: bool,
    folder: bool,
    scores: bool,
}

fn row(m: &Measurement, columns: Columns) -> Markup {
    html! {
        tr {
            td {
                (label(m))
                // On one line, the stages would be too long; with a line each, too high.
                small {
                    @for (i, part) in stages(m).split("; ").enumerate() {
                        @if i > 0 { br; }
                        (part)
                    }
                }
            }
            @if columns.articles { (cell(m.articles_per_second, number)) }
            (cell(m.sentences_per_second, number))
            @if columns.folder { td { (m.folder_seconds.map_or("–".into(), roughly)) } }
            @if columns.scores {
                td { (m.bleu.map_or("–".into(), score)) }
                td { (m.chrf.map_or("–".into(), score)) }
            }
            (cell(Some(m.source_tokens_per_second), number))
            (cell(Some(m.target_tokens_per_second), number))
            (cell(m.first_token_seconds, seconds))
            td { (m.peak_memory.map_or("–".into(), bytes)) }
            td { (m.share_of_peak.map_or("–".into(), percent)) }
        }
    }
}

/// A number, with its smallest and largest measurement below.
fn cell(spread: Option<Spread>, format: fn(f64) -> String) -> Markup {
    html! {
        td {
            @if let Some(s) = spread {
                (format(s.median)) small { (format(s.min)) "–" (format(s.max)) }
            } @else { "–" }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::peak::Peak;
    use super::super::results::{Score, Setting, Stages};
    use super::*;

    fn report(text: &str) -> Report {
        let spread = |x: f64| Spread { median: x, min: x * 0.9, max: x * 1.25 };
        let measurement = |threads, articles: Option<usize>| Measurement {
            setting: Setting {
                model: text.into(),
                task: text.into(),
                device: "cpu".into(),
                precision: text.into(),
                threads,
                batch: 8,
                beam: Some(4),
            },
            articles,
            failed: articles.map(|_| 1),
            sentences: Some(9),
            requests: 10,
            source_tokens: 100,
            target_tokens: 120,
            runs: vec![1.0, 1.5],
            seconds: spread(1.25),
            articles_per_second: articles.map(|_| spread(2.0)),
            sentences_per_second: Some(spread(7.2)),
            times_baseline: None,
            folder_seconds: articles.map(|_| 1200.0),
            bleu: articles.map(|_| Score { score: 45.3, half_width: Some(1.2) }),
            chrf: None,
            source_tokens_per_second: spread(80.0),
            target_tokens_per_second: spread(96.0),
            first_token_seconds: Some(single(0.02)),
            load_seconds: 0.5,
            load_memory: None,
            peak_memory: articles.map(|_| 123_456_789),
            operations: 1e9,
            gops: spread(3.0),
            share_of_peak: Some(0.31),
            stages: Stages { text: Some(0.1), generate: 1.1, ..Stages::default() },
        };
        Report {
            version: "1.2.3",
            created: text.into(),
            machine: Machine {
                os: "linux",
                arch: "x86_64",
                isa: "avx2",
                cores: 2,
                load_average: Some(0.5),
            },
            sample: text.into(),
            warmup: 1,
            runs: 2,
            peaks: vec![Peak { precision: text.into(), threads: 1, gops: 55.0 }],
            measurements: vec![measurement(1, Some(3)), measurement(2, None)],
        }
    }

    #[test]
    fn no_text_can_inject_markup() {
        let elements = |page: &str| -> Vec<String> {
            let document = dom_query::Document::from(page);
            let nodes = document.select("*");
            nodes
                .nodes()
                .iter()
                .map(|node| {
                    let names = node.attrs().into_iter().map(|a| a.name.local.to_string());
                    let name = node.node_name().unwrap_or_default().to_string();
                    format!("{name} {}", names.collect::<Vec<_>>().join(" "))
                })
                .collect()
        };
        let harmless = elements(&page(&report("text")));
        for attack in [
            "\"><script>alert(1)</script>",
            "</title></style><img src=x onerror='alert(2)'>",
            "' onclick='alert(3)' \" onclick=\"alert(4)",
            "</text></svg><svg/onload=alert(5)>",
        ] {
            let page = page(&report(attack));
            assert_eq!(elements(&page), harmless, "{attack}");
            let document = dom_query::Document::from(page);
            let label = document.select("td").first().text().to_string();
            assert!(label.starts_with(attack), "{label}");
        }
    }
}
