"""The starter model's GGUF file as transformers' Gemma3ForCausalLM, its weights dequantized."""

from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
from transformers import Gemma3ForCausalLM, Gemma3TextConfig
from transformers.initialization import no_init_weights

# Names in a block of the file, and in a layer of transformers.
NAMES = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "attn_norm": "input_layernorm",
    "post_attention_norm": "post_attention_layernorm",
    "ffn_norm": "pre_feedforward_layernorm",
    "post_ffw_norm": "post_feedforward_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
TABLE = "token_embd.weight"
THINNED = "polygist.shortlist"  # in the metadata: which rows of the vocabulary a file has
# Not in the file; the same in all of Gemma 3: the rotation's base within the window, and every
# sixth layer sees everything.
LOCAL_ROPE, PATTERN = 10_000.0, 6


def config(fields: dict[str, Any], vocabulary: int) -> Gemma3TextConfig:
    def read(name: str) -> Any:
        return fields[f"gemma3.{name}"].contents()

    layers, head = read("block_count"), read("attention.key_length")
    return Gemma3TextConfig(
        vocab_size=vocabulary,
        hidden_size=read("embedding_length"),
        intermediate_size=read("feed_forward_length"),
        num_hidden_layers=layers,
        num_attention_heads=read("attention.head_count"),
        num_key_value_heads=read("attention.head_count_kv"),
        head_dim=head,
        query_pre_attn_scalar=head,
        rms_norm_eps=read("attention.layer_norm_rms_epsilon"),
        sliding_window=read("attention.sliding_window"),
        max_position_embeddings=read("context_length"),
        tie_word_embeddings=True,
        layer_types=[
            "full_attention" if (n + 1) % PATTERN == 0 else "sliding_attention"
            for n in range(layers)
        ],
        rope_parameters={
            "full_attention": {"rope_type": "default", "rope_theta": read("rope.freq_base")},
            "sliding_attention": {"rope_type": "default", "rope_theta": LOCAL_ROPE},
        },
    )


def translate(name: str) -> str:
    """transformers' name for a tensor of the file."""
    top = {TABLE: "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight"}
    if name in top:
        return top[name]
    block, number, part, kind = (*name.split("."), "", "", "")[:4]
    if block != "blk" or part not in NAMES or kind != "weight":
        raise SystemExit(
            f"tensor {name!r} has no place in Gemma 3; expected the starter model, "
            "`polygist models pull gemma-3-270m` gets it"
        )
    return f"model.layers.{number}.{NAMES[part]}.weight"


def rows_of(reader: gguf.GGUFReader, shortlist: np.ndarray) -> np.ndarray:
    """The vocabulary's rows for a shortlist, still quantized. A file that `thin` made has just
    these.
    """
    table = next(t for t in reader.tensors if t.name == TABLE)
    if THINNED not in reader.fields:
        return table.data[shortlist]
    if not np.array_equal(reader.fields[THINNED].contents(), shortlist):
        raise SystemExit(
            f"the model's file has the vocabulary of another pack, {len(table.data)} rows; "
            f"expected the {len(shortlist)} of this one"
        )
    return table.data


def thin(path: Path | str, shortlist: np.ndarray, out: Path | str) -> None:
    """Writes the model's file anew with the rows of a shortlist alone, for a machine to which every
    megabyte has to be carried.
    """
    reader = gguf.GGUFReader(path)
    writer = gguf.GGUFWriter(out, reader.fields["general.architecture"].contents())
    for name, field in reader.fields.items():
        if name.startswith("gemma3."):
            writer.add_key_value(name, field.contents(), field.types[0])
    writer.add_array(THINNED, shortlist.tolist())
    for tensor in reader.tensors:
        data = rows_of(reader, shortlist) if tensor.name == TABLE else tensor.data
        writer.add_tensor(tensor.name, np.ascontiguousarray(data), raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def load(
    path: Path | str,
    dtype: torch.dtype = torch.float32,
    attention: str = "sdpa",
    shortlist: np.ndarray | None = None,
) -> Gemma3ForCausalLM:
    """The model, without gradients; with a shortlist it has that for its vocabulary."""
    reader = gguf.GGUFReader(path)
    if reader.fields["general.architecture"].contents() != "gemma3":
        raise SystemExit(
            f"{path} is no Gemma 3; `polygist models pull gemma-3-270m` gets the starter model"
        )
    state = {}
    for tensor in reader.tensors:
        data = (
            rows_of(reader, shortlist)
            if tensor.name == TABLE and shortlist is not None
            else tensor.data
        )
        values = torch.from_numpy(gguf.quants.dequantize(data, tensor.tensor_type).copy())
        name = translate(tensor.name)
        # The file has the factor of a norm, transformers how much it differs from 1.
        state[name] = values - 1 if name.endswith("norm.weight") else values
    shape = config(reader.fields, state["model.embed_tokens.weight"].shape[0])
    shape._attn_implementation = attention
    with no_init_weights():
        model = Gemma3ForCausalLM(shape)
    found = model.load_state_dict(state, strict=False, assign=True)
    if found.unexpected_keys or set(found.missing_keys) - {"lm_head.weight"}:
        raise SystemExit(
            f"{path}: tensors missing {found.missing_keys} or unknown {found.unexpected_keys}"
        )
    model.tie_weights()
    return model.to(dtype).eval().requires_grad_(False)
