#!/usr/bin/env python3
"""Measures how far 8-bit weights are from 32-bit ones, on FLORES dev in the starter's prompt.

The texts are sentences in eight languages with their English ones, both ways.

At each token the model predicts the next one with both; examples/agreement.rs says how often the
likeliest is the same, and how far apart the distributions are (Kullback-Leibler, nats).

    cargo build --release --example agreement
    python3 scripts/eval/agreement.py MODEL.gguf [ADAPTER] [--lines 4]

FLORES dev is looked for in $POLYGIST_DATA/flores-dev or ../shared/data/flores-dev beside the
repository.
"""

import argparse
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = ["fr", "de", "ru", "ar", "zh", "hi", "tr", "ja"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", metavar="MODEL.gguf")
    parser.add_argument("adapter", nargs="?")
    parser.add_argument(
        "--lines", type=int, default=4, help="of each language, each way (default: %(default)s)"
    )
    a = parser.parse_args()
    folder = Path(os.environ.get("POLYGIST_DATA", ROOT.parent / "shared" / "data")) / "flores-dev"
    if not folder.is_dir():
        sys.exit(
            f"no evaluation data: {folder} is not there; set POLYGIST_DATA to the folder that has flores-dev/*.txt"
        )
    names = tomllib.loads((ROOT / "models" / "languages.toml").read_text(encoding="utf-8"))
    lines = {
        code: (folder / f"{code}.txt").read_text(encoding="utf-8").splitlines()
        for code in ["en", *LANGUAGES]
    }
    texts = []
    for i, code in enumerate(LANGUAGES):
        # Other sentences for each language and each way.
        for first, source, target in [
            (2 * i * a.lines, code, "en"),
            ((2 * i + 1) * a.lines, "en", code),
        ]:
            for n in range(first, first + a.lines):
                texts.append(
                    f"{names[source]['name']}: {lines[source][n]}\n{names[target]['name']}: {lines[target][n]}"
                )
    command = [
        ROOT / "target/release/examples/agreement",
        a.model,
        *([a.adapter] if a.adapter else []),
    ]
    print(f"{len(texts)} texts, {', '.join(LANGUAGES)}: ", end="", flush=True)
    subprocess.run(command, input=json.dumps(texts), text=True, check=True)


if __name__ == "__main__":
    main()
