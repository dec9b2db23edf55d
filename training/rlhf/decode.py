"""Sampling: K completions per prompt from a decoder model, with the log-probability of every sampled token.

No filters (no top-k, no minimum length, and no top-p unless it is asked for): what is sampled is exactly the policy at
this temperature, so the KL to the reference is a KL. The prompt is computed once for its K samples, finished rows leave
the batch, and a row's randomness is its own, so that it does not depend on which rows it is decoded with.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from transformers import PreTrainedModel

from training.rlhf.causal_lm import project
from training.rlhf.packed import Tree, computing, next_states, pack, packed_states
from training.rlhf.sample_cache import SampleCache


class Decoded(NamedTuple):
    """N = prompts x samples rows, the samples of a prompt next to each other; R = the longest response."""

    tokens: Tensor  # [N, R] long; the end token included, pad after it
    lengths: Tensor  # [N] long; response tokens, the end token included
    logprobs: Tensor  # [N, R] float32; of the sampled tokens at the sampling temperature, 0 in the padding
    finished: Tensor  # [N] bool; the row ended itself


def uniform_numbers(rows: int, length: int, seed: int) -> Tensor:
    """The randomness of `rows` responses: [rows, length] float64 in [0, 1), the same on every device."""
    return torch.rand(rows, length, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def nucleus(probabilities: Tensor, top_p: float) -> Tensor:
    """The most probable tokens that together have `top_p`, the others 0: [N, V] -> [N, V], not normalized.

    The smallest such set (Holtzman et al. 2020, section 3.1), so the token that reaches `top_p` is in it.
    """
    ordered, tokens = probabilities.double().sort(dim=-1, descending=True, stable=True)
    outside = torch.zeros_like(ordered, dtype=torch.bool)
    outside[:, 1:] = ordered.cumsum(-1)[:, :-1] >= top_p
    return probabilities.masked_fill(outside.scatter(-1, tokens, outside), 0.0)


def sample_tokens(logprobs: Tensor, uniform: Tensor, top_p: float = 1.0) -> Tensor:
    """One token per row by the inverse of the cumulative distribution: [N, V], [N] float64 -> [N].

    torch.multinomial draws one exponential number per vocabulary entry, one after another: some 20 ms for 288 rows of
    4096 against 1 ms here.
    """
    probabilities = logprobs.exp()
    if top_p < 1:
        probabilities = nucleus(probabilities, top_p)
    cumulative = probabilities.cumsum_(-1)
    total = cumulative[:, -1]
    # Strictly below the total, else rounding could point past the last token that has any probability.
    target = torch.minimum(uniform.to(total.dtype) * total, torch.nextafter(total, torch.zeros_like(total)))
    return torch.searchsorted(cumulative, target[:, None], right=True).squeeze(-1)


@torch.no_grad()
def decode(
    model: PreTrainedModel,
    prompts: Sequence[Sequence[int]],
    *,
    samples: int,
    uniform: Tensor,
    temperature: float,
    stop_token_id: int,
    pad_token_id: int,
    batch_size: int,
    top_p: float = 1.0,
    between_batches: Callable[[int], None] | None = None,
) -> Decoded:
    """Sample `samples` completions of each prompt, at most uniform.shape[1] tokens long.

    `uniform` [len(prompts) * samples, R] is the randomness of each row. At most `batch_size` rows are decoded at a
    time (at least one prompt). `between_batches(rows done)` is called after each batch. With `top_p` below 1 the
    log-probs stay those of the policy without the filter: never for PPO, whose ratio and KL they enter.
    """
    device = next(model.parameters()).device
    rows, width = uniform.shape
    tokens = torch.full((rows, width), pad_token_id, dtype=torch.long)
    logprobs = torch.zeros(rows, width)
    lengths = torch.zeros(rows, dtype=torch.long)
    # Prompts of like length together: little padding in the shared prefill.
    order = sorted(range(len(prompts)), key=lambda index: (-len(prompts[index]), index))
    step = max(1, batch_size // samples)
    for start in range(0, len(order), step):
        chosen = order[start : start + step]
        where = torch.tensor([index * samples + sample for index in chosen for sample in range(samples)])
        with computing(model):  # around all steps, so that the weights are cast once
            batch = _Batch(model, [prompts[index] for index in chosen], samples, width, device)
            batch.run(uniform[where].to(device), temperature, top_p, stop_token_id, pad_token_id)
        tokens[where] = batch.tokens.cpu()
        logprobs[where] = batch.logprobs.cpu()
        lengths[where] = batch.lengths.cpu()
        if between_batches is not None:
            between_batches(start * samples + len(where))
    last = tokens.gather(1, (lengths - 1)[:, None]).squeeze(1)
    longest = int(lengths.max())
    return Decoded(tokens[:, :longest], lengths, logprobs[:, :longest], last == stop_token_id)


class _Batch:
    """The rows that are decoded together. The prompts' pass is packed, as in training."""

    def __init__(
        self, model: PreTrainedModel, prompts: Sequence[Sequence[int]], samples: int, width: int, device: torch.device
    ) -> None:
        self.model, self.width = model, width
        prompt_of_row = torch.arange(len(prompts), device=device).repeat_interleave(samples)
        self.cache = SampleCache(prompt_of_row)
        packed = pack([Tree(list(prompt)) for prompt in prompts], device)
        states = packed_states(model, packed, self.cache)
        self.logits = project(model, states[packed.ends])[prompt_of_row]
        self.positions = torch.tensor([len(prompt) for prompt in prompts], device=device)[prompt_of_row]

    def run(self, uniform: Tensor, temperature: float, top_p: float, stop_token_id: int, pad_token_id: int) -> None:
        rows = len(self.positions)
        device = self.positions.device
        self.tokens = torch.full((rows, self.width), pad_token_id, dtype=torch.long, device=device)
        self.logprobs = torch.zeros(rows, self.width, device=device)
        self.lengths = torch.full((rows,), self.width, dtype=torch.long, device=device)
        active = torch.arange(rows, device=device)  # original position of each row still in the batch
        running = torch.ones(rows, dtype=torch.bool, device=device)  # of those, the ones not ended yet
        for step in range(self.width):
            logprobs = (self.logits if temperature in (0, 1) else self.logits / temperature).log_softmax(-1)
            greedy = temperature == 0
            chosen = logprobs.argmax(-1) if greedy else sample_tokens(logprobs, uniform[active, step], top_p)
            now = active[running]
            self.tokens[now, step] = chosen[running]
            self.logprobs[now, step] = logprobs.gather(1, chosen[:, None])[:, 0][running]
            ended = running & (chosen == stop_token_id)
            self.lengths[active[ended]] = step + 1
            running = running & ~ended
            alive = int(running.sum())
            if alive == 0 or step + 1 == self.width:
                return
            # Copying the cache costs about a step, so finished rows leave once they are a quarter of the batch.
            if alive <= 0.75 * len(active):
                keep = running.nonzero().squeeze(1)
                active, chosen, running = active[keep], chosen[keep], running[keep]
                self.positions = self.positions[keep]
                self.cache.select_rows(keep)
            self.logits = project(self.model, next_states(self.model, chosen, self.positions + step, self.cache))
