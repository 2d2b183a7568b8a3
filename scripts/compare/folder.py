#!/usr/bin/env python3
"""Compares polygist and llama.cpp on the time for translating a folder of articles into English.

From the start of the command to its end: prompts with eight examples, the same model file.

llama.cpp translates the articles' lines, which are sentences: one by one, as a short script does it
(the examples are read once), and as many at once as serve it best, with the examples shared and
each finished line replaced by the next. It does nothing else: no sentence splitting, no checks, no
second attempts, no results on disk. The sides take turns --runs times, and medians are compared.

    pip install -e "./scripts[compare]"
    cargo build --release && target/release/polygist models pull gemma-3-270m
    python3 scripts/compare/folder.py MODEL.gguf [--articles 50] [--from fr] [--runs 3]

Articles are those of NTREX in $POLYGIST_DATA/articles or ../shared/data/articles.
"""

import argparse
import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import llama_cpp
import numpy

from polygist_scripts import prompts
from polygist_scripts.data import ntrex
from polygist_scripts.program import BINARY
from polygist_scripts.timing import in_turns, medians

EXAMPLES = 8


def one_by_one(model: Path, lines: list[str], source: str, threads: int) -> int:
    llama = llama_cpp.Llama(
        str(model),
        n_ctx=4096,
        n_batch=2048,
        n_ubatch=512,
        n_threads=threads,
        n_threads_batch=threads,
        verbose=False,
    )
    before, after = prompts.translation(source, "en", EXAMPLES)
    written = 0
    for line in lines:
        room = 2 * len(llama.tokenize(line.encode(), add_bos=False)) + 24
        written += llama(before + line + after, max_tokens=room, temperature=0.0, stop=["\n"])[
            "usage"
        ]["completion_tokens"]
    return written


def many_at_once(model: Path, lines: list[str], source: str, threads: int, together: int) -> int:
    llama = llama_cpp
    words = llama.Llama(str(model), vocab_only=True, verbose=False)

    def tokens(text: str, begin: bool = False) -> list[int]:
        ids: list[int] = words.tokenize(text.encode(), add_bos=begin, special=False)
        return ids

    before, after = prompts.translation(source, "en", EXAMPLES)
    shared = tokens(before, True)
    texts = [tokens(line) + tokens(after) for line in lines]
    loaded = llama.llama_load_model_from_file(
        str(model).encode(), llama.llama_model_default_params()
    )
    size = llama.llama_vocab_n_tokens(llama.llama_model_get_vocab(loaded))
    settings = llama.llama_context_default_params()
    settings.n_ctx = len(shared) + together * (3 * max(map(len, texts)) + 32)
    settings.n_batch, settings.n_ubatch, settings.n_seq_max, settings.kv_unified = (
        4096,
        512,
        together + 1,
        True,
    )
    settings.n_threads = settings.n_threads_batch = threads
    context = llama.llama_init_from_model(loaded, settings)
    memory = llama.llama_get_memory(context)
    batch = llama.llama_batch_init(4096, 0, 1)
    ends = {words.token_eos()}

    def decode(entries: list[tuple[int, int, int, bool]]) -> None:
        batch.n_tokens = len(entries)
        for i, (token, position, sequence, wanted) in enumerate(entries):
            batch.token[i], batch.pos[i], batch.logits[i] = token, position, wanted
            batch.n_seq_id[i], batch.seq_id[i][0] = 1, sequence
        if llama.llama_decode(context, batch) != 0:
            sys.exit("llama.cpp refused a batch")

    decode([(token, at, 0, False) for at, token in enumerate(shared)])
    # The longest first, as polygist does.
    waiting = sorted(range(len(lines)), key=lambda n: len(texts[n]))
    free, written = list(range(1, together + 1)), 0
    running: dict[int, dict[str, int]] = {}
    while waiting or running:
        entries: list[tuple[int, int, int, bool]] = []
        wanted = []
        for sequence, row in running.items():
            wanted.append((len(entries), sequence))
            entries.append((row["token"], row["at"], sequence, True))
            row["at"] += 1
        while waiting and free:
            ids = texts[waiting.pop()]
            sequence = free.pop()
            llama.llama_memory_seq_cp(memory, 0, sequence, -1, -1)
            entries += [
                (token, len(shared) + at, sequence, at == len(ids) - 1)
                for at, token in enumerate(ids)
            ]
            wanted.append((len(entries) - 1, sequence))
            running[sequence] = {"at": len(shared) + len(ids), "left": 2 * len(ids) + 24}
        decode(entries)
        for place, sequence in wanted:
            row = running[sequence]
            logits = numpy.ctypeslib.as_array(
                ctypes.cast(
                    llama.llama_get_logits_ith(context, place), ctypes.POINTER(ctypes.c_float)
                ),
                (size,),
            )
            token = int(logits.argmax())
            row["token"], row["left"] = token, row["left"] - 1
            written += 1
            if token in ends or row["left"] == 0 or b"\n" in words.detokenize([token]):
                llama.llama_memory_seq_rm(memory, sequence, -1, -1)
                del running[sequence]
                free.append(sequence)
    llama.llama_batch_free(batch)
    llama.llama_free(context)
    return written


