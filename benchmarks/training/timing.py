"""Seconds of work. On a CPU one thread, CPU seconds, peers in turn: what other programs do shows least in these.

On a GPU wall seconds until it is done, one after the other, since two large trainers do not fit its memory together.
"""

import gc
import time
from collections.abc import Callable, Mapping
from statistics import median

import torch

from benchmarks.training.world import device

Work = Callable[[], float]  # does a fixed piece of work and returns how many units it was


def rates(makers: Mapping[str, Callable[[], Work]], repeats: int) -> dict[str, list[float]]:
    """Units per second of each work, `repeats` times, after one round that is not counted."""
    if device().type == "cuda":
        return {name: _alone(make, repeats) for name, make in makers.items()}
    works = {name: make() for name, make in makers.items()}
    rounds = [{name: units_per_second(work) for name, work in works.items()} for _ in range(repeats + 1)]
    return {name: [each[name] for each in rounds[1:]] for name in works}


def _alone(make: Callable[[], Work], repeats: int) -> list[float]:
    work = make()
    found = [units_per_second(work) for _ in range(repeats + 1)][1:]
    del work
    gc.collect()  # trainers hold themselves in circles
    torch.cuda.empty_cache()
    return found


def units_per_second(work: Work) -> float:
    begin = _now()
    units = work()
    return units / (_now() - begin)


def _now() -> float:
    if device().type == "cuda":
        torch.cuda.synchronize()
        return time.perf_counter()
    return time.process_time()


def medians(values: Mapping[str, list[float]]) -> dict[str, float]:
    return {name: median(several) for name, several in values.items()}


def grouped(rows: int) -> int:
    """Rows of a data set of which transformers' grouping by length lays out the first `rows` as one group.

    It sorts within groups, of at most a quarter of the rows. A run over one whole group meets no length more often than
    another; one over a part of it would meet the longest only, and with fewer rows nothing would be grouped.
    """
    return 4 * rows
