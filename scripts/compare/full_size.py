#!/usr/bin/env python3
"""Compares polygist with transformers on encoder-decoder models of full size.

Ids of greedy and beam search, loading, memory.

The weights are random (this needs no download), the shapes are those of well-known models. The same
f32 arithmetic on both sides: sources of the lengths that FLORES dev has, --tokens new tokens each.
Where the ids of a greedy search part, transformers computes that step again in f64: it was a tie
when f64 holds the two ids no further apart than twice what rounding to f32 moves the logits of
transformers itself. Where beams part, transformers does the whole search in f64. Of the first
--exact sources, the deviation of the logits from f64 is told, for both.

    pip install -e "./scripts[compare]"
    cargo build --release --examples
    python3 scripts/compare/full_size.py --out FOLDER [MODEL …] [--sources 16] [--tokens 24]
        [--command "… {folder} {beam} {tokens} {threads}"]

MODEL is one of those in SHAPES below. Models are made once in FOLDER (0.2 to 1.6 GB each) and used
again. The command reads a JSON array of {"source": [ids]} and prints a line {"ids": [ids]} for
each. Without a built command (--no-command) only transformers runs. Exits 1 when sequences differ,
ties of a greedy search aside. FLORES dev is looked for in $POLYGIST_DATA/flores-dev or
../shared/data/flores-dev.
"""

import argparse
import json
import os
import random
import re
import resource
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from polygist_scripts.data import flores
from polygist_scripts.program import EXAMPLES

COMMAND = (
    str(EXAMPLES / "seq2seq")
    + " {folder} --beam {beam} --tokens {tokens} --threads {threads} --precision f32"
)
LOGITS = str(EXAMPLES / "logits") + " {folder} f32"


class Shape(NamedTuple):
    classes: tuple[str, str]  # of transformers: the configuration and the model
    config: dict[str, Any]  # config.json
    special: dict[str, int]  # ids of special tokens
    around: tuple[list[int], list[int]]  # ids before and after a source
    generation: dict[str, Any]  # generation_config.json beside the ids


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


def marian(d: int, ffn: int, heads: int, activation: str) -> dict[str, Any]:
    return encoder_decoder(
        d,
        6,
        ffn,
        heads,
        59514,
        activation_function=activation,
        scale_embedding=True,
        max_position_embeddings=512,
        pad_token_id=59513,
        eos_token_id=0,
        decoder_start_token_id=59513,
        bos_token_id=0,
        normalize_before=False,
    )


BART = {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2, "decoder_start_token_id": 2}

SHAPES: dict[str, Shape] = {
    "opus-mt-base": Shape(
        ("MarianConfig", "MarianMTModel"),
        marian(512, 2048, 8, "swish"),
        {"</s>": 0, "<unk>": 1, "<pad>": 59513},
        ([], [0]),
        {"bad_words_ids": [[59513]], "forced_eos_token_id": 0},
    ),
    "opus-mt-tc-big": Shape(
        ("MarianConfig", "MarianMTModel"),
        marian(1024, 4096, 16, "relu"),
        {"</s>": 0, "<unk>": 1, "<pad>": 59513},
        ([], [0]),
        {"bad_words_ids": [[59513]], "forced_eos_token_id": 0},
    ),
    "nllb-600m": Shape(
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
        )
        | BART,
        {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "eng_Latn": 256047, "fra_Latn": 256057},
        ([256047], [2]),
        {"bos_token_id": 0, "forced_bos_token_id": 256057},
    ),
    "bart-large": Shape(
        ("BartConfig", "BartForConditionalGeneration"),
        encoder_decoder(
            1024,
            12,
            4096,
            16,
            50264,
            activation_function="gelu",
            max_position_embeddings=1024,
            normalize_before=False,
            normalize_embedding=True,
        )
        | BART,
        {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3},
        ([0], [2]),
        {
            "bos_token_id": 0,
            "forced_bos_token_id": 0,
            "forced_eos_token_id": 2,
            "no_repeat_ngram_size": 3,
        },
    ),
    "mt5-base": Shape(
        ("MT5Config", "MT5ForConditionalGeneration"),
        {
            "d_model": 768,
            "d_kv": 64,
            "d_ff": 2048,
            "num_layers": 12,
            "num_decoder_layers": 12,
            "num_heads": 12,
            "vocab_size": 250112,
            "feed_forward_proj": "gated-gelu",
            "tie_word_embeddings": False,
            "pad_token_id": 0,
            "eos_token_id": 1,
            "decoder_start_token_id": 0,
            "relative_attention_num_buckets": 32,
            "relative_attention_max_distance": 128,
        },
        {"<pad>": 0, "</s>": 1, "<unk>": 2},
        ([], [1]),
        {},
    ),
}


