"""A PPO run's over-optimisation: proxy reward, spread and people's preference against distance, and where to stop."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np

from labeling.figures import gao, judged, people, trace
from labeling.figures.gao import Fit, Floats
from labeling.figures.preference import score
from labeling.figures.trace import Trace
from labeling.kept import code_of, kept, version_of
from training.contract.overoptimization import BEST_OF_N, PPO
from training.models import Checkpoint, Run, RunParent

CODE = code_of(__file__)
FEWEST_JUDGED = 3  # distances: two would be met exactly by any curve
FEWEST_ITERATIONS = 10
CURVE = 60  # points of a drawn curve
Ranked = Sequence[tuple[str, Sequence[float], Sequence[int]]]  # prompt, rewards, places of each scored ranking


class Ends(NamedTuple):
    """Where a run of optimization starts, and what it climbs."""

    start: int
    proxy: int


def ends_of(run: Run) -> Ends | None:
    """None for a run that does not optimize a policy against a reward model."""
    parents = dict(RunParent.objects.filter(run=run).values_list("role", "checkpoint_id"))
    found = parents.get("policy"), parents.get("reward_model")
    return Ends(found[0], found[1]) if found[0] and found[1] else None


def of(run: Run, ranked: Ranked = ()) -> dict[str, Any]:
    """`ranked`: rankings that the run's reward model has scored (slice reward_models); best of n is read off them."""
    ends, seen = ends_of(run), trace.read(run)
    proxy, cautious = trace.fits(run, seen) if seen else (None, None)
    judged_points = _judged(ends) if ends else []
    fitted, marks = _people(judged_points)
    counted = list(ranked[: people.MOST_RANKINGS])
    by_n, of_n = kept(f"best-of-n-{CODE}-{version_of(counted)}", lambda: _best_of_n_people(counted))
    runs = _best_of_n_runs(ends) if ends else []
    proposals = [
        ("people", gao.propose(fitted, "the people’s preference", fewest=FEWEST_JUDGED)),
        ("spread", _of_spread(seen, cautious)),
        ("best_of_n", gao.propose(by_n, "the people’s preference for the best of n", fewest=FEWEST_JUDGED)),
    ]
    return {
        "run": str(run.pk),
        "trace": trace.shown(seen) if seen else [],
        "iterations": len(seen.kl) if seen else 0,
        "is_ensemble": bool(seen and seen.spread is not None),
        "fits": {
            "proxy": _fit(proxy),
            "cautious": _fit(cautious),
            "people": _fit(fitted, fewest=FEWEST_JUDGED),
            "best_of_n": _fit(by_n, fewest=FEWEST_JUDGED),
        },
        "people": marks,
        "best_of_n": of_n,
        "best_of_n_runs": runs,
        "proposals": [
            {
                "by": by,
                **one._asdict(),
                "iteration": trace.reached(seen, one.kl) if seen and one.kl is not None and by != "best_of_n" else None,
            }
            for by, one in proposals
        ],
    }


def _of_spread(seen: Trace | None, found: Fit | None) -> gao.Proposal:
    if seen is not None and seen.spread is None:
        return gao.Proposal(
            None, None, None, "Nothing is proposed: the reward model has one head, so it has no spread to watch."
        )
    return gao.propose(found, "the reward less the spread", fewest=FEWEST_ITERATIONS)


def _fit(found: Fit | None, *, fewest: int = 0) -> dict[str, Any] | None:
    """None as well where the curve runs through fewer than `fewest` distances: there it says nothing of its own."""
    if found is None or found.distances < fewest:
        return None
    distances = np.linspace(0, found.furthest**0.5, CURVE)
    return {
        "method": found.curve.method,
        "alpha": found.curve.alpha,
        "alpha_interval": found.alpha,
        "beta": found.curve.beta,
        "beta_interval": found.beta,
        "offset": found.offset,
        "peak": _finite(found.peak),
        "peak_interval": [_finite(end) for end in found.peak_interval],
        "explained": None if np.isnan(found.explained) else found.explained,
        "curve": [{"d": float(d), "gain": found.at(float(d) ** 2)} for d in distances],
    }


def _finite(value: float) -> float | None:
    """JSON has no infinity: a curve that never turns has none."""
    return value if np.isfinite(value) else None


