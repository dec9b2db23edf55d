"""PURE. How often a policy is preferred to a baseline (Ouyang et al. 2022, figures 1 and 3)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from labeling.evaluation.bootstrap import cluster_mean
from labeling.figures.judged import Judged, Said

FEWEST = 5  # prompts: of fewer an interval by resampling says nothing
TOO_FEW = f"no interval from fewer than {FEWEST} prompts"


class Share(NamedTuple):
    """A mean with its 95 % interval, which resamples prompts. `low` and `high` are None where there are too few."""

    value: float
    low: float | None
    high: float | None
    prompts: int
    answers: int  # judgements, or outputs
    why: str = ""  # there is no interval


class Preference(NamedTuple):
    """`value`: of the grouping that splits the prompts; empty for all, as `cohort` is for both."""

    checkpoint: int
    baseline: int
    cohort: str
    value: str
    share: Share


def share_of(by_prompt: Mapping[str, Sequence[float]]) -> Share:
    """Of values by prompt, of which there are some."""
    prompts = sorted(by_prompt)
    sums = [float(sum(by_prompt[prompt])) for prompt in prompts]
    counts = [len(by_prompt[prompt]) for prompt in prompts]
    if len(prompts) < FEWEST:
        return Share(sum(sums) / sum(counts), None, None, len(prompts), sum(counts), TOO_FEW)
    found = cluster_mean(sums, counts)
    return Share(found.rate, found.low, found.high, len(prompts), sum(counts))


def score(said: Sequence[Said], policy: int, other: int) -> float | None:
    """1 where the policy is preferred, 0 where the other is, a tie ½; the mean where it has several completions."""
    mine = [one.place for one in said if one.checkpoint == policy]
    theirs = [one.place for one in said if one.checkpoint == other]
    points = [0.5 if a == b else float(a < b) for a in mine for b in theirs]
    return sum(points) / len(points) if points else None


def preferences(
    judged: Iterable[Judged], baselines: Sequence[int], *, by: str = "", cohorts: bool = False
) -> list[Preference]:
    """Of every policy against every baseline that stood beside it; split by a field of the judgements (`by`) and by
    the labelers' cohort. In the order of checkpoints, cohorts, values."""
    scores: dict[tuple[int, int, str, str], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for one in judged:
        there = {said.checkpoint for said in one.said}
        key = (one.cohort if cohorts else "", getattr(one, by) if by else "")
        for baseline in there.intersection(baselines):
            for policy in there - {baseline}:
                found = score(one.said, policy, baseline)
                if found is not None:
                    scores[policy, baseline, *key][one.prompt].append(found)
    return [Preference(*key, share_of(found)) for key, found in sorted(scores.items())]
