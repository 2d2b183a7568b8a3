#!/usr/bin/env python3
"""Measures sentence splitting beside pysbd and sentencex: public golden rules, and F1 on NTREX.

The golden rules are those of pysbd's tests (most of them by pragmatic_segmenter) and sentencex's,
which grew out of them. They are not part of this repository: English ones come with the installed
package; `--rules` names the folder `tests/lang` of a checkout of pysbd for its 23 languages, or
`tests` of sentencex's source package for its 32.

    pip install -e "./scripts[eval]"
    cargo build --release --example sentences
    pip download --no-deps --no-binary :all: sentencex==1.0.32 && tar xf sentencex-1.0.32.tar.gz
    python3 scripts/eval/sentences.py --rules sentencex-1.0.32/tests [--ntrex]

NTREX is looked for in $POLYGIST_DATA/articles/ntrex or ../shared/data/articles/ntrex beside the
repository: the lines of an article are joined, split again, and the boundaries compared.
"""

import argparse
import ast
import importlib.util
import json
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from polygist_scripts.data import data, ntrex
from polygist_scripts.program import EXAMPLES, require

Rule = tuple[str, str, list[str]]
Split = Callable[[Sequence[tuple[str, str]]], list[list[str]]]

# The languages of pysbd's test files.
FILES = {
    "amharic": "am", "arabic": "ar", "armenian": "hy", "bulgarian": "bg", "burmese": "my",
    "chinese": "zh", "danish": "da", "deutsch": "de", "dutch": "nl", "english": "en",
    "french": "fr", "greek": "el", "hindi": "hi", "italian": "it", "japanese": "ja",
    "kazakh": "kk", "marathi": "mr", "persian": "fa", "polish": "pl", "russian": "ru",
    "slovak": "sk", "spanish": "es", "urdu": "ur",
}  # fmt: skip


