"""Prompts and token ids exactly as the engine feeds them.

The engine encodes what stands before a text, the text, and what stands after it separately
(`src/generate/engine.rs`), so that the space after "French:" is a token of its own. Here the same
pieces are encoded by the same tokenizer, built out of the GGUF file's metadata as
`src/token/gguf.rs` builds it.
"""

import tomllib
from pathlib import Path

import gguf
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers

ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = tomllib.loads((ROOT / "models" / "languages.toml").read_text(encoding="utf-8"))
EXAMPLES = tomllib.loads((ROOT / "models" / "prompts.toml").read_text(encoding="utf-8"))["example"]
# The examples end with an empty line; the engine stops at the first "\n", which this begins with.
END = "\n\n"
CONTROL, USER_DEFINED = 3, 4  # tokenizer.ggml.token_type


def language(code):
    return LANGUAGES[code]["name"]


def translation(source, target, examples=0):
    """What stands before and after a text to translate, with the last so many examples
    (`src/task/prompts.rs`).
    """
    source_name, target_name = language(source), language(target)
    shown = (
        f"{source_name}: {e[source]}\n{target_name}: {e[target]}\n\n"
        for e in EXAMPLES[len(EXAMPLES) - examples :]
    )
    return "".join(shown) + f"{source_name}: ", f"\n{target_name}:"


def summary(code):
    """What stands before and after an article to summarize in its own language."""
    return f"{language(code)}: ", f"\nSummary in {language(code)}:"


class Encoder:
    """The tokenizer of a GGUF file."""

    def __init__(self, path):
        fields = gguf.GGUFReader(path).fields

        def read(name):
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
        merges = []
        for number, token in enumerate(tokens):
            if types[number] in (CONTROL, USER_DEFINED):
                continue
            for at in range(1, len(token)):
                if token[:at] in vocabulary and token[at:] in vocabulary:
                    merges.append((-scores[number], number, at))
        merges.sort()
        merges = [(tokens[number][:at], tokens[number][at:]) for _, number, at in merges]
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

    def encode(self, text):
        return self.inner.encode(text, add_special_tokens=False).ids

    def encode_all(self, texts):
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

    def encode_plain(self, text):
        """A text from outside."""
        return self.encode_all([text])[0]

    def prompt(self, frame, text):
        """Ids up to where the model begins to write."""
        prefix, suffix = frame
        return [self.begin, *self.encode(prefix), *self.encode_plain(text), *self.encode(suffix)]

    @staticmethod
    def written(text):
        """What the model is to write, as one text."""
        return f" {text}{END}"

    def target(self, text):
        """Ids that the model is to write."""
        return self.encode_plain(self.written(text))

    def spelled(self, ids):
        """Tokens as the tokenizer writes them: ▁ for a space, <0x0A> for a byte."""
        return [self.inner.id_to_token(int(token)) for token in ids]

    def decode(self, ids):
        return self.inner.decode(ids)
