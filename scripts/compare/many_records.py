#!/usr/bin/env python3
"""Measures what many short articles cost that is not work: memory, and the start of a job that is
done already.

Articles of three sentences each, as lines of one file or as files, are summarized by their own
sentences (no model is needed), first --articles of them, then ten times as many. For both the peak
of the memory is given, and how long the same command takes once more, when there is nothing to do,
on the clock and on the processor: the medians of --runs. At the end stands what a record more takes
of memory. With --target the articles are translated from Portuguese, too.

    cargo build --release
    python3 scripts/compare/many_records.py [--articles 10000] [--files] [--runs 3] [--target en]

The goal is a resumed start of less than two seconds with 100,000 articles. Linux only, for memory.
"""

import argparse
import json
import random
import statistics
import sys
import tempfile
from pathlib import Path

from polygist_scripts.program import BINARY, require
from polygist_scripts.timing import usage

WORDS = (
    "a cidade fechou sua ponte mais antiga na segunda depois que o rio subiu quarenta metros "
    "e o conselho disse que vai abrir outra quando a chuva passar porque muitos vivem perto"
).split()


def sentence(random_words: random.Random) -> str:
    words = random_words.choices(WORDS, k=random_words.randint(8, 14))
    return " ".join(words).capitalize() + "."


def make(folder: Path, number: int, files: bool) -> None:
    """Writes so many articles, each another."""
    words = random.Random(1)
    folder.mkdir()
    # One by one: a process begins with the peak of memory of the one that starts it.
    texts = (
        f"Notícia {at}. " + " ".join(sentence(words) for _ in range(3)) for at in range(number)
    )
    if files:
        for at, text in enumerate(texts):
            path = folder / f"{at // 1000:04}" / f"{at % 1000:03}.txt"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text + "\n", encoding="utf-8")
        return
    with (folder / "news.jsonl").open("w", encoding="utf-8") as lines:
        for at, text in enumerate(texts):
            lines.write(json.dumps({"id": at, "text": text}, ensure_ascii=False) + "\n")


def run(command: list[str | Path]) -> tuple[float, float, float]:
    """Seconds that a command takes, on the clock and of the processor, and its peak of memory in
    MB."""
    used = usage(command)
    if used.status != 0:
        sys.exit(f"{' '.join(map(str, command))} failed with status {used.status}")
    return used.seconds, used.processor, used.peak / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--articles", type=int, default=10_000)
    parser.add_argument("--files", action="store_true", help="files, and not lines of one")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--target", help="translate into this language, too")
    parser.add_argument("--model", default="firefox-pt-en-tiny")
    parser.add_argument("--binary", type=Path, default=BINARY)
    args = parser.parse_args()
    require(args.binary, "--binary")
    flags = ["--offline", "--quiet", "--extractive", "--length", "1s", "--from", "pt"]
    if args.target:
        flags += ["--to", args.target, "--model", args.model]
    print("  articles   first run      peak   once more       CPU      peak   journal")
    peaks = []
    for number in (args.articles, 10 * args.articles):
        with tempfile.TemporaryDirectory() as name:
            articles, out = Path(name) / "in", Path(name) / "out"
            make(articles, number, args.files)
            command: list[str | Path] = [args.binary, "batch", articles, "--out", out, *flags]
            seconds, _, peak = run(command)
            again = [run(command) for _ in range(args.runs)]
            resumed = statistics.median(seconds for seconds, _, _ in again)
            processor = statistics.median(processor for _, processor, _ in again)
            resumed_peak = max(peak for _, _, peak in again)
            peaks.append((peak, resumed_peak))
            journal = (out / "results.jsonl").stat().st_size / 1e6
            print(
                f"{number:>10} {seconds:>9.1f} s {peak:>6.0f} MB {resumed:>9.2f} s "
                f"{processor:>7.2f} s {resumed_peak:>6.0f} MB {journal:>6.0f} MB",
                flush=True,
            )
    (first, resumed_first), (last, resumed_last) = peaks
    more = (9 * args.articles) / 2**20
    of_first, of_resumed = (last - first) / more, (resumed_last - resumed_first) / more
    print(f"{of_first:.0f} bytes a record, {of_resumed:.0f} once more")


if __name__ == "__main__":
    main()
