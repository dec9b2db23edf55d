"""What the form begins with: the paper's numbers, or those of the miniature; and the courses that a round can take.

The specs of the miniature and the toy size are those of the demonstration (miniature.py).
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from labeling.prompts.models import Split
from labeling.rounds.miniature import MINIATURE, TOY, Spec
from labeling.rounds.settings import PARTS


class Course(NamedTuple):
    """A subset of the loop that is asked for often."""

    label: str
    run: tuple[str, ...]


COURSES = {
    "loop": Course("The full loop", PARTS),
    "sft": Course("Collect demonstrations and SFT only", ("sft",)),
    "reward": Course("Rank, and a reward model, from an existing policy", ("reward_model",)),
    "ppo": Course("PPO from an existing reward model, and judge", ("ppo_ptx", "ppo", "judge", "evaluate")),
    "judge": Course("Judge existing policies only", ("judge",)),
}
OWN = "own"  # the parts are ticked one by one

# The start of PPO has the pretraining mix (C.3). 27.8, the paper's ptx_coef, goes with a normalization it does not
# state; with means per token 0.5 is at the upper end of what works.
PAPER: dict[str, Spec] = {
    "sft": {"epochs": 2, "pretraining_mix": 0.1},
    "ptx": {"ptx_coef": 0.5},
}


class Preset(NamedTuple):
    """Where the form can begin. `counts` are prompts at most: what is not there cannot be asked for."""

    label: str
    about: str
    specs: Mapping[str, Spec]
    counts: Mapping[str, int]
    others: Mapping[str, Any]


PRESETS = {
    "paper": Preset(
        "As in the paper",
        "Hyperparameters of Ouyang et al. 2022 for the 1.3B and 6B models, prompts as in Table 6, or all there are.",
        PAPER,
        {"demonstrate": 12_725, "rank": 33_207, "rank_valid": 17_887, "judge": 1_000, "requeue": 0, "ppo": 31_144},
        {"k": 9},
    ),
    "miniature": Preset(
        "Miniature",
        "Small models on a processor, for some hours: what the demonstration runs with.",
        MINIATURE,
        {"demonstrate": 1_800, "rank": 2_400, "rank_valid": 300, "judge": 400, "requeue": 100, "ppo": 0},
        {"k": 6, "judges": 3},
    ),
    "toy": Preset(
        "Toy",
        "The same in minutes, to try the way of a round. It claims nothing about quality.",
        TOY,
        {"demonstrate": 150, "rank": 100, "rank_valid": 30, "judge": 40, "requeue": 10, "ppo": 0},
        {"k": 4, "judges": 2},
    ),
}
SPLIT_OF = {
    "demonstrate": Split.TRAIN,
    "rank": Split.TRAIN,
    "rank_valid": Split.VALID,
    "judge": Split.TEST,
    "requeue": Split.TRAIN,
    "ppo": Split.TRAIN,
}


def settings_of(preset: Preset, available: Mapping[str, int]) -> dict[str, Any]:
    """The preset as settings of a round, with no more prompts than each split has."""
    counts = {name: min(count, available.get(SPLIT_OF[name], 0)) for name, count in preset.counts.items()}
    specs = {name: dict(spec) for name, spec in preset.specs.items() if name != "ptx"}
    for name in ("pretrain", "sft", "sample", "reward_model", "ppo", "evaluate"):
        specs.setdefault(name, {})
    specs["ppo_ptx"] = {**specs["ppo"], **preset.specs["ptx"]}
    return {"run": list(PARTS), "prompts": counts, "specs": specs, **preset.others}