def make(name: str, folder: Path) -> None:
    """Writes the folder in the Hub's layout, weights in bf16."""
    import torch
    import transformers
    from safetensors.torch import save_file
    from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers

    classes, fields, special, _, generation = SHAPES[name]
    config_class, model_class = (getattr(transformers, c) for c in classes)
    torch.manual_seed(1)
    with torch.device("meta"):
        model = model_class(config_class(**fields))
    d = fields["d_model"]
    tensors, seen = {}, {}
    frozen = {n for n, p in model.named_parameters() if not p.requires_grad}
    for key, meta in model.state_dict(keep_vars=True).items():
        head = key == "lm_head.weight" and fields.get("tie_word_embeddings") is False
        if key in frozen or (id(meta) in seen and not head):
            continue
        seen[id(meta)] = key
        shape, noise = meta.shape, torch.randn(meta.shape)
        if key == "final_logits_bias":
            value = 0.5 * noise
        elif key.endswith("bias"):
            value = 0.05 * noise
        elif len(shape) == 1:
            value = 1.0 + 0.1 * noise
        elif "relative_attention_bias" in key:
            value = noise
        elif "embed_positions" in key:
            value = 0.1 * noise
        elif "shared" in key or "embed_tokens" in key or "lm_head" in key:
            value = noise * 3.0 / d**0.5  # logits with a deviation of about 3
            value[fields["pad_token_id"]] = 0.0
        else:
            # Strong enough that what is written depends on the words before it, and no stronger:
            # with sharper attention the arithmetic is chaotic, and f32 does not even agree with f64
            # in the same library. See what f64 says of partings. Twelve layers with norms behind
            # them need less of it than six, and those with norms before them, where all adds up,
            # more.
            gentle = "Bart" in classes[1]
            sharp, across, fed = (1.2, 0.7, 1.6) if gentle else (2.0, 1.2, 2.5)
            gains = {
                "q_proj": sharp,
                "k_proj": sharp,
                ".q.": sharp,
                ".k.": sharp,
                "encoder_attn": across,
                "EncDec": across,
                "fc": fed,
                "Dense": fed,
            }
            gain = next((g for part, g in gains.items() if part in key), 0.8 if gentle else 1.6)
            value = gain * noise / shape[-1] ** 0.5
            if "fc2" in key:
                # The mean of what an activation lets through is the same for all tokens. Were it
                # not taken out, it would grow from layer to layer until every source and every
                # position gave the same logits.
                value -= value.mean(-1, keepdim=True)
        tensors[key] = value.to(torch.bfloat16)
    folder.mkdir(parents=True)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    ids = {k: fields[k] for k in ("pad_token_id", "eos_token_id", "decoder_start_token_id")}
    config = {
        "architectures": [classes[1]],
        "model_type": config_class.model_type,
        "is_encoder_decoder": True,
        "dtype": "bfloat16",
    } | fields
    (folder / "config.json").write_text(json.dumps(config, indent=1))
    (folder / "generation_config.json").write_text(json.dumps(ids | generation, indent=1))
    names = {i: token for token, i in special.items()}
    tokenizer = Tokenizer(
        models.WordLevel(
            {names.get(i, f"t{i}"): i for i in range(fields["vocab_size"])}, unk_token="<unk>"
        )
    )
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.add_special_tokens(
        [AddedToken(token, special=True, normalized=False) for token in special]
    )
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)


