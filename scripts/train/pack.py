#!/usr/bin/env python3
"""Draws a mixture of the examples of data.py, encodes them, and lays them into rows of token ids.

    pack.py EXAMPLES.jsonl MODEL.gguf OUT.npz --tokens 900000 [--row 640] [--summary-share 0.1]
            [--favour fr-en en-de ...]

A row holds several examples one after the other, which do not see each other (rows.py). OUT.npz has
  shortlist   int32, sorted: all token ids that occur
  words       how the tokenizer writes each of them, JSON
  pieces      int32: every text that occurs, once, as places in the shortlist, one after the other
  ends        int64: where each piece ends
  examples    int32 [examples, 4]: the pieces before, of, and after a source, and the one that the
              model is to write
  row         int32: the row of each example; they lie in it as they come
  held_examples, held_row    the same for what is kept back
  about       how it was made, and how long a row is, JSON
An example drawn again is five numbers more, not its text. The same arguments give the same bytes.
"""

import argparse
import json
import os
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

import sets
from encoder import Encoder
from polygist_scripts import prompts
from polygist_scripts.translation import PAIRS, normalized

Entry = dict[str, Any]  # an example of data.py
Key = tuple[str, str]  # task and pair
Examples = dict[Key, list[Entry]]

OPEN_ROWS = 8  # rows that the next example may go to


def favoured() -> list[str]:
    """The pairs that scripts/eval/translation.py measures, those without English by their two
    steps.
    """
    steps = set()
    for pair in PAIRS:
        source, target = pair.split("-")
        steps |= {pair} if "en" in (source, target) else {f"{source}-en", f"en-{target}"}
    return sorted(steps)


def weight_of(entry: Entry) -> float:
    return sets.entry(entry["set"]).weight


class Bucket:
    """The examples of one task and pair, drawn without repetition, the heavier sets earlier, and
    then again from the start.
    """

    def __init__(self, key: str, examples: list[Entry]) -> None:
        self.key, self.examples, self.rounds = key, examples, 0
        self.order: list[int] = []

    def draw(self) -> Entry:
        if not self.order:
            # Exponential clocks: an example of twice the weight comes first twice as often.
            drawn = random.Random(f"{self.key} {self.rounds}")
            clock = [(drawn.expovariate(weight_of(e)), n) for n, e in enumerate(self.examples)]
            self.order = [n for _, n in sorted(clock, reverse=True)]
            self.rounds += 1
        return self.examples[self.order.pop()]


def shares(buckets: dict[Key, Bucket], options: argparse.Namespace) -> dict[Key, float]:
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
        same = [
            key
            for key in weights
            if key[0] == task
            and (task == "summary" or key[1].endswith("-en") == pair.endswith("-en"))
        ]
        share = groups[task] * (1 if task == "summary" else directions[pair.endswith("-en")])
        result[task, pair] = share * weight / sum(weights[key] for key in same)
    return result


def frame(entry: Entry) -> tuple[str, str]:
    return (
        prompts.summary(entry["from"])
        if entry["task"] == "summary"
        else prompts.translation(entry["from"], entry["to"])
    )


class Rows:
    """Rows that are filled first-fit."""

    def __init__(self, length: int) -> None:
        self.length = length
        self.open: list[dict[str, Any]] = []
        self.done: list[dict[str, Any]] = []

    def add(self, example: list[int], size: int) -> None:
        row = next((row for row in self.open if row["room"] >= size), None)
        if row is None:
            if len(self.open) == OPEN_ROWS:
                fullest = min(range(OPEN_ROWS), key=lambda n: self.open[n]["room"])
                self.done.append(self.open.pop(fullest))
            row = {"room": self.length, "examples": []}
            self.open.append(row)
        row["room"] -= size
        row["examples"].append(example)

    def arrays(self, drawn: random.Random | None = None) -> tuple[np.ndarray, np.ndarray]:
        """All examples row by row, and the row of each."""
        rows = [row["examples"] for row in self.done + self.open]
        if drawn:
            drawn.shuffle(rows)
        examples = np.array([example for row in rows for example in row], np.int32).reshape(-1, 4)
        return examples, np.repeat(np.arange(len(rows), dtype=np.int32), [len(row) for row in rows])


