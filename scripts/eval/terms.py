#!/usr/bin/env python3
"""Measures how many terms of a glossary come into translations, and what else changes by it.

Of FLORES dev, each term is a word for which the human translation has another word than the model
writes in the same place: between the same neighbours, so that it is known where it belongs. The
word of the source is found with IBM Model 1, trained on the model's own translations. The sentences
come in groups with a glossary each, which contradicts the human translation of none of them.

Told are BLEU of the chosen sentences: of the whole texts, and of the texts without the terms'
words and those that the model writes instead, which is what else has changed; and how many of the
other words stay as they were.

    cargo build --release
    python3 scripts/eval/terms.py [--binary target/release/polygist] [--sentences 300] [--show N]
        [--lines N] [--pairs en-pt pt-en] [--model MODEL] [-- FLAGS]

What stands after -- is passed on to polygist. The models are fetched with
`polygist models pull NAME`. Needs the group `eval`.
"""

import argparse
import csv
import json
import re
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from polygist_scripts.data import flores
from polygist_scripts.program import BINARY, arguments_and_flags, require, translate_lines
from polygist_scripts.scores import metrics

MODELS = {"pt-en": "firefox-pt-en-tiny", "en-pt": "firefox-en-pt-tiny"}

# Letters that a word of a glossary has at least: function words have fewer.
SHORTEST = 4

Term = tuple[int, str, str, str]


def words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*|\d+|[^\w\s]", text)


class Lexicon:
    """IBM Model 1: the source word that a word of a translation comes from."""

    def __init__(self, pairs: Sequence[tuple[list[str], list[str]]], rounds: int = 8) -> None:
        self.chance: dict[tuple[str, str], float] = defaultdict(lambda: 1.0)
        for _ in range(rounds):
            counts: dict[tuple[str, str], float] = defaultdict(float)
            totals: dict[str, float] = defaultdict(float)
            for source, target in pairs:
                for own in target:
                    shares = [self.chance[own, word] for word in source]
                    whole = sum(shares)
                    for word, share in zip(source, shares):
                        counts[own, word] += share / whole
                        totals[word] += share / whole
            self.chance = defaultdict(float)
            for (own, word), count in counts.items():
                self.chance[own, word] = count / totals[word]

    def source_of(self, own: str, source: Sequence[str]) -> str | None:
        """The word, where the second best is much less likely."""
        ranked = sorted(((self.chance[own, word], word) for word in set(source)), reverse=True)
        best, second = ranked[0], ranked[1] if len(ranked) > 1 else (0.0, "")
        return best[1] if best[0] >= 0.15 and best[0] >= 2 * second[0] else None


def has(text: str, term: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(term)}(?!\w)", text, re.IGNORECASE) is not None


def terms(sources: list[str], written: list[str], references: list[str]) -> list[Term]:
    """The number of a sentence, the source's word, the reference's and the model's."""

    def lower(text: str) -> list[str]:
        return [word.lower() for word in words(text)]

    pairs = [(lower(source), lower(text)) for source, text in zip(sources, written)]
    lexicon = Lexicon(pairs)
    found = []
    for number, (source, own) in enumerate(pairs):
        reference = words(references[number])
        matcher = SequenceMatcher(a=own, b=lower(references[number]), autojunk=False)
        for kind, a, a_end, b, b_end in matcher.get_opcodes():
            if kind != "replace" or a_end - a != 1 or b_end - b != 1:
                continue
            instead, wanted = own[a], reference[b]
            term = lexicon.source_of(instead, source)
            if term is None or min(map(len, (term, wanted, instead))) < SHORTEST:
                continue
            is_word = term.isalpha() and wanted.isalpha() and source.count(term) == 1
            if is_word and not has(written[number], wanted) and not wanted[0].isupper():
                found.append((number, term, wanted, instead))
    return found


def groups(found: list[Term], sources: list[str], references: list[str]) -> list[list[Term]]:
    """One term a sentence, in groups with a glossary each, of which no entry contradicts the human
    translation of a sentence in the group."""
    all_groups: list[list[Term]] = []

    def agrees(one: Term, other: Term) -> bool:
        """Whether the term of one, where it stands in the sentence of the other, is right there."""
        (_, term, wanted, _), number = one, other[0]
        return not has(sources[number], term) or has(references[number], wanted)

    taken: set[int] = set()
    for term in found:
        if term[0] in taken:
            continue
        taken.add(term[0])
        for group in all_groups:
            if all(agrees(term, held) and agrees(held, term) for held in group):
                group.append(term)
                break
        else:
            all_groups.append([term])
    return all_groups