class Point(NamedTuple):
    """A policy that started and climbed as the run did, at its distance, with people's scores against the start."""

    checkpoint: Checkpoint
    kl: float
    measured: str  # how the distance was
    scores: dict[str, list[float]]


def _judged(ends: Ends) -> list[Point]:
    """All policies of the family that people have judged against the start, by distance."""
    family = Run.objects.filter(recipe="ppo", state=Run.State.DONE)
    family = family.filter(parents__role="policy", parents__checkpoint=ends.start)
    family = family.filter(parents__role="reward_model", parents__checkpoint=ends.proxy)
    made = {
        one.pk: one
        for one in Checkpoint.objects.filter(run__in=family.values("pk")).select_related("run").order_by("pk")
    }
    scores: dict[int, dict[str, list[float]]] = {}
    for one in judged.read().judged if made else []:
        for policy in {said.checkpoint for said in one.said} & made.keys():
            found = score(one.said, policy, ends.start)
            if found is not None:
                scores.setdefault(policy, {}).setdefault(one.prompt, []).append(found)
    points = []
    for pk, by_prompt in scores.items():
        if (known := _distance(made[pk], ends.start)) is not None:
            points.append(Point(made[pk], *known, by_prompt))
    return sorted(points, key=lambda point: point.kl)


def _distance(checkpoint: Checkpoint, start: int) -> tuple[float, str] | None:
    """In nats: of the weights that were judged where an evaluation measured it, else of the run's last iteration."""
    measured = Run.objects.filter(recipe="evaluate", state=Run.State.DONE)
    measured = measured.filter(parents__role="policy", parents__checkpoint=checkpoint)
    measured = measured.filter(parents__role="reference", parents__checkpoint=start, result__has_key="kl")
    if (newest := measured.order_by("-finished_at").first()) and newest.result:
        return float(newest.result["kl"]), "by an evaluation"
    assert checkpoint.run is not None  # the family's checkpoints are made by its runs
    seen = trace.read(checkpoint.run)
    return (float(seen.kl[-1]), "in the run’s last iteration") if seen else None


def _people(points: list[Point]) -> tuple[Fit | None, list[dict[str, Any]]]:
    if not points:
        return None, []
    found = people.gains([point.scores for point in points])
    kls = np.array([point.kl for point in points])
    marks = [
        {
            "checkpoint": point.checkpoint.pk,
            "name": point.checkpoint.name,
            "run": str(point.checkpoint.run_id),
            "kl": point.kl,
            "measured": point.measured,
            **_mark(found, at),
        }
        for at, point in enumerate(points)
    ]
    return gao.fit(PPO, kls, found.gains, drawn=found.drawn), marks


def _best_of_n_people(ranked: Ranked) -> tuple[Fit | None, list[dict[str, Any]]]:
    by_n = people.best_of(ranked)
    if not by_n:
        return None, []
    found = people.gains(list(by_n.values()))
    kls: Floats = np.array([np.log(n) - (n - 1) / n for n in by_n])
    marks = [{"n": n, "kl": float(kls[at]), **_mark(found, at)} for at, n in enumerate(by_n)]
    return gao.fit(BEST_OF_N, kls, found.gains, drawn=found.drawn), marks


def _mark(found: people.Gains, at: int) -> dict[str, Any]:
    low, high = found.interval(at)
    return {
        "rate": float(found.rates[at]),
        "gain": float(found.gains[at]),
        "low": low,
        "high": high,
        "prompts": found.prompts[at],
    }


def _best_of_n_runs(ends: Ends) -> list[dict[str, Any]]:
    """Of the recipe `best_of_n`, of the same start by the same reward model: what the proxy gains."""
    runs = Run.objects.filter(recipe=BEST_OF_N, state=Run.State.DONE)
    runs = runs.filter(parents__role="policy", parents__checkpoint=ends.start)
    runs = runs.filter(parents__role="reward_model", parents__checkpoint=ends.proxy)
    found = [(run.pk, run.name, run.result or {}) for run in runs.order_by("created_at")]
    return [_best_of_n_run(*one) for one in found if {"kl", "reward_best", "reward_random", "n"} <= one[2].keys()]


def _best_of_n_run(pk: UUID, name: str, result: dict[str, Any]) -> dict[str, Any]:
    return {
        "run": str(pk),
        "name": name,
        "n": result["n"],
        "kl": result["kl"],
        "gain": result["reward_best"] - result["reward_random"],
        "spread": result.get("spread_best"),
    }
