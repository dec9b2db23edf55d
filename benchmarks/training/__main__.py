"""The training core beside its peers: `make bench-training`, or `python -m benchmarks.training` where TRL is installed.

One thread and CPU seconds, ours and the peer in turn, medians over the repeats; both compute the same losses on the
same rows (`tests/peers`). TRL lost PPO after 1.12.0, so `make bench-training` runs this once more with that one.
"""

import argparse
import importlib.util
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from transformers.utils import logging as hf_logging

from benchmarks.report import Measurement, append_lines, machine, spread, table
from benchmarks.training import memory, peak, ppo, reward_model, sampling, sft
from benchmarks.training.timing import Work, medians, rates
from benchmarks.training.world import AMOUNTS, device, train_on

TRL, TRL_PPO, GENERATE = "TRL 1.16.0", "TRL 1.12.0 PPOTrainer", "transformers generate"


@dataclass(frozen=True)
class Case:
    """One line of the table: `measure(repeats)` gives the values of "ours" and "peer", a value a repeat."""

    name: str
    size: str
    unit: str
    peer: str
    bar: float  # times the peer
    measure: Callable[[int], dict[str, list[float]]]
    at_most: bool = False  # the bar is a ceiling

    @property
    def says(self) -> str:
        return f"{'at most' if self.at_most else 'at least'} {self.bar:g}"


def side_by_side(ours: Callable[[], Work], peer: Callable[[], Work], repeats: int) -> dict[str, list[float]]:
    return rates({"ours": ours, "peer": peer}, repeats)


def both(trainers: Any, *arguments: Any) -> Callable[[int], dict[str, list[float]]]:
    """`trainers.ours` and `trainers.peer` on the same work."""
    return partial(side_by_side, partial(trainers.ours, *arguments), partial(trainers.peer, *arguments))


def cases(size: str) -> Iterator[Case]:
    """What the TRL that is installed can stand beside: 1.12.0 for PPO, the latest for all others."""
    if importlib.util.find_spec("trl") is None:
        raise SystemExit("TRL is not installed here; `make bench-training` makes an environment that has it.")
    if importlib.util.find_spec("trl.experimental.ppo"):
        return _ppo(size)
    return chain(_reward_model(size), _sampling(size), _sft(size), _peak(size))


def _reward_model(size: str) -> Iterator[Case]:
    for k, precision, bar in ((9, "fp32", 15.0), (9, "bf16", 16.0), (4, "fp32", 5.0)):
        measure = both(reward_model, size, k, precision)
        yield Case(f"rm.k{k}.{precision}", size, "comparisons/s", f"{TRL} RewardTrainer", bar, measure)


def _sampling(size: str) -> Iterator[Case]:
    for precision, bar in (("fp32", 2.6), ("bf16", 3.5)):
        yield Case(f"sample.{precision}", size, "tokens/s", GENERATE, bar, both(sampling, size, precision))


def _sft(size: str) -> Iterator[Case]:
    for precision, bar in (("fp32", 1.1), ("bf16", 1.25)):
        yield Case(f"sft.{precision}", size, "tokens/s", f"{TRL} SFTTrainer", bar, both(sft, size, precision))


def _peak(size: str) -> Iterator[Case]:
    for precision, of_reward_model, of_ppo in (("fp32", 0.65, 0.55), ("bf16", 0.50, 0.42)):
        matmul, name = partial(peak.matmul, size, precision), f"matmul of {AMOUNTS[size].matmul}"
        measure = partial(side_by_side, partial(peak.of_reward_model, size, precision), matmul)
        yield Case(f"peak.rm.{precision}", size, "GFLOP/s", name, of_reward_model, measure)
        measure = partial(side_by_side, partial(peak.of_ppo, size, precision), matmul)
        yield Case(f"peak.ppo.{precision}", size, "GFLOP/s", name, of_ppo, measure)


def _ppo(size: str) -> Iterator[Case]:
    """Ragged bf16 stands beside TRL's fp32, as fast as its bf16 in the update and slower nowhere else."""
    kinds = (("full", "fp32", "fp32", 1.2), ("full", "bf16", "bf16", 1.55))
    for kind, precision, of_peer, bar in (*kinds, ("ragged", "fp32", "fp32", 1.6), ("ragged", "bf16", "fp32", 2.4)):
        ragged = kind == "ragged"
        ours, peer = partial(ppo.ours, size, precision), partial(ppo.peer, size, of_peer)
        measure = partial(side_by_side, partial(ours, ragged=ragged), partial(peer, ragged=ragged))
        yield Case(f"ppo.{kind}.{precision}", size, "episodes/s", f"{TRL_PPO} {of_peer}", bar, measure)
    precision = "bf16" if device().type == "cuda" else "fp32"
    together = partial(ppo.ours, size, precision, ragged=False, samples=4)
    apart = partial(ppo.ours, size, precision, ragged=False, repeated=4)
    measure = partial(side_by_side, together, apart)
    yield Case("ppo.shared_prefix", size, "episodes/s", "Podium, separate rows", 1.4, measure)
    yield Case("ppo.memory", size, "MB", TRL_PPO, 0.6, partial(memory.several, size, precision), at_most=True)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training", description=__doc__)
    parser.add_argument("--sizes", nargs="+", default=["8M"], choices=list(AMOUNTS), help="parameters of the model")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"], help="the bars are for a CPU")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", nargs="+", default=[""], help="measures whose names begin so")
    parser.add_argument("--json", type=Path, help="append the measurements to this file, one JSON object a line")
    options = parser.parse_args(arguments)
    if options.device == "cpu":
        torch.set_num_threads(1)
    train_on(options.device)
    hf_logging.set_verbosity_error()
    clock = "one thread, CPU seconds" if options.device == "cpu" else f"{torch.cuda.get_device_name()}, wall seconds"
    print(f"{machine()}; {clock}, {options.repeats} repeats, texts of 48 to 80 tokens", flush=True)
    rows: list[list[str]] = []
    for case in chain.from_iterable(cases(size) for size in options.sizes):
        if not case.name.startswith(tuple(options.only)):
            continue
        found = case.measure(options.repeats)
        middle = medians(found)
        ratio = middle["ours"] / middle["peer"]
        both = (spread(found["ours"]), spread(found["peer"]))
        rows.append([case.name, case.size, case.unit, *both, case.peer, f"{ratio:.2f}", case.says])
        print(f"  {case.name} {case.size}: {ratio:.2f} times {case.peer} ({case.says})", flush=True)
        if options.json:
            settings = {"size": case.size, "device": options.device, "repeats": options.repeats}
            values = (middle["ours"], case.unit, case.peer, middle["peer"])
            append_lines(options.json, [Measurement(case.name, settings, *values)])
    print(table(["measure", "model", "unit", "Podium", "peer", "which", "ratio", "bar"], rows))


if __name__ == "__main__":
    main()
