#!/usr/bin/env python3
"""Measures an adapter on FLORES dev beside the base model.

BLEU, chrF, copies of the source, empty lines.

    evaluate.py MODEL.gguf --adapter DIR [--out RESULTS.json] [--lines 40] [--pairs fr-en ...]
                [--systems base adapter]

The base gets the engine's few-shot prompt, the adapter the prompt without examples that it was
trained with; both write greedily up to the end of the line. The engine's checks, retries, script
rules and 8-bit arithmetic are not part of this; scripts/eval/translation.py measures with them.
Pairs without English go through English. Lines that RESULTS.json has for the same adapter are not
computed again.
"""

import argparse
import hashlib
import json
import time
from pathlib import Path
from typing import Any

import peft
import torch
from transformers import DynamicCache

import weights
from encoder import Encoder
from polygist_scripts import prompts
from polygist_scripts.data import flores
from polygist_scripts.scores import metrics
from polygist_scripts.translation import PAIRS, is_copy
from train import replace

EXAMPLES = 8


def room(ids: list[int], code: str) -> int:
    """New tokens that are allowed, as in src/task/translate.rs."""
    return len(ids) * (2 if code in {"en", "fr", "de", "es", "it", "pt", "nl"} else 4) + 24


class Writer:
    """Greedy continuations of prompts that share their beginning."""

    def __init__(self, model: torch.nn.Module, encoder: Encoder, batch: int) -> None:
        self.model, self.encoder, self.batch = model, encoder, batch
        self.device = next(model.parameters()).device

    @torch.inference_mode()
    def write(self, prefix: str, texts: list[str], suffix: str, target: str) -> list[str]:
        """One text for each of `texts`, which is to be in the language `target`."""
        encoder = self.encoder
        start = [encoder.begin, *encoder.encode(prefix)]
        end = encoder.encode(suffix)
        sources = [encoder.encode_plain(text) for text in texts]
        # Texts of about the same length together, so that hardly any place is filled up.
        order = sorted(range(len(texts)), key=lambda n: len(sources[n]))
        outputs = [""] * len(texts)
        for at in range(0, len(order), self.batch):
            which = order[at : at + self.batch]
            limits = [room(sources[n], target) for n in which]
            for n, ids in zip(which, self.greedy(start, [sources[n] + end for n in which], limits)):
                outputs[n] = encoder.decode(ids).split("\n")[0].strip()
        return outputs

    def greedy(self, start: list[int], rest: list[list[int]], limits: list[int]) -> list[list[int]]:
        body, device = (
            self.model.get_base_model() if isinstance(self.model, peft.PeftModel) else self.model,
            self.device,
        )
        longest = max(map(len, rest))
        ids = torch.tensor([[0] * (longest - len(r)) + r for r in rest], device=device)
        seen = torch.tensor(
            [[1] * len(start) + [0] * (longest - len(r)) + [1] * len(r) for r in rest],
            device=device,
        )
        cache = DynamicCache(config=body.config)
        body(
            input_ids=torch.tensor([start], device=device),
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        cache.batch_repeat_interleave(len(rest))
        at = (seen.cumsum(1) - 1).clamp(min=0)
        positions = at[:, len(start) :]
        written: list[list[int]] = [[] for _ in rest]
        open_ = set(range(len(rest)))
        while open_:
            step = body(
                input_ids=ids,
                attention_mask=seen,
                position_ids=positions,
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            )
            ids = step.logits[:, -1].argmax(-1, keepdim=True)
            for n, token in enumerate(ids[:, 0].tolist()):
                if n in open_:
                    if token in self.encoder.ends:
                        open_.discard(n)
                        continue
                    written[n].append(token)
                    if len(written[n]) >= limits[n]:
                        open_.discard(n)
            seen = torch.cat([seen, torch.ones_like(ids)], dim=1)
            positions = positions[:, -1:] + 1
        return written


def translate(
    writer: Writer, examples: int, source: str, target: str, lines: list[str]
) -> list[str]:
    if "en" not in (source, target):
        return translate(
            writer, examples, "en", target, translate(writer, examples, source, "en", lines)
        )
    prefix, suffix = prompts.translation(source, target, examples)
    return writer.write(prefix, lines, suffix, target)


def score(
    target: str, sources: list[str], references: list[str], outputs: list[str]
) -> dict[str, float]:
    bleu, chrf = (metric.corpus_score(outputs, [references]).score for metric in metrics(target))
    copied = sum(map(is_copy, sources, outputs)) / len(sources)
    return {"BLEU": bleu, "chrF": chrf, "copied": copied, "empty": sum(not o for o in outputs)}


def table(results: dict[str, Any], systems: list[str], pairs: list[str]) -> str:
    head = f"{'pair':<8}" + "".join(
        f"{name:>9} BLEU{'chrF':>7}{'copied':>8}{'empty':>7}" for name in systems
    )
    rows = [head]
    groups = {pair: [pair] for pair in pairs} | {
        "to en": [p for p in pairs if p.endswith("-en")],
        "from en": [p for p in pairs if p.startswith("en-")],
    }
    for name, members in groups.items():
        if members and all(p in results[s] for s in systems for p in members):
            mean = [
                {
                    k: sum(results[s][p][k] for p in members) / len(members)
                    for k in ("BLEU", "chrF", "copied", "empty")
                }
                for s in systems
            ]
            rows.append(
                f"{name:<8}"
                + "".join(
                    f"{m['BLEU']:>14.1f}{m['chrF']:>7.1f}{m['copied']:>8.0%}{m['empty']:>7.1f}"
                    for m in mean
                )
            )
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, metavar="MODEL.gguf")
    parser.add_argument("--adapter", type=Path, metavar="DIR")
    parser.add_argument("--out", type=Path, metavar="RESULTS.json")
    parser.add_argument("--lines", type=int, default=40)
    parser.add_argument("--pairs", nargs="+", default=PAIRS, metavar="FR-EN")
    parser.add_argument(
        "--systems", nargs="+", choices=["base", "adapter"], default=["base", "adapter"]
    )
    parser.add_argument("--batch", type=int, default=20)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--precision", choices=["f32", "bf16"], default="bf16")
    options = parser.parse_args()
    if "adapter" in options.systems and not options.adapter:
        parser.error("--adapter names the folder of the adapter to measure")
    encoder = Encoder(options.model)
    dtype = {"f32": torch.float32, "bf16": torch.bfloat16}[options.precision]
    results = (
        json.loads(options.out.read_text(encoding="utf-8"))
        if options.out and options.out.exists()
        else {}
    )
    for name in options.systems:
        model = weights.load(options.model, dtype).to(options.device)
        measured = f"{options.lines} lines, {options.precision}"
        if name == "adapter":
            model = peft.PeftModel.from_pretrained(model, options.adapter).merge_and_unload()
            measured += (
                ", adapter "
                + hashlib.sha256(
                    (options.adapter / "adapter_model.safetensors").read_bytes()
                ).hexdigest()[:16]
            )
        if results.get(name, {}).get("measured") != measured:
            results[name] = {"measured": measured}
        writer = Writer(model, encoder, options.batch)
        for pair in options.pairs:
            if pair in results[name]:
                continue
            source, target = pair.split("-")
            sources, references = flores(source, 0, options.lines), flores(target, 0, options.lines)
            begin = time.monotonic()
            outputs = translate(writer, EXAMPLES if name == "base" else 0, source, target, sources)
            results[name][pair] = {
                **score(target, sources, references, outputs),
                "seconds": time.monotonic() - begin,
                "outputs": outputs,
            }
            print(
                f"{name} {pair} "
                + " ".join(
                    f"{k} {v:.2f}" for k, v in results[name][pair].items() if k != "outputs"
                ),
                flush=True,
            )
            if options.out:
                replace(
                    options.out, (json.dumps(results, ensure_ascii=False, indent=1) + "\n").encode()
                )
    print(
        f"FLORES dev, first {options.lines} lines; base with {EXAMPLES} examples, adapter without"
    )
    print(table(results, options.systems, options.pairs))


if __name__ == "__main__":
    main()
