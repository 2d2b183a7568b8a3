"""A copy of the model that writes: many continuations of many prompts at once, sampled or greedy.

It keeps keys and values itself, in room that is laid out once, instead of in a cache that is copied
for every token: its attention function finds them through the attention mask, which transformers
hands on as it is.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel
from transformers import AttentionInterface

import weights
from rows import states

# The ids of a text, and the log-probability of each.
Written = tuple[np.ndarray, np.ndarray]

STEP = 16  # lengths are rounded up to it: kernels want masks that are aligned
DROP = 8  # tokens after which finished texts are left out


def up(length: int) -> int:
    return -(-length // STEP) * STEP


class Memory:
    """Keys and values of all layers, [sequences, heads, room, width] each, and which places hold a
    token.
    """

    def __init__(
        self, config: Any, sequences: int, room: int, device: str | torch.device, dtype: torch.dtype
    ) -> None:
        if room > config.sliding_window:
            raise ValueError(
                f"prompt and text take {room} tokens; expected at most {config.sliding_window}, "
                "which all layers see"
            )
        shape = (sequences, config.num_key_value_heads, room, config.head_dim)
        # Zeros, not just anything: what is masked is multiplied by 0, which NaN outlives.
        self.keys, self.values = (
            [
                torch.zeros(shape, device=device, dtype=dtype)
                for _ in range(config.num_hidden_layers)
            ]
            for _ in range(2)
        )
        self.seen = torch.zeros(sequences, room, device=device, dtype=torch.bool)
        self.group = config.num_attention_heads // config.num_key_value_heads
        self.config, self.used = config, 0
        self.bias: torch.Tensor | None = None

    def open(self, tokens: torch.Tensor) -> None:
        """Makes room for the next tokens, `tokens` [sequences, n] true where there is one, and lays
        out who sees whom.
        """
        n, begin = tokens.shape[1], self.used
        self.used = begin + n
        self.seen[:, begin : self.used] = tokens
        at = torch.arange(up(self.used), device=tokens.device)
        back = at[begin : self.used, None] - at[None, :]
        # What fills up sees itself, lest it sees nothing.
        seen = (self.seen[:, None, : len(at)] & (back >= 0)) | (back == 0)
        bias = torch.zeros(seen.shape, device=seen.device, dtype=self.keys[0].dtype).masked_fill_(
            ~seen, -torch.inf
        )
        self.bias = (
            bias[:, None]
            .expand(-1, self.group, -1, -1)
            .reshape(len(seen), 1, self.group * n, len(at))
        )

    def add(
        self, layer: int, key: torch.Tensor, value: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Everything that the layer can see, with the keys and values of the newest tokens."""
        if self.bias is None:
            raise ValueError("`open` comes before `add`")
        keys, values = self.keys[layer], self.values[layer]
        keys[:, :, self.used - key.shape[2] : self.used] = key
        values[:, :, self.used - key.shape[2] : self.used] = value
        until = self.bias.shape[-1]
        return keys[:, :, :until], values[:, :, :until]

    def spread(self, copies: int, room: int) -> "Memory":
        """Each sequence so many times, with other room."""
        wide = Memory(
            self.config, len(self.seen) * copies, room, self.seen.device, self.keys[0].dtype
        )
        for ours, theirs in ((self.keys, wide.keys), (self.values, wide.values)):
            for small, large in zip(ours, theirs):
                large[:, :, : self.used] = small[:, :, : self.used].repeat_interleave(copies, dim=0)
        wide.seen[:, : self.used] = self.seen[:, : self.used].repeat_interleave(copies, dim=0)
        wide.used = self.used
        return wide

    def keep(self, which: torch.Tensor) -> None:
        """Leaves out all other sequences."""
        for part in (self.keys, self.values):
            for layer, values in enumerate(part):
                part[layer] = values.index_select(0, which)
        self.seen = self.seen.index_select(0, which)


