#!/usr/bin/env python3
"""Says where fxtranslate's lines differ from Marian's arithmetic on one of Firefox's models.

A student is computed here in numpy as Marian does it, with the file's factors for activations,
greedily and without a shortlist, and its products in two ways: with exact sums, and with sums that
saturate as AVX2's `vpmaddubsw` does, which adds the products of two neighbouring pairs of 8-bit
integers into 16 bits. Marian adds 127 to activations, so that two such products reach 64,516, and
16 bits end at 32,767. fxtranslate multiplies with that instruction where `Translator.backend()` is
"avx2"; polygist's sums are exact on every machine (`--precision int8-static`).

    pip install -e "./scripts[compare]" fxtranslate sentencepiece
    cargo build --release
    python3 scripts/compare/fxtranslate_sums.py [--model FOLDER] [--lines 100]

Without --model the folder firefox-pt-en-tiny of the store is taken. FLORES dev is looked for as in
full_size.py. A line takes about a second.
"""

import argparse
import struct
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from fxtranslate_speed import NAMES, Folder, ours, peer, store
from polygist_scripts.data import flores
from polygist_scripts.program import BINARY, require

F = np.float32
FLOATS, INTEGERS = 0x404, 0x4101
EPSILON = F(1e-6)


def read(path: Path) -> dict[str, Any]:
    """The tensors of one of Marian's files: floats, or integers with what 1 is multiplied with."""
    raw = path.read_bytes()
    (count,) = struct.unpack_from("<Q", raw, 8)
    headers = [struct.unpack_from("<4Q", raw, 16 + 32 * i) for i in range(count)]
    at = 16 + 32 * count
    names = []
    for header in headers:
        names.append(raw[at : at + header[0]].rstrip(b"\0").decode())
        at += header[0]
    shapes = []
    for header in headers:
        shapes.append(struct.unpack_from(f"<{header[2]}i", raw, at))
        at += 4 * header[2]
    at += 8 + struct.unpack_from("<Q", raw, at)[0]
    found: dict[str, Any] = {}
    for name, (_, kind, _, size), shape in zip(names, headers, shapes, strict=True):
        elements = int(np.prod(shape))
        if kind == FLOATS:
            found[name] = np.frombuffer(raw, F, elements, at)
        elif kind == INTEGERS:
            factor = np.frombuffer(raw, F, 1, at + elements)[0]
            found[name] = (np.frombuffer(raw, np.int8, elements, at), factor)
        at += size
    return found


