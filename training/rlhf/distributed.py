"""Many processes on one run: what they tell each other.

Every process knows the whole batch, whose order and randomness are functions of seed and step, and computes its share
of it (shares.py). Losses are sums divided by counts of the whole batch, so that the gradient of the batch is the sum of
the processes' gradients: N processes compute what one does, but for the order of summation. Small results (a rollout's
[B, R] tensors, scores) are filled in by whoever computes them and summed, so that every process holds all of them.

Everything here is called by all processes alike, in the same order; with one process it does nothing.
"""

import atexit
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from accelerate import PartialState  # type: ignore[import-untyped]
from accelerate.utils import broadcast_object_list, gather_object  # type: ignore[import-untyped]
from torch import Tensor
from torch.distributed.tensor import DTensor

from training.contract import processes as launched
from training.contract.run_dir import RunError

PATIENCE = timedelta(hours=2)  # for process 0, which writes alone; a process that dies is noticed at once
BUCKET = 2**25  # elements of gradients that are summed in one go

_is_alone = False


def start() -> torch.device:
    """Meet the other processes that were launched, if any; the device of this one. Raises RunError."""
    many = launched.count() > 1
    if many and torch.cuda.is_available():
        local, devices = int(os.environ.get("LOCAL_WORLD_SIZE", "1")), torch.cuda.device_count()
        if local > devices:
            raise RunError(f"{local} processes were launched on a machine with {devices} GPUs; one a GPU is the most.")
    # Where there is no GPU, accelerate takes a launched process for the only one unless it is told of the CPU.
    state = PartialState(cpu=many and not torch.cuda.is_available(), timeout=PATIENCE) if many else PartialState()
    if state.num_processes != launched.count():
        raise RunError(f"{launched.count()} processes were launched, and {state.num_processes} have met.")
    if many:
        atexit.register(state.destroy_process_group)
    return torch.device("cpu") if state.device.type == "cpu" else state.device


def count() -> int:
    """How many processes share the work."""
    return 1 if _is_alone or not dist.is_initialized() else dist.get_world_size()


def rank() -> int:
    """Which of them this one is, from 0."""
    return 0 if count() == 1 else dist.get_rank()


@contextmanager
def alone() -> Iterator[None]:
    """Within, this process works on something of its own, and nothing is shared or summed."""
    global _is_alone
    before, _is_alone = _is_alone, True
    try:
        yield
    finally:
        _is_alone = before


def wait() -> None:
    """Until all processes are here."""
    if count() > 1:
        all_sum(torch.zeros(1)).item()


def all_sum(tensor: Tensor) -> Tensor:
    """The sum over the processes, on the tensor's device."""
    if count() == 1:
        return tensor
    moved = tensor.detach().to(PartialState().device, copy=True).contiguous()
    dist.all_reduce(moved)
    return moved.to(tensor.device)


def sum_numbers(*numbers: float) -> list[float]:
    """The sum of each over the processes."""
    return list(numbers) if count() == 1 else all_sum(torch.tensor(numbers, dtype=torch.float64)).tolist()


def any_of(flag: bool) -> bool:
    """Whether it is true in any process."""
    return sum_numbers(float(flag))[0] > 0


def collect_objects(item: Any) -> list[Any]:
    """What every process has, in the order of the processes: plain values and tensors of the CPU."""
    return [item] if count() == 1 else gather_object([item])


def from_first(item: Any) -> Any:
    """What process 0 has."""
    return item if count() == 1 else broadcast_object_list([item])[0]


def sum_tensors(tensors: Iterable[Tensor]) -> None:
    """Replace each by its sum over the processes, many in one go.

    Sharded gradients are left alone: FSDP has summed them in the backward pass.
    """
    if count() == 1:
        return
    for bucket in _buckets([tensor for tensor in tensors if not isinstance(tensor, DTensor)]):
        flat = torch.cat([tensor.flatten() for tensor in bucket])
        dist.all_reduce(flat)
        for tensor, part in zip(bucket, flat.split([tensor.numel() for tensor in bucket]), strict=True):
            tensor.copy_(part.view_as(tensor))


def _buckets(tensors: Sequence[Tensor]) -> Iterator[list[Tensor]]:
    bucket: list[Tensor] = []
    size = 0
    for tensor in tensors:
        if bucket and (size + tensor.numel() > BUCKET or tensor.dtype != bucket[0].dtype):
            yield bucket
            bucket, size = [], 0
        bucket.append(tensor)
        size += tensor.numel()
    if bucket:
        yield bucket
