"""The loss of our reward model and its gradient are those of TRL's RewardTrainer, on one checkpoint and one batch.

TRL is given every pair of a prompt as a row of its own, tokenised. With as many pairs for each prompt, its mean over
all pairs is our mean over prompts of the mean over pairs.
"""

from itertools import combinations
from os.path import commonprefix
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from datasets import Dataset
from torch import Tensor, nn
from transformers import PreTrainedTokenizerFast, TrainerCallback
from trl import RewardConfig, RewardTrainer

from tests.peers.conftest import CPU, random_rows
from training.rlhf.losses import batch_pairs, kwise_loss
from training.rlhf.scalar_head import load_scalar_model
from training.rlhf.trees import Tree, pack

pytestmark = pytest.mark.peers


class Step(NamedTuple):
    loss: float
    accuracy: float
    gradients: dict[str, Tensor]


class KeepGradients(TrainerCallback):
    def __init__(self) -> None:
        self.found: dict[str, Tensor] = {}

    def on_pre_optimizer_step(self, *_: Any, model: nn.Module, **__: Any) -> None:
        self.found = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


def ranked(prompts: int, K: int, tokenizer: PreTrainedTokenizerFast) -> list[list[list[int]]]:
    """K completed rows for each prompt, the best first."""
    starts = random_rows(2, prompts, 2, 9, len(tokenizer))
    ends = random_rows(3, prompts * K, 1, 8, len(tokenizer))
    return [
        [[*start, *end, tokenizer.eos_token_id] for end in ends[number * K : (number + 1) * K]]
        for number, start in enumerate(starts)
    ]


def theirs(path: Path, elements: list[list[list[int]]], folder: Path) -> Step:
    """One step of their trainer, on a checkpoint of ours that it opens itself."""
    pairs = [pair for rows in elements for pair in combinations(rows, 2)]
    columns = {"chosen_ids": [better for better, _ in pairs], "rejected_ids": [worse for _, worse in pairs]}
    settings = RewardConfig(
        output_dir=str(folder),
        per_device_train_batch_size=len(pairs),
        max_steps=1,
        max_grad_norm=1e9,
        gradient_checkpointing=False,
        bf16=False,
        use_cpu=True,
        report_to="none",
        save_strategy="no",
        logging_steps=1,
        disable_tqdm=True,
    )
    gradients = KeepGradients()
    trainer = RewardTrainer(str(path), settings, train_dataset=Dataset.from_dict(columns), callbacks=[gradients])
    trainer.train()
    logged = trainer.state.log_history[0]
    return Step(logged["loss"], logged["accuracy"], gradients.found)


def _shared(rows: list[list[int]]) -> Tree:
    """The rows of an element as branches on what they all begin with: the prompt, computed once."""
    start = len(commonprefix(rows))  # noqa: RUF071 - of lists, not of paths
    return Tree(rows[0][:start], [row[start:] for row in rows])


def ours(path: Path, elements: list[list[list[int]]], tokenizer: PreTrainedTokenizerFast) -> Step:
    model = load_scalar_model(path, tokenizer, CPU)
    scores = model.score(pack([_shared(element) for element in elements]))
    pairs = batch_pairs(
        [list(combinations(range(len(element)), 2)) for element in elements], [len(element) for element in elements]
    )
    loss = kwise_loss(scores, pairs)
    loss.backward()
    accuracy = (scores[pairs.winners] > scores[pairs.losers]).float().mean()
    gradients = {name: p.grad for name, p in model.classifier.named_parameters() if p.grad is not None}
    return Step(loss.item(), accuracy.item(), gradients)


@pytest.mark.parametrize(("prompts", "K"), [(8, 2), (3, 4)])
def test_loss_and_gradient_are_theirs(
    prompts: int, K: int, reward_path: Path, tokenizer: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    elements = ranked(prompts, K, tokenizer)
    peer = theirs(reward_path, elements, tmp_path)
    own = ours(reward_path, elements, tokenizer)
    assert own.loss == pytest.approx(peer.loss, abs=1e-5)
    assert own.accuracy == pytest.approx(peer.accuracy, abs=1e-6)
    assert own.gradients.keys() == peer.gradients.keys()
    for name, gradient in own.gradients.items():
        torch.testing.assert_close(gradient, peer.gradients[name], atol=1e-5, rtol=0, msg=lambda text, n=name: n + text)
    largest = max(float((own.gradients[name] - peer.gradients[name]).abs().max()) for name in own.gradients)
    size = max(float(gradient.abs().max()) for gradient in peer.gradients.values())
    print(f"K={K}: loss {own.loss:.7f} and {peer.loss:.7f}; gradients up to {size:.3f} differ by {largest:.1e} at most")
    assert size > 0.01  # else the tolerance would say nothing


def test_a_checkpoint_of_ours_gives_its_reward_in_their_trainer(
    reward_path: Path, tokenizer: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    """Their mean reward is ours plus the bias that config.json states."""
    elements = ranked(4, 2, tokenizer)
    columns = {"chosen_ids": [rows[0] for rows in elements], "rejected_ids": [rows[1] for rows in elements]}
    settings = RewardConfig(output_dir=str(tmp_path), bf16=False, use_cpu=True, report_to="none", disable_tqdm=True)
    trainer = RewardTrainer(str(reward_path), settings, train_dataset=Dataset.from_dict(columns))
    assert trainer.model.config.num_labels == 1
    found = trainer.evaluate(Dataset.from_dict(columns))["eval_mean_reward"]
    model = load_scalar_model(reward_path, tokenizer, CPU)
    rows = [row for element in elements for row in element]
    with torch.no_grad():
        scores = model.score(pack([Tree(row) for row in rows]))
    assert model.reward_bias != 0
    assert found == pytest.approx(float(scores.mean()) + model.reward_bias, abs=1e-5)
