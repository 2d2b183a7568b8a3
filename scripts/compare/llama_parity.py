#!/usr/bin/env python3
"""Compares polygist's engine with llama.cpp: token ids, logits, greedy continuations.

 1. Tokens: every line of the FLORES dev files, some awkward texts and all prompts below get the same ids from both.
 2. Logits: polygist in f32 against llama.cpp on the same weights, dequantized to F32 into a temporary file, so that both
    compute with equal numbers and only the order of the additions differs.
 3. Greedy continuations of 20 tokens. Where they part, the margin between the two best logits there says whether it is a
    near tie, which rounding may turn either way.
 With --transformers the logits are compared with those of Hugging Face's transformers on the F32 file, too.

    pip install llama-cpp-python gguf numpy        # and for --transformers: torch transformers accelerate
    cargo build --release --example reference
    python3 scripts/compare/llama_parity.py [MODEL.gguf] [--reference target/release/examples/reference] [--transformers]

Without a file it takes the installed model that --name names. Exits 1 when something differs by
more than rounding. FLORES dev is looked for in $POLYGIST_DATA/flores-dev or
../shared/data/flores-dev beside the repository.
"""

import argparse
import ctypes
import json
import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import gguf
import llama_cpp
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
NEW_TOKENS = 20
CONTEXT = 2048
# Largest difference of a logit that is put down to rounding, as a share of the range of the logits.
# An f32 has 24 bits; a logit passes through 18 to 30 layers of sums with up to 2048 terms each,
# which are added in another order by each program. About 1e-5 is what that makes; a wrong mask,
# scale, epsilon or rotation makes 1e-2 and more.
TOLERANCE = 1e-4
# Continuations may part only where the best two logits are nearer to each other than twice what a
# logit may differ by.
TIE = 2 * TOLERANCE
AWKWARD = [
    "", " ", "  two  spaces   three    four ", "\ttab\t\ttabs", "line\nline\n\nline\n\n\nline\r\nline", " leading", "trailing ",
    "1234567890 12.5% 1,850 €45", "e\u0301 é ﬁ Å Å", "zero\u200bwidth\u200djoiner\ufeff", "نص عربي ١٢٣ (abc)", "👩‍👩‍👧‍👦🏳️‍🌈 🇮🇪",
    "don't DON'T we'll I'd", "https://example.org/a?b=c#d name@example.org @you #tag", "<b>bold</b> {x} %s `code`", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𠜎 \U0010ffff",
    "▁lower one eighth block▁", "\u00a0no-break\u00a0space\u3000ideographic", "a" * 200, "=" * 70 + "-" * 33, "ⵣ ꦗ ᚠ ܐ ໃ ᏣᎳᎩ",
]  # fmt: skip


def flores():
    folder = Path(os.environ.get("POLYGIST_DATA", ROOT.parent / "shared" / "data")) / "flores-dev"
    if not folder.is_dir():
        sys.exit(
            f"no evaluation data: {folder} is not there; set POLYGIST_DATA to the folder that has flores-dev/*.txt"
        )
    return {
        path.stem: path.read_text(encoding="utf-8").splitlines()
        for path in sorted(folder.glob("*.txt"))
    }


def installed(binary, name):
    """The file of an installed model."""
    shown = subprocess.run([binary, "models", "info", name], capture_output=True, text=True)
    for line in shown.stdout.splitlines():
        if line.startswith("state") and "installed in " in line:
            return Path(line.split("installed in ", 1)[1].strip()) / "model.gguf"
    sys.exit(
        f"model {name} is not installed; `polygist models pull {name}` gets it, or name a GGUF file"
    )