class Pieces:
    """Texts as token ids, each kept once."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder
        self.numbers: dict[str | tuple[str, str], int] = {}
        self.ids: list[np.ndarray] = []

    def learn(self, texts: Iterable[str]) -> None:
        """Encodes what is not known yet, all of it together."""
        new = [text for text in dict.fromkeys(texts) if text not in self.numbers]
        for text, ids in zip(new, self.encoder.encode_all(new)):
            self.add(text, ids)

    def add(self, key: str | tuple[str, str], ids: list[int]) -> None:
        self.numbers[key] = len(self.ids)
        self.ids.append(np.array(ids, np.int32))

    def of(self, entry: Entry) -> list[int]:
        """The four pieces of an example."""
        before, after = frame(entry)
        if (before, "begin") not in self.numbers:
            self.add((before, "begin"), [self.encoder.begin, *self.encoder.encode(before)])
        self.learn([after])
        return [
            self.numbers[key]
            for key in (
                (before, "begin"),
                entry["source"],
                after,
                self.encoder.written(entry["target"]),
            )
        ]

    def size(self, example: list[int]) -> int:
        return sum(len(self.ids[n]) for n in example)

    def beyond(self, entries: list[Entry], size: int) -> set[str]:
        """The texts that have a token which is not among the so many that occur in the most texts
        of some examples.
        """
        used = Counter(
            text for e in entries for text in (e["source"], self.encoder.written(e["target"]))
        )
        counts = np.zeros(self.encoder.size, np.int64)
        for text, times in used.items():
            counts[np.unique(self.ids[self.numbers[text]])] += times
        common = np.zeros(len(counts), bool)
        common[np.argsort(-counts, kind="stable")[:size]] = True
        return {text for text in used if not common[self.ids[self.numbers[text]]].all()}

    def arrays(self, used: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Pieces, ends, shortlist, of the numbers that are used, and the new number of each."""
        renumbered = np.full(len(self.ids), -1, np.int32)
        renumbered[used] = np.arange(len(used))
        joined = np.concatenate([self.ids[n] for n in used])
        shortlist, places = np.unique(joined, return_inverse=True)
        ends = np.cumsum([len(self.ids[n]) for n in used], dtype=np.int64)
        return {
            "pieces": places.astype(np.int32),
            "ends": ends,
            "shortlist": shortlist.astype(np.int32),
        }, renumbered


def read(path: Path) -> dict[bool, Examples]:
    """The examples of each task and pair, by whether they are kept back."""
    found: dict[bool, Examples] = {False: defaultdict(list), True: defaultdict(list)}
    with open(path, encoding="utf-8") as lines:
        for entry in map(json.loads, lines):
            found[entry["held"]][entry["task"], f"{entry['from']}-{entry['to']}"].append(entry)
    if not found[False]:
        sys.exit(f"{path} has no examples; data.py writes it")
    return found


def leave_out_rare(found: dict[bool, Examples], pieces: Pieces, vocabulary: int) -> None:
    """Drops the examples that have a token beyond the commonest ones."""
    everything = [e for held in found.values() for examples in held.values() for e in examples]
    rare = pieces.beyond(everything, vocabulary)
    for held in found.values():
        for key, examples in list(held.items()):
            held[key] = [
                e
                for e in examples
                if e["source"] not in rare and pieces.encoder.written(e["target"]) not in rare
            ]
            if not held[key]:
                del held[key]


def draw(
    buckets: dict[Key, Bucket], limit: int, pieces: Pieces, options: argparse.Namespace
) -> tuple[Rows, dict[str, Any]]:
    """Rows of about `limit` tokens, drawn by the buckets' shares, and what to tell of them."""
    shown = {normalized(text) for example in prompts.EXAMPLES for text in example.values()}
    share, rows = shares(buckets, options), Rows(options.row)
    spent: Counter[Key] = Counter()
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    too_long = total = written = 0
    while total < limit:
        key = min(share, key=lambda k: (spent[k] / share[k] if share[k] else float("inf"), k))
        entry = buckets[key].draw()
        if normalized(entry["source"]) in shown:
            continue
        example = pieces.of(entry)
        size = pieces.size(example)
        if size > options.row:
            too_long += 1
            if too_long > 100 * (1 + total):
                sys.exit(f"hardly any example fits into {options.row} tokens; give a larger --row")
            continue
        spent[key] += size
        total += size
        written += pieces.size(example[-1:])
        counts[entry["set"]]["examples"] += 1
        counts[entry["set"]]["tokens"] += size
        rows.add(example, size)
    return rows, {
        "tokens": total,
        "target tokens": written,
        "too long": too_long,
        "rounds": max(b.rounds for b in buckets.values()),
        "sets": {k: dict(v) for k, v in sorted(counts.items())},
        "pairs": {f"{task} {pair}": spent[task, pair] for task, pair in sorted(spent)},
    }


