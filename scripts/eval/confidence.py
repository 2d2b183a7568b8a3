#!/usr/bin/env python3
"""Measures what a model's confidence in its translations says of them, on FLORES dev.

One row a pair: the mean confidence, the share of sentences that are doubted, sentence chrF of those
and of the rest, and Spearman's correlation of confidence and chrF; then the same sentences by
confidence, all pairs together. With --read N, N doubted ones and N others are written to a file in
random order, each with its reference, and which is which to another, so that somebody can judge
without knowing.

    pip install -e "./scripts[eval]"
    cargo build --release
    python3 scripts/eval/confidence.py [--skip 550] [--lines 100] [--pairs fr-en en-de]
                                       [--read 30 --out DIR] [-- --min-confidence 0.3]

What stands after -- is passed on to polygist.
"""

import argparse
import json
import random
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import sacrebleu
from scipy.stats import spearmanr

from polygist_scripts.data import flores
from polygist_scripts.program import BINARY, require, translate_lines
from polygist_scripts.translation import PAIRS

STEPS = [0, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8, 0.84, 0.87, 0.9, 0.92, 0.94, 1.01]


def translate(
    binary: Path, source: str, target: str, lines: list[str], flags: list[str]
) -> list[dict[str, Any]]:
    """What the program says of each line, as JSON."""
    written = translate_lines(binary, source, target, lines, ["--format", "json", *flags])
    found = [json.loads(line) for line in written]
    if not any("confidence" in line for line in found):
        sys.exit(
            "no confidence was told: a translation model has one, and a language model with a "
            "beam and --channel-weight"
        )
    return found


def measured(
    pair: str, references: list[str], translations: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The sentences of a pair that have a confidence, each with its chrF."""
    rows = []
    for found, reference in zip(translations, references):
        if "confidence" in found:
            row = {
                "pair": pair,
                "confidence": found["confidence"],
                "doubted": "doubtful" in found["problems"],
                "chrf": sacrebleu.sentence_chrf(found["text"], [reference]).score,
                "text": found["text"],
                "reference": reference,
            }
            rows.append(row)
    return rows


def mean(values: Iterable[float]) -> str:
    """The mean in a column, or nothing where there are no values."""
    values = list(values)
    return f"{sum(values) / len(values):>8.1f}" if values else f"{'':>8}"


def report(pair: str, rows: list[dict[str, Any]]) -> None:
    """The row of a pair."""
    share = sum(row["doubted"] for row in rows) / len(rows)
    chrfs = [
        mean(row["chrf"] for row in rows if row["doubted"] == doubted) for doubted in (True, False)
    ]
    rho = spearmanr([row["confidence"] for row in rows], [row["chrf"] for row in rows]).statistic
    confidence = sum(row["confidence"] for row in rows) / len(rows)
    print(f"{pair:<7}{confidence:>7.2f}{share:>9.0%}{''.join(chrfs)}{rho:>8.2f}", flush=True)


def write_reading(rows: list[dict[str, Any]], count: int, out: Path) -> None:
    """Writes doubted sentences and others in random order, and beside them which is which."""
    draw = random.Random(1)
    kinds = [[row for row in rows if row["doubted"] == doubted] for doubted in (True, False)]
    chosen = [row for kind in kinds for row in draw.sample(kind, min(count, len(kind)))]
    draw.shuffle(chosen)
    out.mkdir(parents=True, exist_ok=True)
    text = "".join(
        f"{n}. {row['pair']}\n  {row['text']}\n  {row['reference']}\n"
        for n, row in enumerate(chosen, 1)
    )
    key = "".join(
        f"{n}. {row['pair']} {row['confidence']:.3f} {'doubted' if row['doubted'] else ''}\n"
        for n, row in enumerate(chosen, 1)
    )
    (out / "read.txt").write_text(text, encoding="utf-8")
    (out / "key.txt").write_text(key, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", type=Path, default=BINARY)
    parser.add_argument(
        "--skip",
        type=int,
        default=550,
        help="lines that are passed over; the threshold was chosen on 401 to 550 "
        "(default: %(default)s)",
    )
    parser.add_argument("--lines", type=int, default=100)
    parser.add_argument("--pairs", nargs="+", default=PAIRS, metavar="FR-EN", type=str.lower)
    parser.add_argument(
        "--read",
        type=int,
        default=0,
        metavar="N",
        help="write down N doubted sentences and N others for reading",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("."), metavar="DIR", help="where (default: here)"
    )
    parser.add_argument("flags", nargs="*", metavar="-- FLAG", help="passed on to polygist")
    arguments = parser.parse_args()
    require(arguments.binary, "--binary")

    print(f"FLORES dev, {arguments.lines} lines from line {arguments.skip + 1} on")
    print("pair      mean  doubted    chrF    rest     rho", flush=True)
    everything = []
    for pair in arguments.pairs:
        source, target = pair.split("-")
        lines, references = (
            flores(code, arguments.skip, arguments.lines) for code in (source, target)
        )
        translations = translate(arguments.binary, source, target, lines, arguments.flags)
        rows = measured(pair, references, translations)
        report(pair, rows)
        everything += rows

    print("\nconfidence    sentences    chrF")
    for low, high in zip(STEPS, STEPS[1:]):
        some = [row["chrf"] for row in everything if low <= row["confidence"] < high]
        print(f"{low:.2f} to {min(high, 1):.2f}{len(some):>13}{mean(some)}")
    if arguments.read:
        write_reading(everything, arguments.read, arguments.out)


if __name__ == "__main__":
    main()
