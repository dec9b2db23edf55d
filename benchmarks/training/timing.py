"""One thread, CPU seconds, peers in turn: what other programs on the machine do shows least in these."""

import time
from collections.abc import Callable, Mapping
from statistics import median

Work = Callable[[], float]  # does a fixed piece of work and returns how many units it was


def rates(works: Mapping[str, Work], repeats: int) -> dict[str, list[float]]:
    """Units per CPU second of each work, `repeats` times in turn, after one round that is not counted."""
    result: dict[str, list[float]] = {name: [] for name in works}
    for repeat in range(repeats + 1):
        for name, work in works.items():
            begin = time.process_time()
            units = work()
            seconds = time.process_time() - begin
            if repeat:
                result[name].append(units / seconds)
    return result


def medians(values: Mapping[str, list[float]]) -> dict[str, float]:
    return {name: median(several) for name, several in values.items()}


def grouped(rows: int) -> int:
    """Rows of a data set of which transformers' grouping by length lays out the first `rows` as one group.

    It sorts within groups, of at most a quarter of the rows. A run over one whole group meets no length more often than
    another; one over a part of it would meet the longest only, and with fewer rows nothing would be grouped.
    """
    return 4 * rows
