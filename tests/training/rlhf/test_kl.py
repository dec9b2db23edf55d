import math

import pytest
import torch

from training.rlhf.decode import sample_tokens, uniform_numbers
from training.rlhf.kl import AdaptiveKl, FixedKl, k1, k2, k3

P, Q = (0.7, 0.2, 0.1), (0.5, 0.3, 0.2)


@pytest.mark.parametrize(
    ("ours", "theirs", "first", "second", "third"),
    [(-1.0, -1.3, 0.3, 0.045, 0.0408182), (-1.3, -1.0, -0.3, 0.045, 0.0498588)],
)
def test_the_three_estimates(ours: float, theirs: float, first: float, second: float, third: float) -> None:
    a, b = torch.tensor(ours, dtype=torch.float64), torch.tensor(theirs, dtype=torch.float64)
    assert [k1(a, b).item(), k2(a, b).item(), k3(a, b).item()] == pytest.approx([first, second, third], abs=1e-7)


def test_their_expectations_are_the_exact_kl_except_for_k2() -> None:
    p, q = torch.tensor(P, dtype=torch.float64), torch.tensor(Q, dtype=torch.float64)
    expectations = [(p * estimate(p.log(), q.log())).sum().item() for estimate in (k1, k2, k3)]
    assert expectations == pytest.approx([0.0851228260, 0.0800876, 0.0851228260], abs=1e-7)


def test_the_mean_over_sampled_tokens_approaches_the_exact_kl() -> None:
    count = 200_000
    tokens = sample_tokens(torch.tensor(P).expand(count, 3), uniform_numbers(count, 1, seed=3)[:, 0])
    ratio = torch.tensor([math.log(p / q) for p, q in zip(P, Q, strict=True)])[tokens]
    assert ratio.mean().item() == pytest.approx(0.0851228260, abs=4 * math.sqrt(0.1529 / count))


@pytest.mark.parametrize(("kl", "kl_coef"), [(12.0, 0.202048), (3.0, 0.197952), (6.3, 0.200512)])
def test_the_adaptive_coefficient(kl: float, kl_coef: float) -> None:
    controller = AdaptiveKl(0.2, target=6.0, horizon=10_000)
    controller.update(kl, episodes=512)
    assert controller.kl_coef == pytest.approx(kl_coef, abs=1e-9)


def test_the_fixed_coefficient_stays() -> None:
    controller = FixedKl(0.02)
    controller.update(100.0, episodes=512)
    assert controller.kl_coef == 0.02
