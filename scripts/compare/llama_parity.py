#!/usr/bin/env python3
"""Compares polygist's engine with llama.cpp: token ids, logits, greedy continuations.

 1. Tokens: every line of the FLORES dev files, some awkward texts and all prompts below get the
    same ids from both.
 2. Logits: polygist in f32 against llama.cpp on the same weights, dequantized to F32 into a
    temporary file, so that both compute with equal numbers and only the order of the additions
    differs.
 3. Greedy continuations of 20 tokens. Where they part, the margin between the two best logits there
    says whether it is a near tie, which rounding may turn either way.
 With --transformers the logits are compared with those of Hugging Face's transformers on the F32
 file, too.

    pip install -e "./scripts[compare]"
    cargo build --release --example reference
    python3 scripts/compare/llama_parity.py [MODEL.gguf] [--transformers]
                                            [--reference target/release/examples/reference]
                                            [--prompts 50]

Without a file it takes the installed model that --name names. Exits 1 when something differs by
more than rounding. FLORES dev is looked for in $POLYGIST_DATA/flores-dev or
../shared/data/flores-dev beside the repository.
"""

import argparse
import ctypes
import sys
import tempfile
from pathlib import Path

import gguf
import llama_cpp
import numpy as np

from polygist_scripts import prompts
from polygist_scripts.data import flores_languages
from polygist_scripts.program import BINARY, EXAMPLES, installed, reference, require

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
    "",
    " ",
    "  two  spaces   three    four ",
    "\ttab\t\ttabs",
    "line\nline\n\nline\n\n\nline\r\nline",
    " leading",
    "trailing ",
    "1234567890 12.5% 1,850 €45",
    "e\u0301 é ﬁ Å Å",
    "zero\u200bwidth\u200djoiner\ufeff",
    "نص عربي ١٢٣ (abc)",
    "👩‍👩‍👧‍👦🏳️‍🌈 🇮🇪",
    "don't DON'T we'll I'd",
    "https://example.org/a?b=c#d name@example.org @you #tag",
    "<b>bold</b> {x} %s `code`",
    "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𠜎 \U0010ffff",
    "▁lower one eighth block▁",
    "\u00a0no-break\u00a0space\u3000ideographic",
    "a" * 200,
    "=" * 70 + "-" * 33,
    "ⵣ ꦗ ᚠ ܐ ໃ ᏣᎳᎩ",
]


