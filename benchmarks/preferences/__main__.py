"""Reward models on public preferences, beside TRL's RewardTrainer on the same start and the same rows.

    make bench-preferences DATA=path/to/data
    python -m benchmarks.preferences --data path/to/data --set hh_rlhf --seeds 1 2 3

A Llama of 2 million parameters is pretrained on novels (once; it stays in the work folder), where the settings say so
it is fine-tuned on preferred answers, then both trainers go over the same rankings once and are judged on the same
held-out prompts. Trainings that were made before are not repeated without --again, so a run that was ended goes on. Run
it where TRL is installed.
"""

import argparse
import importlib.util
import os
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from transformers.utils import logging as hf_logging

from benchmarks.preferences import tables
from benchmarks.preferences.base import pretrained
from benchmarks.preferences.folders import Root
from benchmarks.preferences.settings import MAX_COMPLETION, MAX_PROMPT, PLANS, Plan
from benchmarks.preferences.sources import SETS, BadSource
from benchmarks.preferences.start import fine_tuned, may_be_seen
from benchmarks.preferences.tables import Results
from benchmarks.preferences.trials import OURS, PEER, Arena, Trial
from benchmarks.report import Measurement, append_lines, machine


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.preferences", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder of english_novels, hh_rlhf and so on")
    parser.add_argument("--set", nargs="+", default=list(PLANS), choices=list(PLANS), dest="sets")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], help="head and order of the data")
    parser.add_argument("--work-dir", type=Path, default=Path("var/benchmarks/preferences"))
    parser.add_argument("--again", action="store_true", help="repeat trainings that are already in the work folder")
    parser.add_argument("--tune", action="store_true", help="try the grid of settings on development prompts instead")
    parser.add_argument("--json", type=Path, help="append the measurements to this file, one JSON object a line")
    options = parser.parse_args(arguments)
    if importlib.util.find_spec("trl") is None:
        raise SystemExit("TRL is not installed here; `make bench-preferences` makes an environment that has it.")
    torch.set_num_threads(1)
    hf_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    hf_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    print(f"{machine()}; one thread, fp32, seeds {', '.join(map(str, options.seeds))}", flush=True)
    root = Root(options.work_dir.resolve())
    try:
        base = pretrained(root, options.data / "english_novels")
        print(tables.base_line(base), flush=True)
        for name in options.sets:
            plan = PLANS[name]
            data = SETS[name](options.data)
            if options.tune:
                data = data.development()
            start = base
            if plan.dialogues:
                seen = may_be_seen(SETS[plan.dialogues](options.data), data)
                start = fine_tuned(root, base, seen, MAX_PROMPT, MAX_COMPLETION)
            arena = Arena(root, start, data, MAX_PROMPT, MAX_COMPLETION)
            print(f"\n{name}: {tables.arena_lines(arena, plan)}", flush=True)
            if options.tune:
                tune(arena, plan, options.seeds, options.again)
            else:
                measurements = measure(name, arena, plan, options.seeds, options.again)
                if options.json:
                    append_lines(options.json, measurements)
    except BadSource as error:
        raise SystemExit(str(error)) from None


def measure(name: str, arena: Arena, plan: Plan, seeds: Sequence[int], again: bool) -> list[Measurement]:
    """Both trainers with the chosen settings, in turn, seed by seed; prints the tables."""
    trials: dict[str, list[Trial]] = {OURS: [], PEER: []}
    for seed in seeds:
        for who, done in trials.items():
            done.append(arena.trial(who, plan.chosen[who], seed, again))
            print(f"  seed {seed}: {tables.trial_line(arena, who, done[-1])}", flush=True)
    results = Results(arena, trials)
    print(f"\n{tables.result_table(results)}\n\n{tables.part_table(results)}", flush=True)
    return tables.measurements(name, results, plan)


def tune(arena: Arena, plan: Plan, seeds: Sequence[int], again: bool) -> None:
    """Both trainers over their grids, judged on development prompts; prints one table."""
    rows = []
    for who in (OURS, PEER):
        for setting in plan.grid(who):
            done = [arena.trial(who, setting, seed, again) for seed in seeds]
            rows.append(tables.grid_row(arena, who, setting, done))
            print("  " + ", ".join(rows[-1]), flush=True)
    print(f"\n{tables.grid_table(rows)}", flush=True)


if __name__ == "__main__":
    main()
