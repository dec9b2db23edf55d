"""Who and what is left out in a cross-validation over labelers (Ouyang et al. 2022, section 4.1). No tensors."""

import random
import statistics
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from training.rlhf.comparisons import RankedPrompt


class Fold(NamedTuple):
    """What one reward model learns from, and what it is measured on: prompts that it has not seen, in both cases."""

    train: list[RankedPrompt]  # the other groups' rankings of the prompts that are not held out
    within: list[RankedPrompt]  # the other groups' rankings of the held-out prompts
    held_out: list[RankedPrompt]  # the left-out group's rankings of the held-out prompts


def labeler_groups(labelers: Collection[str], folds: int, seed: int) -> dict[str, int]:
    """The group of each labeler, 0 to folds - 1, drawn at random; sizes differ by one at most."""
    order = random.Random(seed).sample(sorted(labelers), len(labelers))
    return {labeler: position % folds for position, labeler in enumerate(order)}


def draw_prompts(count: int, share: float, seed: int) -> set[int]:
    """A random `share` of the positions 0 to count - 1, rounded, but at least one."""
    return set(random.Random(seed).sample(range(count), max(1, round(share * count))))


def split(
    prompts: Sequence[RankedPrompt],
    labelers: Sequence[Sequence[str]],
    group_of: Mapping[str, int],
    left_out: int,
    held_out_prompts: Collection[int],
) -> Fold:
    """The fold that leaves out the group `left_out`; labelers[prompt][ranking] is who ranked it.

    Over all folds every ranking of a held-out prompt is measured once as held_out and folds - 1 times as within: the
    two accuracies are of the same rankings, and differ by who the models have learned from.
    """
    fold = Fold([], [], [])
    for number, (prompt, names) in enumerate(zip(prompts, labelers, strict=True)):
        others = restrict(prompt, [group_of[name] != left_out for name in names])
        theirs = restrict(prompt, [group_of[name] == left_out for name in names])
        if number in held_out_prompts:
            fold.within.append(others)
            fold.held_out.append(theirs)
        else:
            fold.train.append(others)
    return Fold(*([prompt for prompt in part if prompt.pairs] for part in fold))


def restrict(prompt: RankedPrompt, keep: Sequence[bool]) -> RankedPrompt:
    """The prompt with those of its rankings that are to be kept, and the completions that stand in these."""
    rankings = [ranking for ranking, kept in zip(prompt.rankings, keep, strict=True) if kept]
    used = sorted({position for ranking in rankings for position, _ in ranking})
    place = {position: new for new, position in enumerate(used)}
    return RankedPrompt(
        prompt.prompt,
        [prompt.completions[position] for position in used],
        [[(place[position], rank) for position, rank in ranking] for ranking in rankings],
    )


def mean_and_error(folds: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Mean over everything, and its standard error from the spread of the folds' means: [folds][seeds].

    The seeds of a fold share its labelers, so that the folds are the independent draws, not the models. (The paper
    does not say what its ± is of.) Training sets of folds overlap, which the error does not see.
    """
    means = [statistics.fmean(seeds) for seeds in folds]
    return statistics.fmean(means), statistics.stdev(means) / len(means) ** 0.5
