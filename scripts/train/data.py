#!/usr/bin/env python3
"""Gathers training examples: translations of sentences and short stretches, and summaries.

Translations are in both directions; stretches are consecutive lines of documents.

    data.py OUT.jsonl [--all-sets]

Reads parallel.tar.xz, summaries/ and flores-dev/ in $POLYGIST_DATA (or ../shared/data beside the
repository). By default only sets that are made by people under a stated licence without a clause
against commercial use (sets.py). One example a line: task, from, to, source, target, set, held
(kept back for measuring the loss). OUT.json beside it counts all of it.
"""

import argparse
import json
import random
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import filters
import sets
from polygist_scripts import summaries as evaluation

Usable = Callable[[sets.Set], bool]  # whether a set may be trained on

HELD_BACK = 100  # one English line in so many, in all languages
SPACELESS = {"zh", "ja"}
STRETCH = (2, 4)  # lines of a document that are translated together
STRETCH_CHARACTERS = 700  # what the engine translates in one piece is not longer
MEASURED = 500  # articles of a set that scripts/eval/summaries.py may sample
FULL_STOP = (".", "!", "?", "…", "।", "。", "！", "？", '"', "”", "»", "」", ")")


def held_back(english: str) -> bool:
    return zlib.crc32(filters.normalized(english).encode()) % HELD_BACK == 0


def stretches(
    code: str, rows: list[sets.Row], draw: random.Random
) -> Iterator[tuple[str, str, str, bool]]:
    """Consecutive lines of a document, joined. A line without a full stop is a heading, where
    another document may begin.
    """
    gap = "" if code in SPACELESS else " "
    run: list[sets.Row] = []
    wanted = draw.randint(*STRETCH)
    for text, english, name, number in rows:
        follows = (
            run
            and run[-1][3] + 1 == number
            and run[-1][2] == name
            and sum(len(r[1]) for r in run) + len(english) <= STRETCH_CHARACTERS
        )
        if not english.endswith(FULL_STOP):
            run = []
            continue
        run = [*run, (text, english, name, number)] if follows else [(text, english, name, number)]
        if len(run) == wanted:
            if len({held_back(r[1]) for r in run}) == 1:
                yield (
                    gap.join(r[0] for r in run),
                    " ".join(r[1] for r in run),
                    name,
                    held_back(run[0][1]),
                )
            run, wanted = [], draw.randint(*STRETCH)


def translations(
    code: str, rows: list[sets.Row], usable: Usable, flores: filters.Flores, dropped: Counter[str]
) -> Iterator[dict[str, Any]]:
    rows = [row for row in rows if (entry := sets.describe(row[2])) and usable(entry)]
    rows = filters.keep_pairs(code, rows, flores, dropped)
    documents = [row for row in rows if sets.entry(row[2]).documents]
    pieces = [
        ("sentence", text, english, name, held_back(english)) for text, english, name, _ in rows
    ]
    pieces += [
        ("stretch", *piece)
        for piece in stretches(code, documents, random.Random(f"stretches {code}"))
    ]
    for task, text, english, name, held in pieces:
        for source, target, first, second in (
            (code, "en", text, english),
            ("en", code, english, text),
        ):
            yield {
                "task": task,
                "from": source,
                "to": target,
                "source": first,
                "target": second,
                "set": name,
                "held": held,
            }


def summarize(
    usable: Usable, flores: filters.Flores, dropped: Counter[str]
) -> Iterator[dict[str, Any]]:
    for name, entry in sets.SUMMARIES.items():
        if not usable(entry):
            continue
        measured = (
            {row["text"] for row in evaluation.load(name, MEASURED)}
            if name in evaluation.SETS
            else set()
        )
        for code, article, summary in sets.summaries(name, measured):
            reason = filters.keep_summary(code, article, summary, flores)
            if reason:
                dropped[f"summary: {reason}"] += 1
                continue
            held = held_back(article)
            yield {
                "task": "summary",
                "from": code,
                "to": code,
                "source": article,
                "target": summary,
                "set": name,
                "held": held,
            }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, metavar="OUT.jsonl")
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--stated-only",
        action="store_true",
        default=True,
        help="only sets that may be passed on (the default)",
    )
    which.add_argument(
        "--all-sets",
        action="store_true",
        help="also sets without a stated licence: not for what is passed on",
    )
    arguments = parser.parse_args()

    def usable(entry: sets.Set) -> bool:
        return arguments.all_sets or entry.clean

    archive = sets.archive()
    flores = filters.Flores()
    dropped: Counter[str] = Counter()
    counts: Counter[tuple[str, str, str]] = Counter()
    with open(arguments.out, "w", encoding="utf-8", newline="\n") as out:

        def write(examples: Iterable[dict[str, Any]]) -> None:
            for example in examples:
                counts[
                    example["set"],
                    example["task"],
                    "held back" if example["held"] else f"{example['from']}-{example['to']}",
                ] += 1
                out.write(json.dumps(example, ensure_ascii=False) + "\n")

        for code, rows in sets.parallel(archive):
            write(translations(code, rows, usable, flores, dropped))
        write(summarize(usable, flores, dropped))
    table: dict[str, Any] = {}
    for (name, task, pair), count in sorted(counts.items()):
        entry = sets.entry(name)
        row = table.setdefault(
            name,
            {
                "title": entry.title,
                "licence": entry.licence,
                "stated": entry.stated,
                "human": entry.human,
                "examples": {},
            },
        )
        row["examples"].setdefault(task, {})[pair] = count
    report = {
        "all sets": arguments.all_sets,
        "examples": counts.total(),
        "dropped": dict(dropped),
        "sets": table,
    }
    arguments.out.with_suffix(".json").write_text(
        json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )
    print(f"{counts.total()} examples of {len(table)} sets; dropped: {dict(dropped)}")


if __name__ == "__main__":
    main()
