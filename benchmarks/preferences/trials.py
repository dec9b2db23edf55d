"""One training of a reward model, by our recipe or by TRL, and what it scores the held-out completions."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.preferences.base import CONTEXT
from benchmarks.preferences.folders import CHECKOUT, Root, Seconds, digest, finish, one_thread
from benchmarks.preferences.scores import plain_scores
from benchmarks.preferences.sources import (
    Preferences,
    counter_of_tokens,
    demonstration_rows,
    fitted,
    ranking_rows,
)
from benchmarks.preferences.statistics import Tally, accuracy, tally
from training.contract.run_dir import write_atomically
from training.rlhf.causal_lm import load_tokenizer
from training.rlhf.comparisons import RankedPrompt, read_ranked_prompts

OURS, PEER = "Podium", "TRL"
DEMONSTRATIONS = 50  # of which our recipe makes the mean score 0; comparisons do not see it
# Rows are ragged here, and attention is padded within a micro-batch: 512 tokens cost a third less than 4,096.
FIXED = {"threads": 1, "save_every": 0, "max_prompt_tokens": CONTEXT, "micro_batch_tokens": 512}


class Setting(NamedTuple):
    """What is chosen on development prompts, for each trainer apart."""

    lr: float
    batch: int  # a step: prompts in ours, comparisons in TRL


class Trial(NamedTuple):
    """What one training gave. `seconds` are those of the training steps alone, without loading and measuring."""

    seconds: Seconds
    comparisons: int  # that it was trained on
    steps: int
    scores: list[list[float]]  # of the held-out completions: [prompts][completions]

    @property
    def rate(self) -> float:
        """Comparisons a CPU second."""
        return self.comparisons / self.seconds.cpu


class Arena:
    """A data set laid out for both trainers: the base model, a file to train on and a file to judge by."""

    def __init__(self, root: Root, base: Path, data: Preferences, max_prompt: int, max_completion: int) -> None:
        self.root, self.base = root, base
        self.tokenizer = load_tokenizer(base / "checkpoint")
        self.dropped = Counter(data.dropped)
        tokens = counter_of_tokens(self.tokenizer)
        train, test = (
            fitted(rows, tokens, max_prompt, max_completion, self.dropped) for rows in (data.train, data.test)
        )
        self._train_file = root.dataset("rankings", ranking_rows(train, "train"))
        self._test_file = root.dataset("rankings", ranking_rows(test, "test"))
        self._demonstrations = root.dataset("demonstrations", demonstration_rows(train[:DEMONSTRATIONS], "train"))
        self.train, self.test = self._read(self._train_file), self._read(self._test_file)
        first_of_prompt = {row.prompt: row.part for row in reversed(test)}
        self.parts = [first_of_prompt[prompt] for prompt in dict.fromkeys(row.prompt for row in test)]

    def trial(self, who: str, setting: Setting, seed: int, again: bool = False) -> Trial:
        """Train and score. One that was made before is read, unless it is asked for again."""
        name = digest([who, setting, FIXED, seed, self.base.name, self._train_file.name, self._test_file.name])
        kept = self.root.path / "trials" / f"{name}.json"
        if again or not kept.exists():
            trial = (
                self._ours(setting, seed) if who == OURS else self._peer(setting, seed, self.root.path / "peer" / name)
            )
            write_atomically(kept, lambda path: _write(path, json.dumps(trial)))
        seconds, *rest = json.loads(kept.read_text())
        return Trial(Seconds(*seconds), *rest)

    def tallies(self, scores: Sequence[Sequence[float]]) -> list[Tally]:
        """What such scores say of the held-out pairs, by prompt."""
        return [tally(prompt.pairs, of_prompt) for prompt, of_prompt in zip(self.test, scores, strict=True)]

    def lengths(self) -> list[list[float]]:
        """The tokens of the held-out completions: the reward model of somebody who prefers what is long."""
        return [[float(len(ids)) for ids in prompt.completions] for prompt in self.test]

    def _ours(self, setting: Setting, seed: int) -> Trial:
        spec = FIXED | {"lr": setting.lr, "batch_size": setting.batch}
        inputs = {
            "rankings": self._train_file,
            "valid_rankings": self._test_file,
            "demonstrations": self._demonstrations,
        }
        folder = self.root.run("reward_model", spec, inputs, {"policy": self.base}, seed)
        done = finish(folder)
        scores = plain_scores(folder / "checkpoint", self.test)
        own, plain = done.result["valid_accuracy"], accuracy(self.tallies(scores))
        if abs(own - plain) > 0.003:  # scores that are nearly equal may change places by rounding
            raise RuntimeError(f"The recipe found the accuracy {own} in {folder}, plain transformers {plain}.")
        pairs = done.result["comparisons"] * done.steps * setting.batch // done.result["prompts"]
        return Trial(done.training, pairs, done.steps, scores)

    def _peer(self, setting: Setting, seed: int, out: Path) -> Trial:
        out.mkdir(parents=True, exist_ok=True)
        task = {"base": str(self.base / "checkpoint"), "rankings": str(self._train_file), "out": str(out)}
        task_file = out / "task.json"
        task_file.write_text(json.dumps(task | {"context": CONTEXT, "seed": seed, **setting._asdict()}))
        command = [sys.executable, "-m", "benchmarks.preferences.peer", str(task_file)]
        done = subprocess.run(command, cwd=CHECKOUT, env=one_thread(), capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"TRL's trainer failed:\n{done.stderr[-2000:]}")
        times = json.loads((out / "times.json").read_text())
        seconds = Seconds(times["cpu"], times["wall"]).of_all(times["steps"])
        return Trial(seconds, times["comparisons"], times["steps"], plain_scores(out / "checkpoint", self.test))

    def _read(self, file: Path) -> list[RankedPrompt]:
        return read_ranked_prompts(file, self.tokenizer, CONTEXT, CONTEXT)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
