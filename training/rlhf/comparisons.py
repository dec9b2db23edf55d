"""Rankings as the reward model learns from them: per prompt, its completions once each, and the pairs between them."""

import statistics
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

import torch

from training.contract.pairs import ranking_pairs
from training.contract.rows import read_rows
from training.rlhf import distributed
from training.rlhf.scalar_head import ScalarModel
from training.rlhf.shares import my_micro_batches
from training.rlhf.tokens import check_context, check_prompt_lengths, encode_completions, encode_prompts
from training.rlhf.trees import Packed, Tree, idle_pass, pack


class RankedPrompt(NamedTuple):
    """One batch element: a prompt and everything that was ranked for it."""

    prompt: list[int]
    completions: list[list[int]]  # ids of each distinct completion, the end token included
    rankings: list[list[tuple[int, int]]]  # per ranking, (position in completions, rank)

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """(winner, loser) positions in completions, of all rankings.

        Ties give none, nor does a text ranked against itself.
        """
        result: list[tuple[int, int]] = []
        for ranking in self.rankings:
            positions = [position for position, _ in ranking]
            pairs = ranking_pairs([rank for _, rank in ranking])
            result.extend((positions[winner], positions[loser]) for winner, loser in pairs)
        return [(winner, loser) for winner, loser in result if winner != loser]

    @property
    def longest(self) -> int:
        return len(self.prompt) + max(map(len, self.completions))

    @property
    def tree(self) -> Tree:
        """The prompt once, with its completions as branches (one alone shares nothing, and is cheaper as a row)."""
        if len(self.completions) == 1:
            return Tree(self.prompt + self.completions[0])
        return Tree(self.prompt, self.completions)


def read_ranked_prompts(path: Path, tokenizer: Any, max_prompt_tokens: int, context: int) -> list[RankedPrompt]:
    """The dataset by prompt, in the order of first appearance.

    Rankings of one prompt by several labelers stay in one batch element, and a completion that several of them
    ranked goes through the model once. Scattered over batches, such correlated comparisons overfit within one epoch
    (Ouyang et al. 2022, section 3.5).
    """
    rows = read_rows(path, "rankings")
    prompts = encode_prompts(tokenizer, [row["prompt"] for row in rows])
    check_prompt_lengths(path.name, prompts, max_prompt_tokens)
    flat = encode_completions(tokenizer, [text for row in rows for text in row["completions"]])
    elements: dict[str, RankedPrompt] = {}
    known: dict[str, dict[tuple[int, ...], int]] = {}
    start = 0
    for row, prompt in zip(rows, prompts, strict=True):
        element = elements.setdefault(row["prompt_id"], RankedPrompt(prompt, [], []))
        seen = known.setdefault(row["prompt_id"], {})
        ranking = []
        for completion, rank in zip(flat[start:], row["ranks"], strict=False):
            position = seen.setdefault(tuple(completion), len(element.completions))
            if position == len(element.completions):
                element.completions.append(completion)
            ranking.append((position, rank))
        start += len(row["completions"])
        element.rankings.append(ranking)
    result = list(elements.values())
    check_context(path.name, [element.longest for element in result], context)
    return result


class ScoringBatch(NamedTuple):
    """Prompts whose completions are scored in one forward pass."""

    packed: Packed  # a row for each completion, prompt by prompt
    positions: list[int]  # which prompts of the batch these are, in the order of the rows
    sizes: list[int]  # completions of each


def scoring_batches(prompts: Sequence[RankedPrompt], max_tokens: int, device: torch.device) -> list[ScoringBatch]:
    """Cut this process's prompts, each with all its completions, into forward passes of at most `max_tokens` tokens."""
    trees = [prompt.tree for prompt in prompts]
    result = []
    for positions in my_micro_batches([tree.tokens for tree in trees], max_tokens):
        packed = pack([trees[position] for position in positions], device) if positions else idle_pass(device)
        result.append(ScoringBatch(packed, positions, [len(prompts[position].completions) for position in positions]))
    return result


def score_prompts(
    model: ScalarModel, prompts: Sequence[RankedPrompt], max_tokens: int, device: torch.device
) -> list[list[float]]:
    """The reward of every completion of every prompt."""
    return mean_of_heads(score_by_head(model, prompts, max_tokens, device))


def mean_of_heads(by_head: Sequence[Sequence[Sequence[float]]]) -> list[list[float]]:
    """[prompts][completions][heads] -> [prompts][completions]"""
    return [[statistics.fmean(heads) for heads in of_prompt] for of_prompt in by_head]


@torch.no_grad()
def score_by_head(
    model: ScalarModel, prompts: Sequence[RankedPrompt], max_tokens: int, device: torch.device
) -> list[list[list[float]]]:
    """The reward of every completion of every prompt by every head: [prompts][completions][heads]."""
    sizes = [len(prompt.completions) for prompt in prompts]
    starts = [0, *accumulate(sizes)]
    flat = torch.zeros(starts[-1], len(model.head_biases), device=device)
    for batch in scoring_batches(prompts, max_tokens, device):
        for position, part in zip(batch.positions, model.score_by_head(batch.packed).split(batch.sizes), strict=True):
            flat[starts[position] : starts[position + 1]] = part
    return [part.tolist() for part in distributed.all_sum(flat).split(sizes)]
