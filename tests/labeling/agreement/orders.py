"""Rankings for the tests of agreement, as people would write them down."""

from collections.abc import Mapping, Sequence

import numpy as np

from labeling.agreement.pairs import Rankings

Item = Mapping[int, Sequence[int]]  # labeler → the places of the item's completions


def rankings(items: Sequence[Item]) -> Rankings:
    width = max(len(places) for item in items for places in item.values())
    rows = [(at, labeler, places) for at, item in enumerate(items) for labeler, places in item.items()]
    return Rankings(
        places=np.array([[*places, *[0] * (width - len(places))] for _, _, places in rows], dtype=np.uint8),
        item=np.array([at for at, _, _ in rows]),
        labeler=np.array([labeler for _, labeler, _ in rows]),
    )


def random_items(seed: int, items: int = 60, labelers: int = 6, most: int = 9) -> list[Item]:
    """Between none and all of the labelers on an item of 2 to `most` completions, with ties."""
    rng = np.random.default_rng(seed)
    made: list[Item] = []
    while len(made) < items:
        there = rng.choice(labelers, size=rng.integers(1, labelers + 1), replace=False)
        k = rng.integers(2, most + 1)
        made.append({int(labeler): rng.integers(1, k + 1, size=k).tolist() for labeler in sorted(there)})
    return made
