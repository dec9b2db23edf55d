import pytest
import torch

from training.rlhf.advantages import gae, whiten


@pytest.mark.parametrize(
    ("rewards", "values", "lam", "advantages"),
    [
        ([0, 0, 0, 1], [0.5] * 4, 0.95, [0.4286875, 0.45125, 0.475, 0.5]),
        ([0, 0, 0, 1], [0.5] * 4, 1.0, [0.5] * 4),
        ([0, 0, 5], [1, 2, 3], 0.0, [1, 1, 2]),
        ([-0.002, 0.004, 1.494], [0.2, 0.4, 0.6], 0.95, [1.198635, 1.0533, 0.894]),
    ],
)
def test_gae_by_hand(rewards: list[float], values: list[float], lam: float, advantages: list[float]) -> None:
    found, returns = gae(
        torch.tensor([rewards], dtype=torch.float64),
        torch.tensor([values], dtype=torch.float64),
        torch.tensor([len(rewards)]),
        1.0,
        lam,
    )
    assert found[0].tolist() == pytest.approx(advantages, abs=1e-9)
    assert returns[0].tolist() == pytest.approx([a + v for a, v in zip(advantages, values, strict=True)], abs=1e-9)


def brute_force(rewards: list[float], values: list[float], gamma: float, lam: float) -> list[float]:
    """The definition: a weighted sum of all later temporal differences."""
    following = [*values[1:], 0.0]
    deltas = [r + gamma * after - v for r, v, after in zip(rewards, values, following, strict=True)]
    return [
        sum((gamma * lam) ** (later - t) * deltas[later] for later in range(t, len(deltas))) for t in range(len(deltas))
    ]


def test_gae_is_the_brute_force_sum_and_padding_does_not_matter() -> None:
    generator = torch.Generator().manual_seed(0)
    lengths = [7, 1, 4, 3]
    rewards = torch.randn(4, 7, dtype=torch.float64, generator=generator)
    values = torch.randn(4, 7, dtype=torch.float64, generator=generator)
    for row, length in enumerate(lengths):
        rewards[row, length:] = float("nan")
        values[row, length:] = 1e9
    advantages, returns = gae(rewards, values, torch.tensor(lengths), 0.9, 0.8)
    for row, length in enumerate(lengths):
        expected = brute_force(rewards[row, :length].tolist(), values[row, :length].tolist(), 0.9, 0.8)
        assert advantages[row, :length].tolist() == pytest.approx(expected, abs=1e-12)
        assert advantages[row, length:].tolist() == [0.0] * (7 - length)
        assert returns[row, length:].tolist() == [0.0] * (7 - length)


def test_whitening_divides_by_the_biased_deviation() -> None:
    found = whiten(torch.tensor([1.0, 2.0, 4.0, 7.0], dtype=torch.float64))
    assert found.tolist() == pytest.approx([-1.0910894, -0.6546537, 0.2182179, 1.5275252], abs=1e-6)
