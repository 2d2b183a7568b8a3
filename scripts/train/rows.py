"""Rows of packed examples through the model: what sees what, and the loss of the targets."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from transformers import AttentionInterface

# Ids, number of the example from 1 (0 where a row is filled up), whether it is a target: each
# [rows, length].
Rows = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
# Who sees whom, by kind of layer; what it is depends on the attention.
Masks = dict[str, Any]
# Ids, positions, masks, targets, on the device.
Prepared = tuple[torch.Tensor, torch.Tensor, Masks, torch.Tensor]


def expand(
    pieces: np.ndarray, ends: np.ndarray, examples: np.ndarray, row: np.ndarray, length: int
) -> tuple[np.ndarray, ...]:
    """All rows of a pack: (ids int32, example int32 from 1, target bool), each [rows, length]; 0
    where a row is filled up.
    """
    size = np.diff(ends, prepend=0)[examples]
    begin = ends[examples] - size
    # For each id of all examples, where it stands in `pieces`: its place in all, less where its
    # piece begins in all, and so on.
    flat, total = size.ravel(), size.sum(axis=1)
    at = np.arange(total.sum())
    values = pieces[at + np.repeat(begin.ravel() - (flat.cumsum() - flat), flat)]
    first = np.searchsorted(row, row)
    before = total.cumsum() - total
    at += np.repeat(row * length - before[first], total)
    shape = (int(row[-1]) + 1 if len(row) else 0, length)
    result = tuple(np.zeros(shape, kind) for kind in (np.int32, np.int32, bool))
    for array, given in zip(
        result,
        (
            values,
            np.repeat(np.arange(len(row)) - first + 1, total),
            np.repeat(np.tile([0, 0, 0, 1], len(row)), flat),
        ),
    ):
        array.reshape(-1)[at] = given
    return result


class Pack:
    """A file of pack.py. Its ids are places in `shortlist`. `pieces`, `ends`, and `examples` and
    `row` of both kinds by whether they are held back, are as they lie in the file; the rows they
    make are laid out when they are first asked for.
    """

    def __init__(self, path: Path | str) -> None:
        self.expanded: dict[bool, tuple[np.ndarray, ...]] = {}
        with np.load(path) as arrays:
            self.about, self.shortlist = json.loads(arrays["about"].tobytes()), arrays["shortlist"]
            self.pieces, self.ends = arrays["pieces"], arrays["ends"]
            self.examples = {
                held: arrays["held_examples" if held else "examples"] for held in (False, True)
            }
            self.row = {
                held: arrays["held_row" if held else "row"].astype(np.int64)
                for held in (False, True)
            }
            # How the tokenizer writes each id; older files do not say.
            self.words: list[str] | None = None
            if "words" in arrays:
                self.words = json.loads(arrays["words"].tobytes())
        # The largest number of examples in a row, with what fills it up as another one.
        self.most = max(int(np.bincount(row).max(initial=0)) for row in self.row.values()) + 1

    def whole(self, held: bool) -> tuple[np.ndarray, ...]:
        if held not in self.expanded:
            self.expanded[held] = expand(
                self.pieces, self.ends, self.examples[held], self.row[held], self.about["row"]
            )
        return self.expanded[held]

    def count(self, held: bool = False) -> int:
        return int(self.row[held][-1]) + 1 if len(self.row[held]) else 0

    def rows(self, which: list[int] | np.ndarray, held: bool = False) -> Rows:
        """(ids, example, target) of some rows, on the CPU."""
        return tuple(torch.from_numpy(array[which]) for array in self.whole(held))

    def piece(self, number: int) -> np.ndarray:
        """The ids of one text."""
        return self.pieces[self.ends[number - 1] if number else 0 : self.ends[number]]


def sight(example: torch.Tensor, window: int) -> dict[str, torch.Tensor]:
    """Who sees whom, true or false [rows, 1, length, length], in layers that see everything and in
    those with a window.
    """
    length = example.shape[1]
    at = torch.arange(length, device=example.device)
    back = at[:, None] - at[None, :]
    same = (example[:, None, :, None] == example[:, None, None, :]) & (back >= 0)
    return {"full_attention": same, "sliding_attention": same & (back < window)}


def positions(example: torch.Tensor) -> torch.Tensor:
    """Place of each token in its own example, from 0."""
    at = torch.arange(example.shape[1], device=example.device).expand_as(example)
    begins = F.pad(example[:, 1:] != example[:, :-1], (1, 0), value=True)
    return at - torch.where(begins, at, 0).cummax(dim=1).values


def ends(example: torch.Tensor) -> list[int]:
    """Where each example of the rows, and what fills them up, ends when all rows lie one after the
    other.
    """
    flat = example.reshape(-1)
    last = flat[1:] != flat[:-1]
    last[example.shape[1] - 1 :: example.shape[1]] = True
    return [*(last.nonzero()[:, 0] + 1).tolist(), len(flat)]


def blocks(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: tuple[list[int], int | None],
    scaling: float | None = None,
    dropout: float = 0.0,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Attention of a single row, example by example: on a CPU what is masked anyway is better not
    computed. `attention_mask` is where the examples end and the layer's window.
    """
    until, window = attention_mask
    written = []
    for begin, end in zip([0, *until], until):
        q, k, v = (x[:, :, begin:end] for x in (query, key, value))
        k, v = (x.repeat_interleave(module.num_key_value_groups, dim=1) for x in (k, v))
        mask = None
        if window is not None and end - begin > window:
            at = torch.arange(end - begin, device=query.device)
            back = at[:, None] - at[None, :]
            mask = (back >= 0) & (back < window)
        written.append(
            F.scaled_dot_product_attention(
                q, k, v, attn_mask=mask, is_causal=mask is None, scale=scaling
            )
        )
    return torch.cat(written, dim=2).transpose(1, 2), None