def text_array(value: Any, **how: Any) -> np.ndarray:
    """A value as JSON, as bytes."""
    return np.frombuffer(json.dumps(value, ensure_ascii=False, **how).encode(), np.uint8)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("examples", type=Path, metavar="EXAMPLES.jsonl")
    parser.add_argument("model", type=Path, metavar="MODEL.gguf")
    parser.add_argument("out", type=Path, metavar="OUT.npz")
    parser.add_argument("--tokens", type=int, required=True, help="how many to draw")
    parser.add_argument(
        "--held-tokens",
        type=int,
        default=20_000,
        help="how many to keep back (default: %(default)s)",
    )
    parser.add_argument("--row", type=int, default=640, help="tokens a row (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--temperature",
        type=float,
        default=0.5,
        help="a pair's share grows with its examples to this power (default: %(default)s)",
    )
    parser.add_argument(
        "--into-english",
        type=float,
        default=0.55,
        help="share of the translations (default: %(default)s)",
    )
    parser.add_argument(
        "--summary-share", type=float, default=0.1, help="of the tokens (default: %(default)s)"
    )
    parser.add_argument(
        "--stretch-share",
        type=float,
        default=0.15,
        help="of the translations' tokens (default: %(default)s)",
    )
    parser.add_argument(
        "--favour",
        nargs="*",
        default=favoured(),
        metavar="FR-EN",
        help="pairs with more weight (default: the measured ones)",
    )
    parser.add_argument(
        "--favour-weight", type=float, default=3.0, help="how much more (default: %(default)s)"
    )
    parser.add_argument(
        "--vocabulary",
        type=int,
        help="only examples whose texts have none but the so many commonest tokens, "
        "for a small file of the model",
    )
    return parser.parse_args()


def main() -> None:
    options = parse()
    found = read(options.examples)
    pieces = Pieces(Encoder(options.model))
    pieces.learn(
        text
        for held in found.values()
        for examples in held.values()
        for e in examples
        for text in (e["source"], pieces.encoder.written(e["target"]))
    )
    if options.vocabulary:
        leave_out_rare(found, pieces, options.vocabulary)
    chosen = {k: v.name if isinstance(v, Path) else v for k, v in vars(options).items()}
    about: dict[str, Any] = {"options": chosen, "row": options.row}
    arrays: dict[str, np.ndarray] = {}
    for kept_back, limit in ((False, options.tokens), (True, options.held_tokens)):
        buckets = {
            key: Bucket(f"{options.seed} {kept_back} {key}", examples)
            for key, examples in sorted(found[kept_back].items())
        }
        rows, told = draw(buckets, limit, pieces, options)
        shuffled = None if kept_back else random.Random(f"rows {options.seed}")
        drawn, row = rows.arrays(shuffled)
        name = "held_" if kept_back else ""
        arrays |= {f"{name}examples": drawn, f"{name}row": row}
        sizes = {"rows": int(row[-1]) + 1, "examples": len(row)}
        about["held back" if kept_back else "training"] = sizes | told
    texts, renumbered = pieces.arrays(
        np.unique(np.concatenate([arrays["examples"].ravel(), arrays["held_examples"].ravel()]))
    )
    for name in ("examples", "held_examples"):
        arrays[name] = renumbered[arrays[name]]
    arrays |= texts
    arrays["words"] = text_array(pieces.encoder.spelled(arrays["shortlist"]))
    about["shortlist"] = len(arrays["shortlist"])
    arrays["about"] = text_array(about, sort_keys=True)
    partial = options.out.with_name(options.out.name + ".part.npz")
    np.savez_compressed(partial, **arrays)
    os.replace(partial, options.out)
    short = {
        k: {a: b for a, b in v.items() if a != "pairs"} if isinstance(v, dict) else v
        for k, v in about.items()
    }
    print(json.dumps(short, indent=1))


if __name__ == "__main__":
    main()
