#!/usr/bin/env python3
"""Measures translation on FLORES dev: BLEU, chrF, copies of the source, empty lines, speed.

One row a pair.

"copied" is the share of lines that equal their source, or share more than 80% of their words with
it. With --baseline the same few-shot prompt runs on llama.cpp, too: greedy, up to the end of the
line, without polygist's checks, retries, script rules and 8-bit arithmetic. Pairs without English
go through English in both.

    pip install sacrebleu "sacrebleu[ja]"      # and for --baseline: llama-cpp-python
    cargo build --release
    python3 scripts/eval/translation.py [--lines 40] [--pairs fr-en en-de] [--baseline MODEL.gguf] [-- --precision f32]

What stands after -- is passed on to polygist. FLORES dev is looked for in $POLYGIST_DATA/flores-dev
or ../shared/data/flores-dev beside the repository. Speed includes loading the model.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
import tomllib
import unicodedata
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import sacrebleu

ROOT = Path(__file__).resolve().parents[2]
INTO_ENGLISH = ["fr", "de", "ru", "ar", "es", "zh", "tr", "hi", "ja", "uk"]
FROM_ENGLISH = ["fr", "de", "ru", "ar", "es", "zh", "tr", "hi"]
PAIRS = (
    [f"{code}-en" for code in INTO_ENGLISH]
    + [f"en-{code}" for code in FROM_ENGLISH]
    + ["fr-de", "ru-fr"]
)
SPACELESS = {"zh", "ja"}


def flores(code, first, count):
    folder = Path(os.environ.get("POLYGIST_DATA", ROOT.parent / "shared" / "data")) / "flores-dev"
    path = folder / f"{code}.txt"
    if not folder.is_dir():
        sys.exit(
            f"no evaluation data: {folder} is not there; set POLYGIST_DATA to the folder that has flores-dev/*.txt"
        )
    if not path.exists():
        sys.exit(
            f"{path} is not there; languages: {' '.join(sorted(p.stem for p in folder.glob('*.txt')))}"
        )
    return path.read_text(encoding="utf-8").splitlines()[first : first + count]


def polygist(binary, source, target, lines, flags):
    command = [binary, "translate", "--lines", "--quiet", "--from", source, "--to", target, *flags]
    # What the checks reject is marked by a status other than 0, with every line there all the same.
    result = subprocess.run(
        command, input="\n".join(lines) + "\n", stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )
    output = result.stdout.removesuffix("\n").split("\n")
    if len(output) != len(lines):
        sys.exit(
            f"{' '.join(map(str, command))} wrote {len(output)} lines for {len(lines)}, status {result.returncode}"
        )
    return output


class Baseline:
    """The same prompt on llama.cpp."""

    def __init__(self, model, examples):
        import llama_cpp

        tables = tomllib.loads((ROOT / "models" / "prompts.toml").read_text(encoding="utf-8"))[
            "example"
        ]
        self.examples = tables[-examples:]
        self.names = tomllib.loads((ROOT / "models" / "languages.toml").read_text(encoding="utf-8"))
        self.llama = llama_cpp.Llama(
            str(model),
            n_ctx=4096,
            n_batch=2048,
            n_ubatch=512,
            n_threads=os.cpu_count(),
            verbose=False,
        )

    def translate(self, source, target, lines):
        if "en" not in (source, target):
            return self.translate("en", target, self.translate(source, "en", lines))
        source_name, target_name = self.names[source]["name"], self.names[target]["name"]
        shown = "".join(
            f"{source_name}: {table[source]}\n{target_name}: {table[target]}\n\n"
            for table in self.examples
        )

        # The state after the examples, which is the same for all lines, is computed once: what is
        # left of it is kept.
        def one(line):
            room = 4 * len(self.llama.tokenize(line.encode(), add_bos=False)) + 24
            prompt = f"{shown}{source_name}: {line}\n{target_name}:"
            return self.llama(prompt, max_tokens=room, temperature=0.0, stop=["\n"])["choices"][0][
                "text"
            ].strip()

        return [one(line) for line in lines]


def normalized(text):
    """Letters and digits only, in one case and form."""
    return re.sub(r"[\W_]+", " ", unicodedata.normalize("NFKC", text).casefold()).strip()


def is_copy(source, output):
    source, output = normalized(source), normalized(output)
    if not source or not output:
        return False
    if source == output:
        return True
    # Where words are not set apart, the characters stand for them.
    spaceless = source.count(" ") < len(source) / 20
    units = [
        Counter(text.replace(" ", "") if spaceless else text.split()) for text in (source, output)
    ]
    common = (units[0] & units[1]).total()
    return common > 0.8 * max(units[0].total(), units[1].total())


def metrics(target):
    tokenizer = {"zh": "zh", "ja": "ja-mecab" if find_spec("MeCab") else "char"}.get(target, "13a")
    return sacrebleu.BLEU(tokenize=tokenizer), sacrebleu.CHRF()


def measure(pair, sources, references, translate, signatures):
    start = time.monotonic()
    outputs = translate(*pair.split("-"), sources)
    seconds = time.monotonic() - start
    scores = []
    for metric in metrics(pair.split("-")[1]):
        scores.append(metric.corpus_score(outputs, [references]).score)
        signatures.setdefault(str(metric.get_signature()), []).append(pair)
    copied = sum(map(is_copy, sources, outputs)) / len(sources)
    empty = sum(not output.strip() for output in outputs)
    return outputs, (*scores, copied, empty, len(sources) / seconds)


def row(head, values):
    return f"{head:<8}" + "".join(
        f"{v[0]:>7.1f}{v[1]:>7.1f}{v[2]:>8.0%}{v[3]:>7}{v[4]:>9.2f}" for v in values
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=ROOT / "target" / "release" / "polygist")
    parser.add_argument(
        "--lines", type=int, default=40, help="how many lines from the first (default: %(default)s)"
    )
    parser.add_argument(
        "--skip",
        type=int,
        default=0,
        help="begin after so many lines, where something was chosen by the first (default: %(default)s)",
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
    if arguments.lines < 1:
        sys.exit("--lines takes a number from 1")
    if not Path(arguments.binary).exists():
        sys.exit(
            f"{arguments.binary} is not there; `cargo build --release` builds it, --binary names another"
        )
    for pair in arguments.pairs:
        if len(pair.split("-")) != 2:
            sys.exit(f"{pair!r} is not a pair of languages, as fr-en")
    data = {
        code: flores(code, arguments.skip, arguments.lines)
        for pair in arguments.pairs
        for code in pair.split("-")
    }

    systems = {
        "polygist": lambda s, t, lines: polygist(arguments.binary, s, t, lines, arguments.flags)
    }
    if arguments.baseline:
        systems["llama.cpp"] = Baseline(arguments.baseline, arguments.examples).translate
    columns = f"{'BLEU':>7}{'chrF':>7}{'copied':>8}{'empty':>7}{'lines/s':>9}"
    print(f"FLORES dev, {arguments.lines} lines from line {arguments.skip + 1} on")
    if len(systems) > 1:
        print(" " * 8 + "".join(f"{name:>{len(columns)}}" for name in systems))
    print(f"{'pair':<8}" + columns * len(systems), flush=True)
    table, signatures = [], {}
    for pair in arguments.pairs:
        source, target = pair.split("-")
        values = []
        for name, translate in systems.items():
            outputs, measured = measure(pair, data[source], data[target], translate, signatures)
            values.append(measured)
            if arguments.out:
                arguments.out.mkdir(parents=True, exist_ok=True)
                (arguments.out / f"{pair}.{name}.txt").write_text(
                    "\n".join(outputs) + "\n", encoding="utf-8"
                )
        table.append(values)
        print(row(pair, values), flush=True)
    for name, chosen in {
        "to en": [i for i, p in enumerate(arguments.pairs) if p.endswith("-en")],
        "from en": [i for i, p in enumerate(arguments.pairs) if p.startswith("en-")],
    }.items():
        if len(chosen) > 1:
            means = [
                [sum(table[i][s][c] for i in chosen) / len(chosen) for c in range(5)]
                for s in range(len(systems))
            ]
            print(row(name, [(*m[:3], f"{m[3]:.1f}", m[4]) for m in means]))
    for signature, pairs in signatures.items():
        print(
            f"{signature}  ({'all pairs' if len(set(pairs)) == len(arguments.pairs) else ' '.join(dict.fromkeys(pairs))})"
        )


if __name__ == "__main__":
    main()
