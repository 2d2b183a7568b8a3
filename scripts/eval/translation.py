#!/usr/bin/env python3
"""Measures translation on FLORES dev: BLEU, chrF, copies of the source, empty lines, speed.

One row a pair.

"copied" is the share of lines that equal their source, or share more than 80% of their words with
it. With --baseline the same few-shot prompt runs on llama.cpp, too: greedy, up to the end of the
line, without polygist's checks, retries, script rules and 8-bit arithmetic. Pairs without English
go through English in both.

    pip install -e "./scripts[eval]"      # and for --baseline: "./scripts[eval,compare]"
    cargo build --release
    python3 scripts/eval/translation.py [--lines 40] [--pairs fr-en en-de] [--baseline MODEL.gguf]
                                        [-- --precision f32]

With --articles the sources are whole articles of NTREX, in place of lines of FLORES dev: each goes
as one line of many sentences, so that what --context brings can be seen.

What stands after -- is passed on to polygist. FLORES dev is looked for in $POLYGIST_DATA/flores-dev
or ../shared/data/flores-dev beside the repository. Speed includes loading the model.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from polygist_scripts import prompts
from polygist_scripts.data import flores, ntrex
from polygist_scripts.program import BINARY, require, translate_lines
from polygist_scripts.scores import metrics
from polygist_scripts.translation import PAIRS, is_copy

# From a language, into a language, lines: the lines' translations.
Translate = Callable[[str, str, list[str]], list[str]]
# BLEU, chrF, share of copies, empty lines, lines a second.
Values = tuple[float, float, float, float, float]


class Baseline:
    """The same prompt on llama.cpp."""

    def __init__(self, model: Path, examples: int) -> None:
        import llama_cpp

        self.examples = examples
        self.llama = llama_cpp.Llama(
            str(model),
            n_ctx=4096,
            n_batch=2048,
            n_ubatch=512,
            n_threads=os.cpu_count(),
            verbose=False,
        )

    def translate(self, source: str, target: str, lines: list[str]) -> list[str]:
        if "en" not in (source, target):
            return self.translate("en", target, self.translate(source, "en", lines))
        # The state after the examples, which is the same for all lines, is computed once: what is
        # left of it is kept.
        before, after = prompts.translation(source, target, self.examples)
        return [self.answer(line, before + line + after) for line in lines]

    def answer(self, line: str, prompt: str) -> str:
        room = 4 * len(self.llama.tokenize(line.encode(), add_bos=False)) + 24
        result = self.llama(prompt, max_tokens=room, temperature=0.0, stop=["\n"])
        text: str = result["choices"][0]["text"]
        return text.strip()


def measure(
    pair: str,
    sources: list[str],
    references: list[str],
    translate: Translate,
    signatures: dict[str, list[str]],
) -> tuple[list[str], Values]:
    """The translations of a pair and their values; `signatures` gets the pairs of each metric."""
    source, target = pair.split("-")
    start = time.monotonic()
    outputs = translate(source, target, sources)
    seconds = time.monotonic() - start
    scores = []
    for metric in metrics(target):
        scores.append(metric.corpus_score(outputs, [references]).score)
        signatures.setdefault(str(metric.get_signature()), []).append(pair)
    copied = sum(map(is_copy, sources, outputs)) / len(sources)
    empty = sum(not output.strip() for output in outputs)
    return outputs, (scores[0], scores[1], copied, empty, len(sources) / seconds)


def row(head: str, values: Iterable[Values], empty: str = ".0f") -> str:
    """A line of the table; `empty` is the format of the number of empty lines."""
    return f"{head:<8}" + "".join(
        f"{v[0]:>7.1f}{v[1]:>7.1f}{v[2]:>8.0%}{v[3]:>7{empty}}{v[4]:>9.2f}" for v in values
    )


def mean_rows(pairs: list[str], table: list[list[Values]]) -> Iterable[str]:
    """The means of the pairs into English, and of those out of it."""
    for name, chosen in {
        "to en": [i for i, pair in enumerate(pairs) if pair.endswith("-en")],
        "from en": [i for i, pair in enumerate(pairs) if pair.startswith("en-")],
    }.items():
        if len(chosen) > 1:
            means = []
            for system in range(len(table[0])):
                columns = zip(*(table[i][system] for i in chosen))
                bleu, chrf, copied, empty, speed = (sum(c) / len(chosen) for c in columns)
                means.append((bleu, chrf, copied, empty, speed))
            yield row(name, means, ".1f")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", type=Path, default=BINARY)
    parser.add_argument(
        "--lines",
        type=int,
        default=40,
        help="how many lines from the first (default: %(default)s)",
    )
    parser.add_argument(
        "--skip",
        type=int,
        default=0,
        help="begin after so many lines, where something was chosen by the first "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--articles", type=int, metavar="N", help="the first N articles of NTREX, in place of lines"
    )
    parser.add_argument("--pairs", nargs="+", default=PAIRS, metavar="FR-EN", type=str.lower)
    parser.add_argument(
        "--baseline", type=Path, metavar="MODEL.gguf", help="run llama.cpp with this model, too"
    )
    parser.add_argument(
        "--examples",
        type=int,
        default=8,
        help="in the baseline's prompt (default: %(default)s, as polygist)",
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="keep the translations there")
    parser.add_argument("flags", nargs="*", metavar="-- FLAG", help="passed on to polygist")
    arguments = parser.parse_args()
    if arguments.lines < 1 or (arguments.articles or 1) < 1:
        sys.exit("--lines and --articles take a number from 1")
    require(arguments.binary, "--binary")
    for pair in arguments.pairs:
        if len(pair.split("-")) != 2:
            sys.exit(f"{pair!r} is not a pair of languages, as fr-en")
    return arguments


def texts(code: str, arguments: argparse.Namespace) -> list[str]:
    """What is translated, in a language."""
    if arguments.articles is None:
        return flores(code, arguments.skip, arguments.lines)
    between = "" if code.startswith(("zh", "ja")) else " "
    articles = ntrex(code)[: arguments.articles]
    return [between.join(path.read_text(encoding="utf-8").splitlines()) for path in articles]


def main() -> None:
    arguments = parse()
    codes = {code for pair in arguments.pairs for code in pair.split("-")}
    data = {code: texts(code, arguments) for code in codes}
    systems: dict[str, Translate] = {
        "polygist": partial(translate_lines, arguments.binary, flags=arguments.flags)
    }
    if arguments.baseline:
        systems["llama.cpp"] = Baseline(arguments.baseline, arguments.examples).translate
    columns = f"{'BLEU':>7}{'chrF':>7}{'copied':>8}{'empty':>7}{'lines/s':>9}"
    if arguments.articles:
        print(f"NTREX, {arguments.articles} articles, each as one line")
    else:
        print(f"FLORES dev, {arguments.lines} lines from line {arguments.skip + 1} on")
    if len(systems) > 1:
        print(" " * 8 + "".join(f"{name:>{len(columns)}}" for name in systems))
    print(f"{'pair':<8}" + columns * len(systems), flush=True)
    table: list[list[Values]] = []
    signatures: dict[str, list[str]] = {}
    for pair in arguments.pairs:
        source, target = pair.split("-")
        values = []
        for name, translate in systems.items():
            outputs, measured = measure(pair, data[source], data[target], translate, signatures)
            values.append(measured)
            if arguments.out:
                arguments.out.mkdir(parents=True, exist_ok=True)
                text = "\n".join(outputs) + "\n"
                (arguments.out / f"{pair}.{name}.txt").write_text(text, encoding="utf-8")
        table.append(values)
        print(row(pair, values), flush=True)
    for line in mean_rows(arguments.pairs, table):
        print(line)
    for signature, pairs in signatures.items():
        all_of_them = len(set(pairs)) == len(arguments.pairs)
        print(f"{signature}  ({'all pairs' if all_of_them else ' '.join(dict.fromkeys(pairs))})")


if __name__ == "__main__":
    main()
