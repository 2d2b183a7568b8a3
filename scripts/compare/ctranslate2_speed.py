#!/usr/bin/env python3
"""Compares the speed of polygist and CTranslate2 on the same encoder-decoder model.

Tokens a second, int8 (or --compute-type float32), one worker a core.

The model is one that full_size.py makes (random weights, a well-known shape); CTranslate2 gets it
through its own converter. Both translate the same sources, which have the lengths of FLORES dev,
into exactly --tokens tokens each: what the weights say has no effect on the work. Each side first
tries all batch sizes of --batches and keeps its best; then the sides take turns --runs times, so
that a busy machine hits both alike, and the medians are compared. Loading is not part of the time.
Texts are given as token ids: nothing is tokenized.

    pip install -e "./scripts[compare]"
    cargo build --release --example seq2seq
    python3 scripts/compare/ctranslate2_speed.py --out FOLDER [--model opus-mt-base]
        [--sentences 512] [--beams 1 4] [--runs 5] [--command "…"]

At the end stand the peak memories of both sides at their best batch sizes, CTranslate2's in a
process that imports nothing else, and without what the import itself takes.

With --lengths each source becomes as many tokens as its French translation has, greedily: sequences
end one after the other, as those of real text do. CTranslate2 is told to end them by its callback;
with --callback it is called without --lengths, too, to see what that costs.

With --alone each source waits for the one before: what one sentence takes. Instead of batch sizes
it is tried with one core and with all.

The command gets a JSON array of {"source": [ids]} and says on standard error "N tokens in S s".
{folder}, {beam}, {tokens}, {threads}, {batch} and {precision} are filled in. --peer-only leaves it
out. FLORES dev is looked for as in full_size.py.
"""

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import ctranslate2
from ctranslate2.converters import TransformersConverter

import full_size
from polygist_scripts.program import EXAMPLES
from polygist_scripts.timing import in_turns, medians

COMMAND = str(EXAMPLES / "seq2seq") + (
    " {folder} --beam {beam} --tokens {tokens} --threads {threads} --batch {batch}"
    " --precision {precision}"
)


class Vocabulary:
    """What the converter asks a tokenizer."""

    def __init__(self, name: str) -> None:
        _, fields, special, _, _ = full_size.SHAPES[name]
        names = {i: token for token, i in special.items()}
        self.tokens = [names.get(i, f"t{i}") for i in range(fields["vocab_size"])]
        self.bos_token = names.get(fields.get("bos_token_id", -1), "</s>")
        self.eos_token = names[fields["eos_token_id"]]
        self.pad_token, self.unk_token = "<pad>", "<unk>"
        self.unk_token_id = special["<unk>"]
        self.special_tokens_map: dict[str, str] = {}

    def get_vocab(self) -> dict[str, int]:
        return {token: i for i, token in enumerate(self.tokens)}

    def convert_ids_to_tokens(self, i: int) -> str:
        return self.tokens[i]


class Converter(TransformersConverter):
    """The converter without a tokenizer's files."""

    def __init__(self, folder: Path, vocabulary: Vocabulary) -> None:
        super().__init__(str(folder))
        self.vocabulary = vocabulary

    def load_tokenizer(self, tokenizer_class: type, path: str, **kwargs: Any) -> Vocabulary:
        return self.vocabulary


