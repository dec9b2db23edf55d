"""Peak memory of one PPO iteration above what the process holds once all four models are made, in MB.

Each trainer runs in a process of its own: `python -m benchmarks.training.memory ours|peer 8M fp32 cpu` prints the
number, of the process, or on a GPU of what PyTorch allocated there. Gradients and optimizer states are in it on both
sides, since they are made in the first iteration.
"""

import gc
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.training.timing import Work

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def several(size: str, precision: str, repeats: int) -> dict[str, list[float]]:
    """MB above the weights, `repeats` times, of ours and of the peer."""
    return {who: [_in_a_process(who, size, precision) for _ in range(repeats)] for who in ("ours", "peer")}


def _in_a_process(who: str, size: str, precision: str) -> float:
    from benchmarks.training.world import device

    command = [sys.executable, "-m", "benchmarks.training.memory", who, size, precision, device().type]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return float(done.stdout.split()[-1])


def peak_above(work: Work) -> float:
    """The most that `work` holds above what is held now, in MB."""
    gc.collect()
    before = _resident("VmRSS")
    CLEAR.write_text("5")  # the high-water mark begins anew
    work()
    return _resident("VmHWM") - before


def peak_on_gpu(work: Work) -> float:
    """The same of the current GPU."""
    import torch

    gc.collect()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    work()
    return (torch.cuda.max_memory_allocated() - before) / 1024**2


def _resident(name: str) -> float:
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) / 1024


def main(who: str, size: str, precision: str, kind: str) -> None:
    import torch

    from benchmarks.training import ppo
    from benchmarks.training.world import train_on

    torch.set_num_threads(1)
    train_on(kind)
    makers: dict[str, Callable[..., Work]] = {"ours": ppo.ours, "peer": ppo.peer}
    work = makers[who](size, precision, ragged=False)
    print(peak_on_gpu(work) if kind == "cuda" else peak_above(work))


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main(*sys.argv[1:])
