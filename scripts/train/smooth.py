#!/usr/bin/env python3
"""Measures a trained model's activations, and writes ADAPTER/smoothing.safetensors.

It says how large the channels are: what the engine divides them by before it rounds them to 8 bits.

    smooth.py PACK.npz MODEL.gguf ADAPTER [--rows 24]

The texts are those that the pack keeps back from training. The divisor of a channel is the square
root of its root mean square, relative to the median channel; the columns of the weights are
multiplied with it, so that both share what is hard to round (Xiao et al. 2023, SmoothQuant, with
the mean square in place of the maximum). Smoothed are the inputs of attention (under q_proj), of
the feed-forward layer (gate_proj), of its second half (down_proj), and of the output layer
(embed_tokens, whose weights it has). scripts/eval/agreement.py says what that gains.
"""

import argparse
from pathlib import Path

import peft
import torch
from safetensors.torch import save

import weights
from rows import Pack, prepare, states
from train import replace

SMOOTHED = ("q_proj", "gate_proj", "down_proj")
LARGEST = 8.0  # divisor
OUTPUT = "model.embed_tokens"  # its weights are the output layer's, too


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pack", type=Path, metavar="PACK.npz")
    parser.add_argument("model", type=Path, metavar="MODEL.gguf")
    parser.add_argument("adapter", type=Path, metavar="ADAPTER")
    parser.add_argument(
        "--rows",
        type=int,
        default=24,
        help="how many of the rows that are kept back (default: %(default)s)",
    )
    options = parser.parse_args()
    pack = Pack(options.pack)
    model = weights.load(options.model, attention="blocks", shortlist=pack.shortlist)
    model = peft.PeftModel.from_pretrained(model, options.adapter).merge_and_unload().eval()
    squares: dict[str, torch.Tensor] = {}
    count, kept = 0, None

    def measure(name: str, seen: torch.Tensor) -> None:
        squares[name] = squares.get(name, 0) + (seen[0][kept].double() ** 2).sum(0)

    for name, module in model.named_modules():
        if name.endswith(SMOOTHED):
            module.register_forward_pre_hook(lambda _, inputs, name=name: measure(name, inputs[0]))
    for n in range(min(options.rows, pack.count(held=True))):
        rows = pack.rows([n], held=True)
        ids, positions, masks, _ = prepare(
            rows, "blocks", model.config.sliding_window, "cpu", pack.most
        )
        kept = rows[1][0] > 0
        count += int(kept.sum())
        with torch.inference_mode():
            measure(OUTPUT, states(model, ids, positions, masks))
    divisors = {}
    for name, square in sorted(squares.items()):
        root = (square / count) ** 0.25
        # A channel that these texts hardly use may be used by others.
        divisors[name] = (root / root.median()).half().clamp(1 / LARGEST, LARGEST).contiguous()
    replace(options.adapter / "smoothing.safetensors", save(divisors, metadata={"format": "pt"}))
    spread = [f"{d.min():.2f} to {d.max():.2f}" for d in list(divisors.values())[:3]]
    print(f"{count} tokens, {len(divisors)} inputs; divisors of the first ones {', '.join(spread)}")


if __name__ == "__main__":
    main()
