#!/usr/bin/env python3
"""Counts which tokens text of each language is made of, and writes ADAPTER/shortlist.json.

The engine takes its lists for its vocabulary.

    data.py EXAMPLES.jsonl --all-sets
    shortlist.py EXAMPLES.jsonl MODEL.gguf ADAPTER [--texts 10000] [--shared 3]

Counted are the texts of data.py's examples, on whichever side of a translation they stand, without
those that are kept back. A list has what occurs in texts of the language, what occurs in texts of
so many languages (--shared: names, mostly), every token of a single character, and what occurs
anywhere and has no letters; of all these the engine takes what the language's scripts allow. A
language of less than --texts texts has no list: what it needs was not seen. Words that have no
token of their own in a list are written in smaller pieces. The file has for each language a bit for
each token, the lowest of each byte first, in base64. Printed is how many of the tokens of texts
kept back are in their list.
"""

import argparse
import base64
import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from encoder import Encoder
from train import replace

TOGETHER = 20_000  # texts that are encoded at once


def count(encoder: Encoder, texts: Iterable[str]) -> np.ndarray:
    """How often each token comes in some texts."""
    counts, texts = np.zeros(encoder.size, np.int64), sorted(texts)
    for at in range(0, len(texts), TOGETHER):
        ids = encoder.encode_all([encoder.written(text) for text in texts[at : at + TOGETHER]])
        counts += np.bincount(
            np.concatenate([np.array(i, np.int64) for i in ids]), minlength=encoder.size
        )
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("examples", type=Path, metavar="EXAMPLES.jsonl")
    parser.add_argument("model", type=Path, metavar="MODEL.gguf")
    parser.add_argument("adapter", type=Path, metavar="ADAPTER")
    parser.add_argument(
        "--texts",
        type=int,
        default=10_000,
        help="that a language must have for a list (default: %(default)s)",
    )
    parser.add_argument(
        "--shared",
        type=int,
        default=3,
        help="languages whose texts make a token one of all (default: %(default)s)",
    )
    options = parser.parse_args()
    texts: dict[bool, dict[str, set[str]]] = {False: defaultdict(set), True: defaultdict(set)}
    with open(options.examples, encoding="utf-8") as lines:
        for entry in map(json.loads, lines):
            texts[entry["held"]][entry["from"]].add(entry["source"])
            texts[entry["held"]][entry["to"]].add(entry["target"])
    encoder = Encoder(options.model)
    pieces = [encoder.inner.id_to_token(i).replace("▁", " ") for i in range(encoder.size)]
    counts = {code: count(encoder, texts[False][code]) for code in sorted(texts[False])}
    languages = sum((counted > 0).astype(int) for counted in counts.values())
    single = np.array([len(piece.strip()) <= 1 for piece in pieces])
    plain = np.array([not any(c.isalpha() for c in piece) for piece in pieces])
    lists = {}
    for code, counted in counts.items():
        number, held = len(texts[False][code]), count(encoder, texts[True][code])
        chosen = (counted > 0) | (languages >= options.shared) | single | (plain & (languages > 0))
        known = (
            f"{100 * held[chosen].sum() / held.sum():.2f}% of {held.sum()} kept back"
            if held.sum()
            else "none kept back"
        )
        if number >= options.texts:
            lists[code] = base64.b64encode(
                np.packbits(chosen, bitorder="little").tobytes()
            ).decode()
        print(
            f"{code}: {number} texts of {counted.sum()} tokens, {chosen.sum()} different; "
            f"{known}{'' if code in lists else ': no list'}",
            flush=True,
        )
    replace(options.adapter / "shortlist.json", json.dumps(lists, indent=0).encode())


if __name__ == "__main__":
    main()
