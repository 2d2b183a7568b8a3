//! The charts of the overview, as drawings in the page.

use super::tally::{BINS, Tally};
use crate::languages;
use crate::report::words::{counted, number};
use maud::{Markup, html};

/// Size of a chart, in units of its drawing.
const WIDTH: usize = 300;
const HEIGHT: usize = 96;
/// Height of a line of text.
const LINE: usize = 16;
/// Languages that have a bar of their own.
const MOST_LANGUAGES: usize = 6;

/// The charts that there is something to draw for.
pub(super) fn charts(tally: &Tally) -> Markup {
    let charts: Vec<Markup> =
        [languages(tally), confidence(tally), speed(tally)].into_iter().flatten().collect();
    html! {
        @if !charts.is_empty() {
            details #charts open {
                summary { "Charts" }
                "\n" div.charts { "\n" @for chart in charts { (chart) "\n" } }
            }
            "\n"
        }
    }
}

/// A drawing with its name above it; `told` says in words what it shows.
fn figure(name: &str, told: &str, drawing: Markup) -> Markup {
    let frame = format!("0 0 {WIDTH} {HEIGHT}");
    html! {
        figure {
            figcaption { (name) }
            svg viewBox=(frame) role="img" aria-label=(told) { title { (told) } (drawing) }
        }
    }
}

/// A bar for each of the most frequent languages.
fn languages(tally: &Tally) -> Option<Markup> {
    let all = tally.by_frequency();
    let most = all.first().map(|(_, n)| *n).filter(|_| all.len() > 1)?;
    let (shown, rest) = all.split_at(all.len().min(MOST_LANGUAGES));
    let name = |lang| match languages::name(lang) {
        "und" => "Unknown",
        name => name,
    };
    let told: Vec<String> =
        shown.iter().map(|(lang, n)| format!("{} {}", name(lang), number(*n))).collect();
    let rest: usize = rest.iter().map(|(_, n)| n).sum();
    let more = if rest > 0 { format!(", others {}", number(rest)) } else { String::new() };
    let (left, room) = (96, WIDTH - 96 - 48);
    let drawing = html! {
        @for (at, (lang, n)) in shown.iter().enumerate() {
            @let (y, width) = (at * LINE, (room * n).div_ceil(most));
            text x=(left - 6) y=(y + 12) text-anchor="end" { (name(lang)) }
            rect x=(left) y=(y + 3) width=(width) height=(LINE - 5) {}
            text x=(left + width + 4) y=(y + 12) { (number(*n)) }
        }
    };
    Some(figure("Languages", &format!("{}{more}", told.join(", ")), drawing))
}

/// How many articles have which mean confidence.
fn confidence(tally: &Tally) -> Option<Markup> {
    let bins = &tally.confidence;
    let most = bins.iter().copied().max().filter(|most| *most > 0)?;
    let low: usize = bins[..BINS / 2].iter().sum();
    let told = format!(
        "{} with a mean confidence, {} of them below 50%",
        counted(bins.iter().sum(), "article"),
        number(low)
    );
    let (step, base) = (WIDTH / BINS, HEIGHT - LINE);
    let drawing = html! {
        @for (bin, n) in bins.iter().enumerate().filter(|(_, n)| **n > 0) {
            @let height = ((base - LINE) * n).div_ceil(most);
            rect class=[(bin < BINS / 2).then_some("low")] x=(bin * step + 2) y=(base - height)
                width=(step - 4) height=(height) {}
            text x=(bin * step + step / 2) y=(base - height - 4) text-anchor="middle" {
                (number(*n))
            }
        }
        (axis(base, ["0%", "50%", "100%"]))
    };
    Some(figure("Mean confidence, articles", &told, drawing))
}

/// Tokens a second in the course of the run.
fn speed(tally: &Tally) -> Option<Markup> {
    let (each, rates) = tally.speed.rates();
    let most = rates.iter().copied().fold(0.0, f64::max);
    if rates.len() < 2 || most <= 0.0 {
        return None;
    }
    let mean = rates.iter().sum::<f64>() / rates.len() as f64;
    let told = format!(
        "Tokens written a second, in the order of the articles, {} a step: {mean:.0} on average, \
         {most:.0} at most",
        counted(each, "article")
    );
    let base = HEIGHT - LINE;
    let point = |(at, rate): (usize, &f64)| {
        let x = at as f64 * WIDTH as f64 / (rates.len() - 1) as f64;
        let y = base as f64 - rate / most * (base - LINE) as f64;
        format!("{x:.1},{y:.1}")
    };
    let line: Vec<String> = rates.iter().enumerate().map(point).collect();
    let area = format!("0,{base} {} {WIDTH},{base}", line.join(" "));
    let half = number(rates.len() * each / 2);
    let drawing = html! {
        polygon points=(area) {}
        polyline points=(line.join(" ")) {}
        text x=(WIDTH) y=(LINE - 4) text-anchor="end" { "up to " (format!("{most:.0}")) }
        (axis(base, ["first", half.as_str(), number(rates.len() * each).as_str()]))
    };
    Some(figure("Tokens a second, over the articles", &told, drawing))
}

/// A line below a chart, and what is said at its start, middle and end.
fn axis(y: usize, [start, middle, end]: [&str; 3]) -> Markup {
    html! {
        line x1="0" y1=(y) x2=(WIDTH) y2=(y) {}
        text x="0" y=(y + 13) { (start) }
        text x=(WIDTH / 2) y=(y + 13) text-anchor="middle" { (middle) }
        text x=(WIDTH) y=(y + 13) text-anchor="end" { (end) }
    }
}
