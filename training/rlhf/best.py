"""The weights that validated best so far: what is published when the last ones are not."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from training.rlhf.sharding import sharded_like, whole


class Best:
    """Kept on the CPU, so that the device holds one model, and saved with the state, so that a resume knows them.

    Weights that are not trained are the model's own at any time, and are not kept.
    """

    def __init__(self, model: nn.Module) -> None:
        self._live = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
        self._weights: dict[str, torch.Tensor] = {}
        self.score = -math.inf
        self.facts: dict[str, Any] = {}  # what goes with them: plain numbers and texts

    @torch.no_grad()
    def offer(self, score: float, facts: Mapping[str, Any]) -> None:
        """Keep the model's weights of now if `score` is above every earlier one; equal scores leave the earlier."""
        if score <= self.score:
            return
        self._weights = {name: whole(weight.detach()).to("cpu", copy=True) for name, weight in self._live.items()}
        self.score, self.facts = score, dict(facts)

    @torch.no_grad()
    def restore(self) -> None:
        """Give the model the best weights; none were offered: it stays as it is."""
        for name, weight in self._weights.items():
            self._live[name].copy_(sharded_like(self._live[name], weight))

    def state_dict(self) -> dict[str, Any]:
        return {"weights": self._weights, "score": self.score, "facts": self.facts}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._weights, self.score, self.facts = state["weights"], state["score"], state["facts"]
