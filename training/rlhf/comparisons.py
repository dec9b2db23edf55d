"""Rankings as the reward model learns from them: per prompt, its completions once each, and the pairs between them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from training.contract.pairs import ranking_pairs
from training.contract.rows import read_rows
from training.rlhf.packing import micro_batches, pad_rows
from training.rlhf.scalar_head import ScalarModel
from training.rlhf.tokens import check_context, check_prompt_lengths, encode_completions, encode_prompts


class RankedPrompt(NamedTuple):
    """One batch element: a prompt and everything that was ranked for it."""

    rows: list[list[int]]  # prompt and completion ids of each distinct completion
    rankings: list[list[tuple[int, int]]]  # per ranking, (position in rows, rank)

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """(winner, loser) positions in rows, of all rankings. Ties give none, nor does a text ranked against itself."""
        result: list[tuple[int, int]] = []
        for ranking in self.rankings:
            positions = [position for position, _ in ranking]
            pairs = ranking_pairs([rank for _, rank in ranking])
            result.extend((positions[winner], positions[loser]) for winner, loser in pairs)
        return [(winner, loser) for winner, loser in result if winner != loser]

    @property
    def longest(self) -> int:
        return max(len(row) for row in self.rows)


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
        element = elements.setdefault(row["prompt_id"], RankedPrompt([], []))
        seen = known.setdefault(row["prompt_id"], {})
        ranking = []
        for completion, rank in zip(flat[start:], row["ranks"], strict=False):
            ids = prompt + completion
            position = seen.setdefault(tuple(ids), len(element.rows))
            if position == len(element.rows):
                element.rows.append(ids)
            ranking.append((position, rank))
        start += len(row["completions"])
        element.rankings.append(ranking)
    result = list(elements.values())
    check_context(path.name, [element.longest for element in result], context)
    return result


class ScoringBatch(NamedTuple):
    """Prompts whose completions are scored in one forward pass, B rows in all."""

    ids: Tensor  # [B, T] right-padded
    lengths: Tensor  # [B]
    positions: list[int]  # which prompts of the batch these are, in the order of the rows
    sizes: list[int]  # completions of each


def scoring_batches(
    prompts: Sequence[RankedPrompt], max_tokens: int, pad_token_id: int, device: torch.device
) -> list[ScoringBatch]:
    sizes = [len(prompt.rows) for prompt in prompts]
    result = []
    for positions in micro_batches([prompt.longest for prompt in prompts], max_tokens, sizes):
        rows = [row for position in positions for row in prompts[position].rows]
        lengths = torch.tensor([len(row) for row in rows], device=device)
        ids = pad_rows(rows, pad_token_id).to(device)
        result.append(ScoringBatch(ids, lengths, positions, [sizes[position] for position in positions]))
    return result


@torch.no_grad()
def score_prompts(
    model: ScalarModel, prompts: Sequence[RankedPrompt], max_tokens: int, pad_token_id: int, device: torch.device
) -> list[list[float]]:
    """The reward of every completion of every prompt."""
    scores: list[list[float]] = [[] for _ in prompts]
    for batch in scoring_batches(prompts, max_tokens, pad_token_id, device):
        flat = model.score(batch.ids, batch.lengths)
        for position, part in zip(batch.positions, flat.split(batch.sizes), strict=True):
            scores[position] = part.tolist()
    return scores