def ours(binary: Path, folder: str, source: str) -> None:
    with tempfile.TemporaryDirectory() as out:
        command: list[str | Path] = [
            binary,
            "batch",
            folder,
            "--from",
            source,
            "--to",
            "en",
            "--tasks",
            "translate",
            "--model",
            "gemma-3-270m",
            "--out",
            out,
            "--quiet",
        ]
        subprocess.run(command, check=True)


def seconds(run: Callable[[], object]) -> float:
    """How long it takes."""
    start = time.monotonic()
    run()
    return time.monotonic() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, metavar="MODEL.gguf")
    parser.add_argument("--binary", type=Path, default=BINARY)
    parser.add_argument("--articles", type=int, default=50)
    parser.add_argument("--from", dest="source", default="fr")
    parser.add_argument("--together", type=int, nargs="+", default=[16, 32])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    a = parser.parse_args()
    articles = ntrex(a.source)[: a.articles]
    quiet = llama_cpp.llama_log_callback(lambda *_: None)
    llama_cpp.llama_log_set(quiet, ctypes.c_void_p(0))
    with tempfile.TemporaryDirectory() as folder:
        for article in articles:
            shutil.copy(article, folder)
        lines = [
            line.strip()
            for article in articles
            for line in article.read_text(encoding="utf-8").splitlines()
            if line.strip()
        ]
        print(
            f"{len(articles)} articles, {len(lines)} sentences, {a.source} to en, "
            f"{a.threads} threads, {a.model.name}; "
            f"llama.cpp by llama-cpp-python {llama_cpp.__version__}",
            flush=True,
        )
        swept, told = {}, []
        for together in a.together:
            start = time.monotonic()
            written = many_at_once(a.model, lines, a.source, a.threads, together)
            swept[together] = time.monotonic() - start
            told.append(f"{together} at once {swept[together]:.1f} s, {written} tokens")
        best = min(swept, key=swept.__getitem__)
        print("llama.cpp: " + ", ".join(told), flush=True)
        sides: dict[str, Callable[[], object]] = {
            "one by one": partial(one_by_one, a.model, lines, a.source, a.threads),
            f"{best} at once": partial(many_at_once, a.model, lines, a.source, a.threads, best),
            "polygist": partial(ours, a.binary, folder, a.source),
        }
        taken = in_turns({side: partial(seconds, run) for side, run in sides.items()}, a.runs)
        middle = medians(taken)
        for side, s in taken.items():
            times = middle[side] / middle["polygist"]
            print(
                f"{side}: {middle[side]:.1f} s ({min(s):.1f} to {max(s):.1f}), "
                f"{times:.1f} times polygist's"
            )


if __name__ == "__main__":
    main()
