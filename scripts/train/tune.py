#!/usr/bin/env python3
"""Trains a LoRA adapter further on its own translations, by how near they come to human ones.

    tune.py PACK.npz MODEL.gguf OUT --start ADAPTER [--lr 1e-4] [--prompts 512] [--samples 8]
            [--temperature 0.7] [--deadline 2030-01-31T19:15]

A step draws prompts of the pack, samples several translations of each from the model as it is, and
makes those likelier that are worth more (reward.py) than the mean of their group, the others less
likely: the policy gradient with the group as its baseline, as in GRPO (Shao et al. 2024, arXiv
2402.03300), without clipping, since each sample serves one step; a near relative of minimum risk
training (Shen et al. 2016). The human translation takes part as a sample with a small weight of its
own.

OUT gets what train.py writes. The adapter in it is of all checkpoints the one whose greedy
translations of the texts held back are worth most. log.jsonl has for each step the mean reward of
the samples, how far those of a group lie apart, which share of them came to an end, their tokens,
how far the samples' log-probabilities are from those that are trained (rounding alone, or else
something is wrong), and the seconds that sampling, rewards and gradients took.
"""

import argparse
import json
import multiprocessing
import os
import re
import sys
import time
from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np
import torch
from sacrebleu.metrics import CHRF

import reward
from actor import Actor, Written
from rows import Pack, Rows, expand, losses, prepare
from train import Run, parsed, parser_for

# Pieces of a prompt, ids to write, and {name: value or values of these ids}.
Text = tuple[list[np.ndarray], np.ndarray, dict[str, Any]]

TARGET, SOURCE = (6, 64), 96  # tokens of the examples that are used
ROOM = (
    1.5,
    12,
    100,
)  # tokens of a translation: so many times the human one's, and so many more, at most so many
IN_ROW = 32  # examples in a row at most; attention is compiled for one number of them
GREEDY = 1600  # held-back examples that are translated
APART = (
    0.3  # log-probabilities that are further apart than this are no matter of rounding (bf16: 0.04)
)


class Speller:
    """Text out of a pack's ids, without a tokenizer."""

    def __init__(self, words: list[str]) -> None:
        self.bytes = [
            bytes([int(w[3:5], 16)])
            if re.fullmatch("<0x[0-9A-F]{2}>", w)
            else w.replace("▁", " ").encode()
            for w in words
        ]

    def text(self, ids: Iterable[int]) -> str:
        return b"".join(self.bytes[n] for n in ids).decode("utf-8", "replace").strip()


def words(pack: Pack) -> list[str]:
    """How a pack's tokens are written."""
    if pack.words is None:
        sys.exit("the pack does not say how its tokens are written; make it anew with pack.py")
    return pack.words


