#!/usr/bin/env python3
"""Measures how far 8-bit weights are from 32-bit ones, on FLORES dev in the starter's prompt.

The texts are sentences in eight languages with their English ones, both ways.

At each token the model predicts the next one with both; examples/agreement.rs says how often the
likeliest is the same, and how far apart the distributions are (Kullback-Leibler, nats).

    pip install -e ./scripts
    cargo build --release --example agreement
    python3 scripts/eval/agreement.py MODEL.gguf [ADAPTER] [--lines 4]

FLORES dev is looked for in $POLYGIST_DATA/flores-dev or ../shared/data/flores-dev beside the
repository.
"""

import argparse
import json
import subprocess

from polygist_scripts.data import flores
from polygist_scripts.program import EXAMPLES
from polygist_scripts.prompts import language

LANGUAGES = ["fr", "de", "ru", "ar", "zh", "hi", "tr", "ja"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", metavar="MODEL.gguf")
    parser.add_argument("adapter", nargs="?")
    parser.add_argument(
        "--lines", type=int, default=4, help="of each language, each way (default: %(default)s)"
    )
    a = parser.parse_args()
    lines = {code: flores(code) for code in ["en", *LANGUAGES]}
    texts = []
    for i, code in enumerate(LANGUAGES):
        # Other sentences for each language and each way.
        for first, source, target in [
            (2 * i * a.lines, code, "en"),
            ((2 * i + 1) * a.lines, "en", code),
        ]:
            names = language(source), language(target)
            for n in range(first, first + a.lines):
                pair = lines[source][n], lines[target][n]
                texts.append(f"{names[0]}: {pair[0]}\n{names[1]}: {pair[1]}")
    command = [EXAMPLES / "agreement", a.model, *([a.adapter] if a.adapter else [])]
    print(f"{len(texts)} texts, {', '.join(LANGUAGES)}: ", end="", flush=True)
    subprocess.run(command, input=json.dumps(texts), text=True, check=True)


if __name__ == "__main__":
    main()
