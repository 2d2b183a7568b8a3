#!/usr/bin/env python3
"""Measures whether the markup of a text stands at the right words of its translation.

A part of each sentence of FLORES dev is in bold. Where it belongs is known without looking at the
model: it is a name or a number that stands in the translation as it stands in the source, or (in
English and Portuguese) a date in words, or some words whose translation by themselves stands in
that of the sentence exactly once. Articles and prepositions at the ends of the part may be in bold
or not.

    cargo build --release
    python3 scripts/eval/markup.py [--binary target/release/polygist] [--lines N] [--show N]
        [--pairs en-pt pt-en] [--model MODEL] [-- FLAGS]

What stands after -- is passed on to polygist. The models are fetched with
`polygist models pull NAME`. Needs the group `eval`.
"""

import argparse
import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from polygist_scripts.data import flores
from polygist_scripts.program import BINARY, arguments_and_flags, require, translate_lines

MODELS = {"pt-en": "firefox-pt-en-tiny", "en-pt": "firefox-en-pt-tiny"}

# Marks of Markdown, for which a sentence is not taken.
MARKS = re.compile(r"[*_`\[\]<>#|~\\{}$&@]|https?:|^\d+\.")
NAME = re.compile(r"(?<=[^\W\d_] )(?:[A-Z][\w.-]+ ){0,3}[A-Z][\w-]+|\b\d[\d.,:]*\d\b|\b\d+\b")
DATES = {
    "en": "January February March April May June July August September October November December "
    "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro "
    "dezembro segunda-feira terça-feira quarta-feira quinta-feira sexta-feira sábado domingo",
}

# Words that may be inside or outside, for nobody minds them: articles, prepositions, 's.
SMALL = set(
    "the a an of to in on at for from by with o a os as um uma de do da dos das em no na nos nas "
    "ao à aos às para por pelo pela s le la les l d un une des du au aux en dans sur pour par avec "
    "der die das den dem des ein eine einen einem einer eines von zu im am vom zum zur mit für "
    "auf".split()
)

# A kind, the sentence's number, the marked part, and what is marked in the translation if it is
# right.
Case = tuple[str, int, re.Match[str], str]


def count(text: str, part: str) -> int:
    return len(re.findall(rf"(?<!\w){re.escape(part)}(?!\w)", text, re.IGNORECASE))


def cases(pair: str, sources: list[str], written: list[str], alone: dict[str, str]) -> list[Case]:
    """One case of each kind for each sentence that has one."""
    source, target = pair.split("-")
    dates = dict(zip(DATES.get(source, "").lower().split(), DATES.get(target, "").split()))
    found = []
    for number, (text, output) in enumerate(zip(sources, written)):
        if MARKS.search(text):
            continue
        for match in NAME.finditer(text):
            if count(text, match[0]) == 1 and count(output, match[0]) == 1:
                found.append(("name or number", number, match, match[0]))
                break
        for match in re.finditer(r"[\w-]+", text):
            there = dates.get(match[0].lower())
            if there and count(text, match[0]) == 1 and count(output, there) == 1:
                found.append(("date", number, match, there))
                break
        for match in phrases(number, text):
            there = alone.get(match[0])
            if there and len(there) > 3 and count(output, there) == 1:
                found.append((f"{len(match[0].split())} words", number, match, there))
    return found


def phrases(number: int, text: str) -> list[re.Match[str]]:
    """Some runs of one to four words without marks between them."""
    if MARKS.search(text):
        return []
    chance = random.Random(number)
    found = []
    for length in range(1, 5):
        words = " ".join([r"[^\W\d_]{2,}"] * length)
        pattern = re.compile(rf"(?<![\w’'-]){words}(?![\w’'-])")
        starts = [match.start() for match in re.finditer(r"(?<![\w’'-])[^\W\d_]", text)][1:]
        chance.shuffle(starts)
        matches = (pattern.match(text, start) for start in starts)
        match = next((m for m in matches if m and len(m[0]) > 3), None)
        if match and count(text, match[0]) == 1:
            found.append(match)
    return found


def marked(binary: Path, pair: str, texts: list[str], flags: Sequence[str]) -> list[str]:
    """Paragraphs of Markdown, translated."""
    source, target = pair.split("-")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "text.md"
        path.write_text("\n\n".join(texts) + "\n", encoding="utf-8")
        command: list[str | Path] = [
            binary,
            "translate",
            "--quiet",
            "--from",
            source,
            "--to",
            target,
            *flags,
            path,
        ]
        done = subprocess.run(command, capture_output=True, check=True, text=True)
    return re.split(r"\n\n+", done.stdout.strip())


def plain(text: str) -> str:
    return re.sub(r"^\W+|\W+$", "", text).lower()


def content(text: str) -> list[str]:
    """The words of a text, without the small ones at its ends."""
    words = re.findall(r"[^\W_]+", text.lower())
    while words and words[0] in SMALL:
        del words[0]
    while words and words[-1] in SMALL:
        del words[-1]
    return words


def measure(pair: str, arguments: argparse.Namespace, flags: Sequence[str]) -> None:
    """Prints how many marks of each kind stand at their words."""
    source, target = pair.split("-")
    usual = ["--model", arguments.model or MODELS[pair], *flags]
    sources = flores(source, count=arguments.lines)
    written = translate_lines(arguments.binary, source, target, sources, usual)
    parts = sorted({match[0] for n, text in enumerate(sources) for match in phrases(n, text)})
    # As it would stand in a sentence: without the capital and the full stop of one.
    texts = translate_lines(arguments.binary, source, target, parts, usual)
    alone = {part: text.strip(" .") for part, text in zip(parts, texts)}
    found = cases(pair, sources, written, alone)
    texts = []
    for _, number, match, _ in found:
        text, (start, end) = sources[number], match.span()
        texts.append(f"{text[:start]}**{text[start:end]}**{text[end:]}")
    output = marked(arguments.binary, pair, texts, usual)
    if len(output) != len(found):
        sys.exit(f"{len(found)} paragraphs became {len(output)}")
    sums: dict[str, list[int]] = {}
    wrong = []
    for (kind, _, _, wanted), text, line in zip(found, texts, output):
        spans = re.findall(r"\*\*(.+?)\*\*|<strong>(.+?)</strong>", line)
        inside = " ".join(one or other for one, other in spans)
        is_right = content(inside) == content(wanted)
        is_exact = plain(inside) == plain(wanted)
        row = sums.setdefault(kind, [0, 0, 0])
        row[0] += is_right
        row[1] += is_exact
        row[2] += 1
        if not is_right:
            wrong.append((wanted, text, line))
    print(f"{pair}, {usual[1]}")
    sums["all"] = [sum(row[i] for row in sums.values()) for i in range(3)]
    for kind, (right, exact, all_of) in sums.items():
        share = 100 * right / max(1, all_of)
        print(f"  {kind:15} {right:4} of {all_of:4} right ({share:.1f}%), {exact} to the letter")
    for wanted, text, line in wrong[: arguments.show]:
        print(f"    {wanted}\n      {text}\n      {line}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--binary", type=Path, default=BINARY)
    parser.add_argument("--pairs", nargs="+", default=list(MODELS))
    parser.add_argument("--model", help="a model of all pairs, in place of Firefox's")
    parser.add_argument("--lines", type=int, default=300, help="first lines of FLORES dev")
    parser.add_argument("--show", type=int, default=0, help="so many that are wrong")
    own, flags = arguments_and_flags()
    arguments = parser.parse_args(own)
    require(arguments.binary, "--binary")
    for pair in arguments.pairs:
        measure(pair, arguments, flags)


if __name__ == "__main__":
    main()
