"""The settings of each recipe: one frozen dataclass per recipe, defaults from the paper, names from the literature.

Defaults follow Ouyang et al. 2022, appendix C, for the 1.3B and 6B models; "not stated" marks what the paper leaves
open and we chose. `spec_from_dict` is the door: it refuses unknown names and wrong kinds of value with a sentence, and
`validate()` refuses combinations that cannot work, before any model is loaded.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from training.contract.sampling_specs import BestOfNSpec, SampleSpec
from training.contract.spec import Spec, SpecError, check_values, require

__all__ = [
    "SPECS",
    "BestOfNSpec",
    "EvaluateSpec",
    "LabelerCvSpec",
    "PpoSpec",
    "PretrainSpec",
    "RewardModelSpec",
    "RewardTrainingSpec",
    "SampleSpec",
    "SftSpec",
    "Spec",
    "SpecError",
    "spec_from_dict",
]


@dataclass(frozen=True)
class PretrainSpec(Spec):
    """A small base model from nothing: the miniature world's stand-in for GPT-3."""

    recipe: ClassVar[str] = "pretrain"

    word_min_count: int = 3  # a word of the corpus at least this frequent is one token
    vocab_size: int = 4096  # at most so many tokens; the most frequent words win
    hidden_size: int = 64
    num_hidden_layers: int = 3
    num_attention_heads: int = 4
    intermediate_size: int = 160
    max_position_embeddings: int = 512
    block_size: int = 96  # tokens per packed row
    steps: int = 2000
    batch_size: int = 16  # rows per step
    lr: float = 8e-3
    warmup_steps: int = 40
    lr_final_fraction: float = 0.05  # the cosine ends at this fraction of lr
    adam_beta1: float = 0.9
    adam_beta2: float = 0.95
    adam_eps: float = 1e-8
    weight_decay: float = 0.05
    max_grad_norm: float = 1.0
    valid_blocks: int = 200  # held-out rows for val/loss, at most
    eval_every: int = 200  # steps between val/loss; 0 only at the end

    def validate(self) -> None:
        super().validate()
        self.positive("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")
        self.positive("steps", "batch_size", "lr", "max_grad_norm", "word_min_count", "valid_blocks")
        self.fraction("lr_final_fraction")
        require(self.block_size >= 2, f"block_size is {self.block_size}; a row needs at least 2 tokens.")
        require(
            self.block_size <= self.max_position_embeddings,
            f"block_size {self.block_size} is longer than max_position_embeddings {self.max_position_embeddings}.",
        )
        require(
            self.hidden_size % self.num_attention_heads == 0,
            f"hidden_size {self.hidden_size} is not divisible by num_attention_heads {self.num_attention_heads}.",
        )
        require(self.vocab_size >= 258, f"vocab_size is {self.vocab_size}; 256 bytes and 2 marks need 258 at least.")


@dataclass(frozen=True)
class SftSpec(Spec):
    """Supervised fine-tuning on demonstrations (appendix C.1). For a PPO start use epochs 2, pretraining_mix 0.1."""

    recipe: ClassVar[str] = "sft"

    epochs: int = 16
    batch_size: int = 32
    lr: float = 9.65e-6
    warmup_steps: int = 0  # the paper: none
    lr_final_fraction: float = 0.1  # cosine to 10 %
    residual_dropout: float = 0.2
    pretraining_mix: float = 0.0  # share of pretraining rows and of the loss; 0.1 for the model that PPO starts from
    pretraining_block_size: int = 0  # tokens per pretraining row; 0 = the model's context, at most 2048
    max_prompt_tokens: int = 1000
    adam_beta1: float = 0.9
    adam_beta2: float = 0.95
    adam_eps: float = 1e-8  # not stated
    weight_decay: float = 0.0  # not stated
    max_grad_norm: float = 1.0  # not stated
    micro_batch_tokens: int = 4096  # padded tokens in one forward pass; no effect on the result but rounding

    def validate(self) -> None:
        super().validate()
        self.positive("epochs", "batch_size", "lr", "max_prompt_tokens", "max_grad_norm", "micro_batch_tokens")
        self.fraction("lr_final_fraction")
        require(0 <= self.residual_dropout < 1, f"residual_dropout is {self.residual_dropout}; it must be in [0, 1).")
        require(0 <= self.pretraining_mix < 1, f"pretraining_mix is {self.pretraining_mix}; it must be in [0, 1).")


