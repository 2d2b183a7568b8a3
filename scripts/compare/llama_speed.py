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

from polygist_scripts.program import BINARY, installed
from polygist_scripts.timing import in_turns, medians

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

    def run(self, lengths: list[int], tokens: int, together: int) -> tuple[float, float]:
        """New tokens a second, and prompt tokens a second of the prompts alone."""
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
        return len(lengths) * tokens / (reading + writing), sum(lengths) / reading


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
    parser.add_argument("--tokens", type=int, default=36)
    parser.add_argument("--sequences", type=int, default=64)
    parser.add_argument("--batches", type=int, nargs="+", default=[16, 32, 64])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    a = parser.parse_args()
    model = a.model or installed(a.binary, INSTALLED[a.shape])
    peer = Peer(model, a.threads)
    draw = random.Random(1)
    lengths = [draw.randint(10, 52) for _ in range(a.sequences)]
    print(
        f"{a.shape}: {a.sequences} prompts of {sum(lengths) / len(lengths):.1f} tokens "
        f"(polygist: about as many), {a.tokens} new tokens each, {a.threads} threads; "
        f"llama.cpp by llama-cpp-python {peer.version}, {model.name}",
        flush=True,
    )
    swept = {batch: peer.run(lengths, a.tokens, batch)[0] for batch in a.batches}
    best = max(swept, key=swept.__getitem__)
    rates = ", ".join(f"{batch} at once: {rate:.0f} tok/s" for batch, rate in swept.items())
    print(f"llama.cpp: {rates}", flush=True)

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
