#!/usr/bin/env python3
"""Draws a mixture of the examples of data.py, encodes them, and lays them into rows of token ids.

    pack.py EXAMPLES.jsonl MODEL.gguf OUT.npz --tokens 900000 [--row 640] [--summary-share 0.1] [--favour fr-en en-de ...]

A row holds several examples one after the other, which do not see each other (train.py). OUT.npz has
  ids       int32, all rows one after the other, each filled up with 0
  example   int32, for each id the number of its example in the row, from 1; 0 where the row is filled up
  target    bool, for each id whether the model is to write it
  held_ids, held_example, held_target    the same for what is kept back
  shortlist int32, sorted: all ids that occur
  about     how it was made, JSON
The same arguments give the same bytes.
"""

import argparse
import json
import os
import random
import sys
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import prompts
import sets
from filters import normalized

OPEN_ROWS = 8  # rows that the next example may go to


def favoured():
    """The pairs that scripts/eval/translation.py measures, those without English by their two steps."""
    from translation import PAIRS

    steps = set()
    for pair in PAIRS:
        source, target = pair.split("-")
        steps |= {pair} if "en" in (source, target) else {f"{source}-en", f"en-{target}"}
    return sorted(steps)


def weight_of(entry):
    return (sets.SUMMARIES.get(entry["set"]) or sets.describe(entry["set"])).weight


class Bucket:
    """The examples of one task and pair, drawn without repetition, the heavier sets earlier, and then again from the start."""

    def __init__(self, key, examples):
        self.key, self.examples, self.rounds, self.order = key, examples, 0, []

    def draw(self):
        if not self.order:
            # Exponential clocks: an example of twice the weight comes first twice as often.
            drawn = random.Random(f"{self.key} {self.rounds}")
            clock = [(drawn.expovariate(weight_of(e)), n) for n, e in enumerate(self.examples)]
            self.order = [n for _, n in sorted(clock, reverse=True)]
            self.rounds += 1
        return self.examples[self.order.pop()]


def shares(buckets, options):
    """The share of each bucket in the tokens."""
    favour, weights = set(options.favour), {}
    for task, pair in buckets:
        count = len(buckets[task, pair].examples)
        weights[task, pair] = count**options.temperature
        if task != "summary":
            weights[task, pair] *= options.favour_weight if pair in favour else 1
    groups = {
        "summary": options.summary_share,
        "stretch": (1 - options.summary_share) * options.stretch_share,
        "sentence": (1 - options.summary_share) * (1 - options.stretch_share),
    }
    directions = {True: options.into_english, False: 1 - options.into_english}
    result = {}
    for (task, pair), weight in weights.items():
        same = [key for key in weights if key[0] == task and (task == "summary" or key[1].endswith("-en") == pair.endswith("-en"))]
        share = groups[task] * (1 if task == "summary" else directions[pair.endswith("-en")])
        result[task, pair] = share * weight / sum(weights[key] for key in same)
    return result


def frame(entry):
    return prompts.summary(entry["from"]) if entry["task"] == "summary" else prompts.translation(entry["from"], entry["to"])