@dataclass(frozen=True)
class RewardTrainingSpec(Spec):
    """How a reward model is trained (section 3.5, appendix C.2): all comparisons of a prompt in one batch element."""

    epochs: int = 1  # more overfits quickly, says the paper
    batch_size: int = 64  # prompts, not pairs
    lr: float = 9e-6
    warmup_steps: int = 0
    lr_final_fraction: float = 0.1
    max_prompt_tokens: int = 1000
    adam_beta1: float = 0.9
    adam_beta2: float = 0.95
    adam_eps: float = 1e-5  # as re-implemented; the paper does not say
    weight_decay: float = 0.0  # not stated
    max_grad_norm: float = 1.0  # not stated
    micro_batch_tokens: int = 4096

    def validate(self) -> None:
        super().validate()
        self.positive("epochs", "batch_size", "lr", "max_prompt_tokens", "max_grad_norm", "micro_batch_tokens")
        self.fraction("lr_final_fraction")


@dataclass(frozen=True)
class RewardModelSpec(RewardTrainingSpec):
    """The reward model that policies are optimized against."""

    recipe: ClassVar[str] = "reward_model"

    unit_std: bool = False  # also divide scores by their spread over the ranked completions (the 2019 code's gain)
    bootstrap_samples: int = 1000  # for the intervals of best_of_n_win_rate and of the accuracies

    def validate(self) -> None:
        super().validate()
        self.positive("bootstrap_samples")


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


