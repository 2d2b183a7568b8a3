#!/usr/bin/env python3
"""Compares vectors of sentences with sentence-transformers, and the time that they take.

The cosine of each sentence's two vectors, in 32 and in 8 bits, on 1,000 sentences: the lines of
FLORES dev and a few awkward ones. Both programs compute on one thread.

    pip install -e ./scripts sentence-transformers
    cargo build --release --example embed
    python3 scripts/compare/embeddings.py FOLDER [--language en] [--prefix "query: "]

FOLDER is an encoder's, as `polygist models pull all-MiniLM-L6-v2` prints it. FLORES dev is looked
for in $POLYGIST_DATA/flores-dev or ../shared/data/flores-dev beside the repository.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch
from sentence_transformers import SentenceTransformer

from polygist_scripts import data
from polygist_scripts.program import EXAMPLES, require

AWKWARD = ["", "12:30", "A b c d e f. " * 200]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--language", default="en")
    parser.add_argument("--prefix", default="", help="what the catalog has before every text")
    parser.add_argument("--example", type=Path, default=EXAMPLES / "embed")
    arguments = parser.parse_args()
    require(arguments.example, "--example", "embed")
    lines = data.flores(arguments.language) + AWKWARD
    texts = [arguments.prefix + line for line in lines]
    print(f"{len(texts)} texts, {np.mean([len(t.split()) for t in texts]):.1f} words on average")

    torch.set_num_threads(1)
    model = SentenceTransformer(str(arguments.folder), device="cpu")
    model.encode(texts[:32])
    begun = time.perf_counter()
    expected = model.encode(texts, normalize_embeddings=True)
    took = (time.perf_counter() - begun) * 1e3 / len(texts)
    print(f"sentence-transformers  {took:.2f} ms a text")

    worst = 1.0
    for precision in ("f32", "int8"):
        result = subprocess.run(
            [arguments.example, arguments.folder, precision],
            input=json.dumps(texts),
            capture_output=True,
            text=True,
        )
        if result.returncode:
            sys.exit(result.stderr)
        found = np.array([json.loads(line) for line in result.stdout.splitlines()])
        cosines = (found * expected).sum(axis=1)
        print(
            f"polygist {precision:4}          {result.stderr.strip()}; cosine mean "
            f"{cosines.mean():.5f}, least {cosines.min():.5f}"
        )
        worst = min(worst, cosines.min()) if precision == "f32" else worst
    sys.exit(0 if worst > 0.9999 else 1)


if __name__ == "__main__":
    main()
