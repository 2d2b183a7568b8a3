#!/usr/bin/env python3
"""Makes tests/fixtures/models: tiny models with random weights, and what `transformers` computes with them.

For each family: a folder in the Hub's layout (config.json, tokenizer.json, model.safetensors, bf16), the same weights as a
GGUF file (f32), and expected.json: token ids, logits and greedy continuations. The weights are random, the arithmetic is not:
every feature of the architecture has an effect on these numbers (several layers of each kind, sequences longer than the
sliding window, grouped queries, texts in several scripts).

    pip install torch transformers tokenizers gguf safetensors
    python3 scripts/make_fixtures.py
"""

import json
import shutil
from pathlib import Path

import gguf
import numpy as np
import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import Gemma3ForCausalLM, Gemma3TextConfig, LlamaConfig, LlamaForCausalLM

OUT = Path(__file__).resolve().parent.parent / "tests" / "fixtures" / "models"

CORPUS = """The river rose by 40 centimetres on Monday, and the town closed its oldest bridge.
"Nobody was hurt," said the mayor, who thanked the 120 volunteers for their work.
La rivière est montée de 40 centimètres lundi et la ville a fermé son plus vieux pont.
Der Fluss stieg am Montag um 40 Zentimeter, und die Stadt schloss ihre älteste Brücke.
В понедельник вода в реке поднялась на 40 сантиметров, и город закрыл старый мост.
星期一河水上涨了四十厘米，城市关闭了最古老的桥。
يوم الاثنين ارتفع منسوب النهر أربعين سنتيمترا وأغلقت المدينة أقدم جسر.
English: The train is late.\nFrench: Le train est en retard.\n\n""".split("\n")

PROMPTS = [
    "The river rose",
    "La ville a fermé son pont",
    "В понедельник вода",
    "星期一河水上涨",
    "يوم الاثنين ارتفع",
    "English: The train is late.\nFrench:",
    "On 12 May 2026, 3,450 people (about 7 %) went by train to the town — and \"nobody\" was late!",
    "a",
]
NEW_TOKENS = 16


def byte_level_tokenizer():
    """The kind of SmolLM2: byte-level BPE after splitting digits."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(True), pre_tokenizers.ByteLevel(False)])
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=special, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


def sentencepiece_tokenizer():
    """The kind of Gemma: BPE with byte fallback, spaces as ▁."""
    special = ["<pad>", "<eos>", "<bos>", "<unk>"]
    trained = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    trained.normalizer = normalizers.Replace(" ", "▁")
    trainer = trainers.BpeTrainer(vocab_size=300, special_tokens=special, show_progress=False)
    trained.train_from_iterator([line for line in CORPUS if line.isascii() or "é" in line], trainer)
    state = json.loads(trained.to_str())
    pieces = sorted(state["model"]["vocab"], key=state["model"]["vocab"].get)
    vocab = special + [f"<0x{byte:02X}>" for byte in range(256)] + pieces[len(special):]
    merges = [tuple(m) for m in state["model"]["merges"]]
    ids = {piece: i for i, piece in enumerate(vocab)}
    tokenizer = Tokenizer(models.BPE(vocab=ids, merges=merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    tokenizer.add_special_tokens([AddedToken(s, special=True, normalized=False) for s in special])
    # A piece's score falls in the order of the merges that make it, as SentencePiece writes them.
    scores = {"".join(m): -float(i) for i, m in reversed(list(enumerate(merges)))}
    return tokenizer, vocab, [scores.get(piece, -1e6) for piece in vocab], len(special)


def randomize(model, seed):
    """Weights large enough for logits that differ, rounded to what bf16 holds."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() == 1:
                value = 0.3 * torch.randn(weight.shape, generator=generator) + (0.0 if model.config.model_type.startswith("gemma") else 1.0)
            else:
                value = torch.randn(weight.shape, generator=generator) * (1.0 if "embed" in name else 1.6 / weight.shape[1] ** 0.5)
            weight.copy_(value.to(torch.bfloat16).float())
    return model.eval()


def expected(model, tokenizer, begin):
    cases = []
    for prompt in PROMPTS:
        ids = begin + tokenizer.encode(prompt, add_special_tokens=False).ids
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[0, -1]
            written = list(ids)
            for _ in range(NEW_TOKENS):
                written.append(int(model(torch.tensor([written])).logits[0, -1].argmax()))
        cases.append({"prompt": prompt, "ids": ids, "logits": [round(float(x), 5) for x in logits], "greedy": written[len(ids):]})
    return cases


