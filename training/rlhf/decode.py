"""Sampling: K completions per prompt from a decoder model, with the log-probability of every sampled token.

No filters (no top-k, no minimum length, and no top-p unless it is asked for): what is sampled is exactly the policy at
this temperature, so the KL to the reference is a KL. The prompt is computed once for its K samples, rows that end leave
the batch and others enter it, and a row's randomness is its own, so that it does not depend on which rows it is decoded
with.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from transformers import PreTrainedModel

from training.rlhf.causal_lm import project_as_computed
from training.rlhf.linear import weights_laid_out
from training.rlhf.packed import computing, next_states, packed_states
from training.rlhf.sample_cache import SampleCache
from training.rlhf.trees import Tree, pack

MOST_AT_ONCE = 1 << 17  # probabilities of so many rows as stay in a CPU's cache (lab log)


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


def sample_tokens(probabilities: Tensor, uniform: Tensor, top_p: float = 1.0) -> Tensor:
    """One token per row by the inverse of the cumulative distribution: [N, V], [N] float64 -> [N].

    torch.multinomial draws one exponential number per vocabulary entry, one after another: some 20 ms for 288 rows of
    4096 against 1 ms here.
    """
    if top_p < 1:
        probabilities = nucleus(probabilities, top_p)
    cumulative = probabilities.cumsum(-1)
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
    time (at least one prompt); where some have ended, others enter. `between_batches(rows done)` is called for every
    `batch_size` rows that have ended. With `top_p` below 1 the log-probs stay those of the policy without the filter:
    never for PPO, whose ratio and KL they enter.
    """
    rows = len(uniform)
    batch = _Batch(model, samples, uniform, temperature, top_p, stop_token_id, pad_token_id)
    # Prompts of like length together: little padding in the shared prefill.
    waiting = deque(sorted(range(len(prompts)), key=lambda index: (-len(prompts[index]), index)))
    at_once = max(1, batch_size // samples)
    told = 0
    with computing(model), weights_laid_out(model):  # around all steps, so that weights are cast and laid out once
        while waiting or batch.rows:
            # Admitting copies the cache, as taking out does, so both wait for a quarter of the batch.
            free = at_once - -(-batch.rows // samples)
            if waiting and (not batch.rows or 4 * free >= at_once):
                chosen = [waiting.popleft() for _ in range(min(free, len(waiting)))]
                batch.admit(chosen, [prompts[index] for index in chosen])
            batch.step()
            while between_batches is not None and told < rows and batch.done >= min(told + at_once * samples, rows):
                told = min(told + at_once * samples, rows)
                between_batches(told)
    longest = int(batch.lengths.max())
    last = batch.tokens.gather(1, (batch.lengths - 1)[:, None]).squeeze(1)
    tokens, lengths, logprobs = batch.tokens[:, :longest].cpu(), batch.lengths.cpu(), batch.logprobs[:, :longest].cpu()
    return Decoded(tokens, lengths, logprobs, (last == stop_token_id).cpu())


class _Batch:
    """The rows that are decoded together; those that end leave it, and others may enter. N rows in all, B in it."""

    def __init__(
        self,
        model: PreTrainedModel,
        samples: int,
        uniform: Tensor,
        temperature: float,
        top_p: float,
        stop_token_id: int,
        pad_token_id: int,
    ) -> None:
        self.model, self.samples, self.temperature, self.top_p = model, samples, temperature, top_p
        self.stop_token_id = stop_token_id
        self.device = next(model.parameters()).device
        self.uniform = uniform.to(self.device)  # [N, R]
        self.tokens = torch.full(uniform.shape, pad_token_id, dtype=torch.long, device=self.device)
        self.logprobs = torch.zeros(uniform.shape, device=self.device)
        self.lengths = torch.zeros(len(uniform), dtype=torch.long, device=self.device)
        self.done = 0  # rows that have ended
        self.cache: SampleCache | None = None
        self._empty()

    def _empty(self) -> None:
        nobody = torch.zeros(0, dtype=torch.long, device=self.device)
        self.row, self.steps, self.prompt_length = nobody, nobody, nobody  # [B]: which of the N; own tokens so far
        self.running = nobody.bool()  # [B]; those that have not ended yet
        self.logits: Tensor | None = None  # [B, V] of the next token
        self.cache = None

    @property
    def rows(self) -> int:
        """Rows that are still being decoded, or take up room."""
        return len(self.row)

    def admit(self, chosen: Sequence[int], prompts: Sequence[Sequence[int]]) -> None:
        """All samples of some more prompts, which are `chosen` among all. Their pass is packed, as in training."""
        cache = SampleCache(torch.arange(len(chosen), device=self.device).repeat_interleave(self.samples))
        packed = pack([Tree(list(prompt)) for prompt in prompts], self.device)
        states = packed_states(self.model, packed, packed.ends, cache)
        logits = project_as_computed(self.model, states)[cache.prompt_of_row]
        lengths = torch.tensor([len(prompt) for prompt in prompts], device=self.device)[cache.prompt_of_row]
        first = torch.tensor(chosen, device=self.device) * self.samples
        row = (first[:, None] + torch.arange(self.samples, device=self.device)).flatten()
        self.row, self.prompt_length = torch.cat([self.row, row]), torch.cat([self.prompt_length, lengths])
        self.steps = torch.cat([self.steps, torch.zeros_like(row)])
        self.running = torch.cat([self.running, torch.ones_like(row, dtype=torch.bool)])
        self.logits = logits if self.logits is None else torch.cat([self.logits, logits])
        if self.cache is None:
            self.cache = cache
        else:
            self.cache.admit(cache)

    def step(self) -> None:
        """One more token of every row."""
        assert self.cache is not None and self.logits is not None
        uniform = self.uniform[self.row, self.steps.clamp_max(self.uniform.shape[1] - 1)]
        at_once = max(1, MOST_AT_ONCE // self.logits.shape[1]) if self.device.type == "cpu" else len(self.logits)
        parts = map(self._choose, self.logits.split(at_once), uniform.split(at_once))
        chosen, logprobs = map(torch.cat, zip(*parts, strict=True))
        now, at = self.row[self.running], self.steps[self.running]
        self.tokens[now, at] = chosen[self.running]
        self.logprobs[now, at] = logprobs[self.running]
        self.lengths[now] = at + 1
        self.steps = self.steps + self.running  # an ended row stands still until it leaves
        self.running = self.running & (chosen != self.stop_token_id) & (self.steps < self.uniform.shape[1])
        alive = int(self.running.sum())
        self.done += len(now) - alive
        if alive == 0:
            self._empty()
            return
        # Copying the cache costs about a step, so ended rows leave once they are a quarter of the batch.
        if alive <= 0.75 * len(self.row):
            keep = self.running.nonzero().squeeze(1)
            chosen, self.row, self.steps = chosen[keep], self.row[keep], self.steps[keep]
            self.prompt_length, self.running = self.prompt_length[keep], self.running[keep]
            self.cache.select_rows(keep)
        positions = self.prompt_length + self.steps - 1
        self.logits = project_as_computed(self.model, next_states(self.model, chosen, positions, self.cache))

    def _choose(self, logits: Tensor, uniform: Tensor) -> tuple[Tensor, Tensor]:
        """A token of each row, and its log-probability: [B, V], [B] float64 -> [B], float32 [B]."""
        scaled = logits.float()
        if self.temperature not in (0, 1):
            scaled = scaled / self.temperature
        probabilities = scaled.softmax(-1)
        chosen = scaled.argmax(-1) if self.temperature == 0 else sample_tokens(probabilities, uniform, self.top_p)
        return chosen, probabilities.gather(1, chosen[:, None]).log()[:, 0]