class Student:
    """A student with six layers of an encoder and two of a decoder, as the tiny models have."""

    def __init__(self, folder: Folder, saturates: bool) -> None:
        import sentencepiece

        self.tensors = read(folder.model)
        self.saturates = saturates
        self.prepared: dict[str, Any] = {}
        vocabulary = str(folder.only("*vocab.*.spm"))
        self.tokenizer = sentencepiece.SentencePieceProcessor(model_file=vocabulary)
        integers, factor = self.tensors["Wemb"]
        self.dim, self.heads = len(self.tensors["decoder_l1_rnn_bf"]), 8
        self.embedding = integers.reshape(-1, self.dim).astype(F) * (F(1) / factor)
        half = self.dim // 2
        place = np.arange(self.dim)
        self.frequencies = (F(1e-4) ** (place % half / F(half - 1))).astype(F)
        self.phases = (place // half * F(np.pi / 2)).astype(F)

    def sums(self, a: Any, b: Any) -> Any:
        """Products of unsigned and signed integers, (rows, k) and (n, k), added up."""
        if not self.saturates:
            return a.astype(np.float64) @ b.T.astype(np.float64)
        pairs = [b[:, 0::2] * row[0::2] + b[:, 1::2] * row[1::2] for row in a]
        return np.stack([np.clip(pair, -32768, 32767).sum(1) for pair in pairs])

    def affine(self, name: str, x: Any, bias: str | None = None, alpha: str | None = None) -> Any:
        if name not in self.prepared:
            integers, factor = self.tensors[name]
            weights = integers.reshape(-1, x.shape[1]).astype(np.int32)
            own = self.tensors[alpha or f"{name}_QuantMultA"][0]
            scale = F(1) / (own * factor)
            shift = F(127) * scale * weights.sum(1).astype(F)
            self.prepared[name] = weights, own, scale, (self.tensors[bias] if bias else 0) - shift
        weights, own, scale, shifted = self.prepared[name]
        quantized = (np.clip(np.rint(x * own), -127, 127) + 127).astype(np.int32)
        return scale * self.sums(quantized, weights).astype(F) + shifted

    def norm(self, x: Any, name: str) -> Any:
        mean = x.mean(1, keepdims=True, dtype=F)
        variance = ((x - mean) ** 2).mean(1, keepdims=True, dtype=F)
        normal = (x - mean) / np.sqrt(variance + EPSILON)
        return self.tensors[f"{name}_ln_scale"] * normal + self.tensors[f"{name}_ln_bias"]

    def keys_and_values(self, name: str, x: Any) -> tuple[Any, Any]:
        k = self.affine(f"{name}_Wk", x, f"{name}_bk")
        return k, self.affine(f"{name}_Wv", x, f"{name}_bv")

    def attend(self, name: str, x: Any, keys_and_values: tuple[Any, Any]) -> Any:
        q = self.affine(f"{name}_Wq", x, f"{name}_bq")
        k, v = keys_and_values
        size = self.dim // self.heads
        out = np.empty_like(q)
        for first in range(0, self.dim, size):
            head = slice(first, first + size)
            scores = q[:, head] @ k[:, head].T * F(1 / np.sqrt(size))
            weights = np.exp(scores - scores.max(1, keepdims=True))
            out[:, head] = weights / weights.sum(1, keepdims=True) @ v[:, head]
        return self.norm(self.affine(f"{name}_Wo", out, f"{name}_bo") + x, f"{name}_Wo")

    def feed_forward(self, name: str, x: Any) -> Any:
        hidden = np.maximum(self.affine(f"{name}_W1", x, f"{name}_b1"), 0)
        return self.norm(self.affine(f"{name}_W2", hidden, f"{name}_b2") + x, f"{name}_ffn")

    def embed(self, tokens: list[int | None], first: int) -> Any:
        """Before the first token of a translation there is nothing."""
        nothing = np.zeros(self.dim, F)
        rows = [nothing if token is None else self.embedding[token] for token in tokens]
        positions = np.arange(first, first + len(tokens))[:, None]
        angles = (positions * self.frequencies + self.phases).astype(F)
        return F(np.sqrt(self.dim)) * np.stack(rows) + np.sin(angles)

    def step(self, x: Any, sources: list[tuple[Any, Any]], states: list[Any]) -> Any:
        for number, source in enumerate(sources):
            name = f"decoder_l{number + 1}"
            new = self.affine(f"{name}_rnn_W", x)
            gate = self.affine(f"{name}_rnn_Wf", x, f"{name}_rnn_bf")
            keep = 1 / (1 + np.exp(-gate))
            states[number] = keep * states[number] + (1 - keep) * new
            x = self.norm(np.maximum(states[number], 0) + x, f"{name}_rnn_ffn")
            x = self.attend(f"{name}_context", x, source)
            x = self.feed_forward(f"{name}_ffn", x)
        return x

    def translate(self, line: str) -> str:
        end = self.tokenizer.eos_id()
        tokens = [*self.tokenizer.encode(line), end]
        x = self.embed(tokens, 0)
        for layer in range(1, 7):
            name = f"encoder_l{layer}"
            x = self.attend(f"{name}_self", x, self.keys_and_values(f"{name}_self", x))
            x = self.feed_forward(f"{name}_ffn", x)
        sources = [self.keys_and_values(f"decoder_l{layer}_context", x) for layer in (1, 2)]
        states: list[Any] = [np.zeros((1, self.dim), F)] * 2
        written: list[int] = []
        while len(written) < 2 * len(tokens) + 4:
            last = written[-1] if written else None
            top = self.step(self.embed([last], len(written)), sources, states)
            bias = "decoder_ff_logit_out_b"
            best = int(self.affine("Wemb", top, bias, "none_QuantMultA")[0].argmax())
            if best == end:
                break
            written.append(best)
        return str(self.tokenizer.decode(written))


def main() -> None:
    p = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    p.add_argument("--model", type=Path, help="folder of one of Firefox's tiny models")
    p.add_argument("--lines", type=int, default=100, help="take only the first lines")
    p.add_argument("--binary", type=Path, default=BINARY)
    a = p.parse_args()
    require(a.binary, "--binary")
    with tempfile.TemporaryDirectory() as beside:
        folder = Folder(a.model or store() / NAMES[0], Path(beside))
        lines = flores(folder.source, count=a.lines)
        found = {
            "exact sums": list(map(Student(folder, False).translate, lines)),
            "saturating sums": list(map(Student(folder, True).translate, lines)),
            "polygist int8-static": ours(
                a.binary, folder, False, lines, ["--precision", "int8-static"]
            )[0],
        }
        theirs, _ = peer(folder, False, lines)
        for name, output in found.items():
            equal = sum(x == y for x, y in zip(output, theirs, strict=True))
            exact = sum(x == y for x, y in zip(output, found["exact sums"], strict=True))
            print(f"{name}: {equal} of {len(lines)} lines as fxtranslate, {exact} as exact sums")


if __name__ == "__main__":
    main()
