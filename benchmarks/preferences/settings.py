"""What each data set is trained with.

Learning rate and start are chosen on development prompts cut from the training rows, by log loss (`--tune` for the
rate; docs/lab-log.md has what was tried). With two completions a prompt both trainers do the same (`tests/peers`), so
that what is best for one is best for the other.
"""

from typing import NamedTuple

from benchmarks.preferences.trials import OURS, PEER, Setting

RATES = (1e-4, 3e-4, 1e-3)
MAX_PROMPT, MAX_COMPLETION = 128, 320  # tokens


class Plan(NamedTuple):
    """The settings of both trainers for a data set."""

    chosen: dict[str, Setting]
    dialogues: str | None = None  # the set of whose preferred answers both see an SFT before; None: novels alone

    def grid(self, who: str) -> list[Setting]:
        """What is tried for one of them."""
        return [self.chosen[who]._replace(lr=lr) for lr in RATES]


PLANS: dict[str, Plan] = {
    "hh_rlhf": Plan({OURS: Setting(3e-4, 8), PEER: Setting(3e-4, 8)}),
    "hh_rlhf.helpful": Plan({OURS: Setting(3e-4, 8), PEER: Setting(3e-4, 8)}),
    "hh_rlhf.harmless": Plan({OURS: Setting(1e-3, 8), PEER: Setting(1e-3, 8)}, dialogues="hh_rlhf"),
    "alpaca_eval_kwise": Plan({OURS: Setting(1e-3, 2), PEER: Setting(1e-3, 32)}),
}
