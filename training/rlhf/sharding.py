"""FSDP: weights, gradients and optimizer state cut into one shard for each process (Zhao et al. 2023), by torch's
FSDP2.

`accelerate launch --use_fsdp --fsdp_version 2` asks for it. Each layer is put together for its pass and cut again; the
gradients come out summed and cut. Files hold whole tensors, so that they are the same as those of one process.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard, register_fsdp_forward_method
from torch.distributed.tensor import DTensor, distribute_tensor

from training.contract.run_dir import RunError
from training.rlhf import distributed

Result = TypeVar("Result")
PASS = "podium_pass"


def is_asked_for() -> bool:
    """Whether accelerate was started with --use_fsdp. Raises RunError for settings of it that are not ours."""
    if distributed.count() == 1 or os.environ.get("ACCELERATE_USE_FSDP", "false").lower() not in ("true", "1"):
        return False
    if os.environ.get("FSDP_VERSION", "1") != "2":
        raise RunError("Sharding goes by FSDP2 here: start accelerate with --use_fsdp --fsdp_version 2.")
    for option in ("offload_params", "activation_checkpointing"):
        if os.environ.get(f"FSDP_{option.upper()}", "false").lower() in ("true", "1"):
            raise RunError(f"FSDP's --fsdp_{option} is not supported here; start accelerate without it.")
    # Else transformers would read the weights in process 0 alone and leave the others to be filled by accelerate.
    os.environ["FSDP_CPU_RAM_EFFICIENT_LOADING"] = "false"
    return True


def shard(model: nn.Module) -> None:
    """Cut the model over all processes, in place: each layer for itself, and the rest (embedding, head) together."""
    if len({parameter.requires_grad for parameter in model.parameters()}) > 1:
        raise RunError(
            "A model of which only a part is trained (adapters, several heads) cannot be sharded; leave FSDP out."
        )
    mesh = init_device_mesh(next(model.parameters()).device.type, (distributed.count(),))
    for layer in _layers(model):
        fully_shard(layer, mesh=mesh, reshard_after_forward=True)
    # True for the rest too: weights that stay put together after a pass would miss what is done to the shards.
    fully_shard(model, mesh=mesh, reshard_after_forward=True)
    for module in _sharded(model):
        module.set_gradient_divide_factor(1.0)  # the sum, not the mean
        module.set_force_sum_reduction_for_comms(True)
    setattr(model, PASS, lambda work: work())
    register_fsdp_forward_method(model, PASS)
    with torch.no_grad():
        in_one_pass(model, lambda: None)  # the first pass says what is the whole; decoding calls parts only


def in_one_pass(model: nn.Module, work: Callable[[], Result]) -> Result:
    """`work()`, which calls parts of the model, as one forward pass of the whole of it."""
    return getattr(model, PASS)(work) if isinstance(model, FSDPModule) else work()


@contextmanager
def put_together(model: nn.Module) -> Iterator[None]:
    """Within, every process holds all weights: for decoding, where processes make different numbers of passes."""
    modules = _sharded(model)
    for module in modules:
        module.set_reshard_after_forward(False, recurse=False)
        module.unshard()
    try:
        yield
    finally:
        for module in modules:
            module.set_reshard_after_forward(True, recurse=False)
            module.reshard()


def whole(tensor: Tensor) -> Tensor:
    """The whole tensor on every process."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def gathered(value: Any) -> Any:
    """A state with all its tensors whole: on process 0, in the memory of the CPU; the others get empty ones."""
    if isinstance(value, DTensor):
        tensor = value.full_tensor()
        return tensor.cpu() if distributed.rank() == 0 else torch.empty(0)
    if isinstance(value, dict):
        return {key: gathered(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(gathered(item) for item in value)
    return value


def gathered_weights(model: nn.Module) -> dict[str, Tensor]:
    """The model's state with whole tensors, as gathered() gives them; tied weights are one tensor, as in the model."""
    state = model.state_dict()
    if not _sharded(model):
        return state
    owner = {name: id(parameter) for name, parameter in model.named_parameters(remove_duplicate=False)}
    first: dict[int, str] = {}
    result: dict[str, Tensor] = {}
    for name, tensor in state.items():
        twin = first.setdefault(owner.get(name, id(tensor)), name)
        result[name] = gathered(tensor) if twin == name else result[twin]
    return result


def sharded_like(template: Tensor | None, tensor: Tensor) -> Tensor:
    """This process's shard of a whole tensor that it holds, cut as the template is."""
    if not isinstance(template, DTensor) or isinstance(tensor, DTensor):
        return tensor
    moved = tensor.to(template.device)
    return distribute_tensor(moved, template.device_mesh, template.placements, src_data_rank=None)


def load_model(model: nn.Module, state: dict[str, Any]) -> None:
    """load_state_dict with whole tensors."""
    own = model.state_dict()
    model.load_state_dict({name: sharded_like(own.get(name), tensor) for name, tensor in state.items()})


def load_optimizer(optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """load_state_dict with whole tensors; those of a parameter's shape are cut as the parameter is."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]

    def cut(number: int, values: dict[str, Any]) -> dict[str, Any]:
        parameter = parameters[number]
        return {
            name: sharded_like(parameter, value) if value.shape == parameter.shape else value
            for name, value in values.items()
        }

    optimizer.load_state_dict(state | {"state": {number: cut(number, of) for number, of in state["state"].items()}})


def _layers(model: nn.Module) -> list[nn.Module]:
    """The decoder layers: of transformers' models the one list of modules of the trunk's own."""
    trunk = getattr(getattr(model, "classifier", model), "base_model")  # noqa: B009
    lists = [module for module in trunk.children() if isinstance(module, nn.ModuleList)]
    if len(lists) != 1:
        raise RunError(f"{type(trunk).__name__} has no single list of layers, so it cannot be sharded; leave FSDP out.")
    return list(lists[0])


def _sharded(model: nn.Module) -> list[Any]:
    return [module for module in model.modules() if isinstance(module, FSDPModule)]
