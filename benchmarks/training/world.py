"""What is trained in the benchmarks: Llama-shaped models with random weights, and random token rows.

Speed depends on shapes alone, so nothing is read from disk and the same seed makes the same work everywhere. The two
small models are for one thread of a CPU, the large one is for a GPU, and gets more rows at a time.
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
    "1B": {"hidden_size": 2048, "num_hidden_layers": 20, "num_attention_heads": 32, "intermediate_size": 5632},
}


@dataclass(frozen=True)
class Amounts:
    """Rows of one piece of work, enough to fill the device that such a model is trained on."""

    steps: int = 4  # that are measured together, of the reward model and of SFT
    rankings: int = 2  # of a step of the reward model at K = 9, and twice as many at K = 4
    pairs: int = 9  # of the peer's step; 4, 9, 18 and 36 were tried on a CPU and none was clearly better
    decoded_rows: int = 72  # of `generate`; on a CPU 288 at once was a tenth slower in fp32 and as fast in bf16
    texts: int = 16  # of a step of SFT
    text_rows: int = 8  # of the peer's step, of 256 tokens
    pass_tokens: int = 2048  # of SFT; 1,024 was slower in bf16, and all of a step at once no quicker
    episodes: int = 64  # of an iteration of PPO
    matmul: int = 2048  # side of the matrices whose product is the peak


AMOUNTS = {
    "8M": Amounts(),
    "30M": Amounts(),
    "1B": Amounts(12, 16, 64, 288, 64, 32, 1 << 20, 128, 8192),
}
_device = torch.device("cpu")


def train_on(kind: str) -> None:
    """Where models are made from here on: "cpu" or "cuda"."""
    global _device
    _device = torch.device(kind)


def device() -> torch.device:
    return _device


def config(size: str, **changes: Any) -> LlamaConfig:
    fixed = {"vocab_size": VOCABULARY, "max_position_embeddings": 512, "tie_word_embeddings": False}
    special = {"eos_token_id": END, "pad_token_id": PAD, "bos_token_id": None}
    return LlamaConfig(**{**SHAPES[size], **fixed, **special, **changes})


def causal_lm(size: str, seed: int = 0) -> LlamaForCausalLM:
    torch.manual_seed(seed)
    with device():
        return LlamaForCausalLM(config(size))


def classifier(size: str, seed: int = 0) -> LlamaForSequenceClassification:
    torch.manual_seed(seed)
    with device():
        return LlamaForSequenceClassification(config(size, num_labels=1))


def linear_parameters(size: str) -> int:
    """Weights of the layers' matrices: what a token costs 2 FLOPs of forward and 4 of backward each."""
    shape = SHAPES[size]
    width = shape["hidden_size"]
    return shape["num_hidden_layers"] * (4 * width * width + 3 * width * shape["intermediate_size"])


def trunk_parameters(size: str, tokens: int, read: int) -> int:
    """Weights of linear layers that a pass over `tokens` meets, summed over its tokens.

    The last layer's meet only those whose state is `read`, but for keys and values, which all have.
    """
    shape = SHAPES[size]
    width = shape["hidden_size"]
    of_read = 2 * width * width + 3 * width * shape["intermediate_size"]
    return linear_parameters(size) * tokens - of_read * (tokens - read)


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