@dataclass(frozen=True)
class PpoSpec(Spec):
    """PPO and PPO-ptx (appendix C.3 and C.4)."""

    recipe: ClassVar[str] = "ppo"

    total_episodes: int = 256_000
    batch_size: int = 512  # episodes per iteration
    minibatch_size: int = 64  # episodes per optimizer step
    num_ppo_epochs: int = 1  # passes over the batch
    temperature: float = 1.0
    response_length: int = 1000  # tokens at most, the end token included
    max_prompt_tokens: int = 1000
    lr: float = 5e-6  # the paper searched 2.55e-6 to 2.55e-5; without ptx more than 8.05e-6 diverged
    value_lr: float = 9e-6
    warmup_iterations: int = 10  # both rates rise linearly from a tenth of the peak, then stay
    kl_coef: float = 0.02
    kl_controller: str = "fixed"  # fixed | adaptive (Ziegler et al. 2019)
    kl_target: float = 6.0  # nats per episode, adaptive only
    kl_horizon: int = 10_000  # episodes, adaptive only
    gamma: float = 1.0  # no discount
    lam: float = 0.95  # not stated
    cliprange: float = 0.2
    cliprange_value: float = 0.2  # not stated
    vf_coef: float = 0.1  # not stated
    whiten_advantages: bool = True  # over the valid tokens of the whole batch; not stated
    # trainer: by the update's own passes, so that the ratio begins at exactly 1; sampler: a pass less per episode,
    # and a ratio that is 1 up to rounding (val/ratio and policy/approxkl_avg of the first step show how well it fits).
    old_logprobs: str = "trainer"
    missing_eos_penalty: float | None = 1.0  # taken off the score of a completion that did not end
    missing_eos_score: float | None = None  # instead: a fixed score for it (-1 in the TL;DR re-implementations)
    # The ptx loss is the mean over pretraining tokens and the policy loss the mean over response tokens. The paper's
    # 27.8 goes with a normalization it does not state; with per-token means 27.8 diverged elsewhere, 0.05 to 0.5 works.
    # policy/grad_norm_ratio shows which of the two moves the weights.
    ptx_coef: float = 0.0  # 0 is PPO, more is PPO-ptx
    ptx_examples_per_episode: float = 8.0  # pretraining rows per episode of a minibatch
    ptx_block_size: int = 0  # tokens per pretraining row; 0 = the model's context, at most 2048
    value_pretrain_iterations: int = 0  # first iterations that train the value model only
    ema_decay: float = 0.992  # per optimizer step; the checkpoint holds the averaged weights; 0 keeps the live ones
    target_kl_stop: float | None = None  # stop once objective/kl (nats per episode) is above this; not in the paper
    adam_beta1: float = 0.9
    adam_beta2: float = 0.95
    adam_eps: float = 1e-5  # as re-implemented; the paper does not say
    weight_decay: float = 0.0  # not stated
    max_grad_norm: float = 1.0  # not stated
    micro_batch_tokens: int = 4096
    decode_batch_size: int = 512  # episodes decoded at a time
    samples_every: int = 5  # iterations between texts in samples.jsonl; 0 none
    save_every: int = 10

    @property
    def iterations(self) -> int:
        return self.total_episodes // self.batch_size

    def validate(self) -> None:
        super().validate()
        self.positive("total_episodes", "batch_size", "minibatch_size", "num_ppo_epochs", "temperature")
        self.positive("response_length", "max_prompt_tokens", "lr", "value_lr", "cliprange", "cliprange_value")
        self.positive("max_grad_norm", "micro_batch_tokens", "decode_batch_size", "kl_horizon", "kl_target")
        self.fraction("gamma", "lam")
        require(
            self.batch_size % self.minibatch_size == 0,
            f"batch_size {self.batch_size} is not divisible by minibatch_size {self.minibatch_size}.",
        )
        require(
            self.total_episodes % self.batch_size == 0,
            f"total_episodes {self.total_episodes} is not divisible by batch_size {self.batch_size}.",
        )
        require(
            self.kl_controller in ("fixed", "adaptive"),
            f"kl_controller is '{self.kl_controller}'; it must be 'fixed' or 'adaptive'.",
        )
        require(
            self.old_logprobs in ("trainer", "sampler"),
            f"old_logprobs is '{self.old_logprobs}'; it must be 'trainer' or 'sampler'.",
        )
        require(
            self.missing_eos_penalty is None or self.missing_eos_score is None,
            f"missing_eos_penalty {self.missing_eos_penalty} and missing_eos_score {self.missing_eos_score} "
            "exclude each other: set one of them to null.",
        )
        require(self.kl_coef >= 0, f"kl_coef is {self.kl_coef}; it must be 0 or more.")
        require(self.ptx_coef >= 0, f"ptx_coef is {self.ptx_coef}; it must be 0 or more.")
        require(0 <= self.ema_decay < 1, f"ema_decay is {self.ema_decay}; it must be in [0, 1).")
        require(
            self.ptx_coef == 0 or self.ptx_rows_per_minibatch >= 1,
            f"ptx_examples_per_episode {self.ptx_examples_per_episode} times minibatch_size {self.minibatch_size} "
            "is less than one pretraining row.",
        )

    @property
    def ptx_rows_per_minibatch(self) -> int:
        return round(self.ptx_examples_per_episode * self.minibatch_size)


@dataclass(frozen=True)
class EvaluateSpec(Spec):
    """Held-out language-model loss, KL to a reference and mean reward of one policy."""

    recipe: ClassVar[str] = "evaluate"

    block_size: int = 0  # tokens per packed row of texts; 0 = the model's context, at most 2048
    max_blocks: int = 300  # rows of texts, at most
    samples_per_prompt: int = 1
    temperature: float = 1.0  # for the samples that KL and reward are measured on
    response_length: int = 1000
    max_prompt_tokens: int = 1000
    batch_size: int = 128
    micro_batch_tokens: int = 4096

    def validate(self) -> None:
        super().validate()
        self.positive("max_blocks", "samples_per_prompt", "temperature", "response_length", "max_prompt_tokens")
        self.positive("batch_size", "micro_batch_tokens")


SPECS: dict[str, type[Spec]] = {
    spec.recipe: spec
    for spec in (
        PretrainSpec,
        SftSpec,
        SampleSpec,
        RewardModelSpec,
        LabelerCvSpec,
        PpoSpec,
        EvaluateSpec,
        BestOfNSpec,
    )
}


def spec_from_dict(recipe: str, values: Mapping[str, Any]) -> Any:
    """The validated spec of `recipe` (typed Any because its class depends on the name). Raises SpecError."""
    if recipe not in SPECS:
        raise SpecError(f"There is no recipe '{recipe}'; there are {', '.join(SPECS)}.")
    cls = SPECS[recipe]
    check_values(cls, values)
    spec = cls(**values)
    spec.validate()
    return spec
