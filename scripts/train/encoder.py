"""Token ids exactly as the engine feeds them.

The engine encodes what stands before a text, the text, and what stands after it separately
(`src/generate/engine.rs`), so that the space after "French:" is a token of its own. Here the same
pieces are encoded by the same tokenizer, built out of the GGUF file's metadata as
`src/token/gguf.rs` builds it.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import gguf
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers

from polygist_scripts.prompts import END

CONTROL, USER_DEFINED = 3, 4  # tokenizer.ggml.token_type


class Encoder:
    """The tokenizer of a GGUF file."""

    def __init__(self, path: Path) -> None:
        fields = gguf.GGUFReader(path).fields

        def read(name: str) -> Any:
            if f"tokenizer.ggml.{name}" not in fields:
                raise SystemExit(
                    f"{path} has no tokenizer.ggml.{name}; expected the starter model, "
                    "`polygist models pull gemma-3-270m` gets it"
                )
            return fields[f"tokenizer.ggml.{name}"].contents()

        if read("model") != "llama" or read("add_space_prefix"):
            raise SystemExit(
                f"{path}: expected a SentencePiece tokenizer without a space before the text, "
                "as Gemma 3 has"
            )
        tokens, types, scores = read("tokens"), read("token_type"), read("scores")
        vocabulary = {token: number for number, token in enumerate(tokens)}
        found = []
        for number, token in enumerate(tokens):
            if types[number] in (CONTROL, USER_DEFINED):
                continue
            for at in range(1, len(token)):
                if token[:at] in vocabulary and token[at:] in vocabulary:
                    found.append((-scores[number], number, at))
        found.sort()
        merges = [(tokens[number][:at], tokens[number][at:]) for _, number, at in found]
        unknown = tokens[read("unknown_token_id")]
        inner = Tokenizer(
            models.BPE(vocabulary, merges, byte_fallback=True, fuse_unk=True, unk_token=unknown)
        )
        inner.normalizer = normalizers.Replace(" ", "▁")
        inner.decoder = decoders.Sequence(
            [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
        )
        control = [token for token, kind in zip(tokens, types) if kind == CONTROL]
        inner.add_special_tokens(
            [AddedToken(token, normalized=False, special=True) for token in control]
        )
        inner.add_tokens(
            [
                AddedToken(token, normalized=False)
                for token, kind in zip(tokens, types)
                if kind == USER_DEFINED
            ]
        )
        self.inner, self.control = inner, {vocabulary[token] for token in control}
        self.begin, self.size = read("bos_token_id"), len(tokens)
        self.ends = {read("eos_token_id")} | {n for n, token in enumerate(tokens) if "\n" in token}

    def encode(self, text: str) -> list[int]:
        return self.inner.encode(text, add_special_tokens=False).ids

    def encode_all(self, texts: Sequence[str]) -> list[list[int]]:
        """Texts from outside; one that looks like a control token is refused here (filters.py
        leaves such texts out).
        """
        found = [
            encoding.ids
            for encoding in self.inner.encode_batch_fast(texts, add_special_tokens=False)
        ]
        for text, ids in zip(texts, found):
            if not self.control.isdisjoint(ids):
                raise ValueError(f"the text {text[:60]!r} contains a control token of the model")
        return found

    def encode_plain(self, text: str) -> list[int]:
        """A text from outside."""
        return self.encode_all([text])[0]

    def prompt(self, frame: tuple[str, str], text: str) -> list[int]:
        """Ids up to where the model begins to write."""
        prefix, suffix = frame
        return [self.begin, *self.encode(prefix), *self.encode_plain(text), *self.encode(suffix)]

    @staticmethod
    def written(text: str) -> str:
        """What the model is to write, as one text."""
        return f" {text}{END}"

    def target(self, text: str) -> list[int]:
        """Ids that the model is to write."""
        return self.encode_plain(self.written(text))

    def spelled(self, ids: Iterable[int]) -> list[str]:
        """Tokens as the tokenizer writes them: ▁ for a space, <0x0A> for a byte."""
        return [self.inner.id_to_token(int(token)) for token in ids]

    def decode(self, ids: list[int]) -> str:
        return self.inner.decode(ids)
