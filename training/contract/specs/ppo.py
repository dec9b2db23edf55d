"""Settings of PPO and PPO-ptx."""

from dataclasses import dataclass
from typing import ClassVar

from training.contract.spec import require
from training.contract.specs.lora import LoraSpec


@dataclass(frozen=True)
class PpoSpec(LoraSpec):
    """PPO and PPO-ptx (appendix C.3 and C.4)."""

    recipe: ClassVar[str] = "ppo"

    total_episodes: int = 256_000  # completions sampled and learned from, in all
    batch_size: int = 512  # episodes per iteration
    minibatch_size: int = 64  # episodes per optimizer step
    samples_per_prompt: int = 1  # episodes of one prompt, in one minibatch: it is computed once for all; not stated
    num_ppo_epochs: int = 1  # passes over the batch
    temperature: float = 1.0  # of the rollouts
    response_length: int = 1000  # tokens at most, the end token included
    max_prompt_tokens: int = 1000  # a prompt that is longer stops the run with a sentence
    # The policy's peak learning rate. The paper searched 2.55e-6 to 2.55e-5; without ptx more than 8.05e-6 diverged.
    lr: float = 5e-6
    value_lr: float = 9e-6  # the value model's peak learning rate
    warmup_iterations: int = 10  # both rates rise linearly from a tenth of the peak, then stay
    kl_coef: float = 0.02  # weight of the KL penalty on every token
    kl_controller: str = "fixed"  # fixed | adaptive (Ziegler et al. 2019); not stated
    kl_target: float = 6.0  # nats per episode, adaptive only; not stated
    kl_horizon: int = 10_000  # episodes, adaptive only; not stated
    gamma: float = 1.0  # discount of later rewards; 1 is none
    lam: float = 0.95  # lambda of generalized advantage estimation; not stated
    cliprange: float = 0.2  # how far the ratio of new to old policy may move the loss
    cliprange_value: float = 0.2  # how far a value may move from the old one; not stated
    vf_coef: float = 0.1  # weight of the value loss; not stated
    whiten_advantages: bool = True  # over the valid tokens of the whole batch; not stated
    # trainer: by the update's own passes, so that the ratio begins at exactly 1 | sampler: a pass less per episode,
    # and a ratio that is 1 up to rounding (val/ratio and policy/approxkl_avg of the first step show it); not stated
    old_logprobs: str = "trainer"
    missing_eos_penalty: float | None = 1.0  # taken off the score of a completion that did not end; not stated
    missing_eos_score: float | None = None  # instead: a fixed score for it (-1 in TL;DR re-implementations); not stated
    # The ptx loss is the mean over pretraining tokens and the policy loss the mean over response tokens. The paper's
    # 27.8 goes with a normalization it does not state; with per-token means 27.8 diverged elsewhere, 0.05 to 0.5 works.
    # policy/grad_norm_ratio shows which of the two moves the weights.
    ptx_coef: float = 0.0  # 0 is PPO, more is PPO-ptx
    ptx_examples_per_episode: float = 8.0  # pretraining rows per episode of a minibatch
    ptx_block_size: int = 0  # tokens per pretraining row; 0 = the model's context, at most 2048; not stated
    value_pretrain_iterations: int = 0  # first iterations that train the value model only; not stated
    ema_decay: float = 0.992  # per optimizer step; the checkpoint holds the averaged weights; 0 keeps the live ones
    target_kl_stop: float | None = None  # stop once objective/kl (nats per episode) is above this; not in the paper
    adam_beta1: float = 0.9  # decay of Adam's mean gradient
    adam_beta2: float = 0.95  # decay of Adam's mean square
    adam_eps: float = 1e-5  # added to Adam's root mean square; as re-implemented; the paper does not say
    weight_decay: float = 0.0  # AdamW's, per step and times lr; not stated
    max_grad_norm: float = 1.0  # gradients are scaled down to this norm; not stated
    micro_batch_tokens: int = 4096  # padded tokens in one forward pass; no effect on the result but rounding
    decode_batch_size: int = 512  # episodes decoded at a time
    samples_every: int = 5  # iterations between texts in samples.jsonl; 0 none
    save_every: int = 10

    @property
    def iterations(self) -> int:
        """Rollouts of the whole run."""
        return self.total_episodes // self.batch_size

    @property
    def prompts_per_iteration(self) -> int:
        """Prompts of a rollout."""
        return self.batch_size // self.samples_per_prompt

    def validate(self) -> None:
        super().validate()
        self.positive("total_episodes", "batch_size", "minibatch_size", "samples_per_prompt", "num_ppo_epochs")
        self.positive("temperature")
        self.positive("response_length", "max_prompt_tokens", "lr", "value_lr", "cliprange", "cliprange_value")
        self.positive("max_grad_norm", "micro_batch_tokens", "decode_batch_size", "kl_horizon", "kl_target")
        self.fraction("gamma", "lam")
        require(
            self.batch_size % self.minibatch_size == 0,
            f"batch_size {self.batch_size} is not divisible by minibatch_size {self.minibatch_size}.",
        )
        require(
            self.minibatch_size % self.samples_per_prompt == 0,
            f"minibatch_size {self.minibatch_size} is not divisible by samples_per_prompt {self.samples_per_prompt}.",
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
        """Rows of pretraining text in an optimizer step."""
        return round(self.ptx_examples_per_episode * self.minibatch_size)
