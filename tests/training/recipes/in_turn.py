"""Runs recipes one after the other in the processes that a launcher has started: starting them is what takes time.

    torchrun --nproc_per_node 2 -m tests.training.recipes.in_turn sft=<folder> fsdp/sft=<folder> …

Before the recipe may stand, joined by `+` and ended by `/`: `fsdp` sets what `accelerate launch --use_fsdp
--fsdp_version 2` sets; `again` goes on from the last saved state of a run that is done, and keeps its first checkpoint
as first/; `failing` makes process 1 fail at step 3.
"""

import importlib
import os
import sys
from pathlib import Path
from typing import Any

from training.contract.run_dir import RunError

SENTENCE = "The third step is too much for process 1."


def main(items: list[str]) -> None:
    for item in items:
        name, folder = item.split("=", 1)
        kinds, _, recipe = name.rpartition("/")
        os.environ["ACCELERATE_USE_FSDP"] = "true" if "fsdp" in kinds else "false"
        os.environ["FSDP_VERSION"] = "2"
        module = importlib.import_module(f"training.recipes.{recipe}")
        if "failing" in kinds and os.environ["RANK"] == "1":
            fail_at_step_3(module)
        if "again" in kinds and os.environ["RANK"] == "0":
            (Path(folder) / "checkpoint").rename(Path(folder) / "first")
        code = module.main(["--run-dir", folder])
        if code:
            sys.exit(code)


def fail_at_step_3(module: Any) -> None:
    before = module.check_finite

    def check(value: float, name: str, step: int) -> None:
        if step == 3:
            raise RunError(SENTENCE)
        before(value, name, step)

    module.check_finite = check


if __name__ == "__main__":
    main(sys.argv[1:])
