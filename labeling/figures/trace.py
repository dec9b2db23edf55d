"""What a PPO run's metrics say of proxy reward, spread of the ensemble and distance, iteration by iteration."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

from labeling.figures.gao import Fit, Floats, blocks, fit
from labeling.kept import code_of, kept, version_of
from training import storage
from training.contract.metrics import read_metrics
from training.contract.overoptimization import PPO
from training.models import Run

Value = TypeVar("Value")
CODE = code_of(__file__)
KL, REWARD, SPREAD = "objective/kl", "objective/scores", "objective/score_spread"
SHOWN = 200  # points in a plot: of more iterations, neighbours are averaged
SMOOTHED = 5  # iterations averaged before it is said when a distance was reached


class Trace(NamedTuple):
    """Columns [iterations], in their order; `spread` is None for a reward model with one head. KL in nats."""

    step: Floats
    kl: Floats
    reward: Floats
    spread: Floats | None


def read(run: Run) -> Trace | None:
    """None where the run has measured nothing yet."""
    return _once("trace", run, lambda: of_rows(read_metrics(_file(run))[0]))


class Fits(NamedTuple):
    proxy: Fit | None
    cautious: Fit | None


def fits(run: Run, seen: Trace) -> Fits:
    """Of the run's trace; computed once for one that has ended."""
    return _once("trace-fits", run, lambda: Fits(proxy_fit(seen), cautious_fit(seen)))


def _once(what: str, run: Run, compute: Callable[[], Value]) -> Value:
    """What a live run has grows from look to look, so it is not kept."""
    if run.is_live:
        return compute()
    try:
        file = _file(run).stat()
    except OSError:
        return compute()
    return kept(f"{what}-{CODE}-{version_of(run.pk, file.st_size, file.st_mtime_ns)}", compute)


def _file(run: Run) -> Path:
    return storage.run_folder(run.pk) / "metrics.jsonl"


def of_rows(rows: list[dict[str, Any]]) -> Trace | None:
    """PURE. Of a step that comes twice the later row holds; rows without numbers are gaps."""
    by_step = {row["step"]: row for row in rows if row.get(KL) is not None and row.get(REWARD) is not None}
    if not by_step:
        return None
    kept = [by_step[step] for step in sorted(by_step)]
    step, kl, reward = (np.array([float(row[name]) for row in kept]) for name in ("step", KL, REWARD))
    has_spread = all(row.get(SPREAD) is not None for row in kept)
    return Trace(step, kl, reward, np.array([float(row[SPREAD]) for row in kept]) if has_spread else None)


def proxy_fit(trace: Trace) -> Fit | None:
    return fit(PPO, trace.kl, trace.reward, weights=blocks(len(trace.kl)), offset=True)


def cautious_fit(trace: Trace) -> Fit | None:
    """Of reward less spread. Its turn is where the spread begins to grow faster than the reward (Coste et al. 2023
    take the spread off the reward for the same reason)."""
    if trace.spread is None:
        return None
    return fit(PPO, trace.kl, trace.reward - trace.spread, weights=blocks(len(trace.kl)), offset=True)


def reached(trace: Trace, kl: float) -> int | None:
    """The first iteration whose surroundings are that far on average; None where the run came no further."""
    width = min(SMOOTHED, len(trace.kl))
    smooth = np.convolve(trace.kl, np.ones(width) / width, mode="valid")
    there = np.flatnonzero(smooth >= kl)
    return int(trace.step[there[0] + width // 2]) if len(there) else None


def shown(trace: Trace) -> list[dict[str, float | None]]:
    """Points for a plot."""
    parts = np.array_split(np.arange(len(trace.kl)), min(SHOWN, len(trace.kl)))
    return [
        {
            "step": float(trace.step[part].max()),
            "kl": float(trace.kl[part].mean()),
            "reward": float(trace.reward[part].mean()),
            "spread": None if trace.spread is None else float(trace.spread[part].mean()),
        }
        for part in parts
    ]