def remembered(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: Memory,
    scaling: float | None = None,
    dropout: float = 0.0,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Attention over a `Memory`. Heads that share keys are further queries, so that no key is
    repeated.
    """
    batch, heads, length, width = query.shape
    keys, values = attention_mask.add(module.layer_idx, key, value)
    query = query.reshape(batch, key.shape[1], heads // key.shape[1] * length, width)
    out = F.scaled_dot_product_attention(
        query, keys, values, attn_mask=attention_mask.bias, scale=scaling
    )
    return out.reshape(batch, heads, length, width).transpose(1, 2), None


AttentionInterface.register("remembered", remembered)


class Actor:
    """`ends`: of each token whether a text ends with it. So many sequences go through the model at
    once.
    """

    def __init__(
        self,
        path: Path,
        shortlist: np.ndarray,
        ends: list[bool],
        dtype: torch.dtype,
        device: str,
        at_once: int,
    ) -> None:
        self.model = weights.load(path, dtype, "remembered", shortlist).to(device)
        self.ends, self.device, self.dtype, self.at_once = (
            torch.tensor(ends, device=device),
            device,
            dtype,
            at_once,
        )

    @torch.no_grad()
    def follow(self, base: torch.nn.Module) -> None:
        """Takes over the weights of a model with an adapter, merged."""
        for name, module in base.named_modules():
            if hasattr(module, "lora_A"):
                first, second = (
                    getattr(module, part)["default"].weight.float() for part in ("lora_A", "lora_B")
                )
                merged = module.base_layer.weight.float() + module.scaling["default"] * (
                    second @ first
                )
                self.model.get_submodule(name).weight.copy_(merged)

    def read(
        self, memory: Memory, ids: torch.Tensor, tokens: torch.Tensor, positions: torch.Tensor
    ) -> torch.Tensor:
        """Logits of what follows the last of `ids`, f32."""
        memory.open(tokens)
        masks = {"full_attention": memory, "sliding_attention": memory}
        last = states(self.model, ids, positions, masks)[:, -1]
        return F.linear(last, self.model.model.embed_tokens.weight).float()

    def write(
        self,
        prompts: list[np.ndarray],
        limits: list[int],
        copies: int = 1,
        temperature: float | None = None,
        seed: int = 0,
    ) -> list[Written]:
        """So many texts for each prompt, up to its limit of tokens: for each text, one prompt's
        after the other's, its ids and their log-probabilities. Greedy without a temperature.
        Prompts and results are arrays of numbers of tokens.
        """
        order = sorted(range(len(prompts)), key=lambda n: (len(prompts[n]), limits[n]))
        share = max(1, self.at_once // copies)
        generator = torch.Generator(self.device).manual_seed(seed)
        results: dict[int, Written] = {}
        for begin in range(0, len(order), share):
            some = order[begin : begin + share]
            written = self.together(
                [prompts[n] for n in some],
                [limits[n] for n in some],
                copies,
                temperature,
                generator,
            )
            for at, text in enumerate(written):
                results[some[at // copies] * copies + at % copies] = text
        return [results[n] for n in range(len(prompts) * copies)]

    @torch.inference_mode()
    def together(
        self,
        prompts: list[np.ndarray],
        limits: list[int],
        copies: int,
        temperature: float | None,
        generator: torch.Generator,
    ) -> list[Written]:
        device, longest, span = self.device, max(map(len, prompts)), max(limits)
        filled = np.zeros((2, len(prompts), longest), np.int64)
        for row, prompt in enumerate(prompts):
            filled[:, row, longest - len(prompt) :] = prompt, np.ones(len(prompt))
        ids, tokens = torch.from_numpy(filled).to(device)
        positions = (tokens.cumsum(1) - 1).clamp(min=0)
        memory = Memory(self.model.config, len(prompts), up(longest), device, self.dtype)
        # cuDNN would plan anew for each length.
        with sdpa_kernel([SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]):
            logits = self.read(memory, ids, tokens.bool(), positions).repeat_interleave(
                copies, dim=0
            )
            memory = memory.spread(copies, up(longest + span))
            positions = positions[:, -1:].repeat_interleave(copies, dim=0) + 1
            limit = torch.tensor(limits, device=device).repeat_interleave(copies)
            which = torch.arange(len(limit), device=device)
            done = torch.zeros(len(limit), device=device, dtype=torch.bool)
            written = torch.full((len(limit), span), -1, device=device)
            likely = torch.zeros((len(limit), span), device=device)
            for n in range(span):
                token, value = choose(logits, temperature, generator)
                written[which, n] = torch.where(done, -1, token)
                likely[which, n] = value
                done = done | self.ends[token] | (n + 1 >= limit)
                if n % DROP == DROP - 1:
                    alive = (~done).nonzero()[:, 0]
                    if len(alive) == 0:
                        break
                    if len(alive) < 0.9 * len(done):
                        memory.keep(alive)
                        which, done, limit, positions, token = (
                            x[alive] for x in (which, done, limit, positions, token)
                        )
                if n + 1 < span:
                    logits = self.read(
                        memory,
                        token[:, None],
                        torch.ones_like(token, dtype=torch.bool)[:, None],
                        positions,
                    )
                    positions = positions + 1
        written, likely = written.cpu().numpy().astype(np.int32), likely.cpu().numpy()
        return [
            (ids[:size], value[:size])
            for ids, value, size in zip(written, likely, (written >= 0).sum(1))
        ]


def choose(
    logits: torch.Tensor, temperature: float | None, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """A token for each row of logits, and its log-probability. The logits are spent."""
    if temperature is None:
        token = logits.argmax(-1)
    else:
        logits.div_(temperature)
        # The least of exponential clocks, as Gumbel noise; a clock of 0 would choose what is
        # impossible.
        clock = torch.empty_like(logits).exponential_(generator=generator).clamp_(min=1e-10)
        token = (logits - clock.log_()).argmax(-1)
    return token, logits.gather(1, token[:, None])[:, 0] - logits.logsumexp(-1)
