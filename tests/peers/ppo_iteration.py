"""One iteration of TRL's PPOTrainer with its tensors kept.

Most of its formulas stand in the middle of `train()` and cannot be called. So it runs, on checkpoints of ours, with the
functions that it calls watched; what they were given and gave is compared with ours, not with a copy of the formula.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from datasets import Dataset
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, PreTrainedTokenizerFast
from trl.experimental.ppo import PPOConfig, PPOTrainer, ppo_trainer

from tests.peers.conftest import random_rows

EPISODES, RESPONSE_LENGTH, MINIBATCHES, EPOCHS = 16, 10, 2, 2
SETTINGS = {"kl_coef": 0.3, "gamma": 0.98, "lam": 0.9, "cliprange": 0.2, "cliprange_value": 0.1, "vf_coef": 0.1}
TEMPERATURE, PENALTY = 0.7, 1.5


class Update(NamedTuple):
    """One optimizer step, on the rows `rows` of the batch."""

    rows: slice
    logprobs: Tensor  # [b, R]; of the policy that is updated
    values: Tensor  # [b, R]
    policy_loss: float
    value_loss: float


class Iteration(NamedTuple):
    """B episodes; R = the longest response. The padding holds what TRL leaves there."""

    queries: Tensor  # [B, P], left-padded
    responses: Tensor  # [B, R]
    logprobs: Tensor  # [B, R]
    ref_logprobs: Tensor  # [B, R]
    values: Tensor  # [B, R]
    scores: Tensor  # [B], before the penalty
    advantages: Tensor  # [B, R], before whitening
    whitened: Tensor  # [B, R]
    inside: Tensor  # bool [B, R]; what it whitens over
    updates: list[Update]
    gradients: dict[str, Tensor]  # of the first step, "policy." and "value_model." before the names
    logged: dict[str, float]


class Watch:
    """Keeps what the functions of a module give, call by call."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.patch = patch
        self.given: dict[str, list[tuple[Any, ...]]] = {}
        self.found: dict[str, list[Any]] = {}

    def on(self, name: str) -> None:
        original: Callable[..., Any] = getattr(ppo_trainer, name)
        given, found = self.given.setdefault(name, []), self.found.setdefault(name, [])

        def watched(*arguments: Any, **named: Any) -> Any:
            result = original(*arguments, **named)
            given.append((*arguments, *named.values()))
            found.append(result)
            return result

        self.patch.setattr(ppo_trainer, name, watched)


def run_iteration(
    policy_path: Path, reference_path: Path, reward_path: Path, tokenizer: PreTrainedTokenizerFast, folder: Path
) -> Iteration:
    classifiers = [AutoModelForSequenceClassification.from_pretrained(reward_path, num_labels=1) for _ in range(2)]
    policy, reference = (AutoModelForCausalLM.from_pretrained(path) for path in (policy_path, reference_path))
    tokenizer.padding_side = "left"
    prompts = Dataset.from_dict({"input_ids": random_rows(5, EPISODES, 2, 9, len(tokenizer))})
    trainer = PPOTrainer(
        args=settings(folder),
        processing_class=tokenizer,
        model=policy,
        ref_model=reference,
        reward_model=classifiers[0],
        value_model=classifiers[1],
        train_dataset=prompts,
        eval_dataset=prompts,
    )
    gradients: dict[str, Tensor] = {}

    def keep_first(*_: Any) -> None:
        if not gradients:
            named = trainer.model.named_parameters()
            gradients.update({name: p.grad.clone() for name, p in named if p.grad is not None})

    trainer.optimizer.optimizer.register_step_pre_hook(keep_first)
    with pytest.MonkeyPatch.context() as patch:
        watch = Watch(patch)
        for name in ("batch_generation", "selective_log_softmax", "get_reward", "forward", "masked_whiten"):
            watch.on(name)
        watch.on("masked_mean")
        patch.setattr(np.random, "permutation", np.arange)  # minibatches in the order of the rows
        trainer.train()
    return _assemble(watch, gradients, trainer.state.log_history[0])


def settings(folder: Path) -> PPOConfig:
    return PPOConfig(
        output_dir=str(folder),
        per_device_train_batch_size=EPISODES,
        gradient_accumulation_steps=1,
        num_mini_batches=MINIBATCHES,
        num_ppo_epochs=EPOCHS,
        total_episodes=EPISODES,
        response_length=RESPONSE_LENGTH,
        stop_token="eos",
        missing_eos_penalty=PENALTY,
        temperature=TEMPERATURE,
        learning_rate=0.01,  # large, so that ratios and values do leave their clip ranges
        gradient_checkpointing=False,
        bf16=False,
        use_cpu=True,
        num_sample_generations=0,
        report_to="none",
        save_strategy="no",
        logging_steps=1,
        disable_tqdm=True,
        seed=3,
        **SETTINGS,
    )


def _assemble(watch: Watch, gradients: dict[str, Tensor], logged: dict[str, float]) -> Iteration:
    [(query_responses, _)] = watch.found["batch_generation"]
    queries = watch.given["batch_generation"][0][1]
    start = queries.shape[1]
    logprobs, ref_logprobs, *new_logprobs = watch.found["selective_log_softmax"]
    (all_values, _, _), (_, scores, _) = watch.found["get_reward"]
    [(advantages, inside)] = watch.given["masked_whiten"]
    [whitened] = watch.found["masked_whiten"]
    new_values = [found[1] for found in watch.found["forward"] if isinstance(found, tuple)]
    means = watch.found["masked_mean"][3:]  # whitening takes three of its own
    size = EPISODES // MINIBATCHES
    updates = []
    for number, (policy, values) in enumerate(zip(new_logprobs, new_values, strict=True)):
        value_loss, _, policy_loss, _ = (mean.item() for mean in means[number * 4 : number * 4 + 4])
        first = number % MINIBATCHES * size
        rows = slice(first, first + size)
        new = values[:, start - 1 : -1].squeeze(-1).detach()
        updates.append(Update(rows, policy.detach(), new, policy_loss, 0.5 * value_loss))
    return Iteration(
        queries=queries,
        responses=query_responses[:, start:],
        logprobs=logprobs,
        ref_logprobs=ref_logprobs,
        values=all_values[:, start - 1 : -1].squeeze(-1),
        scores=scores,
        advantages=advantages,
        whitened=whitened,
        inside=inside,
        updates=updates,
        gradients=gradients,
        logged=logged,
    )