class Rows:
    """Rows that are filled first-fit."""

    def __init__(self, length):
        self.length, self.open, self.done = length, [], []

    def add(self, prompt, target):
        size = len(prompt) + len(target)
        row = next((row for row in self.open if row["room"] >= size), None)
        if row is None:
            if len(self.open) == OPEN_ROWS:
                fullest = min(range(OPEN_ROWS), key=lambda n: self.open[n]["room"])
                self.done.append(self.open.pop(fullest))
            row = {"room": self.length, "ids": [], "example": [], "target": []}
            self.open.append(row)
        number = row["example"][-1] + 1 if row["example"] else 1
        row["room"] -= size
        row["ids"] += prompt + target
        row["example"] += [number] * size
        row["target"] += [False] * len(prompt) + [True] * len(target)

    def arrays(self, drawn=None):
        rows = self.done + self.open
        if drawn:
            drawn.shuffle(rows)
        shape = (len(rows), self.length)
        ids, example, target = np.zeros(shape, np.int32), np.zeros(shape, np.int32), np.zeros(shape, bool)
        for n, row in enumerate(rows):
            used = len(row["ids"])
            ids[n, :used], example[n, :used], target[n, :used] = row["ids"], row["example"], row["target"]
        return ids, example, target


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("examples", type=Path, metavar="EXAMPLES.jsonl")
    parser.add_argument("model", type=Path, metavar="MODEL.gguf")
    parser.add_argument("out", type=Path, metavar="OUT.npz")
    parser.add_argument("--tokens", type=int, required=True, help="how many to draw")
    parser.add_argument("--held-tokens", type=int, default=20_000, help="how many to keep back (default: %(default)s)")
    parser.add_argument("--row", type=int, default=640, help="tokens a row (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--temperature", type=float, default=0.5, help="a pair's share grows with its examples to this power (default: %(default)s)")
    parser.add_argument("--into-english", type=float, default=0.55, help="share of the translations (default: %(default)s)")
    parser.add_argument("--summary-share", type=float, default=0.1, help="of the tokens (default: %(default)s)")
    parser.add_argument("--stretch-share", type=float, default=0.15, help="of the translations' tokens (default: %(default)s)")
    parser.add_argument("--favour", nargs="*", default=favoured(), metavar="FR-EN", help="pairs with more weight (default: the measured ones)")
    parser.add_argument("--favour-weight", type=float, default=3.0, help="how much more (default: %(default)s)")
    options = parser.parse_args()

    found = {False: defaultdict(list), True: defaultdict(list)}
    with open(options.examples, encoding="utf-8") as lines:
        for entry in map(json.loads, lines):
            found[entry["held"]][entry["task"], f"{entry['from']}-{entry['to']}"].append(entry)
    if not found[False]:
        sys.exit(f"{options.examples} has no examples; data.py writes it")
    encoder = prompts.Encoder(options.model)
    shown = {normalized(text) for example in prompts.EXAMPLES for text in example.values()}
    arrays, about, occurring = {}, {"options": {k: v.name if isinstance(v, Path) else v for k, v in vars(options).items()}}, {0, encoder.begin}
    for held, limit in ((False, options.tokens), (True, options.held_tokens)):
        buckets = {key: Bucket(f"{options.seed} {held} {key}", examples) for key, examples in sorted(found[held].items())}
        share, spent, rows = shares(buckets, options), Counter(), Rows(options.row)
        counts, too_long = defaultdict(Counter), 0
        while spent.total() < limit:
            key = min(share, key=lambda k: (spent[k] / share[k] if share[k] else float("inf"), k))
            entry = buckets[key].draw()
            if normalized(entry["source"]) in shown:
                continue
            prompt, target = encoder.prompt(frame(entry), entry["source"]), encoder.target(entry["target"])
            if len(prompt) + len(target) > options.row:
                too_long += 1
                if too_long > 100 * (1 + spent.total()):
                    sys.exit(f"hardly any example fits into {options.row} tokens; give a larger --row")
                continue
            spent[key] += len(prompt) + len(target)
            counts[entry["set"]]["examples"] += 1
            counts[entry["set"]]["tokens"] += len(prompt) + len(target)
            occurring.update(prompt, target)
            rows.add(prompt, target)
        ids, example, target = rows.arrays(random.Random(f"rows {options.seed}") if not held else None)
        name = "held_" if held else ""
        arrays |= {f"{name}ids": ids, f"{name}example": example, f"{name}target": target}
        about["held back" if held else "training"] = {
            "rows": len(ids), "tokens": int((example > 0).sum()), "target tokens": int(target.sum()), "too long": too_long,
            "rounds": max(b.rounds for b in buckets.values()), "sets": {k: dict(v) for k, v in sorted(counts.items())},
            "pairs": {f"{task} {pair}": spent[task, pair] for task, pair in sorted(spent)},
        }  # fmt: skip
    arrays["shortlist"] = np.array(sorted(occurring), np.int32)
    about["shortlist"] = len(occurring)
    arrays["about"] = np.frombuffer(json.dumps(about, ensure_ascii=False, sort_keys=True).encode(), np.uint8)
    partial = options.out.with_name(options.out.name + ".part.npz")
    np.savez_compressed(partial, **arrays)
    os.replace(partial, options.out)
    print(json.dumps({k: {a: b for a, b in v.items() if a != "pairs"} if isinstance(v, dict) else v for k, v in about.items()}, indent=1))


if __name__ == "__main__":
    main()