def fill(sizes: np.ndarray, length: int) -> np.ndarray:
    """The row of each of some examples: the longest first, each into the first that has room."""
    if max(sizes) > length:
        raise ValueError(
            f"a prompt and its translation take {max(sizes)} tokens, "
            f"more than the {length} of a row; make the pack with a larger --row"
        )
    sizes = np.maximum(sizes, -(-length // IN_ROW))  # so that a row does not get more than that
    room, row = np.full(len(sizes), length), np.empty(len(sizes), np.int64)
    for n in np.argsort(-sizes, kind="stable"):
        row[n] = np.argmax(room >= sizes[n])
        room[row[n]] -= sizes[n]
    return row


def drawn_up(texts: list[Text], length: int, multiple: int) -> tuple[Rows, dict[str, torch.Tensor]]:
    """Rows of texts, each (pieces of the prompt, ids to write, {name: value or values of these
    ids}): ids, example, target as rows.py has them, and by name float32 of the same shape. Empty
    rows make it a multiple, so that compiled code meets no other shape.
    """
    sizes = np.array([sum(map(len, prompt)) + len(ids) for prompt, ids, _ in texts])
    row = fill(sizes, length)
    order = np.argsort(row, kind="stable")
    texts, row = [texts[n] for n in order], row[order]
    pieces = [piece for prompt, ids, _ in texts for piece in (*prompt, ids)]
    examples = np.arange(len(pieces)).reshape(-1, 4)
    full = expand(
        np.concatenate(pieces), np.cumsum([len(p) for p in pieces]), examples, row, length
    )
    more = -len(full[0]) % multiple
    rows = [np.concatenate([array, np.zeros((more, length), array.dtype)]) for array in full]
    beside = {}
    for name in texts[0][2]:
        beside[name] = np.zeros(rows[0].shape, np.float32)
        beside[name][rows[2]] = np.concatenate(
            [np.broadcast_to(values[name], len(ids)) for _, ids, values in texts]
        )
    ids, example, target = map(torch.from_numpy, rows)
    return (ids, example, target), {n: torch.from_numpy(array) for n, array in beside.items()}


class Tuning(Run):
    repeatable = False  # the clock ends it; on a GPU what is repeatable is slower

    def __init__(self, options: argparse.Namespace) -> None:
        # Before there is anything of CUDA in this process, which a fork would not survive.
        self.pool = multiprocessing.get_context("fork").Pool(os.cpu_count())
        super().__init__(options)
        ends = ["\n" in word for word in words(self.pack)]
        self.actor = Actor(
            options.model,
            self.pack.shortlist,
            ends,
            self.dtype,
            options.device,
            options.samples_at_once,
        )
        self.ends = np.array(ends)

    @cached_property
    def speller(self) -> Speller:
        return Speller(words(self.pack))

    def usable(self, held: bool) -> np.ndarray:
        """The translations that are neither very short nor long, each once."""
        _, first = np.unique(self.pack.examples[held], axis=0, return_index=True)
        examples, size = (
            self.pack.examples[held][np.sort(first)],
            np.diff(self.pack.ends, prepend=0),
        )
        after = {
            n: self.speller.text(self.pack.piece(n)) for n in np.unique(examples[:, 2]).tolist()
        }
        translation = np.array(
            [not after[n].startswith("Summary") for n in examples[:, 2].tolist()], bool
        )
        target = size[examples[:, 3]]
        return examples[
            translation
            & (target >= TARGET[0])
            & (target <= TARGET[1])
            & (size[examples[:, 1]] <= SOURCE)
        ]

    @cached_property
    def training(self) -> np.ndarray:
        return self.usable(held=False)

    @cached_property
    def held(self) -> np.ndarray:
        found = self.usable(held=True)
        return found[np.linspace(0, len(found) - 1, min(GREEDY, len(found))).astype(int)]

    def units(self) -> tuple[int, int, str]:
        return (
            len(self.training),
            self.options.prompts,
            f"translations of {TARGET[0]} to {TARGET[1]} tokens",
        )

    def settings(self) -> list[Any]:
        o = self.options
        chosen = [
            o.rank,
            o.lr,
            o.prompts,
            o.samples,
            o.temperature,
            o.reference_weight,
            self.steps,
            o.warmup,
            o.floor,
            o.seed,
            o.precision,
        ]
        return ["tune", *chosen]

    def translations(
        self, examples: np.ndarray, copies: int = 1, temperature: float | None = None, seed: int = 0
    ) -> Any:
        """(prompts in three pieces, human translations as ids, what the actor wrote, texts,
        rewards) of examples; so many rewards for each.
        """
        prompts = [[self.pack.piece(n) for n in example[:3]] for example in examples]
        references = [self.pack.piece(example[3]) for example in examples]
        factor, further, most = ROOM
        limits = [min(most, int(factor * len(ids)) + further) for ids in references]
        written = self.actor.write(
            [np.concatenate(pieces) for pieces in prompts], limits, copies, temperature, seed
        )
        texts = [self.speller.text(ids) for ids, _ in written]
        complete = [bool(self.ends[ids[-1]]) for ids, _ in written]
        begin = time.monotonic()
        groups = [slice(n * copies, (n + 1) * copies) for n in range(len(prompts))]
        tasks = [
            (self.speller.text(ids), texts[group], complete[group])
            for ids, group in zip(references, groups)
        ]
        rewards = np.array(
            self.pool.map(reward.of_group, tasks, -(-len(tasks) // (4 * (os.cpu_count() or 1))))
        )
        return (
            prompts,
            references,
            written,
            (texts, [task[0] for task in tasks], np.mean(complete)),
            rewards,
            time.monotonic() - begin,
        )

    def gradients(self, which: np.ndarray) -> tuple[float, int, dict[str, float]]:
        options, begin = self.options, time.monotonic()
        seed = int(np.random.SeedSequence([options.seed, self.step]).generate_state(1)[0])
        self.actor.follow(self.base)
        prompts, references, written, (_, _, complete), rewards, rewarding = self.translations(
            self.training[which], options.samples, options.temperature, seed
        )
        sampled = time.monotonic()
        better = rewards - rewards.mean(1, keepdims=True)
        spread = float(np.sqrt((better**2).mean()))
        better /= max(spread, 1e-6)
        count = sum(len(ids) for ids, _ in written)
        total = apart = 0.0
        drawn = tokens = 0
        texts = self.weighed(
            prompts, references, written, better.ravel() / count, options.reference_weight / count
        )
        if texts:
            rows, beside = drawn_up(texts, self.pack.about["row"], options.rows_at_once)
            drawn, tokens = len(rows[0]), int((rows[1] > 0).sum())
            total, apart = self.pushed(rows, beside)
            if apart > APART:
                sys.exit(
                    f"step {self.step + 1}: samples were drawn with log-probabilities {apart:.3f} "
                    f"from those trained; expected at most {APART}"
                )
        else:
            for p in self.parameters.values():
                p.grad = torch.zeros_like(p)
        more = {
            "reward": rewards.mean(),
            "spread": spread,
            "finished": complete,
            "length": count / len(written),
            "apart": apart,
            "rows": drawn,
            "sampling s": sampled - begin - rewarding,
            "rewards s": rewarding,
            "gradients s": time.monotonic() - sampled,
        }
        return total, tokens, {name: round(float(value), 4) for name, value in more.items()}

    def weighed(
        self,
        prompts: list[list[np.ndarray]],
        references: list[np.ndarray],
        written: list[Written],
        weights: np.ndarray,
        reference_weight: float,
    ) -> list[Text]:
        """The texts that are trained on, as `drawn_up` takes them: equal samples together, those
        that weigh nothing left out.
        """
        together: dict[tuple[int, bytes], Text] = {}
        for n, (ids, likely) in enumerate(written):
            prompt = n // self.options.samples
            beside = {"weight": 0.0, "temperature": self.options.temperature, "likely": likely}
            known = together.setdefault((prompt, ids.tobytes()), (prompts[prompt], ids, beside))
            known[2]["weight"] += weights[n]
        texts = [text for text in together.values() if abs(text[2]["weight"]) > 1e-12]
        if reference_weight:
            # As the model was taught, not at the samples' temperature: the engine's distribution is
            # to stay what it is.
            beside = {"weight": reference_weight, "temperature": 1.0, "likely": np.nan}
            texts += [(prompt, ids, beside) for prompt, ids in zip(prompts, references)]
        return texts

    def pushed(self, rows: Rows, beside: dict[str, torch.Tensor]) -> tuple[float, float]:
        """Leaves the gradients of rows with the parameters; the loss, and how far the actor's
        log-probabilities are from the ones here on average.
        """
        device, sums = self.options.device, torch.zeros(3, device=self.options.device)
        arrays = (*rows, beside["weight"], beside["temperature"], beside["likely"])
        for ids, example, targets, weight, temperature, likely in zip(
            *(array.split(self.options.rows_at_once) for array in arrays)
        ):
            prepared = prepare(
                (ids, example, targets),
                self.options.attention,
                self.base.config.sliding_window,
                device,
                IN_ROW + 1,
            )
            target = prepared[-1][:, 1:]
            each = losses(self.base, *prepared, temperature.to(device))
            value = (each * weight.to(device)[:, 1:][target]).sum()
            value.backward()
            with torch.no_grad():
                difference = (each + likely.to(device)[:, 1:][target]).abs()
                known = ~difference.isnan()
                sums += torch.stack([value, difference[known].sum(), known.sum().float()])
        value, difference, known = sums.tolist()
        return value, difference / max(1, known)

    def measured(self) -> tuple[float, dict[str, float]]:
        begin = time.monotonic()
        self.actor.follow(self.base)
        _, _, _, (texts, references, complete), rewards, _ = self.translations(self.held)
        english = np.array(
            [self.speller.text(self.pack.piece(n)) == "English:" for n in self.held[:, 2].tolist()],
            bool,
        )
        entry = {"held-back reward": float(rewards.mean()), "finished": float(complete)}
        for name, members in (("into English", english), ("out of English", ~english)):
            which = members.nonzero()[0]
            if len(which):
                score = (
                    CHRF()
                    .corpus_score([texts[n] for n in which], [[references[n] for n in which]])
                    .score
                )
                entry |= {name: float(rewards[which].mean()), f"chrF {name}": round(score, 3)}
        return -entry["held-back reward"], entry | {"seconds": round(time.monotonic() - begin, 2)}


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = parser_for(__doc__)
    parser.set_defaults(lr=1e-4, floor=0.05, rows_at_once=24, every=15)
    parser.add_argument("--prompts", type=int, default=512, help="of a step (default: %(default)s)")
    parser.add_argument(
        "--samples", type=int, default=8, help="translations of each prompt (default: %(default)s)"
    )
    parser.add_argument(
        "--temperature", type=float, default=0.7, help="of the samples (default: %(default)s)"
    )
    parser.add_argument(
        "--reference-weight",
        type=float,
        default=0.1,
        help="of the human translation, in deviations of the rewards (default: %(default)s)",
    )
    parser.add_argument(
        "--samples-at-once",
        type=int,
        default=4096,
        help="translations that are written together (default: %(default)s)",
    )
    options = parsed(parser, arguments)
    if not options.start:
        parser.error("--start names the folder of the adapter to go on from")
    config = json.loads((options.start / "adapter_config.json").read_text(encoding="utf-8"))
    if config["lora_alpha"] != config["r"]:
        parser.error(
            f"{options.start} has the factor {config['lora_alpha']} / {config['r']}; expected 1. "
            "merge.py makes such an adapter of it"
        )
    options.rank = config["r"]
    return options


if __name__ == "__main__":
    sys.exit(Tuning(parse()).go())
