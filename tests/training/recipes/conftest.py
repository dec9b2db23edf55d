"""Small trained models, made once a session by the recipes themselves."""

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.training.recipes.world import World, demonstrations, rankings, texts
from training.recipes import pretrain, reward_model, sft

PRETRAIN = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 64,
    "block_size": 32,
    "steps": 60,
    "batch_size": 8,
    "eval_every": 30,
    "warmup_steps": 5,
}
SFT = {"epochs": 4, "batch_size": 8, "lr": 3e-3, "residual_dropout": 0.1}
REWARD_MODEL = {"epochs": 2, "batch_size": 8, "lr": 2e-3, "unit_std": True}
PPO = {
    "total_episodes": 6 * 32,
    "batch_size": 32,
    "minibatch_size": 8,
    "response_length": 12,
    "lr": 1e-3,
    "value_lr": 2e-3,
    "warmup_iterations": 2,
    "kl_coef": 0.1,
    "ema_decay": 0.9,
    "samples_every": 2,
}


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def own_signals() -> Iterator[None]:
    """Recipes listen to SIGTERM; the test process gets its own handlers back."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A root with a base model ("base"), a fine-tuned one ("sft") and a reward model ("rm"). Tests only add to it."""
    world = World(tmp_path_factory.mktemp("artifacts"))
    corpus = {
        "texts": world.dataset("texts", "texts", texts(300)),
        "valid_texts": world.dataset("valid_texts", "texts", texts(40, seed=1)),
    }
    base = world.run("base", "pretrain", PRETRAIN, corpus)
    assert pretrain.main(["--run-dir", str(base)]) == 0
    people = {"demonstrations": world.dataset("demonstrations", "demonstrations", demonstrations(48))}
    tuned = world.run("sft", "sft", SFT, people, {"policy": "base"})
    assert sft.main(["--run-dir", str(tuned)]) == 0
    people["rankings"] = world.dataset("rankings", "rankings", rankings(96))
    judge = world.run("rm", "reward_model", REWARD_MODEL, people, {"policy": "sft"})
    assert reward_model.main(["--run-dir", str(judge)]) == 0
    return world


@pytest.fixture
def world(trained: World, tmp_path: Path) -> World:
    """A root of the test's own, with the trained models in it."""
    return copy_of(trained, tmp_path)


def copy_of(trained: World, root: Path) -> World:
    """The trained models and their datasets in another root."""
    shutil.copytree(trained.root / "datasets", root / "datasets")
    for name in ("base", "sft", "rm"):
        shutil.copytree(trained.root / "runs" / name, root / "runs" / name)
    return World(root)
