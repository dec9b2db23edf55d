"""PURE. Which settings of a run are other than the paper's (the defaults of training/contract/specs)."""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, NamedTuple

from training.contract.specs import SPECS

# How a run is cut into pieces and written down: no effect on what is learned, up to rounding.
MACHINE = {
    "threads", "save_every", "micro_batch_tokens", "decode_batch_size", "samples_every", "eval_every",
}  # fmt: skip
# Recipes whose defaults follow the paper; those of the others are Podium's own.
OF_THE_PAPER = ("sft", "reward_model", "ppo")


class Difference(NamedTuple):
    name: str
    value: Any
    default: Any


def differing(recipe: str, spec: Mapping[str, Any]) -> list[Difference]:
    """By name; nothing for a recipe that is not known (any more)."""
    known = {one.name: one for one in fields(SPECS[recipe])} if recipe in SPECS else {}
    found = []
    for name in sorted(spec.keys() & known.keys() - MACHINE):
        default = known[name].default
        if default is not MISSING and spec[name] != default:
            found.append(Difference(name, spec[name], default))
    return found
