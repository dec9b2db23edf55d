"""Expected values: by hand or by autograd over explicit pairs, never from the function under test."""

import math
import random

import pytest
import torch

from training.contract.pairs import ranking_pairs
from training.rlhf.losses import batch_pairs, kwise_loss, policy_losses, value_losses


def loss_and_gradient(scores: list[float], ranks: list[int]) -> tuple[float, list[float]]:
    leaf = torch.tensor(scores, dtype=torch.float64, requires_grad=True)
    loss = kwise_loss(leaf, batch_pairs([ranking_pairs(ranks)], [len(scores)]))
    loss.backward()
    assert leaf.grad is not None
    return loss.item(), leaf.grad.tolist()


@pytest.mark.parametrize(
    ("scores", "ranks", "loss", "gradient"),
    [
        ([1, 0.5, -0.25, -1], [1, 2, 3, 4], 0.3046815612, [-0.1199072883, -0.0209510260, 0.0371166898, 0.1037416244]),
        ([1, 0.5, -0.25, -1], [1, 2, 2, 4], 0.2882436722, [-0.1438887459, 0.0390230290, -0.0196242324, 0.1244899493]),
        ([2, 2, 2, 2], [1, 2, 3, 4], math.log(2), [-1 / 4, -1 / 12, 1 / 12, 1 / 4]),
        ([0.3, -0.2], [1, 2], 0.4740769842, [-0.3775406688, 0.3775406688]),
    ],
)
def test_kwise_loss_and_gradient_of_one_prompt(
    scores: list[float], ranks: list[int], loss: float, gradient: list[float]
) -> None:
    found, slope = loss_and_gradient(scores, ranks)
    assert found == pytest.approx(loss, abs=1e-9)
    assert slope == pytest.approx(gradient, abs=1e-9)
    assert sum(slope) == pytest.approx(0, abs=1e-12)  # a shift of all rewards changes nothing


def test_kwise_loss_is_the_mean_over_explicit_pairs_then_over_prompts() -> None:
    rng = random.Random(0)
    sizes = [2, 3, 4, 5, 6, 7, 8, 9]
    ranks = [[rng.randint(1, 4) for _ in range(size)] for size in sizes]
    scores = torch.randn(sum(sizes), dtype=torch.float64, generator=torch.Generator().manual_seed(0))

    explicit = scores.clone().requires_grad_()
    per_prompt, start = [], 0
    for size, prompt_ranks in zip(sizes, ranks, strict=True):
        own = explicit[start : start + size]
        losses = [
            -torch.log(torch.sigmoid(own[i] - own[j]))
            for i in range(size)
            for j in range(size)
            if prompt_ranks[i] < prompt_ranks[j]
        ]
        if losses:
            per_prompt.append(sum(losses) / len(losses))
        start += size
    expected = sum(per_prompt) / len(per_prompt)
    expected.backward()

    flat = scores.clone().requires_grad_()
    loss = kwise_loss(flat, batch_pairs([ranking_pairs(r) for r in ranks], sizes))
    loss.backward()
    assert loss.item() == pytest.approx(expected.item(), abs=1e-12)
    torch.testing.assert_close(flat.grad, explicit.grad, atol=1e-12, rtol=0)


def test_a_full_batch_of_the_paper_has_2304_pairs() -> None:
    pairs = batch_pairs([ranking_pairs(range(1, 10))] * 64, [9] * 64)
    assert len(pairs.winners) == 2304
    assert pairs.weights.sum().item() == pytest.approx(1, abs=1e-12)


def test_prompts_whose_completions_are_all_tied_weigh_nothing() -> None:
    scores = torch.tensor([0.3, -0.2, 5.0, -5.0])
    loss = kwise_loss(scores, batch_pairs([[(0, 1)], []], [2, 2]))
    assert loss.item() == pytest.approx(0.4740769842, abs=1e-6)


@pytest.mark.parametrize(
    ("advantage", "ratio", "loss"), [(1, 1.5, -1.2), (1, 0.5, -0.5), (-1, 1.5, 1.5), (-1, 0.5, 0.8)]
)
def test_the_clipped_policy_loss(advantage: float, ratio: float, loss: float) -> None:
    found = policy_losses(torch.tensor([math.log(ratio)]), torch.zeros(1), torch.tensor([float(advantage)]), 0.2)
    assert found.item() == pytest.approx(loss, abs=1e-6)


@pytest.mark.parametrize(
    ("value", "old", "target", "loss"), [(1, 0.5, 2, 0.845), (1, 0.5, 0.6, 0.08), (0.55, 0.5, 1, 0.10125)]
)
def test_the_clipped_value_loss(value: float, old: float, target: float, loss: float) -> None:
    found = value_losses(torch.tensor([value]), torch.tensor([old]), torch.tensor([target]), 0.2)
    assert found.item() == pytest.approx(loss, abs=1e-6)
