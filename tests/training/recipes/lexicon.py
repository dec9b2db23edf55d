"""A reward that is known: how much of a text is words of a lexicon. As a checkpoint that recipes open."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer, LlamaConfig, LlamaForSequenceClassification

HIDDEN = 32


def token_of(tokenizer: Any, word: str) -> int:
    [token] = tokenizer(word, add_special_tokens=False)["input_ids"]
    return int(token)


@torch.no_grad()
def lexicon_model(checkpoint: Path, words: Sequence[str], folder: Path) -> None:
    """One layer without queries and keys, whose attention is the mean over all tokens up to here. A token is 1 in the
    second dimension, and in the first where it is in the lexicon; the mean of the first is written to the third."""
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=HIDDEN,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=4,
        max_position_embeddings=64,
        num_labels=1,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    model = LlamaForSequenceClassification(config)
    for name, parameter in model.named_parameters():
        parameter.fill_(1.0 if "norm" in name else 0.0)
    embedding, attention = model.model.embed_tokens.weight, model.model.layers[0].self_attn
    embedding[:, 1] = 1.0
    embedding[[token_of(tokenizer, word) for word in words], 0] = 1.0
    attention.v_proj.weight[2, 0] = 1.0
    attention.o_proj.weight.copy_(torch.eye(HIDDEN))
    model.score.weight[0, 2] = 1.0
    model.config.reward_bias = 0.0
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def reward_by_hand(found: int, tokens: int) -> float:
    """The model's reward for `found` words of the lexicon among `tokens`, from the formula of the two norms."""
    mean = found / tokens / math.sqrt(2 / HIDDEN)
    return mean / math.sqrt((1 + mean**2) / HIDDEN)
