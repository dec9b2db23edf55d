"""What the recipes that train adapters in place of all weights share."""

from dataclasses import dataclass

from training.contract.spec import Spec, require

ALL_LINEAR = "all-linear"


@dataclass(frozen=True)
class LoraSpec(Spec):
    """Low-rank adapters (Hu et al. 2021): the update of a matrix is lora_alpha / lora_rank times a product B A.

    There is no dropout on the adapters: reward model and PPO have to do without any, and SFT has residual_dropout.
    """

    lora_rank: int = 0  # 0 trains all weights; with adapters a learning rate some ten times as high is usual
    lora_alpha: int = 16  # the adapters' update is scaled by lora_alpha / lora_rank
    lora_target_modules: str = ALL_LINEAR  # every linear layer but the head; or names, as "q_proj,v_proj"

    def validate(self) -> None:
        super().validate()
        require(self.lora_rank >= 0, f"lora_rank is {self.lora_rank}; it must be 0 (all weights) or more.")
        self.positive("lora_alpha")
        require(bool(self.lora_targets), "lora_target_modules names no layer.")

    @property
    def lora_targets(self) -> list[str]:
        """Names of the layers that get adapters."""
        return [name.strip() for name in self.lora_target_modules.split(",") if name.strip()]
