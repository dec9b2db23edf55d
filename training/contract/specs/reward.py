"""Settings of the recipes that train reward models."""

from dataclasses import dataclass
from typing import ClassVar

from training.contract.spec import Spec, require
from training.contract.specs.lora import LoraSpec


@dataclass(frozen=True)
class RewardTrainingSpec(Spec):
    """How a reward model is trained (section 3.5, appendix C.2): all comparisons of a prompt in one batch element."""

    epochs: int = 1  # passes over the rankings; more overfits quickly, says the paper
    batch_size: int = 64  # prompts, not pairs
    lr: float = 9e-6  # peak learning rate
    warmup_steps: int = 0  # steps in which lr rises to its peak; not stated
    lr_final_fraction: float = 0.1  # the cosine ends at this fraction of lr
    max_prompt_tokens: int = 1000  # a prompt that is longer stops the run with a sentence
    adam_beta1: float = 0.9  # decay of Adam's mean gradient
    adam_beta2: float = 0.95  # decay of Adam's mean square
    adam_eps: float = 1e-5  # added to Adam's root mean square; as re-implemented; the paper does not say
    weight_decay: float = 0.0  # AdamW's, per step and times lr; not stated
    max_grad_norm: float = 1.0  # gradients are scaled down to this norm; not stated
    micro_batch_tokens: int = 4096  # padded tokens in one forward pass; no effect on the result but rounding

    def validate(self) -> None:
        super().validate()
        self.positive("epochs", "batch_size", "lr", "max_prompt_tokens", "max_grad_norm", "micro_batch_tokens")
        self.fraction("lr_final_fraction")


@dataclass(frozen=True)
class RewardModelSpec(RewardTrainingSpec, LoraSpec):
    """The reward model that policies are optimized against."""

    recipe: ClassVar[str] = "reward_model"

    # On one trunk, each with a start and a bootstrap of the prompts of its own: the reward is their mean, and their
    # spread says where the rankings do not settle it.
    heads: int = 1
    unit_std: bool = False  # also divide scores by their spread over the ranked completions (the 2019 code's gain)
    bootstrap_samples: int = 1000  # for the intervals of best_of_n_win_rate and of the accuracies

    def validate(self) -> None:
        super().validate()
        self.positive("bootstrap_samples", "heads")


@dataclass(frozen=True)
class ScoreSpec(Spec):
    """What reward models say of completions, and how far they are apart."""

    recipe: ClassVar[str] = "score"

    batch_size: int = 128  # completions scored between writes, and what a kill loses at most
    max_prompt_tokens: int = 1000  # a prompt that is longer stops the run with a sentence
    micro_batch_tokens: int = 4096  # padded tokens in one forward pass; no effect on the result but rounding

    def validate(self) -> None:
        super().validate()
        self.positive("batch_size", "max_prompt_tokens", "micro_batch_tokens")


@dataclass(frozen=True)
class LabelerCvSpec(RewardTrainingSpec):
    """Do reward models agree with labelers they have not learned from? (section 4.1: 5 groups, 3 seeds)."""

    recipe: ClassVar[str] = "labeler_cv"

    folds: int = 5  # groups of labelers; each is left out once
    seeds: int = 3  # reward models per fold: the run's seed, the next, …
    held_out_prompts: float = 0.2  # share of the prompts that a seed keeps for measuring; not stated
    save_every: int = 1  # reward models between results kept in state/

    def validate(self) -> None:
        super().validate()
        self.positive("seeds")
        require(self.folds >= 2, f"folds is {self.folds}; leaving a group of labelers out needs at least 2.")
        require(0 < self.held_out_prompts < 1, f"held_out_prompts is {self.held_out_prompts}; it must be in (0, 1).")
