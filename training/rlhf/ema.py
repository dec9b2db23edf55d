"""An exponential moving average of a model's weights: the policy that is kept (Ouyang et al. 2022: decay 0.992)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from training.rlhf.sharding import sharded_like


class Ema:
    """Averages of what is trained, per optimizer step.

    The paper leaves open whether per step or per iteration; re-implementations do this.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self._live = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
        self._average = {name: parameter.detach().clone() for name, parameter in self._live.items()}

    @torch.no_grad()
    def update(self) -> None:
        """average <- decay average + (1 - decay) live."""
        torch._foreach_lerp_(list(self._average.values()), list(self._live.values()), 1 - self.decay)

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Within, the model has the averaged weights; after, its own again."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    @torch.no_grad()
    def _swap(self) -> None:
        for name, parameter in self._live.items():
            # By content: a sharded parameter stays where FSDP knows it.
            average = self._average[name]
            own = parameter.clone()
            parameter.copy_(average)
            average.copy_(own)

    def state_dict(self) -> dict[str, Any]:
        return dict(self._average)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name, average in self._average.items():
            average.copy_(sharded_like(average, state[name]))
