#!/usr/bin/env python3
"""Measures where the time of a job of many short articles goes: in the model, or outside of it.

Articles of four sentences each are made of lines of FLORES dev and NTREX. They go through

- `polygist batch --no-translation-memory --tasks translate`: the whole job, from the start of the
  program to its end, with files, records and report;
- `polygist batch` with its memory, and once more with results.jsonl deleted, so that every sentence
  is known: the whole job with no model in it.

In the model is the processor time of the threads that compute with it (worker-N, and helper-N,
which share their products), as /proc tells it while the job runs; what is left of the process's is
outside: reading, sentences, tokens, checks, files, records, report. The goal is at most 15%. Others
beside the job take seconds from it and no processor time. The jobs take turns --runs times, and
medians are given. Linux only.

    cargo build --release && target/release/polygist models pull firefox-pt-en-tiny
    python3 scripts/compare/job_profile.py [--articles 10000] [--model firefox-pt-en-tiny]
        [--from pt] [--to en] [--runs 3]

The data is looked for in $POLYGIST_DATA or in ../shared/data.
"""

import argparse
import contextlib
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from polygist_scripts.data import flores, ntrex
from polygist_scripts.program import BINARY, require
from polygist_scripts.timing import in_turns, medians

SENTENCES = 4
GOAL = 0.15
# How often the threads of a job are looked at, in seconds: what one does after the last look counts
# as outside.
LOOK = 0.02


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

    def share_outside(self) -> float:
        """The share of the processor time of a job without memory that is outside of the model."""
        (self.out / "results.jsonl").unlink(missing_ok=True)
        flags = ("--no-translation-memory", "--tasks", "translate", "--quiet")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        job = subprocess.Popen(self.command("batch", "--out", self.out, *flags))
        ticks: dict[str, int] = {}
        while job.poll() is None:
            for task in Path(f"/proc/{job.pid}/task").glob("*/stat"):
                # "tid (name) state …": user and system time are fields 14 and 15 of all.
                with contextlib.suppress(OSError):
                    name, _, rest = task.read_text().partition("(")[2].rpartition(") ")
                    if name.startswith(("worker-", "helper-")):
                        ticks[task.parent.name] = sum(map(int, rest.split()[11:13]))
            time.sleep(LOOK)
        if job.returncode:
            sys.exit(f"the job ended with exit code {job.returncode}")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        in_model = sum(ticks.values()) / os.sysconf("SC_CLK_TCK")
        return 1 - in_model / spent


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
                    "outside": job.share_outside,
                    "known": remembering.batch,
                },
                args.runs,
            )
        )
    whole = found["job"] - found["one"]
    known = found["known"] - found["one"]
    print(
        f"{args.articles} articles, {SENTENCES} sentences each, {different} different; {args.model}"
    )
    print(f"start and loading           {found['one']:8.2f} s")
    print(f"job without the memory      {whole:8.2f} s")
    print(f"  outside of the model      {found['outside']:8.1%}   (goal: at most {GOAL:.0%})")
    print(f"first job with the memory   {first - found['one']:8.2f} s")
    print(f"job of known sentences      {known:8.2f} s   {known / whole:.1%}")


if __name__ == "__main__":
    main()