def drawn(lines: dict[str, list[str]]) -> list[str]:
    """Prompts: beginnings of sentences in every language, and few-shot prompts both ways.

    Some are longer than the sliding window.
    """
    texts = [
        text[n][: len(text[n]) // 2].rstrip() for n, text in zip(range(0, 900, 29), lines.values())
    ]

    def few_shot(source: str, target: str, count: int, n: int) -> str:
        before, after = prompts.translation(source, target, count)
        return before + lines[source][n] + after

    others = [code for code in lines if code != "en"]
    for n, code in enumerate(others):
        texts.append(few_shot(*((code, "en") if n % 2 else ("en", code)), 2, 100 + n))
    texts += [
        few_shot(code, "en", len(prompts.EXAMPLES), 200)
        for code in ("fr", "de", "ru", "ar", "zh", "hi")
    ]
    return texts


def dequantize(model: Path, out: Path) -> None:
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

    def __init__(self, model: Path) -> None:
        f32 = llama_cpp.GGML_TYPE_F32
        self.llama = llama_cpp.Llama(
            str(model),
            n_ctx=CONTEXT,
            n_batch=CONTEXT,
            n_ubatch=CONTEXT,
            n_threads=1,
            n_threads_batch=1,
            logits_all=False,
            type_k=f32,
            type_v=f32,
            flash_attn=False,
            verbose=False,
        )

    def logits(self, ids: list[int]) -> np.ndarray:
        self.llama.eval(ids)
        last = llama_cpp.llama_get_logits_ith(self.llama.ctx, -1)
        return np.ctypeslib.as_array(
            ctypes.cast(last, ctypes.POINTER(ctypes.c_float)), (self.llama.n_vocab(),)
        ).copy()

    def greedy(self, ids: list[int]) -> tuple[np.ndarray, list[tuple[int, float]]]:
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


def compare_tokens(
    binary: Path, model: Path, lines: dict[str, list[str]], others: list[str]
) -> int:
    """The number of texts that get other ids."""
    tokenizer = llama_cpp.Llama(str(model), vocab_only=True, verbose=False)
    texts = [(code, line) for code, text in lines.items() for line in text]
    texts += [("extra", text) for text in others]
    answers = reference(binary, model, [text for _, text in texts], 0)
    different = tokens = 0
    for (code, text), answer in zip(texts, answers, strict=True):
        ours, theirs = answer["ids"], tokenizer.tokenize(text.encode(), add_bos=True, special=False)
        tokens += len(theirs)
        if ours != theirs:
            different += 1
            if different <= 20:
                parted = (i for i, (a, b) in enumerate(zip(ours, theirs)) if a != b)
                at = next(parted, min(len(ours), len(theirs)))
                pieces = [
                    [tokenizer.detokenize([i]) for i in ids[at : at + 4]] for ids in (ours, theirs)
                ]
                print(
                    f"  {code} token {at} of {text[:80]!r}: "
                    f"polygist {pieces[0]}, llama.cpp {pieces[1]}"
                )
    print(
        f"tokens: {len(texts) - different} of {len(texts)} texts equal "
        f"({len(lines)} languages, {len(others)} others; {tokens} tokens)"
    )
    return different


def difference(ours: np.ndarray, theirs: np.ndarray) -> tuple[float, float]:
    """Largest difference of two lists of logits, and the same as a share of their range."""
    largest = float(np.abs(ours - theirs).max())
    return largest, largest / float(theirs.max() - theirs.min())


class Transformers:
    """Hugging Face's transformers with the same weights, in f32."""

    def __init__(self, path: Path) -> None:
        import torch
        from transformers import AutoModelForCausalLM

        self.torch = torch
        self.model = AutoModelForCausalLM.from_pretrained(
            path.parent, gguf_file=path.name, dtype=torch.float32, attn_implementation="eager"
        )

    def logits(self, ids: list[int]) -> np.ndarray:
        """The logits after the text."""
        with self.torch.inference_mode():
            result = self.model(self.torch.tensor([ids]), logits_to_keep=1)
        return result.logits[0, -1].numpy()


def compare_logits(
    binary: Path, model: Path, texts: list[str], dequantized: Path, with_transformers: bool
) -> bool:
    """Whether all differences are rounding."""
    llama = LlamaCpp(dequantized)
    other = Transformers(dequantized) if with_transformers else None
    found: dict[str, list[tuple[float, float]]] = {"llama.cpp": [], "transformers": []}
    lengths: list[int] = []
    ranges: list[float] = []
    equal = ties = 0
    for text, ours in zip(texts, reference(binary, model, texts, NEW_TOKENS), strict=True):
        ids, logits = ours["ids"], np.array(ours["logits"], dtype=np.float32)
        theirs, written = llama.greedy(ids)
        lengths.append(len(ids))
        ranges.append(float(theirs.max() - theirs.min()))
        found["llama.cpp"].append(difference(logits, theirs))
        if other is not None:
            found["transformers"].append(difference(logits, other.logits(ids)))
        parted = (i for i, (a, (b, _)) in enumerate(zip(ours["greedy"], written)) if a != b)
        at = next(parted, None)
        if at is None:
            equal += 1
        else:
            margin = written[at][1]
            ties += margin <= TIE * ranges[-1]
            print(
                f"  differs at new token {at} of {text[-40:]!r}: "
                f"margin of the best two logits there {margin:.2g}"
            )
    print(
        f"{len(texts)} prompts of {min(lengths)} to {max(lengths)} tokens; "
        f"logits range over {np.mean(ranges):.1f} on average"
    )
    fine = True
    for name, pairs in found.items():
        if pairs:
            absolute, relative = np.max(pairs, axis=0)
            typical = np.median([share for _, share in pairs])
            fine &= bool(relative <= TOLERANCE)
            print(
                f"logits against {name}: at most {absolute:.2g} apart, {relative:.2g} of the range "
                f"(median {typical:.2g}, allowed {TOLERANCE:.0e})"
            )
    print(
        f"greedy: {equal} of {len(texts)} continuations of {NEW_TOKENS} tokens equal, "
        f"{ties} part at a near tie, {len(texts) - equal - ties} for no such reason"
    )
    return fine and equal + ties == len(texts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", nargs="?", type=Path, metavar="MODEL.gguf")
    parser.add_argument(
        "--name", default="gemma-3-270m", help="installed model to take when no file is named"
    )
    parser.add_argument("--binary", type=Path, default=BINARY, help="asked where that model is")
    parser.add_argument("--reference", type=Path, default=EXAMPLES / "reference")
    parser.add_argument(
        "--transformers", action="store_true", help="compare the logits with transformers, too"
    )
    parser.add_argument("--tokens-only", action="store_true")
    parser.add_argument(
        "--prompts", type=int, help="compare the logits after so many prompts, drawn evenly"
    )
    arguments = parser.parse_args()
    require(arguments.reference, "--reference", "reference")
    model = arguments.model or installed(arguments.binary, arguments.name)
    lines = flores_languages()
    texts = drawn(lines)
    print(f"{model.parent.name}/{model.name}, llama-cpp-python {llama_cpp.__version__}")
    fine = compare_tokens(arguments.reference, model, lines, AWKWARD + texts) == 0
    if not arguments.tokens_only:
        count = min(arguments.prompts or len(texts), len(texts))
        texts = [texts[n * len(texts) // count] for n in range(count)]
        with tempfile.TemporaryDirectory() as folder:
            dequantized = Path(folder) / "f32.gguf"
            dequantize(model, dequantized)
            fine &= compare_logits(
                arguments.reference, model, texts, dequantized, arguments.transformers
            )
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
