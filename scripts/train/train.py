#!/usr/bin/env python3
"""Trains a LoRA adapter for the starter model on the rows of pack.py.

    train.py PACK.npz MODEL.gguf OUT [--rank 32] [--lr 1e-3] [--rows-per-step 6]
             [--epochs 1 | --steps N] [--start ADAPTER] [--deadline 2030-01-31T19:15]

OUT gets
  adapter/         PEFT's format (adapter_config.json, adapter_model.safetensors in bf16) and
                   polygist.json: of all checkpoints, the one with the least held-back loss (what is
                   learned by heart makes that rise)
  checkpoint.pt    all that is needed to go on; the same command goes on from it, to the same bytes
                   as without a break
  run.json         all options, versions, the pack's description
  log.jsonl        a line a step: loss per target token, learning rate, norm of the gradient, tokens
                   a second; held-back losses

With --start training begins with the numbers of an adapter that was trained before, in a folder in
PEFT's format. With --deadline the learning rate falls by the clock where that is further than the
steps are, and training ends in time; such a run cannot be repeated to the byte. --budget ends this
call after so many seconds, after a checkpoint.
"""

import argparse
import hashlib
import json
import math
import os
import platform
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy
import peft
import torch
import transformers
from safetensors.torch import load_file, save

import weights
from rows import Pack, Rows, loss, prepare

ALPHA_TO_RANK = 1.0  # the adapter's product counts as it is


def attach(model: torch.nn.Module, rank: int, seed: int) -> peft.PeftModel:
    """The model with a fresh adapter on all linear layers."""
    torch.manual_seed(seed)
    model.name_or_path = "google/gemma-3-270m"  # what PEFT writes down as the base
    wanted = peft.LoraConfig(
        r=rank,
        lora_alpha=int(rank * ALPHA_TO_RANK),
        lora_dropout=0.0,
        bias="none",
        target_modules=weights.LINEAR,
        task_type="CAUSAL_LM",
    )
    return peft.get_peft_model(model, wanted, autocast_adapter_dtype=False)


def begin_with(model: peft.PeftModel, folder: Path) -> None:
    """Puts the numbers of an earlier adapter into a fresh one of the same shapes."""
    values, fresh = (
        load_file(folder / "adapter_model.safetensors"),
        peft.get_peft_model_state_dict(model),
    )
    if {name: v.shape for name, v in values.items()} != {
        name: v.shape for name, v in fresh.items()
    }:
        sys.exit(
            f"{folder} has other matrices than an adapter of the rank "
            f"{model.peft_config['default'].r}; give its --rank, or start anew"
        )
    peft.set_peft_model_state_dict(model, values)