flash = torch.ops.aten._flash_attention_forward  # sequences of various lengths, one after the other


@torch.compiler.disable
def varlen(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: tuple[torch.Tensor, int, int | None],
    scaling: float | None = None,
    dropout: float = 0.0,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """The same for all rows at once on a GPU, by FlashAttention. `attention_mask` is a tensor of
    the ends, int32, from 0 on, how long a row is, and the layer's window.
    """
    until, longest, window = attention_mask
    batch, heads, length, width = query.shape
    q, k, v = (x.transpose(1, 2).reshape(batch * length, -1, width) for x in (query, key, value))
    k, v = (
        x.expand(-1, heads, -1)
        if x.shape[1] == 1
        else x.repeat_interleave(module.num_key_value_groups, dim=1)
        for x in (k, v)
    )
    back = -1 if window is None else window - 1
    out = flash(
        q,
        k.contiguous(),
        v.contiguous(),
        until,
        until,
        longest,
        longest,
        0.0,
        True,
        False,
        scale=scaling,
        window_size_left=back,
        window_size_right=0,
    )[0]
    return out.view(batch, length, heads, width), None


AttentionInterface.register("blocks", blocks)
# Not named after what it calls: transformers would look for a package of that name.
AttentionInterface.register("varlen", varlen)


def prepare(rows: Rows, attention: str, window: int, device: str, most: int) -> Prepared:
    """What `loss` takes: the rows on the device, and who sees whom in both kinds of layers. `most`
    examples are in a row.
    """
    example = rows[1]
    masks: Masks
    if attention == "blocks":
        if len(example) != 1:
            raise ValueError(f"attention by blocks takes one row at a time, not {len(example)}")
        until = ends(example)
        masks = {"full_attention": (until, None), "sliding_attention": (until, window)}
    elif attention == "varlen":
        found, longest = ends(example), example.shape[1]
        # After the last one come examples without a token: compiled code is for a single shape.
        until = torch.tensor(
            [0, *found, *[found[-1]] * (len(example) * most - len(found))],
            dtype=torch.int32,
            device=device,
        )
        masks = {
            "full_attention": (until, longest, None),
            "sliding_attention": (until, longest, window),
        }
    else:
        masks = sight(example.to(device), window)
    ids, example, target = (x.to(device) for x in rows)
    return ids.long(), positions(example), masks, target


def states(
    model: torch.nn.Module, ids: torch.Tensor, positions: torch.Tensor, masks: Masks
) -> torch.Tensor:
    """What the output layer reads, of all tokens."""
    return model.model(
        input_ids=ids, attention_mask=masks, position_ids=positions, use_cache=False
    ).last_hidden_state


def written(
    model: torch.nn.Module,
    ids: torch.Tensor,
    positions: torch.Tensor,
    masks: Masks,
    target: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits of what the rows' targets are to be, in f32, and the targets. `model` is what
    weights.py gives: its vocabulary is the pack's shortlist, so what never occurs is neither
    computed nor pushed down.
    """
    at = target[:, 1:]
    logits = F.linear(
        states(model, ids, positions, masks)[:, :-1][at], model.model.embed_tokens.weight
    ).float()
    return logits, ids[:, 1:][at]


def loss(
    model: torch.nn.Module,
    ids: torch.Tensor,
    positions: torch.Tensor,
    masks: Masks,
    target: torch.Tensor,
) -> torch.Tensor:
    """Sum of the losses of the rows' targets, in f32."""
    return F.cross_entropy(*written(model, ids, positions, masks, target), reduction="sum")


def losses(
    model: torch.nn.Module,
    ids: torch.Tensor,
    positions: torch.Tensor,
    masks: Masks,
    target: torch.Tensor,
    temperature: torch.Tensor,
) -> torch.Tensor:
    """The loss of each target, f32, as they come row by row. `temperature`, as large as `target`,
    divides the logits of each.
    """
    logits, ids = written(model, ids, positions, masks, target)
    # In place: these are the largest numbers that there are.
    return F.cross_entropy(
        logits.div_(temperature[:, 1:][target[:, 1:]][:, None]), ids, reduction="none"
    )
