#!/usr/bin/env python3
"""Compares the speed of polygist and llama.cpp on decoder-only models.

New tokens a second, prompts included, many sequences at once and one.

polygist runs `polygist bench --synthetic SHAPE` (random weights in int8: what they say has no
effect on the work), llama.cpp the model's published GGUF file. Both read prompts of 10 to 60
tokens, 31 on average, and write exactly --tokens tokens after each; llama.cpp is given any token as
the next one, so that choosing costs it nothing. It decodes --sequences at once, its best number of
--batches, on all threads. The sides take turns --runs times, so that a busy machine hits both
alike, and medians are compared. Loading is not part of the time.

    pip install -e "./scripts[compare]"
    cargo build --release
    python3 scripts/compare/llama_speed.py [--shape gemma-270m] [--model MODEL.gguf] [--runs 5]

Without --model it takes the installed one of that shape.

With --same-weights both compute with MODEL.gguf itself: loading and its memory, one sequence,
prompts alone, and decoding of many sequences, each side with that number of sequences at once of
--batches that is its best.

    cargo build --release --example generation
    python3 scripts/compare/llama_speed.py --same-weights --model MODEL.gguf [--precision int4 int8]
"""

import argparse
import ctypes
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import llama_cpp

from polygist_scripts.program import BINARY, EXAMPLES, installed, require
from polygist_scripts.timing import in_turns, medians

# Tokens of prompts before something that is measured, and of those that are measured themselves.
SHORT, LONG = 16, 512
INSTALLED = {"gemma-270m": "gemma-3-270m", "smollm2-135m": "smollm2-135m-instruct"}


