"""Estimates of the KL divergence from samples, and the controllers of its coefficient."""

from typing import Any

from torch import Tensor


def k1(logprobs: Tensor, ref_logprobs: Tensor) -> Tensor:
    """log pi - log pi_ref: unbiased, may be negative (Schulman 2020, approximating KL divergence)."""
    return logprobs - ref_logprobs


def k2(logprobs: Tensor, ref_logprobs: Tensor) -> Tensor:
    """Half the squared log ratio: biased, low variance."""
    return 0.5 * (logprobs - ref_logprobs) ** 2


def k3(logprobs: Tensor, ref_logprobs: Tensor) -> Tensor:
    """ratio - 1 - log ratio with ratio = pi_ref / pi: unbiased and never negative."""
    difference = ref_logprobs - logprobs
    return difference.exp() - 1 - difference


class FixedKl:
    """The paper's: kl_coef does not change."""

    def __init__(self, kl_coef: float) -> None:
        self.kl_coef = kl_coef

    def update(self, kl: float, episodes: int) -> None:
        pass

    def state_dict(self) -> dict[str, Any]:
        return {"kl_coef": self.kl_coef}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.kl_coef = state["kl_coef"]


class AdaptiveKl(FixedKl):
    """Moves kl_coef so that the KL per episode approaches a target.

    Ziegler et al. 2019, section 2.2: beta <- beta (1 + clip(KL / target - 1, -0.2, 0.2) n / horizon).
    """

    def __init__(self, kl_coef: float, target: float, horizon: int) -> None:
        super().__init__(kl_coef)
        self.target, self.horizon = target, horizon

    def update(self, kl: float, episodes: int) -> None:
        error = min(max(kl / self.target - 1, -0.2), 0.2)
        self.kl_coef *= 1 + error * episodes / self.horizon