def trained(model: torch.nn.Module) -> dict[str, torch.nn.Parameter]:
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def replace(path: Path, data: bytes) -> None:
    """Writes a file so that it is there as a whole or not at all."""
    partial = path.with_name(path.name + ".part")
    with open(partial, "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    os.replace(partial, path)


def write_adapter(
    folder: Path, config: dict[str, Any], usage: bytes, state: dict[str, torch.Tensor]
) -> None:
    """The files of an adapter; its matrices in bf16."""
    folder.mkdir(parents=True, exist_ok=True)
    replace(folder / "polygist.json", usage)
    replace(
        folder / "adapter_config.json",
        (json.dumps(config, indent=1, sort_keys=True, default=str) + "\n").encode(),
    )
    state = {
        name: value.detach().to("cpu", torch.bfloat16).contiguous()
        for name, value in sorted(state.items())
    }
    # A single entry: the order of several differs from call to call.
    replace(folder / "adapter_model.safetensors", save(state, metadata={"format": "pt"}))


def save_adapter(model: peft.PeftModel, folder: Path) -> None:
    entry = model.peft_config["default"].to_dict() | {"inference_mode": True}
    entry = {k: sorted(v) if isinstance(v, set) else v for k, v in entry.items()}
    # The engine asks it without examples, searches with beams, and reads translations back.
    generation = b'{"num_beams": 4, "channel_weight": 0.3, "min_confidence": 0.2}'
    usage = b'{"taught": true, "generation": ' + generation + b"}\n"
    write_adapter(folder, entry, usage, peft.get_peft_model_state_dict(model))


def rate(options: argparse.Namespace, progress: float) -> float:
    """Learning rate at a share of the way: a linear warm-up, then half a cosine to the floor."""
    if progress < options.warmup:
        return options.lr * (progress + 1e-3) / (options.warmup + 1e-3)
    rest = min(1.0, (progress - options.warmup) / (1 - options.warmup))
    return options.lr * (options.floor + (1 - options.floor) * 0.5 * (1 + math.cos(math.pi * rest)))


class Run:
    """Training by steps. A kind of training says what a step draws from (`units`), how it gets its
    gradients (`gradients`), what is measured on what was held back (`measured`), and what must be
    equal for going on (`settings`).
    """

    repeatable = True  # the same command gives the same bytes

    def __init__(self, options: argparse.Namespace) -> None:
        self.options, self.out = options, options.out
        if options.device == "cuda" and self.repeatable:
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
            torch.use_deterministic_algorithms(True, warn_only=True)
        self.dtype = {"f32": torch.float32, "bf16": torch.bfloat16}[options.precision]
        self.pack = Pack(options.pack)
        base = weights.load(options.model, self.dtype, options.attention, self.pack.shortlist).to(
            options.device
        )
        self.model = attach(base, options.rank, options.seed)
        if options.start:
            begin_with(self.model, options.start)
        self.parameters = trained(self.model)
        # The adapter is trained in f32 and multiplied in the precision of the base.
        self.masters = {name: p.detach().float().clone() for name, p in self.parameters.items()}
        self.base = self.model.get_base_model()
        if options.compile:
            # Layer by layer: all are alike, so that one is compiled for them all.
            torch._dynamo.config.recompile_limit = 64
            for layer in self.base.model.layers:
                layer.compile(dynamic=False)
        self.count, self.per_step, unit = self.units()
        per_epoch = self.count // self.per_step
        if per_epoch == 0:
            sys.exit(
                f"{options.pack} has {self.count} {unit}, fewer than the {self.per_step} of a step"
            )
        self.steps = options.steps or max(1, int(per_epoch * options.epochs))
        self.optimizer = torch.optim.AdamW(
            self.masters.values(), lr=options.lr, betas=(0.9, 0.99), weight_decay=0.0
        )
        self.step, self.progress, self.seconds = 0, 0.0, 0.0
        self.least = math.inf  # of what is measured on the texts held back
        self.started = time.time()

    def units(self) -> tuple[int, int, str]:
        """How many of what a step draws from there are, how many it takes, and what they are."""
        return self.pack.count(), self.options.rows_per_step, "rows"

    def about(self) -> dict[str, Any]:
        chosen = {
            k: v.name if isinstance(v, Path) else str(v) if isinstance(v, datetime) else v
            for k, v in vars(self.options).items()
        }
        versions = {m.__name__: m.__version__ for m in (torch, transformers, peft, numpy)} | {
            "python": platform.python_version()
        }
        return {
            "options": chosen,
            "steps": self.steps,
            "versions": versions,
            "pack": self.pack.about,
        }

    def publish(self) -> None:
        """Rounds the trained numbers into the adapter that is multiplied with."""
        with torch.no_grad():
            for name, p in self.parameters.items():
                p.copy_(self.masters[name])

    def resume(self) -> None:
        path = self.out / "checkpoint.pt"
        if not path.exists():
            return
        state = torch.load(path, map_location=self.options.device, weights_only=True)
        if state["identity"] != self.identity():
            sys.exit(
                f"{path} was made with other options: {state['identity']}; "
                f"expected {self.identity()}. Name another folder, or delete it"
            )
        with torch.no_grad():
            for name, value in state["masters"].items():
                self.masters[name].copy_(value)
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.progress, self.started, self.seconds = (
            state["step"],
            state["progress"],
            state["started"],
            state["seconds"],
        )
        self.least = state["least"]
        self.publish()

    def identity(self) -> str:
        """What must be equal for going on."""
        start = self.options.start
        start = (
            hashlib.sha256((start / "adapter_model.safetensors").read_bytes()).hexdigest()
            if start
            else None
        )
        return json.dumps([start, self.pack.about, *self.settings()], sort_keys=True)

    def settings(self) -> list[Any]:
        o = self.options
        return [o.rank, o.lr, o.rows_per_step, self.steps, o.warmup, o.floor, o.seed, o.precision]

    def checkpoint(self) -> None:
        held, entry = self.measured()
        self.note({"step": self.step, **entry})
        if held < self.least:
            self.least = held
            save_adapter(self.model, self.out / "adapter")
        partial = self.out / "checkpoint.pt.part"
        torch.save(
            {
                "masters": self.masters,
                "optimizer": self.optimizer.state_dict(),
                "step": self.step,
                "progress": self.progress,
                "started": self.started,
                "seconds": self.seconds,
                "least": self.least,
                "identity": self.identity(),
            },
            partial,
        )
        os.replace(partial, self.out / "checkpoint.pt")

    @torch.no_grad()
    def measured(self) -> tuple[float, dict[str, float]]:
        """What is to become least on what was held back, and what is written down of it."""
        total, count = 0.0, 0
        # Compiled code is for rows with gradients.
        with torch.compiler.set_stance("force_eager"):
            for n in range(self.pack.count(held=True)):
                rows = self.pack.rows([n], held=True)
                total, count = total + self.loss(rows).item(), count + int(rows[2].sum())
        held = total / max(1, count)
        return held, {"held-back loss": held}

    def loss(self, rows: Rows) -> torch.Tensor:
        options = self.options
        return loss(
            self.base,
            *prepare(
                rows,
                options.attention,
                self.base.config.sliding_window,
                options.device,
                self.pack.most,
            ),
        )

    def note(self, entry: dict[str, Any]) -> None:
        with open(self.out / "log.jsonl", "a", encoding="utf-8") as log:
            log.write(json.dumps(entry) + "\n")
        print(json.dumps(entry), flush=True)

    def drawn(self, step: int) -> numpy.ndarray:
        """Numbers of what a step draws; later rounds have another order."""
        number, at = divmod(step, self.count // self.per_step)
        order = numpy.arange(self.count)
        if number:
            order = numpy.random.default_rng([self.options.seed, number]).permutation(order)
        return order[at * self.per_step : (at + 1) * self.per_step]

    def gradients(self, which: numpy.ndarray) -> tuple[float, int, dict[str, float]]:
        """Leaves the gradients of a step with the parameters. Gives the loss, the tokens that were
        read for it, and what else is written down.
        """
        _, example, target = whole = self.pack.rows(which)
        targets, tokens = int(target.sum()), int((example > 0).sum())
        total = torch.zeros((), device=self.options.device)
        for some in zip(*(part.split(self.options.rows_at_once) for part in whole)):
            value = self.loss(some)
            (value / targets).backward()
            total += value.detach()
        return total.item() / targets, tokens, {}

    def advance(self) -> None:
        options, begin = self.options, time.monotonic()
        if options.deadline and self.step:
            passed = (time.time() - self.started) / max(
                1.0, options.deadline.timestamp() - self.started
            )
            self.progress = max(self.progress, passed)
        self.progress = max(self.progress, self.step / self.steps)
        lr = rate(options, self.progress)
        value, tokens, more = self.gradients(self.drawn(self.step))
        for name, p in self.parameters.items():
            self.masters[name].grad = p.grad.float()
            p.grad = None
        norm = torch.nn.utils.clip_grad_norm_(self.masters.values(), 1.0)
        if not math.isfinite(value) or not torch.isfinite(norm):
            sys.exit(
                f"step {self.step + 1}: the loss is {value}, the gradient's norm {norm}; "
                "the last checkpoint is good: lower --lr"
            )
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.publish()
        if self.step == 0:
            self.started = time.time()  # the first step may have compiled for a while
        self.step += 1
        seconds = time.monotonic() - begin
        self.seconds += seconds
        entry = {
            "step": self.step,
            "loss": round(value, 4),
            "lr": lr,
            "norm": round(norm.item(), 3),
            "tokens/s": round(tokens / seconds, 1),
        }
        self.note(entry | more)

    def ended(self) -> bool:
        late = self.options.deadline and time.time() >= self.options.deadline.timestamp()
        return self.step >= self.steps or bool(late)

    def go(self) -> int:
        self.out.mkdir(parents=True, exist_ok=True)
        self.resume()
        replace(
            self.out / "run.json",
            (json.dumps(self.about(), ensure_ascii=False, indent=1) + "\n").encode(),
        )
        begin = time.monotonic()
        if self.step == 0:
            self.checkpoint()
        while not self.ended():
            self.advance()
            spent = self.options.budget and time.monotonic() - begin > self.options.budget
            if self.ended() or spent or self.step % self.options.every == 0:
                self.checkpoint()
            if spent:
                break
        done = self.ended()
        print(
            f"{'done' if done else 'not done'}: step {self.step} of {self.steps}, "
            f"{self.seconds:.0f} s of training"
        )
        return 0 if done else 3


def parser_for(doc: str) -> argparse.ArgumentParser:
    """The options that all kinds of training share."""
    parser = argparse.ArgumentParser(
        description=doc.splitlines()[0],
        epilog="Exits with 3 when --budget ended the call before the run was done.",
    )
    parser.add_argument("pack", type=Path, metavar="PACK.npz")
    parser.add_argument("model", type=Path, metavar="MODEL.gguf")
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument(
        "--lr", type=float, default=1e-3, help="highest learning rate (default: %(default)s)"
    )
    parser.add_argument(
        "--warmup", type=float, default=0.05, help="share of the run (default: %(default)s)"
    )
    parser.add_argument(
        "--floor",
        type=float,
        default=0.02,
        help="last learning rate as a share of --lr (default: %(default)s)",
    )
    parser.add_argument(
        "--rows-at-once",
        type=int,
        default=1,
        help="rows that go through the model together; a step's are summed (default: %(default)s)",
    )
    parser.add_argument("--epochs", type=float, default=1.0)
    parser.add_argument("--steps", type=int, help="instead of --epochs")
    parser.add_argument(
        "--start",
        type=Path,
        metavar="ADAPTER",
        help="folder of an adapter to go on from, of the same rank",
    )
    parser.add_argument(
        "--every", type=int, default=20, help="steps between checkpoints (default: %(default)s)"
    )
    parser.add_argument(
        "--budget", type=float, help="seconds after which this call ends with a checkpoint"
    )
    parser.add_argument(
        "--deadline",
        type=lambda t: datetime.fromisoformat(t).replace(tzinfo=UTC),
        help="when training is to end, UTC",
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--precision", choices=["f32", "bf16"], default="bf16")
    parser.add_argument(
        "--attention",
        choices=["blocks", "sdpa", "varlen"],
        help="default: varlen on a GPU; blocks for one row at once on a CPU; else sdpa",
    )
    parser.add_argument(
        "--compile",
        action="store_true",
        help="compile the layers; takes about a minute, pays on a GPU",
    )
    return parser


def parsed(parser: argparse.ArgumentParser, arguments: list[str] | None) -> argparse.Namespace:
    options = parser.parse_args(arguments)
    if options.attention is None:
        options.attention = (
            "varlen"
            if options.device != "cpu"
            else "blocks"
            if options.rows_at_once == 1
            else "sdpa"
        )
    return options


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = parser_for(__doc__)
    parser.add_argument("--rank", type=int, default=32)
    parser.add_argument("--rows-per-step", type=int, default=6)
    return parsed(parser, arguments)


if __name__ == "__main__":
    sys.exit(Run(parse()).go())
