"""PURE. Which of the sampled prompts labelers rank: those on which the reward model is least sure."""

import statistics
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from labeling.errors import BadInput

if TYPE_CHECKING:
    from labeling.rounds.people import Group


def choose(
    groups: "Sequence[Group]",
    spreads: Mapping[int, float],
    rewards: Mapping[int, float],
    by: str,
    count: int,
    seed: int,
) -> "list[Group]":
    """The `count` groups with the largest mean spread of the ensemble, in the order of the groups."""
    if by != "ensemble":
        raise BadInput(f"Prompts cannot be chosen by {by} yet.")
    doubt = [statistics.fmean(spreads[row.pk] for row in completions) for _, completions in groups]
    first = sorted(range(len(groups)), key=lambda number: -doubt[number])[:count]
    return [groups[number] for number in sorted(first)]