def prompts(lines):
    """Beginnings of sentences in every language, few-shot prompts both ways, and some longer than
    the sliding window.
    """
    tables = tomllib.loads((ROOT / "models" / "prompts.toml").read_text(encoding="utf-8"))[
        "example"
    ]
    names = tomllib.loads((ROOT / "models" / "languages.toml").read_text(encoding="utf-8"))
    texts = [
        text[n][: len(text[n]) // 2].rstrip() for n, text in zip(range(0, 900, 29), lines.values())
    ]

    def few_shot(source, target, count, n):
        def name(code):
            entry = names[code]
            return entry if isinstance(entry, str) else entry["name"]

        shown = "".join(
            f"{name(source)}: {t[source]}\n{name(target)}: {t[target]}\n\n" for t in tables[-count:]
        )
        return f"{shown}{name(source)}: {lines[source][n]}\n{name(target)}:"

    others = [code for code in lines if code != "en"]
    for n, code in enumerate(others):
        texts.append(few_shot(*((code, "en") if n % 2 else ("en", code)), 2, 100 + n))
    texts += [
        few_shot(code, "en", len(tables), 200) for code in ("fr", "de", "ru", "ar", "zh", "hi")
    ]
    return texts


def reference(binary, model, texts, new_tokens):
    """What polygist computes, one text at a time."""
    with tempfile.TemporaryFile() as asked:
        asked.write(json.dumps(texts).encode())
        asked.seek(0)
        with subprocess.Popen(
            [binary, str(model), str(new_tokens)], stdin=asked, stdout=subprocess.PIPE
        ) as process:
            yield from map(json.loads, process.stdout)
        if process.returncode:
            sys.exit(f"{binary} failed with status {process.returncode}")


def dequantize(model, out):
    """Writes the same model with all weights as F32."""
    reader = gguf.GGUFReader(model)
    writer = gguf.GGUFWriter(out, reader.get_field("general.architecture").contents())
    for field in reader.fields.values():
        if field.name.startswith("GGUF.") or field.name in (
            "general.architecture",
            "general.quantization_version",
        ):
            continue
        value = (
            int(gguf.LlamaFileType.ALL_F32)
            if field.name == "general.file_type"
            else field.contents()
        )
        kind = field.types[0]
        writer.add_key_value(
            field.name, value, kind, field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
        )
    for tensor in reader.tensors:
        weights = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        writer.add_tensor(tensor.name, np.ascontiguousarray(weights, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


class LlamaCpp:
    """llama.cpp, all in f32: cache and weights, and no fused attention, which rounds to f16."""

    def __init__(self, model):
        f32 = llama_cpp.GGML_TYPE_F32
        self.llama = llama_cpp.Llama(
            str(model), n_ctx=CONTEXT, n_batch=CONTEXT, n_ubatch=CONTEXT, n_threads=1, n_threads_batch=1,
            logits_all=False, type_k=f32, type_v=f32, flash_attn=False, verbose=False,
        )  # fmt: skip

    def logits(self, ids):
        self.llama.eval(ids)
        last = llama_cpp.llama_get_logits_ith(self.llama.ctx, -1)
        return np.ctypeslib.as_array(
            ctypes.cast(last, ctypes.POINTER(ctypes.c_float)), (self.llama.n_vocab(),)
        ).copy()

    def greedy(self, ids):
        """The logits after the text; then each token with its margin over the second best."""
        self.llama.reset()
        first = logits = self.logits(ids)
        written = []
        while True:
            second, best = np.partition(logits, -2)[-2:]
            written.append((int(logits.argmax()), float(best - second)))
            if len(written) == NEW_TOKENS:
                return first, written
            logits = self.logits([written[-1][0]])


def compare_tokens(binary, model, lines, others):
    """The number of texts that get other ids."""
    tokenizer = llama_cpp.Llama(str(model), vocab_only=True, verbose=False)
    texts = [(code, line) for code, text in lines.items() for line in text] + [
        ("extra", text) for text in others
    ]
    different = tokens = 0
    for (code, text), ours in zip(
        texts, reference(binary, model, [text for _, text in texts], 0), strict=True
    ):
        theirs = tokenizer.tokenize(text.encode(), add_bos=True, special=False)
        tokens += len(theirs)
        if ours["ids"] != theirs:
            different += 1
            if different <= 20:
                at = next(
                    (i for i, (a, b) in enumerate(zip(ours["ids"], theirs)) if a != b),
                    min(len(ours["ids"]), len(theirs)),
                )
                pieces = [
                    [tokenizer.detokenize([i]) for i in ids[at : at + 4]]
                    for ids in (ours["ids"], theirs)
                ]
                print(
                    f"  {code} token {at} of {text[:80]!r}: polygist {pieces[0]}, llama.cpp {pieces[1]}"
                )
    print(
        f"tokens: {len(texts) - different} of {len(texts)} texts equal ({len(lines)} languages, {len(others)} others; {tokens} tokens)"
    )
    return different


def difference(ours, theirs):
    """Largest difference of two lists of logits, and the same as a share of their range."""
    largest = float(np.abs(ours - theirs).max())
    return largest, largest / float(theirs.max() - theirs.min())


def compare_logits(binary, model, texts, dequantized, with_transformers):
    """Whether all differences are rounding."""
    llama = LlamaCpp(dequantized)
    transformer = None
    if with_transformers:
        import torch
        from transformers import AutoModelForCausalLM

        folder, name = dequantized.parent, dequantized.name
        transformer = AutoModelForCausalLM.from_pretrained(
            folder, gguf_file=name, dtype=torch.float32, attn_implementation="eager"
        )
    found = {"llama.cpp": [], "transformers": []}
    lengths, equal, ties, ranges = [], 0, 0, []
    for text, ours in zip(texts, reference(binary, model, texts, NEW_TOKENS), strict=True):
        ids, logits = ours["ids"], np.array(ours["logits"], dtype=np.float32)
        theirs, written = llama.greedy(ids)
        lengths.append(len(ids))
        ranges.append(float(theirs.max() - theirs.min()))
        found["llama.cpp"].append(difference(logits, theirs))
        if transformer is not None:
            with torch.inference_mode():
                found["transformers"].append(
                    difference(
                        logits,
                        transformer(torch.tensor([ids]), logits_to_keep=1).logits[0, -1].numpy(),
                    )
                )
        at = next((i for i, (a, (b, _)) in enumerate(zip(ours["greedy"], written)) if a != b), None)
        if at is None:
            equal += 1
        else:
            margin = written[at][1]
            ties += margin <= TIE * ranges[-1]
            print(
                f"  differs at new token {at} of {text[-40:]!r}: margin of the best two logits there {margin:.2g}"
            )
    print(
        f"{len(texts)} prompts of {min(lengths)} to {max(lengths)} tokens; logits range over {np.mean(ranges):.1f} on average"
    )
    fine = True
    for name, pairs in found.items():
        if pairs:
            (absolute, relative), typical = np.max(pairs, axis=0), np.median([r for _, r in pairs])
            fine &= relative <= TOLERANCE
            print(
                f"logits against {name}: at most {absolute:.2g} apart, {relative:.2g} of the range (median {typical:.2g}, allowed {TOLERANCE:.0e})"
            )
    print(
        f"greedy: {equal} of {len(texts)} continuations of {NEW_TOKENS} tokens equal, {ties} part at a near tie, {len(texts) - equal - ties} for no such reason"
    )
    return fine and equal + ties == len(texts)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", nargs="?", type=Path, metavar="MODEL.gguf")
    parser.add_argument(
        "--name", default="gemma-3-270m", help="installed model to take when no file is named"
    )
    parser.add_argument(
        "--binary",
        default=ROOT / "target" / "release" / "polygist",
        help="asked where that model is",
    )
    parser.add_argument(
        "--reference", default=ROOT / "target" / "release" / "examples" / "reference"
    )
    parser.add_argument(
        "--transformers", action="store_true", help="compare the logits with transformers, too"
    )
    parser.add_argument("--tokens-only", action="store_true")
    arguments = parser.parse_args()
    if not Path(arguments.reference).exists():
        sys.exit(
            f"{arguments.reference} is not there; `cargo build --release --example reference` builds it, --reference names another"
        )
    model = arguments.model or installed(arguments.binary, arguments.name)
    lines = flores()
    texts = prompts(lines)
    print(f"{model.parent.name}/{model.name}, llama-cpp-python {llama_cpp.__version__}")
    fine = compare_tokens(arguments.reference, model, lines, AWKWARD + texts) == 0
    if not arguments.tokens_only:
        with tempfile.TemporaryDirectory() as folder:
            dequantized = Path(folder) / "f32.gguf"
            dequantize(model, dequantized)
            fine &= compare_logits(
                arguments.reference, model, texts, dequantized, arguments.transformers
            )
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
