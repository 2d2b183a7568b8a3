"""Rows of packed examples through the model: what sees what, and the loss on what the model is to write."""

import json

import numpy as np
import torch
import torch.nn.functional as F
from transformers import AttentionInterface


class Pack:
    """A file of pack.py."""

    def __init__(self, path):
        with np.load(path) as arrays:
            self.arrays = {name: arrays[name] for name in arrays.files}
        self.about = json.loads(self.arrays["about"].tobytes())
        self.shortlist = torch.from_numpy(self.arrays["shortlist"].astype(np.int64))

    def count(self, held=False):
        return len(self.arrays["held_ids" if held else "ids"])

    def rows(self, which, held=False, device="cpu"):
        """(ids, example, target) of some rows."""
        name = "held_" if held else ""
        return tuple(torch.from_numpy(self.arrays[name + part][which]).to(device) for part in ("ids", "example", "target"))


def sight(example, window):
    """Who sees whom, true or false [rows, 1, length, length], in layers that see everything and in those with a window."""
    length = example.shape[1]
    at = torch.arange(length, device=example.device)
    back = at[:, None] - at[None, :]
    same = (example[:, None, :, None] == example[:, None, None, :]) & (back >= 0)
    return {"full_attention": same, "sliding_attention": same & (back < window)}


def positions(example):
    """Place of each token in its own example, from 0."""
    at = torch.arange(example.shape[1], device=example.device).expand_as(example)
    begins = F.pad(example[:, 1:] != example[:, :-1], (1, 0), value=True)
    return at - torch.where(begins, at, 0).cummax(dim=1).values


def spans(example):
    """Where each example of a row begins and ends."""
    row = example.tolist()
    begins = [n for n, number in enumerate(row) if n == 0 or number != row[n - 1]]
    return list(zip(begins, [*begins[1:], len(row)]))


def blocks(module, query, key, value, attention_mask, scaling=None, dropout=0.0, **_):
    """Attention of a single row, example by example: on a CPU what is masked anyway is better not computed. `attention_mask` is
    the examples' spans and the layer's window."""
    ends, window = attention_mask
    written = []
    for begin, end in ends:
        q, k, v = (x[:, :, begin:end] for x in (query, key, value))
        k, v = (x.repeat_interleave(module.num_key_value_groups, dim=1) for x in (k, v))
        mask = None
        if window is not None and end - begin > window:
            at = torch.arange(end - begin, device=query.device)
            back = at[:, None] - at[None, :]
            mask = (back >= 0) & (back < window)
        written.append(F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=mask is None, scale=scaling))
    return torch.cat(written, dim=2).transpose(1, 2), None


AttentionInterface.register("blocks", blocks)


class Output:
    """The output layer over some of the vocabulary: what never occurs is neither computed nor pushed down."""

    def __init__(self, model, shortlist=None):
        embedding = model.get_input_embeddings().weight
        self.places = None
        self.weight = embedding
        if shortlist is not None:
            shortlist = shortlist.to(embedding.device)
            self.places = torch.full((embedding.shape[0],), -1, dtype=torch.int64, device=embedding.device)
            self.places[shortlist] = torch.arange(len(shortlist), device=embedding.device)
            self.weight = embedding[shortlist].contiguous()

    def loss(self, hidden, ids):
        """Sum of the cross entropies, in f32."""
        labels = ids.long() if self.places is None else self.places[ids.long()]
        logits = F.linear(hidden.to(self.weight.dtype), self.weight).float()
        return F.cross_entropy(logits, labels, reduction="sum")


def loss(model, output, ids, example, target):
    """Sum of the losses of the rows' targets, and how many there are. `model` is the one below the output layer."""
    window = model.config.sliding_window
    if model.config._attn_implementation == "blocks":
        if len(ids) != 1:
            raise ValueError(f"attention by blocks takes one row at a time, not {len(ids)}")
        ends = spans(example[0])
        masks = {"full_attention": (ends, None), "sliding_attention": (ends, window)}
    else:
        masks = sight(example, window)
    hidden = model(input_ids=ids.long(), attention_mask=masks, position_ids=positions(example), use_cache=False).last_hidden_state
    written = target[:, 1:]
    return output.loss(hidden[:, :-1][written], ids[:, 1:][written]), int(written.sum())
