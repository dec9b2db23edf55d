"""One round of benchmarks.ten_rounds: its stages with their runs, batches, completions and labels."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from benchmarks import labels, run_folders
from benchmarks.labels import Groups
from labeling.exports import freeze
from labeling.models import (
    Batch,
    Cohort,
    Completion,
    Demonstration,
    Kind,
    Prompt,
    Purpose,
    Ranking,
    Round,
    Split,
    Stage,
)
from labeling.queue import dispatch
from labeling.rounds import plan
from labeling.rounds.plan import POLICIES
from training.models import Checkpoint, Dataset

if TYPE_CHECKING:
    from benchmarks.ten_rounds import Filling

K = 4
JUDGES = 3
LIVE = "ppo_ptx"  # the stage that the last round is at
BASE = {one: "pretrain" if one == "base" else one for one in POLICIES}  # the stages that make the policies
PARENTS: dict[str, dict[str, str]] = {  # by stage: the stages that made what it reads
    "sft": {"policy": "pretrain"},
    "sample": {"policy": "sft"},
    "reward_model": {"policy": "sft"},
    "ppo": {"policy": "sft", "reward_model": "reward_model"},
    "ppo_ptx": {"policy": "sft", "reward_model": "reward_model"},
    "requeue": {"policy": "ppo_ptx"},
    **{f"sample_{one}": {"policy": made} for one, made in BASE.items()},
    **{f"evaluate_{one}": {"policy": made, "reward_model": "reward_model"} for one, made in BASE.items()},
}
INPUTS: dict[str, dict[str, str]] = {  # by recipe: the kinds of its datasets, under their names there
    "pretrain": {"texts": "texts", "valid_texts": "texts"},
    "sft": {"demonstrations": "demonstrations"},
    "sample": {"prompts": "prompts"},
    "best_of_n": {"prompts": "prompts"},
    "reward_model": {"rankings": "rankings", "demonstrations": "demonstrations"},
    "labeler_cv": {"rankings": "rankings"},
    "ppo": {"prompts": "prompts", "texts": "texts"},
    "evaluate": {"texts": "texts", "prompts": "prompts"},
}


class OneRound:
    def __init__(self, filling: Filling, round_: Round, *, is_last: bool) -> None:
        self.filling, self.round, self.is_last = filling, round_, is_last
        self.rng = random.Random(round_.seed)
        self.datasets: dict[str, Dataset] = {"texts": filling.texts}
        self.checkpoints: dict[str, Checkpoint] = {}  # by the stage that made them
        self.completions: dict[str, dict[str, Groups]] = {}  # by stage and split
        self.clock: datetime = round_.created_at

    def fill(self) -> None:
        """All stages in their order; of the last round those after LIVE have not begun."""
        stages = plan.stages(plan.parse(self.round.settings))
        names = [stage.name for stage in stages]
        turn = names.index(LIVE) if self.is_last else len(names)
        for position, name in enumerate(names):
            stage = Stage(round=self.round, name=name, position=position + 1)
            if position <= turn:
                self._do(stage, live=position == turn)
            stage.save()

    def _do(self, stage: Stage, *, live: bool) -> None:
        stage.started_at = self.clock
        self.clock += timedelta(hours=6)
        stage.state = Stage.State.RUNNING if live else Stage.State.DONE
        stage.finished_at = None if live else self.clock
        if plan.is_peoples(stage.name):
            stage.batch = self._work(stage.name)
        elif recipe := plan.recipe_of(stage.name):
            self._run(stage, recipe, live=live)

    def _run(self, stage: Stage, recipe: str, *, live: bool) -> None:
        parents = {role: self.checkpoints[made] for role, made in PARENTS.get(stage.name, {}).items()}
        inputs = {name: self.datasets[kind] for name, kind in INPUTS.get(recipe, {}).items()}
        name = f"{self.round.name}: {stage.name}"
        spec = self.round.settings["specs"].get(stage.name, {})
        stage.run = self.filling.run(recipe, name, self.round.seed, spec, inputs, parents, live=live)
        stage.result = stage.run.result or {}
        if made := Checkpoint.objects.filter(run=stage.run).first():
            self.checkpoints[stage.name] = made
        if recipe == "sample":
            self._sample(stage)
        if stage.name == "requeue":
            stage.batch = self._batch("new samples", Kind.RANK, Cohort.TRAINING)
            dispatch.add_ranking_items(stage.batch, self._sampled("requeue", Split.TRAIN))

    def _sample(self, stage: Stage) -> None:
        """The completions of a sampling stage."""
        wanted = {"sample": (Split.TRAIN, Split.VALID), "requeue": (Split.TRAIN,)}.get(stage.name, (Split.TEST,))
        samples = 1 if stage.name.startswith("sample_") else K
        policy = self.checkpoints[PARENTS[stage.name]["policy"]]
        prompts = [prompt for split in wanted for prompt in self.filling.prompts[split]]
        if stage.name == "requeue":
            prompts = prompts[: len(self.filling.prompts[Split.VALID])]
        made = Completion.objects.bulk_create(
            (
                Completion(
                    prompt=prompt, run=stage.run, checkpoint=policy, sample=sample, finished=True,
                    text=f"{stage.name} {self.round.seed} {sample}. {4 * run_folders.ANSWER}",
                )
                for prompt in prompts
                for sample in range(samples)
            ),
            batch_size=5000,
        )  # fmt: skip
        by_split: dict[str, Groups] = {}
        for at, prompt in enumerate(prompts):
            by_split.setdefault(prompt.split, []).append((prompt, made[at * samples : (at + 1) * samples]))
        self.completions[stage.name] = by_split

    def _sampled(self, stage: str, split: str) -> Groups:
        return self.completions[stage][split]

    def _work(self, name: str) -> Batch:
        """A stage of people's, done."""
        work: dict[str, Callable[[], Batch]] = {
            "demonstrate": self._demonstrate,
            "rank": lambda: self._rank("rankings", Cohort.TRAINING, self._sampled("sample", Split.TRAIN)),
            "rank_valid": lambda: self._rank("validation", Cohort.HELD_OUT, self._sampled("sample", Split.VALID)),
            "judge": self._judge,
        }
        return work[name]()

    def _demonstrate(self) -> Batch:
        batch = self._batch("demonstrations", Kind.DEMONSTRATE, Cohort.TRAINING)
        prompts = self.filling.prompts[Split.TRAIN]
        dispatch.add_demonstration_items(batch, prompts[: len(prompts) // 2])
        Demonstration.objects.bulk_create(
            Demonstration(
                assignment=one, prompt=one.item.prompt, labeler=one.labeler, guideline=batch.guideline,
                rubric=batch.rubric, text=run_folders.ANSWER, created_at=self.clock,
            )
            for one in labels.assignments(batch, 1, self._people(Cohort.TRAINING))
        )  # fmt: skip
        filters = {"round": self.round.pk}
        made = Demonstration.objects.filter(assignment__item__batch=batch)
        self.datasets["demonstrations"] = freeze.freeze_demonstrations(made, filters=filters)
        train = Prompt.objects.filter(split=Split.TRAIN)
        self.datasets["prompts"] = freeze.freeze_prompts(train, filters=filters)
        return batch

    def _judge(self) -> Batch:
        """One completion of each policy, side by side."""
        answered = [self._sampled(f"sample_{policy}", Split.TEST) for policy in POLICIES]
        groups: Groups = [(same[0][0], [one for _, of in same for one in of]) for same in zip(*answered, strict=True)]
        return self._rank("judgement", Cohort.HELD_OUT, groups, Purpose.EVALUATION, JUDGES)

    def _rank(
        self, what: str, cohort: Cohort, groups: Groups, purpose: Purpose = Purpose.TRAINING, need: int = 1
    ) -> Batch:
        batch = self._batch(what, Kind.RANK, cohort, purpose)
        labels.rank(batch, groups, need, self._people(cohort))
        if what == "rankings":
            made = Ranking.objects.filter(item__batch=batch)
            self.datasets["rankings"] = freeze.freeze_rankings(made, filters={"round": self.round.pk})
        return batch

    def _people(self, cohort: Cohort) -> labels.People:
        return labels.People(self.filling.people[cohort], self.rng, self.clock)

    def _batch(self, what: str, kind: Kind, cohort: Cohort, purpose: Purpose = Purpose.TRAINING) -> Batch:
        return dispatch.open_batch(
            name=f"{self.round.name}: {what}",
            kind=kind,
            purpose=purpose,
            cohort=cohort,
            guideline=self.filling.guidelines[purpose],
        )