class Peer:
    """CTranslate2 with the model in memory."""

    def __init__(
        self,
        name: str,
        folder: Path,
        converted: Path,
        threads: int,
        compute_type: str,
        alone: bool,
        callback: bool,
    ) -> None:
        self.vocabulary, self.callback = Vocabulary(name), callback
        if not converted.is_dir():
            converter = Converter(folder, self.vocabulary)
            converter.convert(str(converted), quantization=compute_type)
        start = time.time()
        self.converted, self.compute_type, self.threads, self.alone = (
            converted,
            compute_type,
            threads,
            alone,
        )
        self.translators: dict[int, ctranslate2.Translator] = {}
        self.translator(1)
        self.loaded = time.time() - start
        lead = full_size.SHAPES[name].generation.get("forced_bos_token_id")
        self.prefix = [self.vocabulary.tokens[lead]] if lead is not None else None

    def options(self, batch: int) -> dict[str, Any]:
        """How many sources it has in hand, and how many cores each; alone, cores are swept."""
        workers, each = (1, batch) if self.alone else (self.threads, 1)
        return {"compute_type": self.compute_type, "inter_threads": workers, "intra_threads": each}

    def translator(self, batch: int) -> ctranslate2.Translator:
        key = batch if self.alone else 0
        if key not in self.translators:
            self.translators[key] = ctranslate2.Translator(
                str(self.converted), **self.options(batch)
            )
        return self.translators[key]

    def run(self, sources: list[list[int]], lengths: list[int], beam: int, batch: int) -> float:
        """Tokens a second; each source becomes as many as `lengths` says."""
        texts = [[self.vocabulary.tokens[i] for i in source] for source in sources]
        translator = self.translator(batch)
        start = time.time()
        together = 1 if self.alone else len(texts)
        results = []
        for at in range(0, len(texts), together):
            some = texts[at : at + together]
            results += translator.translate_batch(
                some,
                target_prefix=[self.prefix] * len(some) if self.prefix else None,
                beam_size=beam,
                max_batch_size=batch,
                min_decoding_length=max(lengths),
                max_decoding_length=max(lengths),
                callback=self.ending(lengths, at),
            )
        seconds = time.time() - start
        counts = [len(r.hypotheses[0]) for r in results]
        if any(abs(count - length) > 1 for count, length in zip(counts, lengths, strict=True)):
            sys.exit(
                f"ctranslate2 wrote {min(counts)} to {max(counts)} tokens "
                f"where {min(lengths)} to {max(lengths)} were asked for"
            )
        return sum(counts) / seconds

    def ending(self, lengths: list[int], first: int) -> Callable[[Any], bool] | None:
        """What ends sequences at their lengths, if that is asked for."""
        if not self.callback:
            return None
        return lambda step: step.step + 1 >= lengths[first + step.batch_id]


CHILD = """
import ctranslate2, json, sys
# Not getrusage's, which begins with that of the process that started this one.
def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
model, options, texts, prefix, settings = json.load(sys.stdin)
before = peak()
translator = ctranslate2.Translator(model, **options)
prefixes = [prefix] * len(texts) if prefix else None
translator.translate_batch(texts, target_prefix=prefixes, **settings)
print(peak() - before)
"""


def peer_memory(
    peer: Peer, sources: list[list[int]], batch: int, settings: dict[str, int]
) -> float:
    """Peak of CTranslate2's memory in MB."""
    texts = [[peer.vocabulary.tokens[i] for i in source] for source in sources]
    given = json.dumps([str(peer.converted), peer.options(batch), texts, peer.prefix, settings])
    child = subprocess.run(
        [sys.executable, "-c", CHILD],
        input=given,
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
    )
    return int(child.stdout) / 1024


class Ours:
    """The command, which loads the model anew each time and says how long the rest took."""

    def __init__(self, command: str, folder: Path, threads: int, precision: str) -> None:
        self.command, self.folder = command, folder
        self.threads, self.precision = threads, precision
        self.peak = float("nan")  # MB, of the last run

    def run(self, sources: list[list[int]], lengths: list[int], beam: int, batch: int) -> float:
        line = self.command.format(
            folder=self.folder,
            beam=beam,
            tokens=max(lengths),
            threads=self.threads,
            batch=batch,
            precision=self.precision,
        )
        data = json.dumps(
            [
                {"source": source, "tokens": length}
                for source, length in zip(sources, lengths, strict=True)
            ]
        )
        result = subprocess.run(shlex.split(line), input=data, capture_output=True, text=True)
        said = re.search(r"(\d+) tokens in ([\d.]+) s", result.stderr)
        peak = re.search(r"peak memory (\d+) kB", result.stderr)
        self.peak = int(peak.group(1)) / 1024 if peak else float("nan")
        if result.returncode != 0 or not said:
            sys.exit(
                f"{line}\nended with status {result.returncode}, "
                f"and said nothing like 'N tokens in S s': {result.stderr.strip()}"
            )
        counts = [len(json.loads(answer)["ids"]) for answer in result.stdout.splitlines()]
        if len(counts) != len(sources) or any(
            abs(count - length) > 1 for count, length in zip(counts, lengths)
        ):
            sys.exit(
                f"{line}\nwrote {len(counts)} outputs "
                f"of {min(counts, default=0)} to {max(counts, default=0)} tokens; "
                f"expected {len(sources)} of {min(lengths)} to {max(lengths)}"
            )
        # Counted here and not taken from what it says: both sides have to be measured by one rule.
        return sum(lengths) / float(said.group(2))


