from collections.abc import Callable

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM, LlamaForSequenceClassification

from training.rlhf.packed import enable_packing
from training.rlhf.scalar_head import ScalarModel

EOS, PAD, VOCABULARY = 0, 1, 40


def config(**changes: object) -> LlamaConfig:
    values: dict[str, object] = {
        "vocab_size": VOCABULARY,
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "max_position_embeddings": 64,
        "bos_token_id": EOS,
        "eos_token_id": EOS,
        "pad_token_id": PAD,
        "initializer_range": 0.4,  # large enough that every position matters
    }
    return LlamaConfig(**(values | changes))  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def one_thread_and_a_seed() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)


@pytest.fixture
def causal_lm() -> Callable[[], LlamaForCausalLM]:
    """Makes tiny models, each with the same weights."""

    def make() -> LlamaForCausalLM:
        torch.manual_seed(0)
        model = LlamaForCausalLM(config())
        enable_packing(model)
        return model

    return make


@pytest.fixture
def scalar_model() -> Callable[[], ScalarModel]:
    def make() -> ScalarModel:
        torch.manual_seed(1)
        return ScalarModel(LlamaForSequenceClassification(config(num_labels=1)))

    return make


@pytest.fixture
def prompts() -> list[list[int]]:
    """Ten prompts of 2 to 11 tokens."""
    generator = torch.Generator().manual_seed(7)
    return [torch.randint(2, VOCABULARY, (length,), generator=generator).tolist() for length in range(2, 12)]