def rules_in(path: Path, language: str) -> Iterable[Rule]:
    """The pairs of a text and its sentences in the lists of a test file; expected failures are
    left out."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.List):
            continue
        for item in node.elts:
            if isinstance(item, ast.Tuple) and len(item.elts) == 2:
                try:
                    text, sentences = ast.literal_eval(item)
                except ValueError:
                    continue
                if isinstance(text, str) and isinstance(sentences, list):
                    yield language, text, [s.strip() for s in sentences]


def rules_in_text(path: Path) -> Iterable[Rule]:
    """The cases of one of sentencex's files, `CODE.txt`: a text, `---`, its sentences a line each,
    `===`. A line that begins with `#` is a comment, most of them cases that sentencex fails."""
    lines = path.read_text(encoding="utf-8").splitlines()
    for case in "\n".join(line for line in lines if not line.startswith("#")).split("\n==="):
        text, mark, sentences = case.partition("\n---\n")
        # A text in lines is split at them before, which is another matter.
        if mark and "\n" not in text.strip():
            yield path.stem, text.strip(), [s.strip() for s in sentences.splitlines() if s.strip()]


def golden(folder: Path | None) -> list[Rule]:
    """All rules of a folder of test files, or those that the installed package has."""
    spec = None if folder else importlib.util.find_spec("benchmarks.english_golden_rules")
    if folder:
        files = [(folder / f"test_{name}.py", code) for name, code in FILES.items()]
        texts = [p for p in sorted(folder.glob("*.txt")) if len(p.stem) == 2]
    else:
        files = [(Path(spec.origin), "en")] if spec and spec.origin else []
        texts = []
    rules = [r for path, language in files if path.exists() for r in rules_in(path, language)]
    rules += [r for path in texts for r in rules_in_text(path)]
    # Some tests are in two lists of one file.
    found = {(code, text): sentences for code, text, sentences in rules}
    return [(code, text, sentences) for (code, text), sentences in found.items()]


def program_splits(program: Path, texts: Sequence[tuple[str, str]]) -> list[list[str]]:
    """What a program prints that reads and writes what examples/sentences does."""
    out = subprocess.run(
        [program], input=json.dumps(texts), stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    return [json.loads(line) for line in out.split("\n") if line]


def polygist(texts: Sequence[tuple[str, str]]) -> list[list[str]]:
    binary = EXAMPLES / "sentences"
    require(binary, "--with", "sentences")
    return program_splits(binary, texts)


def pysbd(texts: Sequence[tuple[str, str]]) -> list[list[str]]:
    import pysbd
    from pysbd.languages import LANGUAGE_CODES

    known = {c: pysbd.Segmenter(language=c, clean=False) for c in LANGUAGE_CODES}
    return [known.get(code.split("-")[0], known["en"]).segment(text) for code, text in texts]


def sentencex(texts: Sequence[tuple[str, str]]) -> list[list[str]]:
    import sentencex

    return [list(sentencex.segment(code.split("-")[0], text)) for code, text in texts]


SPLITTERS: dict[str, Split] = {"polygist": polygist, "pysbd": pysbd, "sentencex": sentencex}


def starts(sentences: Iterable[str], text: str) -> set[int]:
    """Where the sentences but the first begin in their text."""
    found, at = set(), 0
    for sentence in sentences:
        if body := sentence.strip():
            place = text.find(body, at)
            if place >= 0:
                found.add(place)
                at = place + len(body)
    return found - {0}


def f1(splitter: Split, code: str) -> float:
    """F1 of the boundaries in the articles of a language."""
    space = "" if code.split("-")[0] in ("zh", "ja", "th") else " "
    articles = [
        [line.strip() for line in p.read_text(encoding="utf-8").splitlines() if line.strip()]
        for p in ntrex(code)
    ]
    texts = [space.join(lines) for lines in articles]
    right = total = 0
    for lines, text, found in zip(articles, texts, splitter([(code, text) for text in texts])):
        proposed, expected = starts(found, text), starts(lines, text)
        right += len(proposed & expected)
        total += len(proposed) + len(expected)
    return 200 * right / max(total, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rules", type=Path, metavar="FOLDER", help="tests/lang of pysbd")
    parser.add_argument("--ntrex", action="store_true", help="F1 on NTREX as well")
    parser.add_argument("--show", metavar="CODE", help="print what polygist gets wrong")
    parser.add_argument(
        "--with",
        dest="others",
        action="append",
        default=[],
        type=Path,
        metavar="PROGRAM",
        help="another splitter: reads and writes what examples/sentences does",
    )
    parser.add_argument("--only", nargs="+", default=list(SPLITTERS), choices=list(SPLITTERS))
    a = parser.parse_args()
    splitters = {name: SPLITTERS[name] for name in a.only}
    splitters |= {program.name: partial(program_splits, program) for program in a.others}
    rules = golden(a.rules)
    codes = sorted({rule[0] for rule in rules})
    print(f"{len(rules)} golden rules in {len(codes)} languages, right:")
    print(f"{'':10} {'all':>5}", *(f"{code:>4}" for code in codes))
    counts = [sum(rule[0] == code for rule in rules) for code in codes]
    print(f"{'rules':10} {len(rules):>5}", *(f"{n:>4}" for n in counts))
    for name, splitter in splitters.items():
        found = splitter([(code, text) for code, text, _ in rules])
        right = [0] * len(codes)
        for (code, text, expected), sentences in zip(rules, found):
            stripped = [s.strip() for s in sentences if s.strip()]
            right[codes.index(code)] += stripped == expected
            if name == "polygist" and code == a.show and stripped != expected:
                print(f"  {text!r}\n    {stripped}")
        print(f"{name:10} {sum(right):>5}", *(f"{n:>4}" for n in right))
    if not a.ntrex:
        return
    languages = sorted(p.name for p in (data() / "articles" / "ntrex").iterdir() if p.is_dir())
    print("\nF1 of the boundaries in NTREX:")
    print(f"{'':10} {'mean':>5}", *(f"{code:>5}" for code in languages))
    for name, splitter in splitters.items():
        begin = time.monotonic()
        scores = [f1(splitter, code) for code in languages]
        mean = sum(scores) / len(scores)
        seconds = time.monotonic() - begin
        print(f"{name:10} {mean:>5.1f}", *(f"{s:>5.1f}" for s in scores), f"  {seconds:.0f} s")


if __name__ == "__main__":
    main()
