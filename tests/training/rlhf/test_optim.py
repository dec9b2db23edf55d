"""The optimizer by hand. Kingma and Ba 2015: the first step is lr g / (|g| + eps), whatever the betas."""

import pytest
import torch
from torch import nn

from training.contract.specs import PpoSpec
from training.rlhf.optim import adamw, clip_gradients


class OfEachKind(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.matrix = nn.Parameter(torch.ones(1, 1))
        self.gain = nn.Parameter(torch.ones(1))


def step(model: OfEachKind, optimizer: torch.optim.Optimizer, gradient: float) -> tuple[float, float]:
    model.matrix.grad, model.gain.grad = torch.full((1, 1), gradient), torch.full((1,), gradient)
    optimizer.step()
    return model.matrix.item(), model.gain.item()


def test_epsilon_stands_beside_the_corrected_root_and_both_moments_have_their_betas() -> None:
    """Betas .9 and .95, gradients 1 and -1: the second moments are .1(.9 - 1)/(1 - .81) = -1/19 and 1."""
    model = OfEachKind()
    optimizer = adamw(model, 0.1, PpoSpec(adam_beta1=0.9, adam_beta2=0.95, adam_eps=0.25))
    assert step(model, optimizer, 1.0) == pytest.approx((1 - 0.1 / 1.25,) * 2)
    assert step(model, optimizer, -1.0) == pytest.approx((1 - 0.1 / 1.25 + 0.1 / 19 / 1.25,) * 2)


def test_weight_decay_is_decoupled_and_spares_gains() -> None:
    model = OfEachKind()
    optimizer = adamw(model, 0.1, PpoSpec(adam_eps=0.0, weight_decay=0.5))
    assert step(model, optimizer, 2.0) == pytest.approx((1 - 0.1 * 0.5 - 0.1, 1 - 0.1))


@pytest.mark.parametrize(("max_norm", "left"), [(1.0, (0.6, 0.8)), (10.0, (3.0, 4.0))])
def test_gradients_are_scaled_down_to_the_norm_and_never_up(max_norm: float, left: tuple[float, float]) -> None:
    model = OfEachKind()
    model.matrix.grad, model.gain.grad = torch.full((1, 1), 3.0), torch.full((1,), 4.0)
    assert clip_gradients(model, max_norm) == pytest.approx(5.0)
    assert (model.matrix.grad.item(), model.gain.grad.item()) == pytest.approx(left, abs=1e-5)
