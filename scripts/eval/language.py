#!/usr/bin/env python3
"""Compares language identification with lingua on the same texts: NTREX, sentences and beginnings.

Shares of right, undecided and wrong answers, the mean of the languages and variants of NTREX that
both know, and the time of a text; lingua chooses among all its 75 languages. polygist is run as the
program (`detect --paragraphs`), a file a language, so its time contains that of its start.

    pip install -e "./scripts[eval]"
    cargo build --release
    python3 scripts/eval/language.py [--characters 40] [--languages de fr]
"""

import argparse
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

from lingua import LanguageDetectorBuilder

from polygist_scripts.program import BINARY, require

DATA = Path(os.environ.get("POLYGIST_DATA", Path(__file__).parents[3] / "shared" / "data"))
NORWEGIAN = {"nb", "nn"}


def polygist(binary: Path, lines: list[str]) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "lines.txt")
        path.write_text("\n\n".join(lines), "utf-8")
        command = [str(binary), "detect", "--paragraphs", "--format", "json", str(path)]
        printed = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    found = {row["text"]: row["language"] for row in map(json.loads, printed.splitlines())}
    return [found.get(" ".join(line.split()), found.get(line.strip(), "und")) for line in lines]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--characters", type=int, nargs="*", default=[0, 40])
    parser.add_argument("--languages", nargs="*")
    parser.add_argument("--binary", type=Path, default=BINARY)
    args = parser.parse_args()
    require(args.binary, "--binary")
    detector = LanguageDetectorBuilder.from_all_languages().with_preloaded_language_models().build()

    def lingua(lines: list[str]) -> list[str]:
        answers = [detector.detect_language_of(line) for line in lines]
        codes = [a.iso_code_639_1.name.lower() if a else "und" for a in answers]
        return ["no" if code in NORWEGIAN else code for code in codes]

    systems = {"polygist": lambda lines: polygist(args.binary, lines), "lingua": lingua}
    folders = sorted((DATA / "articles" / "ntrex").iterdir())
    for characters in args.characters:
        print(f"first {characters} characters" if characters else "sentences")
        shares: dict[str, list[list[float]]] = {name: [] for name in systems}
        seconds: dict[str, float] = dict.fromkeys(systems, 0.0)
        texts = 0
        for folder in folders:
            code = folder.name.split("-")[0]
            if args.languages and code not in args.languages:
                continue
            lines = [
                line[: characters or None].strip()
                for file in sorted(folder.iterdir())
                for line in file.read_text("utf-8").splitlines()
                if line.strip()
            ]
            texts += len(lines)
            for name, system in systems.items():
                begin = time.perf_counter()
                found = [answer.split("-")[0] for answer in system(lines)]
                seconds[name] += time.perf_counter() - begin
                right, unsure = found.count(code), found.count("und")
                counts = (right, unsure, len(found) - right - unsure)
                shares[name].append([100 * n / len(found) for n in counts])
        for name, rows in shares.items():
            means = [sum(row[i] for row in rows) / len(rows) for i in range(3)]
            each = 1e6 * seconds[name] / max(texts, 1)
            print(f"{name:10}{means[0]:7.2f}{means[1]:7.2f}{means[2]:7.2f}{each:9.1f} µs a text")


if __name__ == "__main__":
    main()
