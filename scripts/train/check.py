#!/usr/bin/env python3
"""Checks that training computes what it should. Exits 1 when something differs.

check.py EXAMPLES.jsonl PACK.npz MODEL.gguf [--reference target/release/examples/reference]
         [--only tokens logits packed falls resumes reward tuned]

tokens   prompts and targets get the ids that the engine gives them, piece by piece (needs the
         example `reference` of the crate)
logits   the dequantized weights give the engine's logits, f32 (needs it, too)
packed   the loss of packed rows equals the sum of their examples' losses, each computed alone,
         under the attentions of f32
falls    a few steps on the same rows make their loss fall by more than half
resumes  a run in two calls ends with the same bytes as a run in one
reward   a better translation is worth more, wrong numbers and a missing end cost, spaces
         between words count only where there are some
tuned    what tune.py's actor writes has the log-probabilities that transformers' own attention
         gives it, and that packed rows give it, f32
"""

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

import reward
import train
import tune
import weights
from encoder import Encoder
from pack import frame
from polygist_scripts import prompts
from polygist_scripts.program import EXAMPLES, reference, require
from rows import Pack, Rows, loss, losses, prepare

TEXTS = 3000
# As scripts/compare/llama_parity.py allows for sums in another order: a share of the range of the
# logits.
LOGITS = 1e-4
LOSS = 1e-4  # of a packed row against its examples alone, relative, f32
LIKELY = 1e-3  # of a token's log-probability, f32


def engine(options: argparse.Namespace, texts: list[str]) -> list[dict[str, Any]]:
    """What the crate computes for each text: its ids with the begin token, and its logits when the
    texts are so few that it is to write.
    """
    require(options.reference, "--reference", "reference")
    return list(reference(options.reference, options.model, texts, int(len(texts) < 100)))


