"""From the reward model's score to a reward for every token."""

import torch
from torch import Tensor


def apply_eos_rule(scores: Tensor, finished: Tensor, penalty: float | None, fixed: float | None) -> Tensor:
    """Scores [B] where the completions that did not end themselves (finished [B] bool is False) are marked down.

    `penalty` is taken off their score; `fixed` replaces it (-1 in re-implementations of Stiennon et al. 2020). Whether
    a completion ended is known from its own last token, never from an end token in the prompt.
    """
    if fixed is not None:
        return torch.where(finished, scores, torch.full_like(scores, fixed))
    if penalty is not None:
        return torch.where(finished, scores, scores - penalty)
    return scores


def token_rewards(
    scores: Tensor, logprobs: Tensor, ref_logprobs: Tensor, lengths: Tensor, kl_coef: float
) -> tuple[Tensor, Tensor]:
    """Rewards and KL of right-padded responses: scores [B], log-probs [B, R], lengths [B] -> [B, R], [B, R].

    Every token pays kl_coef times its k1 estimate log pi - log pi_ref (which may be negative), and the score is added
    at the last generated token (Ouyang et al. 2022, section 3.5). Both results are 0 in the padding.
    """
    inside = torch.arange(logprobs.shape[1], device=logprobs.device) < lengths[:, None]
    kl = (logprobs - ref_logprobs).masked_fill(~inside, 0.0)
    rewards = -kl_coef * kl
    rewards[torch.arange(len(lengths), device=logprobs.device), lengths - 1] += scores
    return rewards, kl
