"""From a rollout to what the update moves towards: rewards per token, advantages and returns."""

from typing import NamedTuple

from torch import Tensor

from training.contract.specs import PpoSpec
from training.rlhf.advantages import gae, whiten
from training.rlhf.rewards import apply_eos_rule, token_rewards
from training.rlhf.rollout import Rollout


class Targets(NamedTuple):
    """What the update moves towards, right-padded: [B, R]."""

    advantages: Tensor
    returns: Tensor


def advantages_of(rollout: Rollout, spec: PpoSpec, kl_coef: float) -> tuple[Targets, dict[str, float]]:
    """What the update moves towards, and what the rollout tells about the policy."""
    scores = apply_eos_rule(rollout.scores, rollout.finished, spec.missing_eos_penalty, spec.missing_eos_score)
    rewards, kl = token_rewards(scores, rollout.logprobs, rollout.ref_logprobs, rollout.lengths, kl_coef)
    advantages, returns = gae(rewards, rollout.values, rollout.lengths, spec.gamma, spec.lam)
    inside = rollout.inside
    if spec.whiten_advantages:
        advantages[inside] = whiten(advantages[inside])
    kl_per_episode = kl.sum(1).mean()
    non_score_reward = -kl_coef * kl_per_episode
    unexplained = (returns - rollout.values)[inside].var() / returns[inside].var().clamp_min(1e-12)
    metrics = {
        "objective/kl": kl_per_episode,
        "objective/entropy": -rollout.logprobs.sum(1).mean(),
        "objective/scores": rollout.scores.mean(),
        "objective/non_score_reward": non_score_reward,
        "objective/rlhf_reward": scores.mean() + non_score_reward,
        "val/num_eos_tokens": rollout.finished.sum(),
        "val/response_length": rollout.lengths.float().mean(),
        "value/explained_variance": 1 - unexplained,
    }
    if rollout.score_spread is not None:
        metrics["objective/score_spread"] = rollout.score_spread.mean()
    values = {name: float(value) for name, value in metrics.items()}
    return Targets(advantages, returns), values | {"objective/kl_coef": kl_coef}