def drawn(path: Path) -> list[dict[str, Any]]:
    """Some examples of every task and pair, the same ones each time."""
    with open(path, encoding="utf-8") as lines:
        entries = [json.loads(line) for line in lines]
    by_pair: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for entry in entries:
        by_pair.setdefault((entry["task"], entry["from"], entry["to"]), []).append(entry)
    share = -(-TEXTS // len(by_pair))
    return [
        e
        for _, found in sorted(by_pair.items())
        for e in random.Random(1).sample(found, min(share, len(found)))
    ]


def check_tokens(options: argparse.Namespace) -> bool:
    encoder, entries = Encoder(options.model), drawn(options.examples)
    pieces = []
    for entry in entries:
        prefix, suffix = frame(entry)
        few = (
            prompts.translation(entry["from"], entry["to"], 8)[0]
            if entry["task"] != "summary"
            else prefix
        )
        pieces += [prefix, entry["source"], suffix, few, f" {entry['target']}{prompts.END}"]
    theirs = [answer["ids"][1:] for answer in engine(options, pieces)]
    different = sum(encoder.encode(piece) != ids for piece, ids in zip(pieces, theirs, strict=True))
    for n, entry in enumerate(entries):
        prefix, source, suffix, _, target = theirs[5 * n : 5 * n + 5]
        different += encoder.prompt(frame(entry), entry["source"]) != [
            encoder.begin,
            *prefix,
            *source,
            *suffix,
        ]
        different += encoder.target(entry["target"]) != target
    print(
        f"tokens: {len(entries)} examples, {len(pieces)} pieces of text, "
        f"{different} differ from the engine"
    )
    return different == 0


def check_logits(options: argparse.Namespace) -> bool:
    entries = [e for e in drawn(options.examples) if e["task"] == "sentence"][::100]
    texts = [frame(e)[0] + e["source"] + frame(e)[1] for e in entries][:30]
    model, worst = weights.load(options.model), 0.0
    for answer in engine(options, texts):
        with torch.inference_mode():
            ours = model(torch.tensor([answer["ids"]]), logits_to_keep=1).logits[0, -1].numpy()
        theirs = np.array(answer["logits"], dtype=np.float32)
        worst = max(worst, float(np.abs(ours - theirs).max() / (theirs.max() - theirs.min())))
    print(
        f"logits: {len(texts)} prompts, at most {worst:.2g} of the range from the engine's "
        f"(allowed {LOGITS:.0e})"
    )
    return worst <= LOGITS


def separate(rows: Rows) -> Iterator[Rows]:
    """The examples of packed rows, each as a row of its own."""
    for ids, example, target in zip(*rows):
        for number in range(1, int(example.max()) + 1):
            at = example == number
            yield tuple(x[at][None] for x in (ids, torch.ones_like(example), target))


@torch.no_grad()
def check_packed(options: argparse.Namespace) -> bool:
    pack, fine = Pack(options.pack), True
    rows = pack.rows(list(range(min(3, pack.count()))))
    for attention in ("sdpa", "blocks"):
        model = weights.load(options.model, attention=attention, shortlist=pack.shortlist).to(
            options.device
        )

        def value(part: Rows, attention: str = attention, model: torch.nn.Module = model) -> float:
            return loss(
                model,
                *prepare(part, attention, model.config.sliding_window, options.device, pack.most),
            ).item()

        ids, example, target = rows
        one_by_one = (
            (ids[n : n + 1], example[n : n + 1], target[n : n + 1]) for n in range(len(ids))
        )
        together = sum(map(value, one_by_one))
        alone = sum(map(value, separate(rows)))
        apart = abs(together - alone) / alone
        fine = fine and apart <= LOSS
        print(
            f"packed, {attention}: loss {together:.4f}, example by example {alone:.4f}, "
            f"{apart:.1e} apart (allowed {LOSS:.0e})"
        )
    return fine


def options_for(options: argparse.Namespace, out: Path | str, *more: str) -> argparse.Namespace:
    fixed = [
        "--rows-per-step",
        "2",
        "--rank",
        "8",
        "--device",
        options.device,
        "--every",
        "1000",
        "--seed",
        "3",
    ]
    return train.parse([str(options.pack), str(options.model), str(out), *fixed, *more])


def check_falls(options: argparse.Namespace) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        run = train.Run(
            options_for(options, folder, "--steps", "25", "--warmup", "0.1", "--lr", "5e-3")
        )
        run.out.mkdir(exist_ok=True)
        run.drawn = lambda step: np.arange(2)  # type: ignore[method-assign]
        while not run.ended():
            run.advance()
        log = (run.out / "log.jsonl").read_text(encoding="utf-8")
        losses = [json.loads(line)["loss"] for line in log.splitlines()]
    print(f"falls: loss {losses[0]} to {losses[-1]} in {len(losses)} steps on two rows")
    return losses[-1] < losses[0] / 2


def check_resumes(options: argparse.Namespace) -> bool:
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
        files = [
            (out / "adapter" / "adapter_model.safetensors").read_bytes() for out in (whole, parts)
        ]
    print(
        f"resumes: adapters of {len(files[0])} bytes, "
        f"{'equal' if files[0] == files[1] else 'different'}"
    )
    return files[0] == files[1]


def check_reward(options: argparse.Namespace) -> bool:
    def worth(reference: str, *texts: str, complete: bool = True) -> list[float]:
        return reward.rewards(reference, texts, [complete] * len(texts))

    english = "Some 1,200 people fled the flood on 3 May."
    others = (
        "About 1200 people fled from the flood on 3 May.",
        "The flood was here.",
        english.replace("1,200", "1,300"),
        "",
    )
    same, near, far, wrong, empty = worth(english, english, *others)
    chinese = worth("洪水迫使一千人离开家园", "洪水迫使一千人离开家园", "洪水 迫使一千人 离开家园")
    found = {
        "order": same > 0.999 and same > near > far > empty == 0,
        "numbers": same - wrong > reward.NUMBERS / 2
        and reward.numbers("٣٠ من ١٬٢٠٠") == reward.numbers("30 of 1 200") == {"30": 1, "1200": 1},
        "end": worth(english, english, complete=False)[0] == same * reward.UNFINISHED,
        "spaces": chinese[0] == chinese[1],
    }
    failed = [name for name, fine in found.items() if not fine]
    outcome = f"differs in {' '.join(failed)}" if failed else "as expected"
    print(
        f"reward: same {same:.3f}, near {near:.3f}, wrong number {wrong:.3f}, other {far:.3f}; "
        f"{outcome}"
    )
    return not failed


@torch.no_grad()
def check_tuned(options: argparse.Namespace) -> bool:
    pack, at_once = Pack(options.pack), 8
    words = tune.words(pack)
    speller, ends = tune.Speller(words), ["\n" in word for word in words]
    actor = tune.Actor(options.model, pack.shortlist, ends, torch.float32, options.device, at_once)
    model = weights.load(options.model, attention="sdpa", shortlist=pack.shortlist).to(
        options.device
    )
    # Prompts of several lengths, more than go through the model together, some texts that end early
    # and some that do not.
    prompts = [[pack.piece(n) for n in example[:3]] for example in pack.examples[False][:5]]
    limits, copies, temperature = [20, 9, 26, 17, 12], 3, 0.7
    written = actor.write(
        [np.concatenate(pieces) for pieces in prompts], limits, copies, temperature, seed=1
    )
    worst = {"alone": 0.0, "packed": 0.0}
    texts = []
    for n, (ids, likely) in enumerate(written):
        prompt = prompts[n // copies]
        whole = torch.from_numpy(np.concatenate([*prompt, ids])).long()[None].to(options.device)
        logits = model(whole).logits[0, -len(ids) - 1 : -1].float() / temperature
        alone = logits.log_softmax(-1).gather(1, whole[0, -len(ids) :, None])[:, 0].cpu().numpy()
        worst["alone"] = max(worst["alone"], float(np.abs(alone - likely).max()))
        texts.append((prompt, ids, {"temperature": temperature, "likely": likely}))
    rows, beside = tune.drawn_up(texts, 512, 2)
    prepared = prepare(rows, "sdpa", model.config.sliding_window, options.device, tune.IN_ROW + 1)
    target = rows[2][:, 1:]
    each = losses(model, *prepared, beside["temperature"].to(options.device)).cpu()
    worst["packed"] = float((each + beside["likely"][:, 1:][target]).abs().max())
    until = prepare(rows, "varlen", 512, "cpu", tune.IN_ROW + 1)[2]["full_attention"][0]
    laid = (
        bool((until.diff() >= 0).all())
        and int(until[-1]) == rows[0].numel()
        and len(until) == len(rows[0]) * (tune.IN_ROW + 1) + 1
    )
    greedy = [speller.text(ids) for ids, _ in actor.write([np.concatenate(prompts[0])], [20])]
    print(
        f"tuned: {len(written)} texts, {sum(len(ids) for ids, _ in written)} tokens in "
        f"{len(rows[0])} rows; greedy: {greedy[0]!r}"
    )
    print(
        f"tuned: log-probabilities at most {worst['alone']:.1e} from transformers' attention, "
        f"{worst['packed']:.1e} from packed rows (allowed {LIKELY:.0e})"
    )
    print(f"tuned: ends of the examples {'fine' if laid else 'wrong'}")
    return max(worst.values()) <= LIKELY and laid


def main() -> None:
    checks = {
        "tokens": check_tokens,
        "logits": check_logits,
        "packed": check_packed,
        "falls": check_falls,
        "resumes": check_resumes,
    }
    checks |= {"reward": check_reward, "tuned": check_tuned}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("examples", type=Path, metavar="EXAMPLES.jsonl")
    parser.add_argument("pack", type=Path, metavar="PACK.npz")
    parser.add_argument("model", type=Path, metavar="MODEL.gguf")
    parser.add_argument(
        "--reference",
        type=Path,
        default=EXAMPLES / "reference",
    )
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--only", nargs="+", choices=checks, default=list(checks))
    options = parser.parse_args()
    failed = [name for name in options.only if not checks[name](options)]
    print(f"failed: {' '.join(failed)}" if failed else f"{len(options.only)} checks passed")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
