#!/usr/bin/env python3
"""Measures where the time of a job of many short articles goes: in the model, or outside of it.

Articles of four sentences each are made of lines of FLORES dev and NTREX. They go through

- `polygist batch --no-translation-memory --tasks translate`: the whole job, from the start of the
  program to its end, with files, records and report; the time of the same job over one article,
  which is loading and starting, is taken off;
- `polygist bench` over the same articles, whose "generate" is the time in the model;
- `polygist batch` with its memory, and once more with results.jsonl deleted, so that every sentence
  is known: the whole job with no model in it.

The share outside of the model is (job - generate) / job; the goal is at most 15%. The jobs take
turns --runs times, and medians are given. Nothing else should run beside.

    cargo build --release && target/release/polygist models pull firefox-pt-en-tiny
    python3 scripts/compare/job_profile.py [--articles 10000] [--model firefox-pt-en-tiny]
        [--from pt] [--to en] [--runs 3]

The data is looked for in $POLYGIST_DATA or in ../shared/data.
"""

import argparse
import json
import random
import subprocess
import tempfile
import time
from functools import partial
from pathlib import Path

from polygist_scripts.data import flores, ntrex
from polygist_scripts.program import BINARY, require
from polygist_scripts.timing import in_turns, medians

SENTENCES = 4
GOAL = 0.15


def make_articles(folder: Path, language: str, number: int) -> int:
    """Writes articles; returns how many different sentences there are in them."""
    lines = flores(language)
    for article in ntrex(language):
        lines += article.read_text(encoding="utf-8").splitlines()
    lines = sorted({line.strip() for line in lines if line.strip()})
    chosen: list[str] = []
    shuffle = random.Random(1)
    while len(chosen) < number * SENTENCES:
        # Every line once before any of them again: a job in which little repeats itself.
        shuffle.shuffle(lines)
        chosen += lines
    for at in range(number):
        # Folders of a thousand, as crawlers make them.
        path = folder / f"{at // 1000:03}" / f"{at % 1000:03}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        text = "\n\n".join(chosen[at * SENTENCES : (at + 1) * SENTENCES])
        path.write_text(text + "\n", encoding="utf-8")
    return len(set(chosen[: number * SENTENCES]))


class Job:
    """A job over a folder of articles."""

    def __init__(self, args: argparse.Namespace, articles: Path, out: Path) -> None:
        self.articles, self.out = articles, out
        self.flags = ["--from", args.source, "--to", args.target, "--model", args.model]
        self.binary: Path = args.binary

    def command(self, name: str, *flags: str | Path) -> list[str | Path]:
        return [self.binary, name, self.articles, *self.flags, "--offline", *flags]

    def batch(self, *flags: str) -> float:
        """Seconds of the whole job, done anew."""
        (self.out / "results.jsonl").unlink(missing_ok=True)
        flags = (*flags, "--tasks", "translate", "--quiet")
        began = time.monotonic()
        subprocess.run(self.command("batch", "--out", self.out, *flags), check=True)
        return time.monotonic() - began

    def generate(self) -> float:
        """Seconds in the model."""
        flags = ["--task", "translate", "--runs", "1", "--warmup", "0", "--format", "json"]
        done = subprocess.run(
            self.command("bench", *flags, "--quiet"), check=True, text=True, stdout=subprocess.PIPE
        )
        found = json.loads(done.stdout)
        measurements = found["measurements"] if isinstance(found, dict) else found
        return float(measurements[0]["stages"]["generate"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--articles", type=int, default=10_000)
    parser.add_argument("--model", default="firefox-pt-en-tiny")
    parser.add_argument("--from", dest="source", default="pt")
    parser.add_argument("--to", dest="target", default="en")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--binary", type=Path, default=BINARY)
    args = parser.parse_args()
    require(args.binary, "--binary")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        different = make_articles(folder / "in", args.source, args.articles)
        make_articles(folder / "one", args.source, 1)
        job = Job(args, folder / "in", folder / "out")
        remembering = Job(args, folder / "in", folder / "remembering")
        one = Job(args, folder / "one", folder / "out-of-one")
        first = remembering.batch()
        found = medians(
            in_turns(
                {
                    "one": partial(one.batch, "--no-translation-memory"),
                    "job": partial(job.batch, "--no-translation-memory"),
                    "generate": job.generate,
                    "known": remembering.batch,
                },
                args.runs,
            )
        )
    whole = found["job"] - found["one"]
    outside = (whole - found["generate"]) / whole
    known = found["known"] - found["one"]
    print(
        f"{args.articles} articles, {SENTENCES} sentences each, {different} different; {args.model}"
    )
    print(f"start and loading           {found['one']:8.2f} s")
    print(f"job without the memory      {whole:8.2f} s")
    print(f"  of it in the model        {found['generate']:8.2f} s")
    print(f"  outside of the model      {outside:8.1%}   (goal: at most {GOAL:.0%})")
    print(f"first job with the memory   {first - found['one']:8.2f} s")
    print(f"job of known sentences      {known:8.2f} s   {known / whole:.1%}")


if __name__ == "__main__":
    main()
