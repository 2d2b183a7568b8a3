#!/usr/bin/env python3
"""Checks what the main job wrote for samples/articles: check_output.py OUT

Every article has a record, a translation where it was not English already, a summary, a file; the
report is there.
"""

import json
import sys
from pathlib import Path

out = Path(sys.argv[1])
records = [
    json.loads(line) for line in (out / "results.jsonl").read_text(encoding="utf-8").splitlines()
]
problems: list[str] = []


def expect(condition: bool, message: str) -> None:
    if not condition:
        problems.append(message)


expect(len(records) >= 8, f"only {len(records)} records")
expect(len({r["id"] for r in records}) == len(records), "an id occurs twice")
languages = {r["language"]["code"] for r in records}
expect(len(languages) >= 6, f"only {sorted(languages)} were detected")
flagged = segments = 0
for r in records:
    name = r["id"]
    expect(r["status"] == "ok", f"{name}: {r.get('error')}")
    if r["status"] != "ok":
        continue
    summary = r["summary"]
    expect(
        summary["language"] == "en" and len(summary["text"].split()) >= 10,
        f"{name}: summary {summary['text']!r}",
    )
    expect(
        summary["sentences"] and all(s["support"] for s in summary["sentences"]),
        f"{name}: a summary sentence without support",
    )
    if r["language"]["code"] == "en":
        expect("translation" not in r, f"{name}: English was translated")
    else:
        text = r["translation"]["text"]
        letters = [c for c in text if c.isalpha()]
        latin = sum(c < "ɐ" for c in letters)
        expect(len(text.split()) >= 40, f"{name}: translation of {len(text.split())} words")
        # What the starter gets wrong stays in its own language.
        least = 0.5 if r["checks"].get("flagged") else 0.95
        expect(latin >= least * max(1, len(letters)), f"{name}: translation is not in Latin script")
        steps, route = r["translation"].get("steps", []), r["translation"]["route"]
        expect(
            len(steps) == len(route) - 1 and all(step["why"] for step in steps),
            f"{name}: {route} by {steps}",
        )
    stats = r["stats"]
    # An English article needs no model.
    least = 0 if r["language"]["code"] == "en" else 1
    expect(
        not stats["truncated"] and stats["read_tokens"] == stats["source_tokens"] >= least,
        f"{name}: {stats}",
    )
    written = out / r["output"]
    expect(
        written.is_file()
        and summary["text"].split("\n")[0][:40] in written.read_text(encoding="utf-8"),
        f"{name}: {written}",
    )
    flagged += len(r["checks"].get("flagged", []))
    segments += r["checks"]["segments"]
html = (out / "report.html").read_text(encoding="utf-8")
expect(all(f'lang="{code}"' in html for code in languages), "the report does not mark languages")
expect(
    not any(mark in html for mark in ("<script src", "<link", "<img", "@import", "url(")),
    "the report loads something",
)

for problem in problems:
    print(problem, file=sys.stderr)
print(
    f"{len(records)} records in {len(languages)} languages; "
    f"{flagged} complaints on {segments} sentences; {len(problems)} problems"
)
sys.exit(bool(problems))
