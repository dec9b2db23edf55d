"""The training core beside its peers: `make bench-training`, or `python -m benchmarks.training` where TRL is installed.

One thread and CPU seconds, ours and the peer in turn, medians over the repeats; both compute the same losses on the
same rows (`tests/peers`). TRL lost PPO after 1.12.0, so `make bench-training` runs this once more with that one.
Not measured yet: SFT, shared prefixes in PPO, memory, the share of the machine's peak.
"""

import argparse
import importlib.util
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from transformers.utils import logging as hf_logging

from benchmarks.report import Measurement, append_lines, machine, spread, table
from benchmarks.training import ppo, reward_model, sampling
from benchmarks.training.timing import Work, medians, rates


@dataclass(frozen=True)
class Case:
    measure: str
    size: str
    unit: str
    peer: str
    at_least: float  # times the peer
    ours: Callable[[], Work]
    theirs: Callable[[], Work]


def cases(size: str) -> Iterator[Case]:
    """What the TRL that is installed can stand beside: the latest for the reward model, 1.12.0 for PPO."""
    if importlib.util.find_spec("trl") is None:
        raise SystemExit("TRL is not installed here; `make bench-training` makes an environment that has it.")
    if importlib.util.find_spec("trl.experimental.ppo"):
        return _ppo(size)
    return chain(_reward_model(size), _sampling(size))


def _reward_model(size: str) -> Iterator[Case]:
    for k, precision, bar in ((9, "fp32", 15.0), (9, "bf16", 16.0), (4, "fp32", 5.0)):
        prompts, per_step = (8, 2) if k == 9 else (16, 4)
        ours = partial(reward_model.ours, size, k, precision, prompts, per_step)
        theirs = partial(reward_model.peer, size, k, precision, steps=4)
        yield Case(f"rm.k{k}.{precision}", size, "comparisons/s", "TRL 1.16.0 RewardTrainer", bar, ours, theirs)


def _sampling(size: str) -> Iterator[Case]:
    for precision, bar in (("fp32", 2.6), ("bf16", 3.5)):
        ours, theirs = partial(sampling.ours, size, precision), partial(sampling.peer, size, precision)
        yield Case(f"sample.{precision}", size, "tokens/s", "transformers generate", bar, ours, theirs)


def _ppo(size: str) -> Iterator[Case]:
    for kind, precision, bar in (("full", "fp32", 1.2), ("full", "bf16", 1.55), ("ragged", "fp32", 1.6)):
        ours = partial(ppo.ours, size, precision, ragged=kind == "ragged")
        theirs = partial(ppo.peer, size, precision, ragged=kind == "ragged")
        yield Case(f"ppo.{kind}.{precision}", size, "episodes/s", "TRL 1.12.0 PPOTrainer", bar, ours, theirs)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training", description=__doc__)
    parser.add_argument("--sizes", nargs="+", default=["8M"], choices=["8M", "30M"], help="parameters of the model")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", default="", help="measures whose name begins so")
    parser.add_argument("--json", type=Path, help="append the measurements to this file, one JSON object a line")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    hf_logging.set_verbosity_error()
    print(f"{machine()}; one thread, CPU seconds, {options.repeats} repeats, texts of 48 to 80 tokens", flush=True)
    rows: list[list[str]] = []
    for case in chain.from_iterable(cases(size) for size in options.sizes):
        if not case.measure.startswith(options.only):
            continue
        found = rates({"ours": case.ours(), "peer": case.theirs()}, options.repeats)
        middle = medians(found)
        ratio = middle["ours"] / middle["peer"]
        both = (spread(found["ours"]), spread(found["peer"]))
        rows.append([case.measure, case.size, case.unit, *both, case.peer, f"{ratio:.1f}", f"{case.at_least:g}"])
        print(f"  {case.measure} {case.size}: {ratio:.1f} times {case.peer}", flush=True)
        if options.json:
            settings = {"size": case.size, "threads": 1, "repeats": options.repeats}
            values = (middle["ours"], case.unit, case.peer, middle["peer"])
            append_lines(options.json, [Measurement(case.measure, settings, *values)])
    print(table(["measure", "model", "unit", "Podium", "peer", "which", "ratio", "at least"], rows))


if __name__ == "__main__":
    main()