def save(folder, model, tokenizer, begin):
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    cases = expected(model, tokenizer, begin)
    (folder / "expected.json").write_text(json.dumps(cases, ensure_ascii=False), encoding="utf-8")
    model.to(torch.bfloat16).save_pretrained(folder)
    for extra in ["generation_config.json"]:
        (folder / extra).unlink(missing_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    model.float()


def gguf_tensors(writer, model, names, permute):
    c = model.config
    for name, tensor in model.state_dict().items():
        short = name.removeprefix("model.")
        value = tensor.float().numpy()
        if c.model_type.startswith("gemma") and "norm" in short:
            value = value + 1.0
        if permute and ("q_proj" in short or "k_proj" in short):
            heads = c.num_attention_heads if "q_proj" in short else c.num_key_value_heads
            value = value.reshape(heads, 2, value.shape[0] // heads // 2, -1).swapaxes(1, 2).reshape(value.shape)
        parts = short.split(".")
        if parts[0] == "layers":
            key = ".".join(parts[2:]).removesuffix(".weight")
            target = f"blk.{parts[1]}.{names[key]}.weight"
        else:
            target = {"embed_tokens.weight": "token_embd.weight", "norm.weight": "output_norm.weight", "lm_head.weight": "output.weight"}[short]
        if target == "output.weight" and c.tie_word_embeddings:
            continue
        writer.add_tensor(target, np.ascontiguousarray(value, dtype=np.float32))


COMMON = {
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm",
}


def finish(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def sizes(writer, c, head_dim):
    writer.add_context_length(c.max_position_embeddings)
    writer.add_embedding_length(c.hidden_size)
    writer.add_block_count(c.num_hidden_layers)
    writer.add_feed_forward_length(c.intermediate_size)
    writer.add_head_count(c.num_attention_heads)
    writer.add_head_count_kv(c.num_key_value_heads)
    writer.add_layer_norm_rms_eps(c.rms_norm_eps)
    writer.add_key_length(head_dim)
    writer.add_value_length(head_dim)


def llama():
    tokenizer = byte_level_tokenizer()
    config = LlamaConfig(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=48, intermediate_size=96, num_hidden_layers=2, num_attention_heads=6,
        num_key_value_heads=2, head_dim=8, max_position_embeddings=4096, rms_norm_eps=1e-5, tie_word_embeddings=True,
        bos_token_id=1, eos_token_id=2, rope_parameters={"rope_type": "default", "rope_theta": 100000.0},
    )
    model = randomize(LlamaForCausalLM(config), 1)
    folder = OUT / "llama"
    save(folder, model, tokenizer, [1])
    writer = gguf.GGUFWriter(folder / "model.gguf", "llama")
    sizes(writer, config, 8)
    writer.add_rope_dimension_count(8)
    writer.add_rope_freq_base(100000.0)
    vocab = tokenizer.get_vocab()
    tokens = sorted(vocab, key=vocab.get)
    merges = [" ".join(m) for m in json.loads(tokenizer.to_str())["model"]["merges"]]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types([3 if t.startswith("<|") else 1 for t in tokens])
    writer.add_token_merges(merges)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(True)
    gguf_tensors(writer, model, COMMON | {"post_attention_layernorm": "ffn_norm"}, permute=True)
    finish(writer)


def gemma3():
    tokenizer, vocab, scores, special = sentencepiece_tokenizer()
    config = Gemma3TextConfig(
        vocab_size=len(vocab), hidden_size=40, intermediate_size=64, num_hidden_layers=7, num_attention_heads=4,
        num_key_value_heads=1, head_dim=8, max_position_embeddings=4096, rms_norm_eps=1e-6, sliding_window=12,
        query_pre_attn_scalar=8, bos_token_id=2, eos_token_id=1, pad_token_id=0,
    )
    model = randomize(Gemma3ForCausalLM(config), 2)
    folder = OUT / "gemma3"
    save(folder, model, tokenizer, [2])
    writer = gguf.GGUFWriter(folder / "model.gguf", "gemma3")
    sizes(writer, config, 8)
    writer.add_sliding_window(12)
    writer.add_rope_freq_base(1000000.0)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(vocab)
    writer.add_token_scores(scores)
    writer.add_token_types([3] * special + [6] * 256 + [1] * (len(vocab) - special - 256))
    writer.add_bos_token_id(2)
    writer.add_eos_token_id(1)
    writer.add_unk_token_id(3)
    writer.add_add_bos_token(True)
    writer.add_add_space_prefix(False)
    names = COMMON | {
        "self_attn.q_norm": "attn_q_norm", "self_attn.k_norm": "attn_k_norm", "post_attention_layernorm": "post_attention_norm",
        "pre_feedforward_layernorm": "ffn_norm", "post_feedforward_layernorm": "post_ffw_norm",
    }
    gguf_tensors(writer, model, names, permute=False)
    finish(writer)


if __name__ == "__main__":
    llama()
    gemma3()
    for path in sorted(OUT.rglob("*")):
        if path.is_file():
            print(f"{path.relative_to(OUT)}\t{path.stat().st_size}")
