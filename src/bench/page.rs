//! A benchmark as a page of HTML that needs nothing else: plots drawn as SVG, no scripts.

use super::results::{Measurement, Report, Spread};
use super::table::{bytes, label, number, percent, runs, seconds, stages, threads};
use crate::report::escape;
use std::fmt::Write;

const STYLE: &str = include_str!("page.css");

/// The report as a page.
pub fn page(report: &Report) -> String {
    let machine = &report.machine;
    let title = format!("polygist {} on this machine", report.version);
    let load =
        machine.load_average.map_or(String::new(), |load| format!(", load average {load:.1}"));
    let peaks: Vec<String> = report
        .peaks
        .iter()
        .map(|p| {
            format!("{} on {} {} GOPS", escape(&p.precision), threads(p.threads), number(p.gops))
        })
        .collect();
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, \
         initial-scale=1\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>{title}</h1>\n\
         <p>{} {}, {} cores, {}{load}; {}</p>\n<p>{}; {} after {} to warm up</p>\n<p>Measured peak of matrix products: {}</p>\n</header>\n",
        machine.os,
        machine.arch,
        machine.cores,
        machine.isa,
        escape(&report.created),
        escape(&report.sample),
        runs(report.runs),
        runs(report.warmup),
        if peaks.is_empty() { "none".into() } else { peaks.join(", ") }
    );
    let all = &report.measurements;
    let bars = |number: fn(&Measurement) -> Option<Spread>| {
        all.iter().filter_map(|m| Some((label(m), number(m)?))).collect::<Vec<_>>()
    };
    let same = |x: f64| Spread { median: x, min: x, max: x };
    plot(&mut out, "Articles a second", &bars(|m| m.articles_per_second), number);
    plot(&mut out, "Target tokens a second", &bars(|m| Some(m.target_tokens_per_second)), number);
    plot(&mut out, "Sentences a second", &bars(|m| m.sentences_per_second), number);
    plot(&mut out, "Time to the first token", &bars(|m| m.first_token_seconds), seconds);
    let shares: Vec<_> =
        all.iter().filter_map(|m| Some((label(m), same(m.share_of_peak?)))).collect();
    plot(&mut out, "Share of the measured peak", &shares, percent);
    let memory: Vec<_> =
        all.iter().filter_map(|m| Some((label(m), same(m.peak_memory? as f64)))).collect();
    plot(&mut out, "Peak memory", &memory, |n| bytes(n as u64));
    rows(&mut out, all);
    out.push_str(
        "<footer><p>Bars are medians, lines reach from the slowest run to the fastest. The share of the peak counts matrix products with \
         weights alone, and time in the models alone. What else the machine did slows all of this down.</p></footer>\n</body>\n</html>\n",
    );
    out
}

/// Bars, one below the other, with lines from the smallest to the largest; nothing when there is
/// nothing to show.
fn plot(out: &mut String, title: &str, bars: &[(String, Spread)], format: fn(f64) -> String) {
    const WIDTH: f64 = 960.0;
    const LEFT: f64 = 330.0;
    const RIGHT: f64 = 110.0;
    const ROW: f64 = 26.0;
    let largest = bars.iter().map(|(_, s)| s.max).fold(0.0, f64::max);
    if bars.is_empty() || largest <= 0.0 {
        return;
    }
    let height = ROW * bars.len() as f64;
    let _ = writeln!(
        out,
        "<section>\n<h2>{title}</h2>\n<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{title}\">"
    );
    let place = |x: f64| x / largest * (WIDTH - LEFT - RIGHT);
    for (i, (label, s)) in bars.iter().enumerate() {
        let top = i as f64 * ROW;
        let (middle, text) = (top + ROW / 2.0, top + ROW / 2.0 + 4.5);
        let _ = writeln!(
            out,
            "<g><title>{label}: {median} ({min}–{max})</title><text x=\"0\" y=\"{text:.1}\">{label}</text>\
             <rect class=\"track\" x=\"{LEFT}\" y=\"{:.1}\" width=\"{:.1}\" height=\"14\" rx=\"2\" opacity=\".4\"/>\
             <rect class=\"bar\" x=\"{LEFT}\" y=\"{:.1}\" width=\"{:.1}\" height=\"14\" rx=\"2\"/>",
            middle - 7.0,
            WIDTH - LEFT - RIGHT,
            middle - 7.0,
            place(s.median).max(1.0),
            label = escape(label),
            median = format(s.median),
            min = format(s.min),
            max = format(s.max),
        );
        if s.max > s.min {
            let (a, b) = (LEFT + place(s.min), LEFT + place(s.max));
            let (up, down) = (middle - 4.0, middle + 4.0);
            let _ = write!(
                out,
                "<path class=\"spread\" d=\"M{a:.1} {middle:.1}H{b:.1}M{a:.1} {up:.1}V{down:.1}M{b:.1} {up:.1}V{down:.1}\"/>"
            );
        }
        let _ = writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{text:.1}\">{}</text></g>",
            WIDTH - RIGHT + 12.0,
            format(s.median)
        );
    }
    out.push_str("</svg>\n</section>\n");
}

fn rows(out: &mut String, all: &[Measurement]) {
    let with_articles = all.iter().any(|m| m.articles.is_some());
    let articles = if with_articles { "<th>articles/s</th>" } else { "" };
    let _ = writeln!(
        out,
        "<section>\n<h2>All numbers</h2>\n<table>\n<thead><tr><th>what</th>{articles}<th>sentences/s</th><th>source tokens/s</th>\
         <th>target tokens/s</th><th>first token</th><th>memory</th><th>of peak</th></tr></thead>\n<tbody>"
    );
    let cell = |s: Option<Spread>, format: fn(f64) -> String| {
        s.map_or("<td>–</td>".into(), |s| {
            format!(
                "<td>{}<small>{}–{}</small></td>",
                format(s.median),
                format(s.min),
                format(s.max)
            )
        })
    };
    for m in all {
        let _ = writeln!(
            out,
            "<tr><td>{}<small>{}</small></td>{}{}{}{}{}<td>{}</td><td>{}</td></tr>",
            escape(&label(m)),
            // One stage a line would be too long, and one line as well.
            escape(&stages(m)).replace("; ", "<br>"),
            if with_articles { cell(m.articles_per_second, number) } else { String::new() },
            cell(m.sentences_per_second, number),
            cell(Some(m.source_tokens_per_second), number),
            cell(Some(m.target_tokens_per_second), number),
            cell(m.first_token_seconds, seconds),
            m.peak_memory.map_or("–".into(), bytes),
            m.share_of_peak.map_or("–".into(), percent)
        );
    }
    out.push_str("</tbody>\n</table>\n</section>\n");
}
