#!/usr/bin/env python3
"""Measures how long a browser takes to open a report, and to search it.

    cargo test --lib a_report_of_any_size  # with POLYGIST_SAMPLE_REPORT=DIR (a folder)
                                           # and POLYGIST_SAMPLE_ARTICLES=5000 writes one
    python3 scripts/report/open.py DIR/report.html
    python3 scripts/report/open.py NEW/report.html OLD/report.html   # turn by turn

Each page is opened in a new, headless Chromium, as often as `--rounds` says, in turns; the medians
are told. "seen" is the first contentful paint, "usable" the end of the page's own script: then it
is searched, sorted and marked. "search" is the first search of all texts, "again" the next one.
Needs the group `report` of the scripts and a Chromium (`--browser`, /usr/bin/chromium if there).
"""

import argparse
import statistics
from pathlib import Path

from playwright.sync_api import sync_playwright

SEEN = """() => new Promise((done) => {
  const told = () => {
    const paint = performance.getEntriesByName("first-contentful-paint")[0];
    const navigation = performance.getEntriesByType("navigation")[0];
    if (paint) done([paint.startTime, navigation.domContentLoadedEventEnd]);
    else setTimeout(told, 20);
  };
  told();
})"""

SEARCH = """(word) => new Promise((done) => {
  const field = document.querySelector("#search"), count = document.querySelector("#count");
  const began = performance.now();
  count.textContent = "";
  field.value = word;
  field.dispatchEvent(new Event("input"));
  const told = () => {
    if (/ of /.test(count.textContent)) done(performance.now() - began);
    else setTimeout(told, 5);
  };
  told();
})"""


def measure(page_path: Path, browser_path: str | None) -> list[float]:
    """The four times of one opening, in milliseconds."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path)
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.goto(page_path.resolve().as_uri(), wait_until="domcontentloaded", timeout=120_000)
        seen, usable = page.evaluate(SEEN)
        times = [seen, usable]
        if page.locator("#search").is_visible():
            times += [page.evaluate(SEARCH, word) for word in ("glacier", "council")]
        browser.close()
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages", nargs="+", type=Path, help="reports")
    parser.add_argument("--rounds", type=int, default=5, help="openings of each (5)")
    usual = "/usr/bin/chromium"
    parser.add_argument("--browser", default=usual if Path(usual).exists() else None)
    arguments = parser.parse_args()
    times: dict[Path, list[list[float]]] = {page: [] for page in arguments.pages}
    for _ in range(arguments.rounds):
        for page in arguments.pages:
            times[page].append(measure(page, arguments.browser))
    for page, rounds in times.items():
        names = ["seen", "usable", "search", "again"]
        medians = [statistics.median(column) for column in zip(*rounds)]
        told = ", ".join(f"{name} {value:.0f} ms" for name, value in zip(names, medians))
        print(f"{page} ({page.stat().st_size / 1e6:.1f} MB): {told}")


if __name__ == "__main__":
    main()