def without(text: str, *terms: str) -> str:
    for term in terms:
        text = re.sub(rf"(?<!\w){re.escape(term)}(?!\w)", "", text, flags=re.IGNORECASE)
    return " ".join(text.split())


def measure(pair: str, arguments: argparse.Namespace, flags: Sequence[str]) -> None:
    """Prints what a glossary changes for a pair of languages."""
    source, target = pair.split("-")
    usual = ["--model", arguments.model or MODELS[pair], *flags]
    sources, references = (flores(code, count=arguments.lines) for code in (source, target))

    def run(lines: list[str], more: Sequence[str] = ()) -> list[str]:
        return translate_lines(arguments.binary, source, target, lines, [*usual, *more])

    written = run(sources)
    found = terms(sources, written, references)
    if arguments.sentences < len(found):
        found = found[:: len(found) // arguments.sentences]
    chosen: list[Term] = []
    told: list[dict[str, Any]] = []
    begun = time.monotonic()
    for group in groups(found, sources, references):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "glossary.csv"
            with path.open("w", encoding="utf-8", newline="") as file:
                rows = csv.writer(file)
                rows.writerow(["source", "target"])
                rows.writerows({term: wanted for _, term, wanted, _ in group}.items())
            lines = [sources[number] for number, *_ in group]
            output = run(lines, ["--glossary", str(path), "--format", "json"])
            told.extend(json.loads(line) for line in output)
        chosen.extend(group)
    seconds = time.monotonic() - begun
    lines = [sources[number] for number, *_ in chosen]
    right = [references[number] for number, *_ in chosen]
    before = [written[number] for number, *_ in chosen]
    after = [line["text"] for line in told]
    bleu, _ = metrics(target)

    def score(texts: list[str], references: list[str]) -> str:
        return f"{bleu.corpus_score(texts, [references]).score:.2f}"

    def came(texts: list[str]) -> str:
        count = sum(has(text, wanted) for text, (_, _, wanted, _) in zip(texts, chosen))
        return f"{count} of {len(chosen)} ({100 * count / max(1, len(chosen)):.1f}%)"

    def rest(texts: list[str]) -> list[str]:
        return [without(text, w, i) for text, (_, _, w, i) in zip(texts, chosen)]

    applied = sum(len(line.get("terms", {}).get("applied", [])) for line in told)
    missed = sum(len(line.get("terms", {}).get("missed", [])) for line in told)
    kept, count = 0, 0
    for one, other in zip(rest(before), rest(after)):
        first = words(one)
        blocks = SequenceMatcher(a=first, b=words(other), autojunk=False).get_matching_blocks()
        kept, count = kept + sum(block.size for block in blocks), count + len(first)
    print(f"{pair}, {usual[1]}: {len(chosen)} sentences with a term")
    print(f"  terms there: {came(before)} without the glossary, {came(after)} with it")
    print(f"  told: {applied} applied, {missed} missed, all terms in these sentences")
    print(f"  BLEU: {score(before, right)} without, {score(after, right)} with")
    print(
        f"  BLEU of the other words: {score(rest(before), rest(right))} without, "
        f"{score(rest(after), rest(right))} with; {100 * kept / max(1, count):.1f}% of them stay"
    )
    print(f"  {seconds:.1f} seconds for these sentences with the glossaries")
    for (_, term, wanted, instead), line, one, other in list(zip(chosen, lines, before, after))[
        : arguments.show
    ]:
        mark = "" if has(other, wanted) else "MISSED "
        print(f"    {mark}{term} = {wanted}, not {instead}: {line}\n      {one}\n      {other}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--binary", type=Path, default=BINARY)
    parser.add_argument("--pairs", nargs="+", default=list(MODELS))
    parser.add_argument("--model", help="a model of all pairs, in place of Firefox's")
    parser.add_argument("--lines", type=int, help="only the first lines of FLORES dev")
    parser.add_argument("--sentences", type=int, default=300)
    parser.add_argument("--show", type=int, default=0, help="so many sentences with their terms")
    own, flags = arguments_and_flags()
    arguments = parser.parse_args(own)
    require(arguments.binary, "--binary")
    for pair in arguments.pairs:
        measure(pair, arguments, flags)


if __name__ == "__main__":
    main()