def measure(
    sides: dict[str, Peer | Ours],
    peer: Peer,
    sources: list[list[int]],
    lengths: list[int],
    beam: int,
    a: argparse.Namespace,
) -> None:
    """Sweeps the batch sizes (or cores) of each side, and lets the best of each take turns."""
    word = "cores" if a.alone else "batch"
    best: dict[str, int] = {}
    for side, runner in sides.items():
        swept = {batch: runner.run(sources, lengths, beam, batch) for batch in a.batches}
        best[side] = max(swept, key=swept.__getitem__)
        told = ", ".join(f"{word} {b}: {rate:.0f} tok/s" for b, rate in swept.items())
        print(f"beam {beam}, {side}: {told}", flush=True)
    runs: dict[str, Callable[[], float]] = {
        side: partial(runner.run, sources, lengths, beam, best[side])
        for side, runner in sides.items()
    }
    rates = in_turns(runs, a.runs)
    settings = {
        "beam_size": beam,
        "max_batch_size": best["ctranslate2"],
        "min_decoding_length": max(lengths),
        "max_decoding_length": max(lengths),
    }
    memory = {"ctranslate2": peer_memory(peer, sources, best["ctranslate2"], settings)}
    for side, runner in sides.items():
        if isinstance(runner, Ours):
            memory[side] = runner.peak
    told = ", ".join(f"{side} {mb:.0f} MB" for side, mb in memory.items())
    print(f"beam {beam}, peak memory: {told}", flush=True)
    middle = medians(rates)
    told = "; ".join(
        f"{side} {middle[side]:.0f} tok/s "
        f"({word} {best[side]}, {a.runs} runs, {min(r):.0f} to {max(r):.0f})"
        for side, r in rates.items()
    )
    if "polygist" in sides:
        told += f"; ratio {middle['polygist'] / middle['ctranslate2']:.2f}"
    print(f"beam {beam}: {told}", flush=True)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder for the models")
    parser.add_argument("--model", choices=full_size.SHAPES, default="opus-mt-base")
    parser.add_argument("--sentences", type=int, default=512)
    parser.add_argument("--tokens", type=int, default=36)
    parser.add_argument("--beams", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--batches", type=int, nargs="+", default=[8, 16, 32, 64])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--compute-type", default="int8")
    parser.add_argument("--command", default=COMMAND)
    parser.add_argument("--alone", action="store_true")
    parser.add_argument("--lengths", action="store_true")
    parser.add_argument("--callback", action="store_true")
    parser.add_argument("--peer-only", action="store_true")
    a = parser.parse_args()
    a.callback |= a.lengths
    a.beams = [1] if a.callback else a.beams
    a.command += " --alone 1" if a.alone and a.command == COMMAND else ""
    if a.alone:
        a.batches = sorted({1, a.threads})
    return a


def main() -> None:
    a = parse()
    folder = a.out / a.model
    if not (folder / "tokenizer.json").is_file():
        full_size.make(a.model, folder)
    converted = a.out / f"{a.model}-ctranslate2-{a.compute_type}"
    peer = Peer(a.model, folder, converted, a.threads, a.compute_type, a.alone, a.callback)
    sides: dict[str, Peer | Ours] = {"ctranslate2": peer}
    if not a.peer_only:
        precision = "f32" if a.compute_type == "float32" else "int8"
        sides["polygist"] = Ours(a.command, folder, a.threads, precision)
    sources = full_size.requests(a.model, a.sentences)
    lengths, each = [a.tokens] * a.sentences, f"{a.tokens} tokens each"
    if a.lengths:
        lengths = full_size.lengths(a.sentences, "fr")
        mean = sum(lengths) / len(lengths)
        each = f"{min(lengths)} to {max(lengths)} tokens, {mean:.1f} on average"
    print(
        f"{a.model}, {a.sentences} sources of {sum(map(len, sources)) / len(sources):.1f} tokens, "
        f"{each}, {a.threads} threads, "
        f"ctranslate2 {ctranslate2.__version__} {a.compute_type} loaded in {peer.loaded:.1f} s",
        flush=True,
    )
    for beam in a.beams:
        measure(sides, peer, sources, lengths, beam, a)


if __name__ == "__main__":
    main()
