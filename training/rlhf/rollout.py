"""One batch of experience: completions of the current policy with everything the update needs."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from transformers import PreTrainedModel

from training.rlhf import distributed
from training.rlhf.causal_lm import response_logprobs
from training.rlhf.decode import Decoded
from training.rlhf.examples import Example, Rows, batches
from training.rlhf.scalar_head import ScalarModel


class Rollout(NamedTuple):
    """B episodes, R = the longest response. Per-token tensors are right-padded with 0; index t belongs to response
    token t: its log-prob, and the value of the state it was chosen in."""

    examples: list[Example]  # B; prompt and response ids
    lengths: Tensor  # [B] long; response tokens, the end token included
    finished: Tensor  # [B] bool; the response ended itself
    logprobs: Tensor  # [B, R]; under the policy that sampled; see collect()
    ref_logprobs: Tensor  # [B, R]
    values: Tensor  # [B, R]
    scores: Tensor  # [B]; of the reward model, before the rule for unfinished responses
    score_spread: Tensor | None = None  # [B]; of an ensemble: the standard deviation of what its heads say

    @property
    def inside(self) -> Tensor:
        """Which entries of the per-token tensors are tokens: bool [B, R]."""
        return torch.arange(self.logprobs.shape[1], device=self.lengths.device) < self.lengths[:, None]


def episodes(prompts: Sequence[list[int]], decoded: Decoded) -> list[Example]:
    """What was sampled for the prompts, the samples of a prompt next to each other."""
    rows = decoded.tokens.tolist()
    lengths = decoded.lengths.tolist()
    samples = len(rows) // len(prompts)
    repeated = (prompt for prompt in prompts for _ in range(samples))
    return [
        Example(prompt + row[:length], len(prompt)) for prompt, row, length in zip(repeated, rows, lengths, strict=True)
    ]


class Minibatch(NamedTuple):
    """The episodes of one optimizer step: of these, the micro-batches that this process computes."""

    rows: list[Rows]
    tokens: int  # response tokens of all the episodes: what per-token sums are divided by


def cut_minibatches(
    examples: list[Example], order: Sequence[int], size: int, max_tokens: int, device: torch.device, samples: int = 1
) -> list[Minibatch]:
    """Minibatches of `size` episodes by an order of prompts, each of which has `samples` episodes in a row."""
    result = []
    for start in range(0, len(order), size // samples):
        prompts = order[start : start + size // samples]
        positions = [prompt * samples + sample for prompt in prompts for sample in range(samples)]
        tokens = sum(examples[position].response_length for position in positions)
        result.append(Minibatch(batches(examples, max_tokens, device, prompts, samples), tokens))
    return result


@torch.no_grad()
def collect(
    examples: list[Example],
    decoded: Decoded,
    minibatches: list[Minibatch],
    policy: PreTrainedModel,
    reference: PreTrainedModel,
    value: ScalarModel,
    scores: Tensor,
    temperature: float,
    *,
    from_sampler: bool = False,
) -> Rollout:
    """Log-probs and values of sampled episodes.

    They come from the same micro-batches as the first epoch of the update: kernels of other shapes round otherwise, and
    a ratio that is not exactly 1 before the first step would be clipped and counted. `from_sampler` takes the policy's
    log-probs from the sampler all the same, and saves its pass.
    """
    device = scores.device
    lengths, finished = decoded.lengths.to(device), decoded.finished.to(device)
    inside = torch.arange(int(lengths.max()), device=device) < lengths[:, None]
    ref_logprobs, values = (torch.zeros(inside.shape, device=device) for _ in range(2))
    logprobs = decoded.logprobs.to(device) if from_sampler else torch.zeros(inside.shape, device=device)
    for minibatch in minibatches:
        for rows in minibatch.rows:
            if not from_sampler:
                put(logprobs, rows, inside, response_logprobs(policy, rows.packed, temperature))
            put(ref_logprobs, rows, inside, response_logprobs(reference, rows.packed, temperature))
            put(values, rows, inside, value.values(rows.packed))
    if not from_sampler:
        logprobs = distributed.all_sum(logprobs)
    ref_logprobs, values = distributed.all_sum(ref_logprobs), distributed.all_sum(values)
    return Rollout(examples, lengths, finished, logprobs, ref_logprobs, values, scores)


def put(padded: Tensor, rows: Rows, inside: Tensor, flat: Tensor) -> None:
    """Write per-token values of some rows, [N] row by row, into a padded tensor [B, R]."""
    part = padded[rows.positions]
    part[inside[rows.positions]] = flat
    padded[rows.positions] = part


def take(padded: Tensor, rows: Rows, inside: Tensor) -> Tensor:
    """The per-token values of some rows: [B, R] -> [N], row by row."""
    return padded[rows.positions][inside[rows.positions]]


def score_episodes(
    reward_model: ScalarModel,
    examples: Sequence[Example],
    finished: Tensor,
    eos_token_id: int,
    max_tokens: int,
    samples: int = 1,
) -> Tensor:
    """The reward of each episode, of an ensemble the mean of its heads: [B]. See score_by_head."""
    return score_by_head(reward_model, examples, finished, eos_token_id, max_tokens, samples).mean(-1)


@torch.no_grad()
def score_by_head(
    reward_model: ScalarModel,
    examples: Sequence[Example],
    finished: Tensor,
    eos_token_id: int,
    max_tokens: int,
    samples: int = 1,
) -> Tensor:
    """The reward of each episode by each head, always read at an end token: [B, H].

    Each `samples` episodes in a row are of one prompt.

    A response that was cut off gets one for scoring only, because the reward model has never read its score anywhere
    else. The policy is never trained on a token it did not sample.
    """
    device = next(reward_model.parameters()).device
    ended = [
        example if done else Example([*example.ids, eos_token_id], example.prompt_length)
        for example, done in zip(examples, finished.tolist(), strict=True)
    ]
    scores = torch.zeros(len(ended), len(reward_model.head_biases), device=device)
    for rows in batches(ended, max_tokens, device, samples=samples, with_ends=True):
        scores[rows.positions] = reward_model.score_by_head(rows.packed)
    return distributed.all_sum(scores)
