"""What is trained in the benchmarks: Llama-shaped models of two sizes with random weights, and random token rows.

Speed depends on shapes alone, so nothing is read from disk and the same seed makes the same work everywhere.
"""

import random
from dataclasses import dataclass
from typing import Any

import torch
from transformers import LlamaConfig, LlamaForCausalLM, LlamaForSequenceClassification

VOCABULARY = 4096
END, PAD = 0, 1
SHAPES: dict[str, dict[str, int]] = {
    "8M": {"hidden_size": 256, "num_hidden_layers": 6, "num_attention_heads": 4, "intermediate_size": 1024},
    "30M": {"hidden_size": 512, "num_hidden_layers": 8, "num_attention_heads": 8, "intermediate_size": 1536},
}


def config(size: str, **changes: Any) -> LlamaConfig:
    fixed = {"vocab_size": VOCABULARY, "max_position_embeddings": 512, "tie_word_embeddings": False}
    special = {"eos_token_id": END, "pad_token_id": PAD, "bos_token_id": None}
    return LlamaConfig(**{**SHAPES[size], **fixed, **special, **changes})


def causal_lm(size: str, seed: int = 0) -> LlamaForCausalLM:
    torch.manual_seed(seed)
    return LlamaForCausalLM(config(size))


def classifier(size: str, seed: int = 0) -> LlamaForSequenceClassification:
    torch.manual_seed(seed)
    return LlamaForSequenceClassification(config(size, num_labels=1))


def linear_parameters(size: str) -> int:
    """Weights of the layers' matrices: what a token costs 2 FLOPs of forward and 4 of backward each."""
    shape = SHAPES[size]
    width = shape["hidden_size"]
    return shape["num_hidden_layers"] * (4 * width * width + 3 * width * shape["intermediate_size"])


def trunk_parameters(size: str, tokens: int, read: int) -> int:
    """Weights of linear layers that a pass over `tokens` meets, summed over its tokens.

    The last layer's MLP meets only those whose state is `read`.
    """
    shape = SHAPES[size]
    last_mlp = 3 * shape["hidden_size"] * shape["intermediate_size"]
    return linear_parameters(size) * tokens - last_mlp * (tokens - read)


@dataclass(frozen=True)
class Lengths:
    """Tokens of a text, drawn evenly from low to high."""

    low: int = 48
    high: int = 80

    def draw(self, rng: random.Random, end: bool = False) -> list[int]:
        """A random text; with `end` its last token is the end token."""
        ids = [rng.randrange(2, VOCABULARY) for _ in range(rng.randint(self.low, self.high))]
        return [*ids[:-1], END] if end else ids


def tokenizer(padding_side: str = "right") -> Any:
    """One token a word: trainers of peers ask for a tokenizer, though all rows come as ids."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = {"<end>": END, "<pad>": PAD, **{f"w{number}": number for number in range(2, VOCABULARY)}}
    plain = Tokenizer(models.WordLevel(words, unk_token="<pad>"))
    plain.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(
        tokenizer_object=plain, eos_token="<end>", pad_token="<pad>", padding_side=padding_side
    )
