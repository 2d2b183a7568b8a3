#!/usr/bin/env python3
"""Checks that training computes what it should. Exits 1 when something differs.

    check.py EXAMPLES.jsonl PACK.npz MODEL.gguf [--reference target/release/examples/reference] [--only tokens logits packed falls resumes]

 tokens   prompts and targets get the ids that the engine gives them, piece by piece (needs the example `reference` of the crate)
 logits   the dequantized weights give the engine's logits, f32 (needs it, too)
 packed   the loss of packed rows equals the sum of their examples' losses, each computed alone, under the attentions of f32
 falls    a few steps on the same rows make their loss fall by more than half
 resumes  a run in two calls ends with the same bytes as a run in one
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import prompts
import torch
import train
import weights
from pack import frame
from rows import Pack, loss, prepare

TEXTS = 3000
# As scripts/compare/llama_cpp.py allows for sums in another order: a share of the range of the logits.
LOGITS = 1e-4
LOSS = 1e-4  # of a packed row against its examples alone, relative, f32


def engine(reference, model, texts):
    """What the crate computes for each text: its ids with the begin token, and its logits when it is to write."""
    if not reference.exists():
        sys.exit(f"{reference} is not there; `cargo build --release --example reference` builds it, --reference names another")
    result = subprocess.run([reference, model, "1" if len(texts) < 100 else "0"], input=json.dumps(texts), capture_output=True, text=True, encoding="utf-8")
    if result.returncode:
        sys.exit(f"{reference} failed: {result.stderr.strip()}")
    return [json.loads(line) for line in result.stdout.splitlines()]


def drawn(path):
    """Some examples of every task and pair, the same ones each time."""
    with open(path, encoding="utf-8") as lines:
        entries = [json.loads(line) for line in lines]
    by_pair = {}
    for entry in entries:
        by_pair.setdefault((entry["task"], entry["from"], entry["to"]), []).append(entry)
    share = -(-TEXTS // len(by_pair))
    return [e for _, found in sorted(by_pair.items()) for e in random.Random(1).sample(found, min(share, len(found)))]


def check_tokens(options):
    encoder, entries = prompts.Encoder(options.model), drawn(options.examples)
    pieces = []
    for entry in entries:
        prefix, suffix = frame(entry)
        few = prompts.translation(entry["from"], entry["to"], 8)[0] if entry["task"] != "summary" else prefix
        pieces += [prefix, entry["source"], suffix, few, f" {entry['target']}{prompts.END}"]
    theirs = [answer["ids"][1:] for answer in engine(options.reference, options.model, pieces)]
    different = sum(encoder.encode(piece) != ids for piece, ids in zip(pieces, theirs, strict=True))
    for n, entry in enumerate(entries):
        prefix, source, suffix, _, target = theirs[5 * n : 5 * n + 5]
        different += encoder.prompt(frame(entry), entry["source"]) != [encoder.begin, *prefix, *source, *suffix]
        different += encoder.target(entry["target"]) != target
    print(f"tokens: {len(entries)} examples, {len(pieces)} pieces of text, {different} differ from the engine")
    return different == 0


def check_logits(options):
    entries = [e for e in drawn(options.examples) if e["task"] == "sentence"][::100]
    texts = [frame(e)[0] + e["source"] + frame(e)[1] for e in entries][:30]
    model, worst = weights.load(options.model), 0.0
    for answer in engine(options.reference, options.model, texts):
        with torch.inference_mode():
            ours = model(torch.tensor([answer["ids"]]), logits_to_keep=1).logits[0, -1].numpy()
        theirs = np.array(answer["logits"], dtype=np.float32)
        worst = max(worst, float(np.abs(ours - theirs).max() / (theirs.max() - theirs.min())))
    print(f"logits: {len(texts)} prompts, at most {worst:.2g} of the range from the engine's (allowed {LOGITS:.0e})")
    return worst <= LOGITS


def separate(rows):
    """The examples of packed rows, each as a row of its own."""
    for ids, example, target in zip(*rows):
        for number in range(1, int(example.max()) + 1):
            at = example == number
            yield tuple(x[at][None] for x in (ids, torch.ones_like(example), target))


@torch.no_grad()
def check_packed(options):
    pack, fine = Pack(options.pack), True
    rows = pack.rows(list(range(min(3, pack.count()))))
    for attention in ("sdpa", "blocks"):
        model = weights.load(options.model, attention=attention, shortlist=pack.shortlist).to(options.device)

        def value(part, attention=attention, model=model):
            return loss(model, *prepare(part, attention, model.config.sliding_window, options.device, pack.most)).item()

        together = sum(value([x[n : n + 1] for x in rows]) for n in range(len(rows[0])))
        alone = sum(map(value, separate(rows)))
        apart = abs(together - alone) / alone
        fine &= apart <= LOSS
        print(f"packed, {attention}: loss {together:.4f}, example by example {alone:.4f}, {apart:.1e} apart (allowed {LOSS:.0e})")
    return fine


def options_for(options, out, *more):
    fixed = ["--rows-per-step", "2", "--rank", "8", "--device", options.device, "--every", "1000", "--seed", "3"]
    return train.parse([str(options.pack), str(options.model), str(out), *fixed, *more])


def check_falls(options):
    with tempfile.TemporaryDirectory() as folder:
        run = train.Run(options_for(options, folder, "--steps", "25", "--warmup", "0.1", "--lr", "5e-3"))
        run.out.mkdir(exist_ok=True)
        run.drawn = lambda step: np.arange(2)
        while not run.ended():
            run.advance()
        losses = [json.loads(line)["loss"] for line in open(run.out / "log.jsonl", encoding="utf-8")]
    print(f"falls: loss {losses[0]} to {losses[-1]} in {len(losses)} steps on two rows")
    return losses[-1] < losses[0] / 2


def check_resumes(options):
    with tempfile.TemporaryDirectory() as folder:
        whole, parts = Path(folder) / "whole", Path(folder) / "parts"
        train.Run(options_for(options, whole, "--steps", "4")).go()
        for _ in range(2):
            run = train.Run(options_for(options, parts, "--steps", "4"))
            run.out.mkdir(exist_ok=True)
            run.resume()
            for _ in range(2):
                run.advance()
            run.checkpoint()
        files = [(out / "adapter" / "adapter_model.safetensors").read_bytes() for out in (whole, parts)]
    print(f"resumes: adapters of {len(files[0])} bytes, {'equal' if files[0] == files[1] else 'different'}")
    return files[0] == files[1]


def main():
    checks = {"tokens": check_tokens, "logits": check_logits, "packed": check_packed, "falls": check_falls, "resumes": check_resumes}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("examples", type=Path, metavar="EXAMPLES.jsonl")
    parser.add_argument("pack", type=Path, metavar="PACK.npz")
    parser.add_argument("model", type=Path, metavar="MODEL.gguf")
    parser.add_argument("--reference", type=Path, default=prompts.ROOT / "target" / "release" / "examples" / "reference")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--only", nargs="+", choices=checks, default=list(checks))
    options = parser.parse_args()
    failed = [name for name in options.only if not checks[name](options)]
    print(f"failed: {' '.join(failed)}" if failed else f"{len(options.only)} checks passed")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
