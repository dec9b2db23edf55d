"""Whether careless labelers are found: `python -m benchmarks.labeler_flags`.

40 simulated labelers rank 150 items each (K = 4 to 9, four labelers an item): 5 place at random, 2 prefer what stands
first on the page, 1 copies the first ranking of the item; the rest see each completion's quality through noise, half of
them with the opposite taste on one topic of ten. Precision and recall of being flagged for anything, over all seeds;
then in how many seeds that topic is listed as one that splits labelers into groups, and in how many any other is.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.report import Measurement, append_lines, machine, table
from labeling.agreement import splits
from labeling.agreement.pairs import Rankings, compare
from labeling.agreement.scorecard import Flags, flags, scorecards

LABELERS, EACH, TOPICS = 40, 4, 10
CARELESS, BIASED, COPYING = range(5), range(5, 7), range(7, 8)
NOISE, BIAS = 0.9, 1.0  # beside a spread of 1 of the completions' quality; the bias is that of the first place


class Population(NamedTuple):
    rankings: Rankings
    position: NDArray[np.uint8]
    items: int
    at_fault: NDArray[np.bool_]
    topic: NDArray[np.int64]  # of each item, from 0; that of the opposite tastes is 0


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.labeler_flags", description=__doc__)
    parser.add_argument("--rankings", type=int, nargs="+", default=[50, 150, 400], help="of each labeler")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--json", type=Path, help="append the measurements to this file, one JSON object a line")
    options = parser.parse_args(arguments)
    print(f"{machine()}; {LABELERS} labelers, {options.seeds} seeds")
    results = [(count, *measure(count, options.seeds)) for count in options.rankings]
    head = ["rankings a labeler", "precision", "recall", "careless", "position", "copying"]
    rows = [[str(count), *(f"{value:.3f}" for value in values)] for count, *values in results]
    print(table(head, rows))
    found = [(count, *measure_splits(count, options.seeds)) for count in options.rankings]
    rule = f"p < {splits.ALPHA} by Holm, {splits.APART} apart"
    print(f"\nTopics listed as splitting labelers ({rule}), in how many of {options.seeds} seeds")
    print(table(["rankings a labeler", "the split topic", "any other"], [[str(cell) for cell in row] for row in found]))
    if options.json:
        lines = [
            Measurement(f"flags.{name}", {"rankings": count, "seeds": options.seeds}, round(value, 4), "share")
            for count, *values in results
            for name, value in zip(("precision", "recall"), values, strict=False)
        ]
        lines += [
            Measurement(f"splits.{name}", {"rankings": count, "seeds": options.seeds}, value / options.seeds, "share")
            for count, *seeds in found
            for name, value in zip(("found", "false"), seeds, strict=True)
        ]
        append_lines(options.json, lines)


def measure(count: int, seeds: int) -> tuple[float, float, float, float, float]:
    """Precision and recall over all seeds, and how many of each kind of labeler were found."""
    found, wanted = [], []
    for seed in range(seeds):
        made = population(count, seed)
        found.append(_flagged(made).any)
        wanted.append(made.at_fault)
    flagged, at_fault = np.stack(found), np.stack(wanted)
    right = (flagged & at_fault).sum()
    kinds = (float(flagged[:, list(kind)].mean()) for kind in (CARELESS, BIASED, COPYING))
    return (float(right / max(flagged.sum(), 1)), float(right / at_fault.sum()), *kinds)  # type: ignore[return-value]


def measure_splits(count: int, seeds: int) -> tuple[int, int]:
    """In how many seeds the topic of opposite tastes (0) is listed, and in how many any other."""
    listed = [listed_topics(population(count, seed)) for seed in range(seeds)]
    return sum(0 in topics for topics in listed), sum(bool(topics - {0}) for topics in listed)


def listed_topics(made: Population) -> set[int]:
    """As the page lists them: each topic against the reliability on all others."""
    seen = splits.signed(compare(made.rankings), made.rankings.item, made.rankings.labeler)
    topic = made.topic[seen.item]
    found = []
    for one in range(TOPICS):
        rest = splits.of_rows(seen, np.flatnonzero(topic != one), LABELERS)
        found.append(splits.found(seen, np.flatnonzero(topic == one), splits.reliability(rest)))
    ps = splits.adjusted([1.0 if split is None else split.p for split in found])
    return {
        one
        for one, (p, split) in enumerate(zip(ps, found, strict=True))
        if split and splits.is_listed(p, split.within, split.between)
    }


def _flagged(made: Population) -> Flags:
    return flags(scorecards(made.rankings, made.position, made.items, LABELERS))


def population(count: int, seed: int) -> Population:
    """`count` rankings of each labeler, as the head of this file says."""
    rng = np.random.default_rng(seed)
    items = LABELERS * count // EACH
    # Decks of all labelers, dealt out to items: all get as many, and nobody gets an item twice.
    decks = [rng.permutation(LABELERS).reshape(-1, EACH) for _ in range(items * EACH // LABELERS)]
    people = np.concatenate(decks)
    topics, k = rng.integers(0, TOPICS, size=items), rng.integers(4, 10, size=items)
    places, positions = [], []
    for item in range(items):
        quality = rng.standard_normal(k[item])
        first: NDArray[np.uint8] | None = None
        for labeler in people[item].tolist():
            position = rng.permutation(k[item]) + 1
            seen = _seen(rng, labeler, quality, position, opposite=topics[item] == 0)
            order = _places(seen) if first is None or labeler not in COPYING else first
            first = order if first is None else first
            places.append(np.pad(order, (0, 9 - k[item])))
            positions.append(np.pad(position, (0, 9 - k[item])))
    rankings = Rankings(np.array(places, np.uint8), np.repeat(np.arange(items), EACH), people.ravel())
    at_fault = np.arange(LABELERS) < COPYING.stop
    return Population(rankings, np.array(positions, np.uint8), items, at_fault, topics)


def _seen(
    rng: np.random.Generator, labeler: int, quality: NDArray[np.float64], position: NDArray[np.int64], *, opposite: bool
) -> NDArray[np.float64]:
    noise = rng.standard_normal(len(quality))
    if labeler in CARELESS:
        return noise
    if labeler in BIASED:
        bonus = BIAS * (1 - 2 * (position - 1) / (len(quality) - 1))
        return quality + NOISE * noise + bonus
    sign = -1 if opposite and labeler % 2 else 1
    return sign * quality + NOISE * noise


def _places(seen: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Dense, best first; what is nearly the same is a tie."""
    return (np.unique(-np.round(seen, 1), return_inverse=True)[1] + 1).astype(np.uint8)


if __name__ == "__main__":
    main()
