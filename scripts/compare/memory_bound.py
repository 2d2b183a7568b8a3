#!/usr/bin/env python3
"""Measures how well `--memory` bounds what the program takes.

The lines of FLORES of a language are translated without a bound and with each of the bounds that
are given, by one model. For each run stand the bound, the peak of the process's memory, the share
of the bound that it was, the seconds, and whether the output is that of the run without a bound; a
model that is refused is said to be.

    cargo build --release
    python3 scripts/compare/memory_bound.py MODEL BOUND... [--from fr] [--to en] [--lines 200]

For example `firefox-pt-en-tiny 150MB 300MB --from pt`. Linux only.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from polygist_scripts.data import flores
from polygist_scripts.program import BINARY, require
from polygist_scripts.timing import Usage, usage

UNITS = {"MB": 1e6, "GB": 1e9}


def in_bytes(bound: str) -> float:
    return float(bound[:-2]) * UNITS[bound[-2:].upper()]


def run(command: list[str | Path], lines: Path) -> tuple[Usage, str]:
    """What a command takes, and its output."""
    with lines.open(encoding="utf-8") as source, tempfile.TemporaryFile("w+") as output:
        used = usage(command, stdin=source, stdout=output)
        output.seek(0)
        return used, output.read()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("bounds", nargs="+", metavar="BOUND")
    parser.add_argument("--from", dest="source", default="fr")
    parser.add_argument("--to", dest="target", default="en")
    parser.add_argument("--lines", type=int, default=200)
    parser.add_argument("--binary", type=Path, default=BINARY)
    args = parser.parse_args()
    require(args.binary, "--binary")
    command: list[str | Path] = [args.binary, "translate", "--lines", "--offline", "--quiet"]
    command += ["--from", args.source, "--to", args.target, "--model", args.model]
    with tempfile.TemporaryDirectory() as name:
        lines = Path(name) / "lines.txt"
        text = "\n".join(flores(args.source, 0, args.lines)) + "\n"
        lines.write_text(text, encoding="utf-8")
        used, plain = run(command, lines)
        if used.status != 0:
            sys.exit(f"the run without a bound failed with {used.status}")
        print(f"{'none':>8} {used.peak / 1e6:>7.0f} MB {'':>5} {used.seconds:>7.1f} s", flush=True)
        for bound in args.bounds:
            used, output = run([*command, "--memory", bound], lines)
            said = "the same" if output == plain else "ANOTHER OUTPUT"
            said = "refused" if used.status == 1 else said
            print(
                f"{bound:>8} {used.peak / 1e6:>7.0f} MB {used.peak / in_bytes(bound):>5.2f} "
                f"{used.seconds:>7.1f} s  {said}",
                flush=True,
            )


if __name__ == "__main__":
    main()