class Peer:
    """llama.cpp with a model in memory."""

    def __init__(self, path: Path, threads: int) -> None:
        self.llama, self.threads = llama_cpp, threads
        self.quiet = llama_cpp.llama_log_callback(lambda *_: None)
        llama_cpp.llama_log_set(self.quiet, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()
        self.model = llama_cpp.llama_load_model_from_file(
            str(path).encode(), llama_cpp.llama_model_default_params()
        )
        self.version = llama_cpp.__version__

    def run(self, lengths: list[int], tokens: int, together: int) -> tuple[float, float, float]:
        """New tokens a second, prompt tokens a second of the prompts alone, and new tokens a second
        after the prompts.
        """
        llama = self.llama
        settings = llama.llama_context_default_params()
        settings.n_ctx, settings.n_batch, settings.n_ubatch = (
            together * (max(lengths) + tokens + 8),
            4096,
            512,
        )
        settings.n_seq_max, settings.n_threads, settings.n_threads_batch = (
            together,
            self.threads,
            self.threads,
        )
        context = llama.llama_init_from_model(self.model, settings)
        batch = llama.llama_batch_init(4096, 0, 1)
        reading = writing = 0.0

        def decode(entries: list[tuple[int, int, bool]]) -> None:
            batch.n_tokens = len(entries)
            for i, (position, sequence, wanted) in enumerate(entries):
                batch.token[i], batch.pos[i] = 1000 + (position * 7 + sequence) % 5000, position
                batch.n_seq_id[i], batch.seq_id[i][0], batch.logits[i] = 1, sequence, wanted
            if llama.llama_decode(context, batch) != 0:
                sys.exit("llama.cpp refused a batch")
            llama.llama_get_logits_ith(context, -1)

        for first in range(0, len(lengths), together):
            group = lengths[first : first + together]
            llama.llama_memory_clear(llama.llama_get_memory(context), True)
            start = time.perf_counter()
            decode([(p, s, p == n - 1) for s, n in enumerate(group) for p in range(n)])
            reading += time.perf_counter() - start
            start = time.perf_counter()
            # The prompt gives the first new token.
            for step in range(tokens - 1):
                decode([(n + step, s, True) for s, n in enumerate(group)])
            writing += time.perf_counter() - start
        llama.llama_batch_free(batch)
        llama.llama_free(context)
        after = len(lengths) * (tokens - 1) / max(writing, 1e-9)
        return len(lengths) * tokens / (reading + writing), sum(lengths) / reading, after


class Own:
    """polygist with a model in memory: the example `generation`."""

    def __init__(self, binary: Path, model: Path, precision: str, threads: int) -> None:
        self.process = subprocess.Popen(
            [binary, model, precision, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.precision, self.size = precision, model.stat().st_size
        self.loaded = self.answer()
        self.peak = self.loaded["peak"]

    def answer(self) -> dict[str, float]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        return json.loads(line) if line else sys.exit("the example `generation` ended early")

    def seconds(self, sequences: int, prompt: int, tokens: int, together: int) -> float:
        assert self.process.stdin is not None
        print(sequences, prompt, tokens, together, file=self.process.stdin, flush=True)
        answer = self.answer()
        if (answer["read"], answer["written"]) != (sequences * prompt, sequences * tokens):
            sys.exit(f"expected {prompt} and {tokens} tokens for each of {sequences}; got {answer}")
        self.peak = answer["peak"]
        return answer["seconds"]

    def memory(self) -> str:
        share = self.peak / self.size
        return f"{self.peak / 1e9:.3f} GB in memory at most, {share:.3f} of the file"

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def same_weights(a: argparse.Namespace, model: Path, peer: Peer) -> None:
    """Compares both sides with one file."""
    swept = {n: peer.run([SHORT] * n, a.tokens, n)[2] for n in a.batches}
    print(
        f"{model.name}, {model.stat().st_size} bytes; {a.threads} threads; "
        f"llama.cpp by llama-cpp-python {peer.version}, decoding {by_batch(swept)}",
        flush=True,
    )
    for precision in a.precision:
        own = Own(a.generation, model, precision, a.threads)
        beside(a, own, peer, best_of(swept))
        own.close()


def beside(a: argparse.Namespace, own: Own, peer: Peer, best: int) -> None:
    """Compares polygist in one precision with llama.cpp; `best` is the peer's batch."""
    print(f"polygist in {own.precision}: {own.loaded['load']:.2f} s to load; {own.memory()}")

    def decoding(sequences: int, together: int) -> float:
        both = own.seconds(sequences, SHORT, a.tokens, together)
        prompts = own.seconds(sequences, SHORT, 1, together)
        return sequences * (a.tokens - 1) / (both - prompts)

    def measure(what: str, theirs: Callable[[], float], ours: Callable[[], float]) -> None:
        rates = in_turns({"llama.cpp": theirs, "polygist": ours}, a.runs)
        print(f"  {what}: {told(rates)}", flush=True)

    measure(
        "decoding one sequence",
        lambda: peer.run([SHORT], a.tokens, 1)[2],
        lambda: decoding(1, 1),
    )
    measure(
        f"prompts of {LONG} tokens",
        lambda: peer.run([LONG] * 4, 1, 4)[1],
        lambda: 4 * LONG / own.seconds(4, LONG, 1, 4),
    )
    swept = {n: decoding(n * a.threads, n) for n in a.batches}
    print(f"  decoding, for each thread {by_batch(swept)}", flush=True)
    mine, many = best_of(swept), max(a.batches) * a.threads
    measure(
        f"decoding {many} sequences",
        lambda: peer.run([SHORT] * many, a.tokens, best)[2],
        lambda: decoding(many, mine),
    )
    print(f"  in the end {own.memory()}", flush=True)


def best_of(rates: dict[int, float]) -> int:
    """The batch with the highest rate."""
    return max(rates, key=rates.__getitem__)


def by_batch(rates: dict[int, float]) -> str:
    return ", ".join(f"{batch} at once: {rate:.1f} tok/s" for batch, rate in rates.items())


def ours(
    binary: Path,
    shape: str,
    sentences: int,
    tokens: int,
    together: int,
    threads: int,
    what: str = "target",
) -> float:
    command = [
        str(binary),
        "bench",
        "--synthetic",
        shape,
        "--sentences",
        str(sentences),
        "--tokens",
        str(tokens),
        "--batch",
        str(together),
        "--threads",
        str(threads),
        "--runs",
        "1",
        "--warmup",
        "1",
        "--format",
        "json",
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(result.stdout)["measurements"][0][f"{what}_tokens_per_second"]["median"]


def told(rates: dict[str, list[float]]) -> str:
    """The medians of both sides, with the least and the most of each, and their ratio."""
    middle = medians(rates)
    sides = [
        f"{side} {middle[side]:.0f} tok/s ({min(r):.0f} to {max(r):.0f})"
        for side, r in rates.items()
    ]
    return "; ".join(sides) + f"; ratio {middle['polygist'] / middle['llama.cpp']:.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", choices=INSTALLED, default="gemma-270m")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--binary", type=Path, default=BINARY)
    parser.add_argument("--same-weights", action="store_true", help="both read --model itself")
    parser.add_argument("--precision", nargs="+", default=["int4"], help="with --same-weights")
    parser.add_argument("--generation", type=Path, default=EXAMPLES / "generation")
    parser.add_argument("--tokens", type=int, default=36)
    parser.add_argument("--sequences", type=int, default=64)
    parser.add_argument("--batches", type=int, nargs="+", default=[16, 32, 64])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    a = parser.parse_args()
    model = a.model or installed(a.binary, INSTALLED[a.shape])
    peer = Peer(model, a.threads)
    if a.same_weights:
        require(a.generation, "--generation", "generation")
        same_weights(a, model, peer)
        return
    draw = random.Random(1)
    lengths = [draw.randint(10, 52) for _ in range(a.sequences)]
    print(
        f"{a.shape}: {a.sequences} prompts of {sum(lengths) / len(lengths):.1f} tokens "
        f"(polygist: about as many), {a.tokens} new tokens each, {a.threads} threads; "
        f"llama.cpp by llama-cpp-python {peer.version}, {model.name}",
        flush=True,
    )
    swept = {batch: peer.run(lengths, a.tokens, batch)[0] for batch in a.batches}
    best = best_of(swept)
    print(f"llama.cpp: {by_batch(swept)}", flush=True)

    alone: dict[str, Callable[[], float]] = {
        "llama.cpp": lambda: peer.run(lengths, 1, best)[1],
        "polygist": lambda: ours(a.binary, a.shape, a.sequences, 1, 32, a.threads, "source"),
    }
    middle = medians(in_turns(alone, a.runs))
    theirs, own = middle["llama.cpp"], middle["polygist"]
    print(
        f"prompts alone: llama.cpp {theirs:.0f} tok/s; "
        f"polygist {own:.0f} tok/s, with the first new token; ratio {own / theirs:.2f}",
        flush=True,
    )

    many: dict[str, Callable[[], float]] = {
        "llama.cpp": lambda: peer.run(lengths, a.tokens, best)[0],
        "polygist": lambda: ours(a.binary, a.shape, a.sequences, a.tokens, 32, a.threads),
    }
    print(f"many at once: {told(in_turns(many, a.runs))}", flush=True)
    # One at a time means one on the whole machine: polygist puts a sequence on each thread.
    one: dict[str, Callable[[], float]] = {
        "llama.cpp": lambda: peer.run(lengths[:8], a.tokens, 1)[0],
        "polygist": lambda: ours(a.binary, a.shape, 8, a.tokens, 1, 1),
    }
    print(f"one at a time: {told(in_turns(one, a.runs))}", flush=True)


if __name__ == "__main__":
    main()
