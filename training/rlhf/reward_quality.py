"""How well a reward model agrees with rankings it was not trained on. Plain numbers in, plain numbers out."""

import math
import random
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple

Ranking = Sequence[tuple[float, int]]  # (score, rank) of each completion; rank 1 is best


class Judgement(NamedTuple):
    """One ranking beside the scores of what it ranks, and what it is counted under."""

    prompt: Hashable  # rankings of one prompt are not independent: intervals resample prompts
    ranking: Ranking
    groups: Mapping[str, str | int]  # for example {"use_case": "open_qa", "cohort": "held_out", "k": 4}


def pair_accuracy(rankings: Sequence[Ranking]) -> float:
    """Share of the pairs that are not tied in which the better completion scores higher; equal scores count half.

    Not a number where there is no such pair.
    """
    points, pairs = _points(rankings)
    return points / pairs if pairs else float("nan")


def accuracy_interval(judgements: Sequence[Judgement], samples: int, seed: int) -> tuple[float, float]:
    """95 % interval of pair_accuracy by resampling prompts, each with all its rankings (a cluster bootstrap).

    The pairs of a prompt share their completions, and resampling pairs would give an interval that is too narrow.
    Prompts without a pair that is not tied are left out. Raises ValueError where no prompt is left.
    """
    of_prompt: dict[Hashable, list[Ranking]] = {}
    for judgement in judgements:
        of_prompt.setdefault(judgement.prompt, []).append(judgement.ranking)
    counted = [found for found in map(_points, of_prompt.values()) if found[1]]
    if not counted:
        raise ValueError("No ranking has a pair that is not tied.")
    rng = random.Random(seed)
    shares = []
    for _ in range(samples):
        drawn = rng.choices(counted, k=len(counted))
        shares.append(sum(points for points, _ in drawn) / sum(pairs for _, pairs in drawn))
    return _middle(shares)


def by_group(judgements: Sequence[Judgement], samples: int, seed: int) -> list[dict[str, Any]]:
    """Accuracy with its interval, and log loss, of all rankings and of each group: rows of one table.

    The first row is the group "all"; then come the groups in the order of their names, each by value. A group whose
    rankings are all ties has no row. `prompts`, `rankings` and `comparisons` count what is not tied.
    """
    judgements = [judgement for judgement in judgements if _pairs(judgement.ranking)]
    members: dict[tuple[str, str | int], list[Judgement]] = {("all", ""): judgements} if judgements else {}
    names = sorted({name for judgement in judgements for name in judgement.groups})
    for name in names:
        for value in sorted({judgement.groups[name] for judgement in judgements}):
            members[name, value] = [judgement for judgement in judgements if judgement.groups[name] == value]
    return [_row(name, value, found, samples, seed) for (name, value), found in members.items()]


def _row(name: str, value: str | int, judgements: Sequence[Judgement], samples: int, seed: int) -> dict[str, Any]:
    rankings = [judgement.ranking for judgement in judgements]
    low, high = accuracy_interval(judgements, samples, seed)
    return {
        "group": name,
        "value": value,
        "prompts": len({judgement.prompt for judgement in judgements}),
        "rankings": len(rankings),
        "comparisons": sum(len(_pairs(ranking)) for ranking in rankings),
        "accuracy": pair_accuracy(rankings),
        "accuracy_low": low,
        "accuracy_high": high,
        "log_loss": log_loss(rankings),
    }


def reliability(rankings: Sequence[Ranking], bins: int = 10) -> list[dict[str, float]]:
    """How often labelers prefer the side that the model prefers, by how sure the model is of it.

    The model's probability that its preferred side wins is sigmoid(|difference of the scores|), between 0.5 and 1;
    `bins` equal widths of it, those with pairs only. Each: `low` and `high` edge, mean `predicted` probability,
    `observed` share of the pairs (equal scores count half) and their `count`.
    """
    width = 0.5 / bins
    members: dict[int, list[tuple[float, float]]] = {}
    for ranking in rankings:
        for winner, loser in _pairs(ranking):
            predicted = 1 / (1 + math.exp(-abs(winner - loser)))
            place = min(bins - 1, int((predicted - 0.5) / width))
            members.setdefault(place, []).append((predicted, _point(winner, loser)))
    return [
        {
            "low": 0.5 + place * width,
            "high": 0.5 + (place + 1) * width,
            "predicted": sum(predicted for predicted, _ in found) / len(found),
            "observed": sum(point for _, point in found) / len(found),
            "count": len(found),
        }
        for place, found in sorted(members.items())
    ]


def expected_calibration_error(table: Sequence[Mapping[str, float]]) -> float:
    """Mean over the pairs of |observed - predicted| of their bin (Guo et al. 2017). 0 is calibrated."""
    count = sum(row["count"] for row in table)
    error = sum(row["count"] * abs(row["observed"] - row["predicted"]) for row in table)
    return error / count if count else float("nan")


def log_loss(rankings: Sequence[Ranking]) -> float:
    """-log sigmoid(r_winner - r_loser): the mean over the pairs of a ranking, then over rankings that have pairs."""
    losses = []
    for ranking in rankings:
        margins = [winner - loser for winner, loser in _pairs(ranking)]
        if margins:
            losses.append(sum(_softplus(-margin) for margin in margins) / len(margins))
    return sum(losses) / len(losses) if losses else float("nan")


def best_of_n_wins(rankings: Sequence[Ranking]) -> list[float]:
    """Per ranking: how often the completion with the highest score beats a random other one of the same ranking.

    The judge is the labeler's own ranking; a tie counts half. A reward model that knows nothing gets 0.5 on average,
    and policies should not be optimized against one that does not stand clearly above it: best-of-n is the mildest
    optimization there is.
    """
    wins = []
    for ranking in rankings:
        top = max(range(len(ranking)), key=lambda index: ranking[index][0])
        rank = ranking[top][1]
        others = [other for index, (_, other) in enumerate(ranking) if index != top]
        wins.append(sum(1.0 if rank < other else 0.5 if rank == other else 0.0 for other in others) / len(others))
    return wins


def bootstrap_interval(values: Sequence[float], samples: int, seed: int) -> tuple[float, float]:
    """95 % interval of the mean by resampling the values with replacement."""
    rng = random.Random(seed)
    return _middle([sum(rng.choices(values, k=len(values))) / len(values) for _ in range(samples)])


def _middle(values: Sequence[float]) -> tuple[float, float]:
    """The bounds of the middle 95 %."""
    values = sorted(values)
    return values[int(0.025 * len(values))], values[min(len(values) - 1, int(0.975 * len(values)))]


def _points(rankings: Sequence[Ranking]) -> tuple[float, int]:
    """How many pairs the scores get right, and how many there are."""
    pairs = [pair for ranking in rankings for pair in _pairs(ranking)]
    return sum(_point(winner, loser) for winner, loser in pairs), len(pairs)


def _point(winner: float, loser: float) -> float:
    return 1.0 if winner > loser else 0.5 if winner == loser else 0.0


def _pairs(ranking: Ranking) -> list[tuple[float, float]]:
    return [(score, other) for score, rank in ranking for other, worse in ranking if rank < worse]


def _softplus(x: float) -> float:
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))
