#!/usr/bin/env python3
"""Compares polygist and llama.cpp on the time for translating a folder of articles into English.

From the start of the command to its end: prompts with eight examples, the same model file.

llama.cpp translates the articles' lines, which are sentences: one by one, as a short script does it
(the examples are read once), and as many at once as serve it best, with the examples shared and
each finished line replaced by the next. It does nothing else: no sentence splitting, no checks, no
second attempts, no results on disk. The sides take turns --runs times, and medians are compared.

    pip install llama-cpp-python numpy
    cargo build --release && target/release/polygist models pull gemma-3-270m
    python3 scripts/compare/folder.py MODEL.gguf [--articles 50] [--from fr] [--runs 3]

Articles are those of NTREX in $POLYGIST_DATA/articles or ../shared/data/articles.
"""

import argparse
import ctypes
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

import llama_cpp
import numpy

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = 8


def prompt(source):
    """What stands before and after each line."""
    examples = tomllib.loads((ROOT / "models" / "prompts.toml").read_text(encoding="utf-8"))[
        "example"
    ][-EXAMPLES:]
    name = tomllib.loads((ROOT / "models" / "languages.toml").read_text(encoding="utf-8"))[source][
        "name"
    ]
    return "".join(
        f"{name}: {e[source]}\nEnglish: {e['en']}\n\n" for e in examples
    ) + f"{name}: ", "\nEnglish:"


def one_by_one(model, lines, source, threads):
    llama = llama_cpp.Llama(
        str(model),
        n_ctx=4096,
        n_batch=2048,
        n_ubatch=512,
        n_threads=threads,
        n_threads_batch=threads,
        verbose=False,
    )
    before, after = prompt(source)
    written = 0
    for line in lines:
        room = 2 * len(llama.tokenize(line.encode(), add_bos=False)) + 24
        written += llama(before + line + after, max_tokens=room, temperature=0.0, stop=["\n"])[
            "usage"
        ]["completion_tokens"]
    return written


def many_at_once(model, lines, source, threads, together):
    llama = llama_cpp
    words = llama.Llama(str(model), vocab_only=True, verbose=False)
    tokens = lambda text, begin=False: words.tokenize(text.encode(), add_bos=begin, special=False)
    before, after = prompt(source)
    shared = tokens(before, True)
    prompts = [tokens(line) + tokens(after) for line in lines]
    loaded = llama.llama_load_model_from_file(
        str(model).encode(), llama.llama_model_default_params()
    )
    size = llama.llama_vocab_n_tokens(llama.llama_model_get_vocab(loaded))
    settings = llama.llama_context_default_params()
    settings.n_ctx = len(shared) + together * (3 * max(map(len, prompts)) + 32)
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

    def decode(entries):
        batch.n_tokens = len(entries)
        for i, (token, position, sequence, wanted) in enumerate(entries):
            batch.token[i], batch.pos[i], batch.logits[i] = token, position, wanted
            batch.n_seq_id[i], batch.seq_id[i][0] = 1, sequence
        if llama.llama_decode(context, batch) != 0:
            sys.exit("llama.cpp refused a batch")

    decode([(token, at, 0, False) for at, token in enumerate(shared)])
    # The longest first, as polygist does.
    waiting = sorted(range(len(lines)), key=lambda n: len(prompts[n]))
    free, running, written = list(range(1, together + 1)), {}, 0
    while waiting or running:
        entries, wanted = [], []
        for sequence, row in running.items():
            wanted.append((len(entries), sequence))
            entries.append((row["token"], row["at"], sequence, True))
            row["at"] += 1
        while waiting and free:
            ids = prompts[waiting.pop()]
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


def ours(binary, folder, source):
    with tempfile.TemporaryDirectory() as out:
        command = [
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


def timed(run):
    start = time.monotonic()
    said = run()
    return time.monotonic() - start, said


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, metavar="MODEL.gguf")
    parser.add_argument("--binary", type=Path, default=ROOT / "target/release/polygist")
    parser.add_argument("--articles", type=int, default=50)
    parser.add_argument("--from", dest="source", default="fr")
    parser.add_argument("--together", type=int, nargs="+", default=[16, 32])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    a = parser.parse_args()
    data = (
        Path(os.environ.get("POLYGIST_DATA", ROOT.parent / "shared" / "data"))
        / "articles"
        / "ntrex"
        / a.source
    )
    articles = sorted(data.glob("*.txt"))[: a.articles]
    if not articles:
        sys.exit(f"no articles in {data}; set POLYGIST_DATA to the folder that has articles/ntrex")
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
            f"{len(articles)} articles, {len(lines)} sentences, {a.source} to en, {a.threads} threads, {a.model.name}; "
            f"llama.cpp by llama-cpp-python {llama_cpp.__version__}",
            flush=True,
        )
        swept = {
            n: timed(lambda: many_at_once(a.model, lines, a.source, a.threads, n))
            for n in a.together
        }
        best = min(swept, key=lambda n: swept[n][0])
        print(
            "llama.cpp: "
            + ", ".join(f"{n} at once {s:.1f} s, {w} tokens" for n, (s, w) in swept.items()),
            flush=True,
        )
        sides = {
            "one by one": lambda: one_by_one(a.model, lines, a.source, a.threads),
            f"{best} at once": lambda: many_at_once(a.model, lines, a.source, a.threads, best),
            "polygist": lambda: ours(a.binary, folder, a.source),
        }
        seconds = {side: [] for side in sides}
        for _ in range(a.runs):
            for side, run in sides.items():
                seconds[side].append(timed(run)[0])
        medians = {side: statistics.median(s) for side, s in seconds.items()}
        for side, s in seconds.items():
            print(
                f"{side}: {medians[side]:.1f} s ({min(s):.1f} to {max(s):.1f}), {medians[side] / medians['polygist']:.1f} times polygist's"
            )


if __name__ == "__main__":
    main()
