"""One iteration of PPO, and the state that goes on from one to the next."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from torch import Tensor
from transformers import PreTrainedModel

from training.contract.specs import PpoSpec
from training.rlhf.decode import uniform_numbers
from training.rlhf.ema import Ema
from training.rlhf.examples import Example
from training.rlhf.kl import AdaptiveKl, FixedKl
from training.rlhf.lora import trained
from training.rlhf.optim import adamw
from training.rlhf.packing import shuffled
from training.rlhf.ppo_update import Averages, policy_step, value_step
from training.rlhf.rollout import Minibatch, Rollout, collect, cut_minibatches, episodes, score_by_head
from training.rlhf.scalar_head import ScalarModel
from training.rlhf.schedules import ppo_warmup_factor, set_lr
from training.rlhf.shared_decoding import decode_together
from training.rlhf.targets import Targets


class Models(NamedTuple):
    """The four of PPO: two that learn, two that stay."""

    policy: PreTrainedModel
    value: ScalarModel
    reference: PreTrainedModel
    reward_model: ScalarModel
    stop_token_id: int
    pad_token_id: int


class PpoTrainer:
    """Optimizers, averaged weights and the KL coefficient around the models.

    All that an iteration draws (randomness, order) is a function of seed and iteration, so that it needs no storing.
    """

    def __init__(self, models: Models, spec: PpoSpec, seed: int) -> None:
        self.models, self.spec, self.seed = models, spec, seed
        self.policy_optimizer = adamw(models.policy, spec.lr, spec)
        self.value_optimizer = adamw(models.value, spec.value_lr, spec)
        self.ema = Ema(models.policy, spec.ema_decay)
        self.kl = (
            AdaptiveKl(spec.kl_coef, spec.kl_target, spec.kl_horizon)
            if spec.kl_controller == "adaptive"
            else FixedKl(spec.kl_coef)
        )

    @property
    def parts(self) -> dict[str, Any]:
        """What an exact resume needs, by name."""
        return {
            "policy": trained(self.models.policy),
            "value": trained(self.models.value),
            "policy_optimizer": self.policy_optimizer,
            "value_optimizer": self.value_optimizer,
            "ema": self.ema,
            "kl_controller": self.kl,
        }

    def set_rates(self, iteration: int) -> float:
        """Warm-up over the first iterations; the policy's begins once the value model is warm. Returns its rate."""
        policy_iteration = max(0, iteration - self.spec.value_pretrain_iterations)
        lr = self.spec.lr * ppo_warmup_factor(policy_iteration, self.spec.warmup_iterations)
        set_lr(self.policy_optimizer, lr)
        set_lr(self.value_optimizer, self.spec.value_lr * ppo_warmup_factor(iteration, self.spec.warmup_iterations))
        return lr

    def roll_out(self, prompts: Sequence[list[int]], iteration: int) -> Rollout:
        """`samples_per_prompt` completions of each prompt, scored; log-probs and values by the update's own passes."""
        models, spec = self.models, self.spec
        decoded = decode_together(
            models.policy,
            prompts,
            samples=spec.samples_per_prompt,
            uniform=uniform_numbers(spec.batch_size, spec.response_length, self.seed * 1_000_003 + iteration),
            temperature=spec.temperature,
            stop_token_id=models.stop_token_id,
            pad_token_id=models.pad_token_id,
            batch_size=spec.decode_batch_size,
        )
        examples = episodes(prompts, decoded)
        by_head = score_by_head(
            models.reward_model,
            examples,
            decoded.finished,
            models.stop_token_id,
            spec.micro_batch_tokens,
            spec.samples_per_prompt,
        )
        rollout = collect(
            examples,
            decoded,
            self._minibatches(examples, iteration, epoch=0),
            models.policy,
            models.reference,
            models.value,
            by_head.mean(-1),
            spec.temperature,
            from_sampler=spec.old_logprobs == "sampler",
        )
        is_ensemble = by_head.shape[1] > 1
        return rollout._replace(score_spread=by_head.std(-1, correction=0)) if is_ensemble else rollout

    def update(
        self, iteration: int, rollout: Rollout, targets: Targets, texts: Callable[[int], Tensor | None]
    ) -> Mapping[str, float]:
        """One optimizer step per minibatch, for the policy and for the value model: means of what they report.

        `texts(step)` are the rows of pretraining text of an optimizer step, None for plain PPO.
        """
        spec, averages = self.spec, Averages()
        steps_per_epoch = spec.batch_size // spec.minibatch_size
        for epoch in range(spec.num_ppo_epochs):
            for number, minibatch in enumerate(self._minibatches(rollout.examples, iteration, epoch)):
                if iteration >= spec.value_pretrain_iterations:
                    policy_step(
                        self.models.policy,
                        self.policy_optimizer,
                        rollout,
                        targets,
                        minibatch,
                        texts((iteration * spec.num_ppo_epochs + epoch) * steps_per_epoch + number),
                        spec,
                        averages,
                        measure_ratio=epoch == 0 and number == 0,
                    )
                    self.ema.update()
                    self.policy_optimizer.zero_grad(set_to_none=True)  # so that the other model has the memory
                value_step(self.models.value, self.value_optimizer, rollout, targets, minibatch, spec, averages)
                self.value_optimizer.zero_grad(set_to_none=True)
        return averages.means()

    def update_kl_coef(self, iteration: int, kl: float) -> None:
        """Let the controller answer to this iteration's KL (nats per episode), if the policy has learned in it."""
        if iteration >= self.spec.value_pretrain_iterations:
            self.kl.update(kl, self.spec.batch_size)

    def _minibatches(self, examples: list[Example], iteration: int, epoch: int) -> list[Minibatch]:
        """The minibatches of an epoch; whole prompts, so that their samples share a pass."""
        spec = self.spec
        order = shuffled(spec.prompts_per_iteration, self.seed + 2, iteration * spec.num_ppo_epochs + epoch)
        device = self.models.policy.device
        return cut_minibatches(
            examples, order, spec.minibatch_size, spec.micro_batch_tokens, device, spec.samples_per_prompt
        )