def lengths(count: int, language: str = "en") -> list[int]:
    """Words per line of FLORES dev, times 1.35: about what a subword tokenizer makes of it."""
    lines = flores(language)
    return [round(1.35 * len(line.split())) for line in (lines * (1 + count // len(lines)))[:count]]


def requests(name: str, count: int) -> list[list[int]]:
    """The same sources in every run."""
    _, fields, special, (before, after), _ = SHAPES[name]
    draw = random.Random(7)
    words = [i for i in range(4, fields["vocab_size"]) if i not in special.values()]
    return [before + [draw.choice(words) for _ in range(n)] + after for n in lengths(count)]


def opened(name: str, folder: Path, dtype: str) -> Any:
    """The model in transformers, in a dtype of torch's by name."""
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    return (
        getattr(transformers, SHAPES[name].classes[1])
        .from_pretrained(folder, dtype=getattr(torch, dtype))
        .eval()
    )


def transformers_side(
    name: str, folder: Path, sources: list[list[int]], tokens: int, beam: int, dtype: str
) -> None:
    """What transformers writes, sixteen sources at once."""
    import torch
    import transformers  # noqa: F401 - its import is no part of the loading time

    start = time.time()
    model = opened(name, folder, dtype)
    loaded = time.time() - start
    pad, start = SHAPES[name].config["pad_token_id"], time.time()
    found: dict[int, list[int]] = {}
    order = sorted(range(len(sources)), key=lambda i: len(sources[i]))
    for batch in (order[at : at + 16] for at in range(0, len(order), 16)):
        longest = len(sources[batch[-1]])
        rows = [sources[i] + [pad] * (longest - len(sources[i])) for i in batch]
        mask = [[1] * len(sources[i]) + [0] * (longest - len(sources[i])) for i in batch]
        with torch.no_grad():
            result = model.generate(
                input_ids=torch.tensor(rows),
                attention_mask=torch.tensor(mask),
                num_beams=beam,
                min_new_tokens=tokens,
                max_new_tokens=tokens,
                length_penalty=1.0,
                early_stopping=False,
            )
        found |= zip(batch, result.tolist())
    ids = [found[i] for i in sorted(found)]
    seconds = time.time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"ids": ids, "loaded": loaded, "seconds": seconds, "peak": peak}))


def judge_side(name: str, folder: Path) -> None:
    """For each parting in partings.json (source, ids up to there, our next id, theirs): how far
    apart the two are in f64, theirs above ours, and the most that a logit of that step moves from
    f64 to f32.
    """
    import torch

    partings = json.loads((folder / "partings.json").read_text())
    logits = []
    for dtype in ("float64", "float32"):
        model = opened(name, folder, dtype)
        with torch.no_grad():
            steps = [
                model(
                    input_ids=torch.tensor([p["source"]]),
                    decoder_input_ids=torch.tensor([p["before"]]),
                ).logits[0, -1]
                for p in partings
            ]
        logits.append(torch.stack(steps).double())
        del model
    exact, rounded = logits
    found = [
        {
            "apart": (exact[i, p["theirs"]] - exact[i, p["ours"]]).item(),
            "moved": (rounded[i] - exact[i]).abs().max().item(),
        }
        for i, p in enumerate(partings)
    ]
    print(json.dumps(found))


