"""From a rollout to what the update moves towards."""

import pytest
import torch

from training.contract.specs import PpoSpec
from training.rlhf.examples import Example
from training.rlhf.rollout import Rollout
from training.rlhf.targets import advantages_of

# Two responses of four tokens and of one. The first: score 1, all values .5. The second: score 1.5, value 1.
RAW = [0.4286875, 0.45125, 0.475, 0.5, 0.5]
RETURNS = [0.9286875, 0.95125, 0.975, 1.0, 1.5]


@pytest.fixture
def rollout() -> Rollout:
    """Of a policy that is its reference, so that only the scores count. The padding holds nonsense."""
    logprobs = torch.tensor([[-1.0, -2.0, -0.5, -1.5], [-1.0, 0.0, 0.0, 0.0]])
    return Rollout(
        examples=[Example([5, 6, 7, 8, 0], 1), Example([5, 0], 1)],
        lengths=torch.tensor([4, 1]),
        finished=torch.tensor([True, True]),
        logprobs=logprobs,
        ref_logprobs=logprobs.clone(),
        values=torch.tensor([[0.5, 0.5, 0.5, 0.5], [1.0, 9.0, -9.0, 9.0]]),
        scores=torch.tensor([1.0, 1.5]),
    )


def of_tokens(padded: torch.Tensor) -> list[float]:
    return [*padded[0].tolist(), padded[1, 0].item()]


def test_returns_are_taken_before_the_whitening(rollout: Rollout) -> None:
    targets, _ = advantages_of(rollout, PpoSpec(), kl_coef=0.1)
    assert of_tokens(targets.returns) == pytest.approx(RETURNS, abs=1e-6)


def test_without_whitening_the_advantages_are_those_of_gae(rollout: Rollout) -> None:
    targets, _ = advantages_of(rollout, PpoSpec(whiten_advantages=False), kl_coef=0.1)
    assert of_tokens(targets.advantages) == pytest.approx(RAW, abs=1e-6)


def test_whitening_is_over_the_tokens_of_all_responses_and_no_padding(rollout: Rollout) -> None:
    """The five raw advantages have the mean .4709875 and the variance .000775682 (1/n)."""
    targets, _ = advantages_of(rollout, PpoSpec(), kl_coef=0.1)
    found = of_tokens(targets.advantages)
    assert found == pytest.approx([-1.5187831, -0.7086757, 0.1440690, 1.0416949, 1.0416949], abs=1e-5)
    assert targets.advantages[1, 1:].tolist() == [0.0, 0.0, 0.0]


def test_the_policys_distance_is_reported_per_episode_and_paid(rollout: Rollout) -> None:
    """Log-ratios of .1 a token: .4 and .1 nats, .25 an episode."""
    apart = rollout._replace(ref_logprobs=rollout.logprobs - torch.tensor([[0.1] * 4, [0.1, 0.0, 0.0, 0.0]]))
    _, metrics = advantages_of(apart, PpoSpec(), kl_coef=0.2)
    assert metrics["objective/kl"] == pytest.approx(0.25, abs=1e-6)
    assert metrics["objective/non_score_reward"] == pytest.approx(-0.05, abs=1e-6)
    assert metrics["objective/scores"] == pytest.approx(1.25)
    assert metrics["objective/rlhf_reward"] == pytest.approx(1.2, abs=1e-6)
    assert metrics["objective/entropy"] == pytest.approx((5.0 + 1.0) / 2)
