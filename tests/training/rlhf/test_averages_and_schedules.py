import math

import pytest
import torch
from torch import nn

from training.rlhf.ema import Ema
from training.rlhf.schedules import cosine_factor, ppo_warmup_factor


def test_the_weight_of_the_start_after_500_steps_is_the_papers_decay_to_the_500th() -> None:
    model = nn.Linear(1, 1, bias=False).double()
    nn.init.constant_(model.weight, 1.0)
    ema = Ema(model, 0.992)
    nn.init.constant_(model.weight, 0.0)
    for _ in range(500):
        ema.update()
    with ema.averaged():
        assert model.weight.item() == pytest.approx(0.018023, abs=1e-6)
    assert model.weight.item() == 0.0


def test_the_average_differs_from_the_live_weights_after_one_step_and_survives_saving() -> None:
    model = nn.Linear(2, 2)
    start = model.weight.detach().clone()
    ema = Ema(model, 0.9)
    with torch.no_grad():
        model.weight += 1.0
    ema.update()
    saved = {name: tensor.clone() for name, tensor in ema.state_dict().items()}
    other = Ema(nn.Linear(2, 2), 0.9)
    other.load_state_dict(saved)
    torch.testing.assert_close(other.state_dict()["weight"], start + 0.1)
    assert not torch.equal(other.state_dict()["weight"], model.weight)


def test_decay_0_keeps_the_live_weights() -> None:
    model = nn.Linear(2, 2)
    ema = Ema(model, 0.0)
    with torch.no_grad():
        model.weight.normal_()
    ema.update()
    assert torch.equal(ema.state_dict()["weight"], model.weight)


def test_warmup_over_ten_iterations_from_a_tenth() -> None:
    factors = [ppo_warmup_factor(iteration, 10) for iteration in range(13)]
    assert factors == pytest.approx([0.1, 0.19, 0.28, 0.37, 0.46, 0.55, 0.64, 0.73, 0.82, 0.91, 1, 1, 1])
    assert ppo_warmup_factor(0, 0) == 1.0


def test_the_cosine_falls_to_a_tenth() -> None:
    factors = [cosine_factor(step, 100, 0, 0.1) for step in (0, 50, 100)]
    assert factors == pytest.approx([1.0, 0.55, 0.1])
    assert cosine_factor(25, 100, 0, 0.1) == pytest.approx(0.55 + 0.45 * math.cos(math.pi / 4))


def test_a_warmup_rises_to_the_peak() -> None:
    assert [cosine_factor(step, 10, 3, 0.1) for step in range(4)] == pytest.approx([0.25, 0.5, 0.75, 1.0])