def logits_side(name: str, folder: Path, count: int, command: str) -> None:
    """How far logits in f32 are from those of transformers in f64, root of the mean square: of the
    command, and of transformers. Each after the first eight ids of the first sources' outputs; the
    mean over the vocabulary is no error, since softmax takes it out.
    """
    import torch

    outputs = json.loads((folder / "transformers-beam1.json").read_text())["ids"]
    steps = [
        {"source": source, "decoder": ids[:8]}
        for source, ids in zip(requests(name, count), outputs)
    ]
    result = subprocess.run(
        shlex.split(command.format(folder=folder)),
        input=json.dumps(steps),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    ours = torch.tensor(
        [json.loads(line)["logits"] for line in result.stdout.splitlines()]
    ).double()
    logits = []
    for dtype in ("float64", "float32"):
        model = opened(name, folder, dtype)
        with torch.no_grad():
            calls = [
                model(
                    input_ids=torch.tensor([s["source"]]),
                    decoder_input_ids=torch.tensor([s["decoder"]]),
                )
                for s in steps
            ]
        logits.append(torch.stack([call.logits[0, -1] for call in calls]).double())
        del model
    exact, theirs = logits
    error = [
        (x - exact - (x - exact).mean(-1, keepdim=True)).square().mean().sqrt().item()
        for x in (ours, theirs)
    ]
    print(json.dumps({"ours": error[0], "theirs": error[1], "spread": exact.std(-1).mean().item()}))


def bare(name: str, ids: list[int]) -> tuple[list[int], int]:
    """The text without what stands around it, and how many ids stood before it.

    Before it: the decoder's start, a forced first id; after it: the end token and what follows.
    """
    fields, generation = SHAPES[name].config, SHAPES[name].generation
    before = 0
    for lead in (fields["decoder_start_token_id"], generation.get("forced_bos_token_id")):
        before += before < len(ids) and ids[before] == lead
    text, end = ids[before:], fields["eos_token_id"]
    return text[: text.index(end)] if end in text else text, before


def parting(name: str, source: list[int], ours: list[int], theirs: list[int]) -> dict[str, Any]:
    """Where two outputs part, for the judge: ids as each side returned them, and the next ones."""
    (x, _), (y, before) = bare(name, ours), bare(name, theirs)
    end = [SHAPES[name].config["eos_token_id"]]
    at = next((k for k, (p, q) in enumerate(zip(x, y)) if p != q), min(len(x), len(y)))
    return {
        "source": source,
        "before": theirs[: before + at],
        "ours": (x + end)[at],
        "theirs": (y + end)[at],
    }


def command_side(
    command: str, sources: list[list[int]], folder: Path, tokens: int, beam: int, threads: int
) -> dict[str, Any]:
    line = command.format(folder=folder, beam=beam, tokens=tokens, threads=threads)
    data = json.dumps([{"source": s} for s in sources])
    start = time.time()
    result = subprocess.run(shlex.split(line), input=data, capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"{line}\nended with status {result.returncode}: {result.stderr.strip()}")
    ids = [json.loads(answer)["ids"] for answer in result.stdout.splitlines() if answer.strip()]
    if len(ids) != len(sources):
        sys.exit(f"{line}\nwrote {len(ids)} lines for {len(sources)} sources")
    said = re.search(
        r"loaded in ([\d.]+) s.*?in ([\d.]+) s.*?peak memory ([^\n]+)", result.stderr, re.S
    )
    return {"ids": ids, "total": time.time() - start, "said": said.groups() if said else None}


def worker(a: argparse.Namespace) -> None:
    """What a process of its own does: one side of one model, printed as JSON."""
    import torch

    torch.set_num_threads(a.threads)
    name, what = a.worker
    folder = a.out / name
    if what == "judge":
        judge_side(name, folder)
    elif what == "logits":
        logits_side(name, folder, a.exact, a.logits)
    else:
        beam, exact, _ = what.partition(":f64")
        sources = requests(name, a.sources)
        if exact:
            sources = json.loads((folder / "partings.json").read_text())
        dtype = "float64" if exact else "float32"
        transformers_side(name, folder, sources, a.tokens, int(beam), dtype)


def run_worker(a: argparse.Namespace, name: str, what: str) -> Any:
    """The same script in a process of its own, so that the peak memory is its own."""
    options = {
        "--out": a.out,
        "--sources": a.sources,
        "--tokens": a.tokens,
        "--threads": a.threads,
        "--exact": a.exact,
        "--logits": a.logits,
    }
    flags = [str(part) for option in options.items() for part in option]
    command = [sys.executable, __file__, *flags, "--worker", name, what]
    result = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(result.stdout.splitlines()[-1])


def compare(a: argparse.Namespace, name: str, beam: int, sources: list[list[int]]) -> int:
    """Both sides on one model with one beam; how many outputs differ for no good reason."""
    folder: Path = a.out / name

    def side(what: str) -> Any:
        return run_worker(a, name, what)

    theirs = side(str(beam))
    distinct = len({i for ids in theirs["ids"] for i in ids})
    print(
        f"{name} beam {beam}: transformers loads in {theirs['loaded']:.1f} s, "
        f"{theirs['seconds']:.1f} s for {a.sources} sources, "
        f"peak {theirs['peak']:.0f} MiB, {distinct} different ids",
        flush=True,
    )
    (folder / f"transformers-beam{beam}.json").write_text(json.dumps(theirs))
    if a.no_command:
        return 0
    ours = command_side(a.command, sources, folder, a.tokens, beam, a.threads)
    pairs = list(zip(ours["ids"], theirs["ids"]))
    different = [i for i, (x, y) in enumerate(pairs) if bare(name, x)[0] != bare(name, y)[0]]
    said = f"{ours['total']:.1f} s in all"
    if ours["said"]:
        loaded, generated, peak = ours["said"]
        said = f"loads in {loaded} s, generates in {generated} s, peak {peak}"
    print(
        f"{name} beam {beam}: {len(pairs) - len(different)} of {len(pairs)} sequences identical; "
        f"command {said}",
        flush=True,
    )
    if beam == 1 and a.exact:
        error = side("logits")
        print(
            f"{name}: logits deviate by {error['ours']:.2g} from f64, "
            f"those of transformers in f32 by {error['theirs']:.2g} "
            f"({error['ours'] / error['theirs']:.2f} times as much); "
            f"among themselves by {error['spread']:.2g}",
            flush=True,
        )
    if not different:
        return 0
    if beam > 1:
        chosen = [sources[i] for i in different]
        return judge_beams(name, folder, chosen, different, pairs, side, beam)
    partings = [parting(name, sources[i], *pairs[i]) for i in different]
    return judge_greedy(folder, partings, different, side)


def judge_beams(
    name: str,
    folder: Path,
    sources: list[list[int]],
    different: list[int],
    pairs: list[tuple[list[int], list[int]]],
    side: Callable[[str], Any],
    beam: int,
) -> int:
    """Beams that part are searched again in f64; all of them count as wrong."""
    # Where scores of hypotheses are the same but for rounding, f64 says which side kept the better
    # one; the outputs differ all the same.
    (folder / "partings.json").write_text(json.dumps(sources))
    exact = side(f"{beam}:f64")["ids"]
    same = [
        sum(bare(name, x)[0] == bare(name, pairs[i][k])[0] for i, x in zip(different, exact))
        for k in (0, 1)
    ]
    print(
        f"  of the {len(different)} others, transformers in f64 writes {same[0]} "
        f"as the command does, {same[1]} as in f32",
        flush=True,
    )
    return len(different)


def judge_greedy(
    folder: Path,
    partings: list[dict[str, Any]],
    different: list[int],
    side: Callable[[str], Any],
) -> int:
    """Greedy searches that part are judged by f64 at the parting; ties are not wrong."""
    wrong = 0
    (folder / "partings.json").write_text(json.dumps(partings))
    for i, place, found in zip(different, partings, side("judge")):
        tie = abs(found["apart"]) <= 2 * found["moved"]
        wrong += not tie
        print(
            f"  source {i}: part after {len(place['before'])} ids; "
            f"in f64 theirs is {found['apart']:+.2g} above ours, "
            f"and f32 moves logits by up to {found['moved']:.2g} there: "
            f"{'a tie' if tie else 'DIFFERENT'}",
            flush=True,
        )
    return wrong


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", choices=[*SHAPES, []], default=[])
    parser.add_argument("--out", type=Path, required=True, help="folder for the models")
    parser.add_argument("--sources", type=int, default=16)
    parser.add_argument("--tokens", type=int, default=24, help="new tokens of each output, exactly")
    parser.add_argument("--beams", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--command", default=COMMAND)
    parser.add_argument(
        "--logits",
        default=LOGITS,
        help="the command that prints logits after given ids, for JSON {source, decoder}",
    )
    parser.add_argument(
        "--exact",
        type=int,
        default=8,
        metavar="N",
        help="sources whose logits are computed in f64 as well, 0 for none",
    )
    parser.add_argument(
        "--no-command", action="store_true", help="only make the models and run transformers"
    )
    parser.add_argument(
        "--worker",
        nargs=2,
        metavar=("MODEL", "BEAM, BEAM:f64 with partings.json, logits or judge"),
        help=argparse.SUPPRESS,
    )
    return parser.parse_args()


def main() -> int:
    a = parse()
    if a.worker:
        worker(a)
        return 0
    lengths(1)  # says at once when there is no data
    wrong = 0
    for name in a.models or SHAPES:
        sources = requests(name, a.sources)
        folder = a.out / name
        if not (folder / "tokenizer.json").is_file():
            start = time.time()
            make(name, folder)
            size = (folder / "model.safetensors").stat().st_size / 2**20
            print(f"{name}: made in {time.time() - start:.0f} s, {size:.0f} MiB", flush=True)
        for beam in a.beams:
            wrong += compare(a, name, beam, sources)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
