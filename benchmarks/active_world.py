"""The miniature world as a pool of prompts to label: sampled once, labeled differently by each seed.

A base model and a fine-tuned policy are trained once, and the policy answers all prompts. A seed is other labelers,
another pool out of the sampled prompts, other first labels and another start of the reward models.
"""

import os
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch

from benchmarks.lab import Lab
from labeling.rounds import active
from labeling.simulation.sizes import MINI
from labeling.simulation.world import World, judge
from training.contract.rows import read_rows
from training.contract.specs import RewardModelSpec
from training.rlhf.causal_lm import load_tokenizer
from training.rlhf.comparisons import RankedPrompt, mean_of_heads, score_by_head
from training.rlhf.optim import adamw
from training.rlhf.reward_quality import pair_accuracy
from training.rlhf.reward_training import bootstrap_weights, total_steps, train_step
from training.rlhf.scalar_head import ScalarModel, new_scalar_model
from training.rlhf.tokens import encode_completions, encode_prompts

CPU = torch.device("cpu")
SMALL = {"hidden_size": 64, "num_attention_heads": 4, "intermediate_size": 160, "threads": 1}
MICRO_BATCH_TOKENS = 8192


@dataclass(frozen=True)
class Settings:
    documents: int = 30_000  # of the base model's corpus
    steps: int = 2_500  # of its training
    demonstrations: int = 800  # that the policy is fine-tuned on
    sampled: int = 2_000  # train prompts that the policy answers, K times each
    held_out: int = 250  # prompts by whose true preferences the accuracy is measured
    calibration: int = 50  # more of these, ranked by held-out labelers: what turns rewards into probabilities
    pool: int = 1_000  # of the sampled prompts, from which a seed chooses
    first: int = 100  # labels (rankings of K) by chance, the same for every way of choosing
    each: int = 100  # labels that each acquisition adds
    acquisitions: int = 3
    heads: int = 5
    epochs: int = 2
    batch_size: int = 8
    lr: float = 2e-3
    explore: float = active.EXPLORE

    @property
    def labels(self) -> list[int]:
        """How many there are after each acquisition."""
        return [self.first + self.each * done for done in range(self.acquisitions + 1)]

    @property
    def reward_model(self) -> RewardModelSpec:
        return RewardModelSpec(
            heads=self.heads, epochs=self.epochs, batch_size=self.batch_size, lr=self.lr, weight_decay=0.05,
            micro_batch_tokens=MICRO_BATCH_TOKENS, threads=1,
        )  # fmt: skip


class Candidate(NamedTuple):
    """A completion, as active.choose sees it."""

    pk: int
    text: str


class Asked(NamedTuple):
    """A prompt with its distinct answers, in words and in tokens."""

    prompt: str
    candidates: list[Candidate]
    tokens: RankedPrompt  # not ranked

    def ranked(self, places: Sequence[int]) -> RankedPrompt:
        return self.tokens._replace(rankings=[list(enumerate(places))])


