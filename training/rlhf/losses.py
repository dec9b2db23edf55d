"""The losses of reward model and PPO. Tensors in, tensors out; per-token losses are summed by the caller, who divides
by the number of tokens of the whole minibatch, so that its cut into micro-batches does not matter."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


class Pairs(NamedTuple):
    """The comparisons of a batch of prompts, as positions in the flat vector of all its scores."""

    winners: Tensor  # [P] long
    losers: Tensor  # [P] long
    weights: Tensor  # [P] float64; they sum to 1 over the batch


def batch_pairs(
    prompts: Sequence[Sequence[tuple[int, int]]], sizes: Sequence[int], device: torch.device | str = "cpu"
) -> Pairs:
    """The pairs of each prompt, shifted to flat positions; sizes[i] is the number of completions of prompt i.

    Each pair weighs 1 / (pairs of its prompt) / (prompts that have pairs): the mean over the pairs that are not tied,
    then the mean over prompts. A prompt whose completions are all tied weighs nothing.
    """
    with_pairs = sum(1 for pairs in prompts if pairs)
    winners: list[int] = []
    losers: list[int] = []
    weights: list[float] = []
    start = 0
    for pairs, size in zip(prompts, sizes, strict=True):
        winners.extend(start + winner for winner, _ in pairs)
        losers.extend(start + loser for _, loser in pairs)
        weights.extend(1.0 / (len(pairs) * with_pairs) for _ in pairs)
        start += size
    return Pairs(
        torch.tensor(winners, dtype=torch.long, device=device),
        torch.tensor(losers, dtype=torch.long, device=device),
        torch.tensor(weights, dtype=torch.float64, device=device),
    )


def kwise_loss(scores: Tensor, pairs: Pairs) -> Tensor:
    """-log sigmoid(r_winner - r_loser), weighted over the pairs: [N] -> scalar.

    Scores by several heads [N, H] have weights [P, H]; the sum is over the heads too.

    Ouyang et al. 2022, section 3.5: one forward pass per completion, all comparisons of a prompt in one batch element
    and the mean over its K(K-1)/2 pairs; here less the tied ones.
    """
    margins = scores[pairs.winners] - scores[pairs.losers]
    return (F.softplus(-margins) * pairs.weights.to(scores.dtype)).sum()


def policy_losses(logprobs: Tensor, old_logprobs: Tensor, advantages: Tensor, cliprange: float) -> Tensor:
    """Clipped surrogate per token: max(-A ratio, -A clip(ratio, 1 - c, 1 + c)): all [N] -> [N].

    Schulman et al. 2017, equation 7.
    """
    ratio = (logprobs - old_logprobs).exp()
    return torch.maximum(-advantages * ratio, -advantages * ratio.clamp(1 - cliprange, 1 + cliprange))


def value_losses(values: Tensor, old_values: Tensor, returns: Tensor, cliprange_value: float) -> Tensor:
    """Clipped squared error per token: max((v - R)^2, (clip(v, v_old - c, v_old + c) - R)^2) / 2: all [N] -> [N]."""
    clipped = old_values + (values - old_values).clamp(-cliprange_value, cliprange_value)
    return 0.5 * torch.maximum((values - returns) ** 2, (clipped - returns) ** 2)
