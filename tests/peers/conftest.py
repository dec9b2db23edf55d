"""Comparisons with TRL and lm-evaluation-harness. `make test-peers` runs them in an environment of their own, once for
each release of TRL that has what is compared; elsewhere they are not collected."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from training.contract.run_dir import RunDir
from training.rlhf.scalar_head import ScalarModel, new_scalar_model
from training.rlhf.session import publish_checkpoint
from training.rlhf.word_tokenizer import train_word_tokenizer

NEEDS = {
    "test_reward_trainer.py": "1.16.0",
    "test_ppo_trainer.py": "1.12.0",
    "test_harness.py": "1.16.0",  # of no TRL, but installed beside it; once is enough
}

try:
    installed = version("trl")
except PackageNotFoundError:
    installed = ""
collect_ignore = [name for name, needed in NEEDS.items() if installed != needed]

CPU = torch.device("cpu")


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tokenizer() -> PreTrainedTokenizerFast:
    """Its end token is 0 and its pad token is 1."""
    return train_word_tokenizer(["a b"], min_count=1, vocab_size=300)


@pytest.fixture(scope="session")
def policy_path(tokenizer: PreTrainedTokenizerFast, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A policy of random weights as a recipe publishes it; large enough that every position matters."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        initializer_range=0.3,
    )
    return publish(LlamaForCausalLM(config), tokenizer, tmp_path_factory.mktemp("policy"))


@pytest.fixture(scope="session")
def reward_model(policy_path: Path, tokenizer: PreTrainedTokenizerFast) -> ScalarModel:
    """A reward model on that policy's trunk, normalized, so that it has a bias."""
    torch.manual_seed(1)
    model = new_scalar_model(policy_path, tokenizer, CPU)
    model.normalize(mean=0.37, std=0.5)
    return model


@pytest.fixture(scope="session")
def reward_path(
    reward_model: ScalarModel, tokenizer: PreTrainedTokenizerFast, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    return publish(reward_model.classifier, tokenizer, tmp_path_factory.mktemp("reward"))


def publish(model: object, tokenizer: PreTrainedTokenizerFast, folder: Path) -> Path:
    run = RunDir(folder, run_id="r", recipe="any", seed=1, spec={}, inputs={}, parents={})
    publish_checkpoint(run, model, tokenizer)
    return run.checkpoint


def random_rows(seed: int, count: int, shortest: int, longest: int, vocabulary: int) -> list[list[int]]:
    """Rows of tokens without the end and the pad token."""
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(shortest, longest + 1, (count,), generator=generator).tolist()
    return [torch.randint(2, vocabulary, (length,), generator=generator).tolist() for length in lengths]
