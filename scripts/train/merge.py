#!/usr/bin/env python3
"""Makes one LoRA adapter out of several: the weighted sum of their changes, cut to a rank.

    merge.py OUT --rank 64 ADAPTER=0.8 ADAPTER=0.3

Adapters of one base that were trained apart err apart, and their mean errs less than each (Wortsman
et al. 2022, "Model soups"). The sum of two low-rank products is one of both ranks together; what is
left of it is the nearest of the wanted rank (its singular value decomposition, by the QR
decompositions of both factors).
"""

import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import load_file

from train import write_adapter


def part(text: str) -> tuple[Path, float]:
    folder, separator, weight = text.rpartition("=")
    if not separator:
        raise argparse.ArgumentTypeError(
            f"{text!r}: expected a folder, =, and its weight, as adapter=0.5"
        )
    return Path(folder), float(weight)


def nearest(down: torch.Tensor, up: torch.Tensor, rank: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Factors of the matrix of this rank that is nearest to up @ down."""
    up_base, up_rest = torch.linalg.qr(up)
    down_base, down_rest = torch.linalg.qr(down.T)
    left, values, right = torch.linalg.svd(up_rest @ down_rest.T)
    root = values[:rank].sqrt()
    return (right[:rank] * root[:, None]) @ down_base.T, up_base @ left[:, :rank] * root


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("parts", type=part, nargs="+", metavar="ADAPTER=WEIGHT")
    parser.add_argument("--rank", type=int, required=True)
    options = parser.parse_args()
    configs = [
        json.loads((folder / "adapter_config.json").read_text()) for folder, _ in options.parts
    ]
    factors = [load_file(folder / "adapter_model.safetensors") for folder, _ in options.parts]
    # In PEFT's format the change is lora_B @ lora_A, times alpha over rank.
    scales = [
        weight * config["lora_alpha"] / config["r"]
        for (_, weight), config in zip(options.parts, configs)
    ]
    merged = {}
    for name in (n for n in factors[0] if "lora_A" in n):
        other = name.replace("lora_A", "lora_B")
        down = torch.cat([f[name].float() for f in factors])
        up = torch.cat([f[other].float() * scale for f, scale in zip(factors, scales)], dim=1)
        merged[name], merged[other] = nearest(down, up, options.rank)
    config = configs[0] | {"r": options.rank, "lora_alpha": options.rank}
    write_adapter(options.out, config, (options.parts[0][0] / "polygist.json").read_bytes(), merged)


if __name__ == "__main__":
    main()
