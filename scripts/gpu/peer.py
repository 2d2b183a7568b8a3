#!/usr/bin/env python3
"""Measures tokens a second of transformers on a GPU.

The shapes and sentences are those of `polygist bench --synthetic`: random weights, 16 bits, SDPA.

    python3 scripts/gpu/peer.py SHAPE [--beams 1 4] [--batches 64 256 1024] [--sentences 2048]
                                      [--tokens 32] [--dtype bfloat16] [--device cuda]

Every batch size is tried, and each width of the beam gets a line of JSON with all of them, the best
first. Sources are sorted by length, as polygist sorts them, padded and masked; each writes exactly
--tokens tokens. What the weights say has no effect on the work. With --seconds N no further batch
size is begun after that time.
"""

import argparse
import json
import time
from typing import Any

import torch
import transformers


def encoder_decoder(
    d: int, layers: int, ffn: int, heads: int, vocab: int, **extra: Any
) -> dict[str, Any]:
    return {
        "d_model": d,
        "encoder_layers": layers,
        "decoder_layers": layers,
        "encoder_ffn_dim": ffn,
        "decoder_ffn_dim": ffn,
        "encoder_attention_heads": heads,
        "decoder_attention_heads": heads,
        "vocab_size": vocab,
    } | extra


BART = {
    "pad_token_id": 1,
    "bos_token_id": 0,
    "eos_token_id": 2,
    "decoder_start_token_id": 2,
    "forced_eos_token_id": None,
}
MARIAN = {
    "scale_embedding": True,
    "max_position_embeddings": 512,
    "eos_token_id": 0,
    "forced_eos_token_id": None,
}

# Classes and config.json, as in src/bench/shapes.rs.
SHAPES = {
    "tiny": (
        ("MarianConfig", "MarianMTModel"),
        encoder_decoder(
            64,
            2,
            128,
            4,
            512,
            activation_function="swish",
            pad_token_id=511,
            decoder_start_token_id=511,
            **MARIAN,
        ),
    ),
    "marian-base": (
        ("MarianConfig", "MarianMTModel"),
        encoder_decoder(
            512,
            6,
            2048,
            8,
            59514,
            activation_function="swish",
            pad_token_id=59513,
            decoder_start_token_id=59513,
            **MARIAN,
        ),
    ),
    "bart-large": (
        ("BartConfig", "BartForConditionalGeneration"),
        encoder_decoder(
            1024,
            12,
            4096,
            16,
            50264,
            activation_function="gelu",
            max_position_embeddings=1024,
            **BART,
        ),
    ),
    "nllb-600m": (
        ("M2M100Config", "M2M100ForConditionalGeneration"),
        encoder_decoder(
            1024,
            12,
            4096,
            16,
            256206,
            activation_function="relu",
            scale_embedding=True,
            max_position_embeddings=1024,
            **BART,
        ),
    ),
    "gemma-270m": (
        ("Gemma3TextConfig", "Gemma3ForCausalLM"),
        {
            "hidden_size": 640,
            "num_hidden_layers": 18,
            "intermediate_size": 2048,
            "num_attention_heads": 4,
            "num_key_value_heads": 1,
            "head_dim": 256,
            "vocab_size": 262144,
            "sliding_window": 512,
            "query_pre_attn_scalar": 256,
            "eos_token_id": 1,
            "pad_token_id": 0,
            "bos_token_id": 2,
        },
    ),
}


class Random:
    """That of src/bench/synthetic.rs."""

    def __init__(self, state: int) -> None:
        self.state = state

    def below(self, bound: int) -> int:
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return ((self.state >> 32) * bound) >> 32

    def length(self, shortest: int, longest: int) -> int:
        a, b = self.below(longest - shortest + 1), self.below(longest - shortest + 1)
        return shortest + (a + b + 2 * min(a, b) + 2) // 4


def sources(count: int, vocabulary: int) -> list[list[int]]:
    """Those of `polygist bench --synthetic`, the longest first."""
    random, made = Random(7), []
    for _ in range(count):
        length = random.length(10, 60)
        made.append([4 + random.below(vocabulary - 5) for _ in range(length)])
    return sorted(made, key=len, reverse=True)


def run(
    model: torch.nn.Module,
    texts: list[list[int]],
    batch: int,
    beams: int,
    tokens: int,
    device: str,
    decoder: bool,
) -> float:
    """Seconds."""
    pad = model.config.pad_token_id
    begun = time.perf_counter()
    for at in range(0, len(texts), batch):
        some = texts[at : at + batch]
        width = max(map(len, some))
        filling = [[pad] * (width - len(text)) for text in some]
        rows = [fill + text if decoder else text + fill for text, fill in zip(some, filling)]
        kept = [
            [0] * len(fill) + [1] * len(text) if decoder else [1] * len(text) + [0] * len(fill)
            for text, fill in zip(some, filling)
        ]
        ids, mask = torch.tensor(rows, device=device), torch.tensor(kept, device=device)
        with torch.inference_mode():
            written = model.generate(
                input_ids=ids,
                attention_mask=mask,
                num_beams=beams,
                do_sample=False,
                min_new_tokens=tokens,
                max_new_tokens=tokens,
            )
        new = written.shape[1] - (width if decoder else 1)
        if new != tokens:
            raise SystemExit(f"transformers wrote {new} tokens where {tokens} were asked for")
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("--beams", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--batches", type=int, nargs="+", default=[64, 256, 1024])
    parser.add_argument("--sentences", type=int, default=2048)
    parser.add_argument("--tokens", type=int, default=32)
    parser.add_argument("--dtype", default="bfloat16")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--seconds", type=float, default=1e9)
    a = parser.parse_args()
    begun = time.perf_counter()
    transformers.logging.set_verbosity_error()
    (config_class, model_class), fields = SHAPES[a.shape]
    config = getattr(transformers, config_class)(**fields)
    config._attn_implementation = "sdpa"
    torch.manual_seed(1)
    with torch.device(a.device):
        model = getattr(transformers, model_class)(config).to(getattr(torch, a.dtype)).eval()
    decoder = not config.is_encoder_decoder
    texts = sources(a.sentences, fields["vocab_size"])
    run(model, texts[: min(a.batches)], min(a.batches), 1, 4, a.device, decoder)
    for beams in a.beams:
        rates: dict[int, float] = {}
        for batch in a.batches:
            if rates and time.perf_counter() - begun > a.seconds:
                break
            # A batch is counted in hypotheses, as polygist counts it.
            each = max(1, batch // beams)
            some = texts[: max(each, len(texts) // (1 if beams == 1 else 2))]
            rates[batch] = (
                len(some) * a.tokens / run(model, some, each, beams, a.tokens, a.device, decoder)
            )
        best = max(rates, key=rates.__getitem__)
        print(
            json.dumps(
                {
                    "peer": f"transformers {transformers.__version__}",
                    "model": a.shape,
                    "dtype": a.dtype,
                    "beam": beams,
                    "batch": best,
                    "tokens_per_second": round(rates[best]),
                    "all": {batch: round(rate) for batch, rate in rates.items()},
                }
            ),
            flush=True,
        )


if __name__ == "__main__":
    main()
