"""When models are sharded, and what is refused. What sharding computes is in recipes/test_many_processes.py."""

from collections.abc import Callable

import pytest
from transformers import LlamaForCausalLM

from training.contract.run_dir import RunError
from training.rlhf import distributed, sharding


@pytest.fixture(autouse=True)
def two_processes_with_fsdp2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distributed, "count", lambda: 2)
    for name, value in (("ACCELERATE_USE_FSDP", "true"), ("FSDP_VERSION", "2")):
        monkeypatch.setenv(name, value)
    for name in ("FSDP_OFFLOAD_PARAMS", "FSDP_ACTIVATION_CHECKPOINTING"):
        monkeypatch.setenv(name, "false")
    monkeypatch.setenv("FSDP_CPU_RAM_EFFICIENT_LOADING", "true")


def test_models_are_sharded_where_accelerate_was_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sharding.is_asked_for()
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "false")
    assert not sharding.is_asked_for()


def test_one_process_has_nothing_to_shard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distributed, "count", lambda: 1)
    assert not sharding.is_asked_for()


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("FSDP_VERSION", "1", "Sharding goes by FSDP2 here: start accelerate with --use_fsdp --fsdp_version 2."),
        ("FSDP_OFFLOAD_PARAMS", "true", "--fsdp_offload_params is not supported here"),
        ("FSDP_ACTIVATION_CHECKPOINTING", "true", "--fsdp_activation_checkpointing is not supported here"),
    ],
)
def test_what_is_not_ours_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(RunError, match=sentence):
        sharding.is_asked_for()


def test_a_model_that_is_trained_in_part_is_refused(causal_lm: Callable[[], LlamaForCausalLM]) -> None:
    model = causal_lm()
    model.lm_head.weight.requires_grad_(False)
    with pytest.raises(RunError, match="cannot be sharded; leave FSDP out"):
        sharding.shard(model)