class Pool:
    """The policy, and what it answered."""

    def __init__(self, root: Path, settings: Settings) -> None:
        self.settings = settings
        of = settings
        made = (of.documents, of.steps, of.demonstrations, of.sampled, of.held_out + of.calibration)
        self.lab = Lab(root / "-".join(map(str, made)))  # what is there was made with the same amounts
        self.world = World(0)
        self._policy()
        self.tokenizer = load_tokenizer(self.lab.checkpoint("sft"))
        self.train = self._answered("train", of.sampled)
        valid = self._answered("valid", of.held_out + of.calibration)
        self.held_out, self.calibration = valid[: of.held_out], valid[of.held_out :]

    def _policy(self) -> None:
        of = self.settings
        texts = {
            "texts": self.lab.dataset("texts", "texts", ({"text": one} for one in self.world.corpus(of.documents))),
            "valid_texts": self.lab.dataset("valid", "texts", ({"text": one} for one in self.world.valid_texts(300))),
        }
        spec = MINI.pretrain | SMALL | {"steps": of.steps, "warmup_steps": min(100, of.steps // 10), "eval_every": 0}
        self.lab.run("base", "pretrain", spec, texts, {}, 1)
        rows = self._rows("train", of.demonstrations)
        people = [self.world.labeler(number, "train") for number in range(MINI.labelers)]
        for number, row in enumerate(rows):
            text = people[number % len(people)].write(row["prompt"])
            row |= {"demonstration_id": f"d{number}", "completion": text, "labeler": "l", "cohort": "training"}
        inputs = {"demonstrations": self.lab.dataset("demonstrations", "demonstrations", rows)}
        spec = MINI.sft | {"epochs": 3, "pretraining_mix": 0.0}
        self.lab.run("sft", "sft", spec, inputs, {"policy": "base"}, 1)

    def _answered(self, split: str, count: int) -> list[Asked]:
        prompts = self.lab.dataset(f"asked_{split}", "prompts", self._rows(split, count))
        spec = MINI.sample | {"samples_per_prompt": MINI.samples_per_prompt}
        self.lab.run(f"answers_{split}", "sample", spec, {"prompts": prompts}, {"policy": "sft"}, 1)
        texts: dict[str, list[str]] = {}
        for row in read_rows(self.lab.folder(f"answers_{split}") / "samples.jsonl", "completions"):
            texts.setdefault(row["prompt"], []).append(row["completion"])
        return asked(self.tokenizer, texts)

    def _rows(self, split: str, count: int) -> list[dict[str, Any]]:
        prompts = enumerate(self.world.prompts(split, count))
        return [
            {"prompt_id": f"p{number}", "prompt": prompt.text, "use_case": prompt.use_case, "split": split}
            for number, prompt in prompts
        ]


def asked(tokenizer: Any, texts: dict[str, list[str]]) -> list[Asked]:
    """Prompts that have at least two different answers; equal ones are folded, as labelers see them."""
    folded = {prompt: list(dict.fromkeys(one.strip() for one in answers)) for prompt, answers in texts.items()}
    folded = {prompt: answers for prompt, answers in folded.items() if len(answers) > 1}
    numbers = iter(range(10**9))
    made = []
    for prompt, answers in folded.items():
        tokens = RankedPrompt(encode_prompts(tokenizer, [prompt])[0], encode_completions(tokenizer, answers), [])
        made.append(Asked(prompt, [Candidate(next(numbers), text) for text in answers], tokens))
    return made


def true_places(one: Asked) -> list[int]:
    """By the gold utility, without anybody's noise or taste; equal ones are a tie."""
    golds = [round(judge(one.prompt, candidate.text).total, 6) for candidate in one.candidates]
    order = sorted(set(golds), reverse=True)
    return [1 + order.index(gold) for gold in golds]


class Seed:
    """One repetition: its labelers and pool, and one curve for each way of choosing."""

    def __init__(self, pool: Pool, seed: int) -> None:
        self.pool, self.seed, self.settings = pool, seed, pool.settings
        rng = random.Random(seed)
        world = World(seed)
        self.people = [world.labeler(number, "train") for number in range(MINI.labelers)]
        self.judges = [world.labeler(number, "heldout") for number in range(MINI.heldout_labelers)]
        self.asked = rng.sample(pool.train, min(self.settings.pool, len(pool.train)))
        self.first = self.asked[: self.settings.first]  # the sample is in random order
        # The ranking of a prompt is the same whoever asks for it when.
        self.ranked = {
            one.prompt: one.ranked(self._labeler(number).place(one.prompt, [text for _, text in one.candidates]))
            for number, one in enumerate(self.asked)
        }

    def _labeler(self, number: int) -> Any:
        return self.people[number % len(self.people)]

    @cached_property
    def start(self) -> ScalarModel:
        """The reward model of the first labels, which all curves begin with."""
        return self.train(self.first)

    def curve(self, by: str) -> list[float]:
        """Held-out accuracy after the first labels and after each acquisition."""
        labeled, model = list(self.first), self.start
        accuracies = [self.accuracy(model)]
        for step in range(self.settings.acquisitions):
            chosen = self.choose(model, by, labeled, step)
            labeled += chosen
            model = self.train(labeled)
            accuracies.append(self.accuracy(model))
        return accuracies

    def choose(self, model: ScalarModel, by: str, labeled: Iterable[Asked], step: int) -> list[Asked]:
        """The next to be labeled, of those that are not."""
        known = {one.prompt for one in labeled}
        rest = {one.prompt: one for one in self.asked if one.prompt not in known}
        rewards: dict[int, list[float]] = {}
        scale = 1.0
        if by != "random":
            for one, heads in zip(rest.values(), self._score(model, list(rest.values())), strict=True):
                rewards |= {candidate.pk: of for candidate, of in zip(one.candidates, heads, strict=True)}
            scale = self.scale(model)
        chosen = active.choose(
            [(one.prompt, one.candidates) for one in rest.values()],
            rewards,
            by,
            self.settings.each,
            self.seed * 1000 + step,
            explore=self.settings.explore,
            scale=scale,
        )
        return [rest[prompt] for prompt, _ in chosen]

    def scale(self, model: ScalarModel) -> float:
        """What turns this model's differences into log odds, by what held-out labelers say of other prompts."""
        rankings = []
        asked = self.pool.calibration
        for number, (one, means) in enumerate(zip(asked, mean_of_heads(self._score(model, asked)), strict=True)):
            person = self.judges[number % len(self.judges)]
            places = person.place(one.prompt, [text for _, text in one.candidates])
            rankings.append(list(zip(means, places, strict=True)))
        return active.fit_scale(rankings)

    def train(self, labeled: Sequence[Asked]) -> ScalarModel:
        """A reward model from the policy on, as the recipe trains it."""
        spec = self.settings.reward_model
        prompts = [prompt for one in labeled if (prompt := self.ranked[one.prompt]).pairs]
        checkpoint = self.pool.lab.checkpoint("sft")
        torch.manual_seed(self.seed)
        model = new_scalar_model(checkpoint, self.pool.tokenizer, CPU, heads=spec.heads, seed=self.seed)
        optimizer = adamw(model, spec.lr, spec)
        weights = bootstrap_weights(len(prompts), spec.heads, self.seed)
        for step in range(total_steps(prompts, spec)):
            train_step(model, optimizer, prompts, spec, step, self.seed, weights)
        return model

    def accuracy(self, model: ScalarModel) -> float:
        """Share of the true preferences on held-out prompts that the model has right."""
        held_out = self.pool.held_out
        scores = mean_of_heads(self._score(model, held_out))
        return pair_accuracy(
            [list(zip(of, true_places(one), strict=True)) for one, of in zip(held_out, scores, strict=True)]
        )

    def _score(self, model: ScalarModel, of: Sequence[Asked]) -> list[list[list[float]]]:
        return score_by_head(model, [one.tokens for one in of], MICRO_BATCH_TOKENS, CPU)
