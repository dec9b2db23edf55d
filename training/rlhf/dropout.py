"""Residual dropout for decoder models that have none of their own."""

from typing import Any

import torch.nn.functional as F
from torch import nn
from transformers import PreTrainedModel

from training.contract.run_dir import RunError

BRANCHES = ("self_attn", "attn", "attention", "self_attention", "mlp", "feed_forward")


def add_residual_dropout(model: PreTrainedModel, p: float) -> None:
    """Drop units of what attention and MLP add to the residual stream, with probability `p`, in training mode only.

    Ouyang et al. 2022, appendix C.1: residual dropout of 0.2 in supervised fine-tuning. Llama and most later models
    know no such dropout, so it is hooked onto the two branches of every layer; nothing of it is saved.
    """
    if p == 0:
        return
    branches = [module for name, module in model.named_modules() if name.rsplit(".", 1)[-1] in BRANCHES]
    if not branches:
        raise RunError(
            f"Models of type {model.config.model_type} have no layers known to residual_dropout; set it to 0."
        )

    def drop(module: nn.Module, inputs: Any, output: Any) -> Any:
        if not module.training:
            return output
        if isinstance(output, tuple):
            return (F.dropout(output[0], p), *output[1:])
        return F.dropout(output, p)

    for branch in branches:
        branch.register_forward_hook(drop)
