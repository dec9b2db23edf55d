"""What each data set is trained with. Chosen with `--tune` on development prompts, for both trainers over one grid."""

from itertools import product
from typing import NamedTuple

from benchmarks.preferences.trials import OURS, PEER, Setting


class Plan(NamedTuple):
    max_prompt: int  # tokens
    max_completion: int
    chosen: dict[str, Setting]
    grid: dict[str, list[Setting]]


RATES = (3e-4, 1e-3, 3e-3)


def _grid(ours: tuple[int, ...], peer: tuple[int, ...]) -> dict[str, list[Setting]]:
    return {who: [Setting(*pair) for pair in product(RATES, batches)] for who, batches in ((OURS, ours), (PEER, peer))}


PLANS: dict[str, Plan] = {
    "hh_rlhf": Plan(
        max_prompt=128,
        max_completion=192,
        chosen={OURS: Setting(1e-3, 16), PEER: Setting(1e-3, 16)},
        grid=_grid(ours=(8, 32), peer=(8, 32)),
    ),
    "alpaca_eval_kwise": Plan(
        max_prompt=128,
        max_completion=256,
        chosen={OURS: Setting(1e-3, 4), PEER: Setting(1e-3, 32)},
        grid=_grid(ours=(2, 8), peer=(16, 64)),
    ),
}
