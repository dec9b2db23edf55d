"""Dealing a batch to processes, and the passes of those that have nothing to do."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from transformers import LlamaForCausalLM

from training.rlhf import distributed
from training.rlhf.causal_lm import response_logits, text_loss
from training.rlhf.examples import Example, batches
from training.rlhf.shares import deal, my_blocks, my_micro_batches
from training.rlhf.trees import idle_pass


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes this the process `rank` of `count`."""

    def be(rank: int, count: int) -> None:
        monkeypatch.setattr(distributed, "rank", lambda: rank)
        monkeypatch.setattr(distributed, "count", lambda: count)

    return be


def test_the_largest_is_dealt_first_to_whoever_has_least() -> None:
    # 9 to the first; 7 and 2 to the second (9 = 9); 5 to the third, 3 too (8); the last 1 to the third (9).
    assert deal([2, 9, 5, 7, 3, 1], 3) == [[1], [0, 3], [2, 4, 5]]
    assert deal([4, 4, 4, 4], 2) == [[0, 2], [1, 3]]
    assert deal([5], 3) == [[0], [], []]
    assert deal([3, 1, 2], 1) == [[0, 1, 2]]


def test_all_processes_make_equally_many_passes(process: Any) -> None:
    """Shares [0] and [1, 2]: one pass of 8 tokens, two of 5 and of 3 where 6 are the most."""
    process(0, 2)
    assert my_micro_batches([8, 5, 3], 6) == [[0], []]
    process(1, 2)
    assert my_micro_batches([8, 5, 3], 6) == [[1], [2]]


def test_the_shares_of_text_make_the_whole(process: Any) -> None:
    blocks = torch.arange(15).view(5, 3)
    found = []
    for rank in range(3):
        process(rank, 3)
        found += [(part.tolist(), share) for part, share in my_blocks(blocks, 3)]
    assert sum(share for _, share in found) == pytest.approx(1)
    rows = [part[0] for part, share in found if share]
    assert sorted(rows) == blocks.tolist()
    assert [share for _, share in found].count(0.0) == 1  # five rows, and six passes


def test_an_idle_pass_adds_nothing_to_a_gradient(causal_lm: Callable[[], LlamaForCausalLM]) -> None:
    model = causal_lm()
    example = Example([3, 4, 5, 6, 7], 2)

    def gradient(*, idle: bool) -> list[torch.Tensor]:
        model.zero_grad()
        for rows in batches([example], 100, model.device):
            F.cross_entropy(response_logits(model, rows.packed), rows.packed.targets, reduction="sum").backward()
        if idle:
            nothing = idle_pass("cpu")
            F.cross_entropy(response_logits(model, nothing), nothing.targets, reduction="sum").backward()
            (text_loss(model, torch.tensor([[1, 2]])) * 0.0).backward()
        return [parameter.grad.clone() for parameter in model.parameters() if parameter.grad is not None]

    with_idle, without = gradient(idle=True), gradient(idle=False)
    assert len(with_idle) == len(without) == len(list(model.parameters()))
    assert all(torch.equal(one, other) for one, other in zip(with_idle, without, strict=True))
